//! Preconditions: the client says which version of a file it knows, and what it gets depends on
//! whether that is still the current one (RFC 9110, section 13).
//!
//! ```text
//!   in this order (13.2.2)   is true if                                  if false
//!   1 If-Match               one of its tags is ours, by strong          412 Precondition Failed
//!                            comparison; or it is * (any version)
//!   2 If-Unmodified-Since    the file was not modified after this date   412
//!     not beside If-Match
//!   3 If-None-Match          none of its tags is ours, by weak           304 Not Modified
//!                            comparison; and it is not *
//!   4 If-Modified-Since      the file was modified after this date       304
//!     not beside If-None-Match
//!   5 If-Range               the tag, or the date, is exactly ours       Range is ignored
//!     only with Range
//! ```
//!
//! This is for GET and HEAD. (Where a request would change something, 3 leads to 412 as well, and 4
//! does not count.) A date that is none, or not one alone, does not count either.

use std::fs::Metadata;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::http::date::HttpDate;
use crate::http::head::{Fields, Status};

/// What tells the current version of a file from all others (RFC 9110, section 8.8).
#[derive(Default)]
pub struct Validators {
    /// Sent as `ETag`, with its quotes.
    pub tag: Option<String>,
    /// Sent as Last-Modified.
    pub modified: Option<HttpDate>,
    /// Whether the second of `modified` is over. Before, the file may change once more and keep its
    /// date, which is then no strong validator (section 8.8.2.2).
    is_strong_date: bool,
}

impl Validators {
    pub fn of(about: &Metadata, now: SystemTime) -> Self {
        let Ok(modified) = about.modified() else { return Self::default() };
        let (sign, distance) = match modified.duration_since(UNIX_EPOCH) {
            Ok(after) => ("", after),
            Err(before) => ("-", before.duration()),
        };
        let (seconds, nanos) = (distance.as_secs(), distance.subsec_nanos());
        // The exact time and the length: a change that alters neither would go unnoticed.
        let tag = format!("\"{sign}{seconds:x}-{nanos:08x}-{:x}\"", about.len());
        // A date in the future is replaced by that of the answer (section 8.8.2.1).
        let modified = HttpDate::of(modified.min(now));
        let is_strong_date = modified.is_some() && modified < HttpDate::of(now);
        Self { tag: Some(tag), modified, is_strong_date }
    }

    // listing: begin preconditions
    /// Steps 1 to 4: the status that the request ends with, or `None` if it goes on.
    pub fn failed_precondition(&self, fields: &Fields) -> Option<Status> {
        let has = |name| fields.first(name).is_some();
        let is_wanted = if has("If-Match") {
            self.is_named(fields, "If-Match", str::eq)
        } else {
            self.is_unmodified(fields, "If-Unmodified-Since").unwrap_or(true)
        };
        if !is_wanted {
            return Some(412);
        }
        let is_known = if has("If-None-Match") {
            self.is_named(fields, "If-None-Match", weakly_equal)
        } else {
            self.is_unmodified(fields, "If-Modified-Since").unwrap_or(false)
        };
        is_known.then_some(304)
    }

    /// Step 5: whether Range counts, as these bytes fit to those that the client has. (A weak tag
    /// never equals ours.)
    pub fn allow_range(&self, fields: &Fields) -> bool {
        if fields.first("If-Range").is_none() {
            return true;
        }
        let Some(known) = fields.only("If-Range") else { return false };
        let is_our_date = || self.is_strong_date && HttpDate::parse(known) == self.modified;
        self.tag.as_deref() == Some(known) || is_our_date()
    }

    /// Whether a field is `*`, or a list with our tag in it. A comma may be part of a tag; but no
    /// piece of somebody else's has a quote at both ends, as ours has.
    fn is_named(&self, fields: &Fields, name: &str, equal: fn(&str, &str) -> bool) -> bool {
        let is_ours = |tag| self.tag.as_deref().is_some_and(|ours| equal(tag, ours));
        fields.only(name) == Some("*") || fields.list(name).any(is_ours)
    }

    /// `None` if one of the dates is missing, or is none.
    fn is_unmodified(&self, fields: &Fields, since: &str) -> Option<bool> {
        Some(self.modified? <= HttpDate::parse(fields.only(since)?)?)
    }
    // listing: end preconditions
}

/// Section 8.8.3.2: the mark `W/` makes no difference. (Ours never has it.)
fn weakly_equal(tag: &str, ours: &str) -> bool {
    tag.strip_prefix("W/").unwrap_or(tag) == ours
}

#[cfg(test)]
mod tests;
