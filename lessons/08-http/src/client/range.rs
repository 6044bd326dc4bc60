//! Some of the bytes: what is asked for with --range, and whether that is what comes (RFC 9110,
//! section 14).

use std::fmt;

use anyhow::{Result, bail, ensure};

use crate::http::head::{Fields, Response};

/// Which bytes, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// The first and the last one.
    Between(u64, u64),
    From(u64),
    /// This number of bytes at the end.
    Last(u64),
}

impl Range {
    /// What a person may write behind --range; several ranges at once are more than we can print.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((first, last)) = text.split_once('-') else { return Err(HOW_TO.to_owned()) };
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self::Between(first, last)),
            (Some(_), Some(_)) => Err("the last byte is in front of the first".to_owned()),
            (Some(first), None) if last.is_empty() => Ok(Self::From(first)),
            (None, Some(count)) if first.is_empty() => Ok(Self::Last(count)),
            _ => Err(HOW_TO.to_owned()),
        }
    }

    /// How many bytes `response` has to bring, if its head says so.
    ///
    /// # Errors
    /// If they are not the ones that were `asked` for (`None`: all). A server is free to ignore a
    /// Range, or to send another part first; what then comes must not be taken for what was meant.
    pub fn check(asked: Option<Self>, response: &Response) -> Result<Option<u64>> {
        match (asked, response.status) {
            (Some(asked), 206) => asked.check_part(&response.fields).map(Some),
            // All is what `0-` asks for.
            (Some(asked), 200) if asked != Self::From(0) => {
                bail!("the server sends all or nothing: try it without --range")
            }
            (None, 206) => bail!("the server sends a part, although all was asked for"),
            _ => Ok(None),
        }
    }

    fn check_part(self, fields: &Fields) -> Result<u64> {
        let media_type = fields.first("Content-Type").unwrap_or("").to_ascii_lowercase();
        ensure!(
            !media_type.starts_with("multipart/byteranges"),
            "the server sends several parts, although one was asked for"
        );
        let text = fields.only("Content-Range").unwrap_or("");
        let Some((first, last, length)) = content_range(text) else {
            bail!("the server sends a part and does not say which: Content-Range is {text:?}");
        };
        ensure!(self.is(first, last, length), "the server sends another part: {text}");
        Ok((last - first).saturating_add(1))
    }

    fn is(self, first: u64, last: u64, length: Option<u64>) -> bool {
        // A server that does not know the length must be believed that this is the end.
        let is_end = length.is_none_or(|length| length == last + 1);
        match self {
            Self::Between(from, to) => first == from && (last == to || last < to && is_end),
            Self::From(from) => first == from && is_end,
            Self::Last(count) => {
                let from = length.map(|length| length.saturating_sub(count));
                is_end && from.map_or(last - first < count, |from| first == from)
            }
        }
    }
}

const HOW_TO: &str = "write FIRST-LAST, FIRST- or -COUNT, such as 0-99";

/// The first and the last byte in `bytes 0-8/84`, and how many there are in all, unless that is `*`
/// (RFC 9110, section 14.4).
fn content_range(text: &str) -> Option<(u64, u64, Option<u64>)> {
    let (unit, rest) = text.split_once(' ')?;
    let (range, length) = rest.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    let length = if length == "*" { None } else { Some(number(length)?) };
    let is_valid = first <= last && length.is_none_or(|length| last < length);
    (is_valid && unit.eq_ignore_ascii_case("bytes")).then_some((first, last, length))
}

/// How many bytes there are in all, as a 416 says: `bytes */84`.
pub fn length(fields: &Fields) -> Option<u64> {
    fields.only("Content-Range")?.strip_prefix("bytes */").and_then(number)
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The value of the field Range.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Between(first, last) => write!(f, "bytes={first}-{last}"),
            Self::From(first) => write!(f, "bytes={first}-"),
            Self::Last(count) => write!(f, "bytes=-{count}"),
        }
    }
}

#[cfg(test)]
mod tests;
