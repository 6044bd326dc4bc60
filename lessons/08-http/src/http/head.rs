//! The head of an HTTP/1.1 message: a start line, field lines, and an empty line.
//!
//! ```text
//!   GET /poem.txt HTTP/1.1␍␊         HTTP/1.1 200 OK␍␊             the start line
//!   Host: localhost:8888␍␊           Content-Type: text/plain␍␊    field lines, name: value
//!   ␍␊                               Content-Length: 81␍␊
//!                                    ␍␊                            the end of the head
//! ```
//!
//! Nothing here reads or writes: bytes come in, values go out. It is strict where RFC 9112 lets a
//! recipient choose, because two programs that read one head in two ways can be played off against
//! each other ("request smuggling", RFC 9112, section 11.2).

mod fields;
mod status;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str;

pub use fields::{Fields, OWS, text};
pub use status::{Status, phrase};

/// Why a message is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What a server answers; a client only says why.
    pub status: Status,
    pub why: &'static str,
}

/// A message that breaks the rules: 400 (RFC 9110, section 15.5.1).
pub const fn bad(why: &'static str) -> Fault {
    Fault { status: 400, why }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.why)
    }
}

impl std::error::Error for Fault {}

/// The versions we speak. A later 1.x is answered as 1.1 (RFC 9110, section 6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    Http10,
    Http11,
}

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `HEAD` …; the case counts (RFC 9110, section 9.1).
    pub method: String,
    /// What is asked for, as it came: `/poem.txt?x=1`, or a whole URL (RFC 9112, section 3.2).
    pub target: String,
    pub version: Version,
    pub fields: Fields,
}

/// What a server answers.
#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    pub version: Version,
    pub status: Status,
    /// Words for people; a client decides by the number alone (RFC 9112, section 4).
    pub reason: String,
    pub fields: Fields,
}

// listing: begin request
impl Request {
    /// Reads a whole head, from the method to the empty line.
    ///
    /// # Errors
    /// 400, or 505 for a version other than HTTP/1.x (RFC 9110, section 15.6.6).
    pub fn parse(head: &[u8]) -> Result<Self, Fault> {
        let (line, rest) = fields::split_line(head)?;
        let line = str::from_utf8(line).map_err(|_| bad("the first line is not text"))?;
        // Exactly one space in each place. RFC 9112, section 3, would let us split at any
        // whitespace; then `GET /a HTTP/1.1 /b HTTP/1.1` could be read in two ways.
        let mut words = line.split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(bad("the request line is not METHOD TARGET VERSION"));
        };
        if !fields::is_token(method) {
            return Err(bad("the method is not a token"));
        }
        // The ends of the printable ASCII characters; `#` begins a part that is never sent.
        if target.is_empty() || !target.bytes().all(|b| matches!(b, b'!'..=b'~') && b != b'#') {
            return Err(bad("the target holds a character that no URL sends"));
        }
        let version = Version::parse(version)?;
        let fields = Fields::parse(rest)?;
        Ok(Self { method: method.into(), target: target.into(), version, fields })
    }
}
// listing: end request

impl Response {
    /// Reads a whole head, from the version to the empty line.
    pub fn parse(head: &[u8]) -> Result<Self, Fault> {
        let (line, rest) = fields::split_line(head)?;
        // Tabs, and letters of other alphabets, may stand in the reason (RFC 9112, section 4).
        let line = fields::text(line)?;
        let (version, rest_of_line) =
            line.split_once(' ').ok_or(bad("the status line has no status"))?;
        let version = Version::parse(version)?;
        // The reason may be empty, and some servers then leave its space out.
        let (status, reason) = rest_of_line.split_once(' ').unwrap_or((rest_of_line, ""));
        if status.len() != 3 || !status.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(bad("the status is not three digits"));
        }
        let status = status.parse().map_err(|_| bad("the status is not three digits"))?;
        if status < 100 {
            return Err(bad("there is no status below 100"));
        }
        let fields = Fields::parse(&fields::unfold(rest))?;
        Ok(Self { version, status, reason: reason.into(), fields })
    }
}

impl Version {
    fn parse(text: &str) -> Result<Self, Fault> {
        // One digit on each side of the dot (RFC 9112, section 2.3), so `HTTP/1.10` is nonsense.
        match text.strip_prefix("HTTP/").map(str::as_bytes) {
            Some(b"1.0") => Ok(Self::Http10),
            Some([b'1', b'.', b'1'..=b'9']) => Ok(Self::Http11),
            Some([b'0'..=b'9', b'.', b'0'..=b'9']) => {
                Err(Fault { status: 505, why: "only HTTP/1.0 and HTTP/1.1 are spoken here" })
            }
            _ => Err(bad("the version is not HTTP/DIGIT.DIGIT")),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Http10 { "HTTP/1.0" } else { "HTTP/1.1" })
    }
}

/// The bytes that are sent: lines that end in CR LF, the empty one last.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, target, version, fields } = self;
        write!(f, "{method} {target} {version}\r\n{fields}\r\n")
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, status, reason, fields } = self;
        write!(f, "{version} {status} {reason}\r\n{fields}\r\n")
    }
}
