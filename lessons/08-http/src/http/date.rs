//! Dates as HTTP writes them: whole seconds, in UTC (RFC 9110, section 5.6.7).

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Datelike, NaiveDateTime};

/// A date that can be written: `Sun, 06 Nov 1994 08:49:37 GMT` has room for four digits of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HttpDate(NaiveDateTime);

/// The form that is sent, and two older ones that every recipient has to accept.
const IMF_FIXDATE: &str = "%a, %d %b %Y %H:%M:%S GMT";
const RFC_850: &str = "%A, %d-%b-%y %H:%M:%S GMT";
const ASCTIME: &str = "%a %b %e %H:%M:%S %Y";

impl HttpDate {
    /// `None` if it is no date of HTTP; then a recipient acts as if nothing had been said.
    pub fn parse(text: &str) -> Option<Self> {
        [IMF_FIXDATE, RFC_850, ASCTIME].iter().find_map(|format| {
            let date = NaiveDateTime::parse_from_str(text, format).ok()?;
            // chrono forgives small letters and more blanks, HTTP does not.
            let is_exact = date.format(format).to_string() == text;
            Self::new(date).filter(|_| is_exact)
        })
    }

    /// `None` before 1970 and after 9999: a file system may say anything.
    pub fn of(time: SystemTime) -> Option<Self> {
        let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
        let time = DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)?;
        Self::new(time.naive_utc())
    }

    fn new(date: NaiveDateTime) -> Option<Self> {
        (0..=9999).contains(&date.year()).then_some(Self(date))
    }
}

impl fmt::Display for HttpDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.format(IMF_FIXDATE).fmt(f)
    }
}

#[cfg(test)]
mod tests;
