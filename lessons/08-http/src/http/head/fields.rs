//! Field lines: `name: value`, each on a line of its own (RFC 9112, section 5).

use std::borrow::Cow;
use std::fmt;
use std::str;

use super::{Fault, bad};

/// More lines than that and the head is not read any further.
const MAX_FIELDS: usize = 100;

/// The fields of a head (or of a trailer) in their order. Names are compared without their case
/// (RFC 9110, section 5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

// listing: begin fields
impl Fields {
    /// Reads field lines until the empty line, which must be the end of `bytes`.
    ///
    /// # Errors
    /// 400 for whatever is no field line, 431 for too many of them (RFC 6585, section 5).
    pub fn parse(mut bytes: &[u8]) -> Result<Self, Fault> {
        let mut fields = Self::default();
        loop {
            let (line, rest) = split_line(bytes)?;
            if line.is_empty() {
                return if rest.is_empty() {
                    Ok(fields)
                } else {
                    Err(bad("bytes behind the head"))
                };
            }
            if fields.0.len() == MAX_FIELDS {
                return Err(Fault { status: 431, why: "more than 100 field lines" });
            }
            fields.0.push(field(line)?);
            bytes = rest;
        }
    }
}

fn field(line: &[u8]) -> Result<(String, String), Fault> {
    // obs-fold: once, a line could be continued on the next one (RFC 9112, section 5.2).
    if matches!(line[0], b' ' | b'\t') {
        return Err(bad("a field line begins with a blank; folded lines are obsolete"));
    }
    let colon = line.iter().position(|&byte| byte == b':').ok_or(bad("a field without ':'"))?;
    let (name, value) = (&line[..colon], text(&line[colon + 1..])?);
    // `Content-Length : 5` is one field to some and an unknown one to others. RFC 9112, section
    // 5.1, leaves a server no choice here: 400. (A blank is no character of a token.)
    let name = str::from_utf8(name).ok().filter(|name| is_token(name));
    let name = name.ok_or(bad("a field name is not a token, or a blank stands before its ':'"))?;
    Ok((name.to_owned(), value.trim_matches(OWS).to_owned()))
}

/// The blanks of HTTP (RFC 9110, section 5.6.3): these two. A form feed, or what else Rust's `trim`
/// takes for white space, is none to others who read the same bytes.
pub const OWS: [char; 2] = [' ', '\t'];

/// Visible characters, blanks, tabs, and bytes above ASCII as they are (RFC 9110, section 5.5).
pub fn text(bytes: &[u8]) -> Result<Cow<'_, str>, Fault> {
    if bytes.iter().any(|&byte| byte != b'\t' && byte.is_ascii_control()) {
        return Err(bad("a control character in a line"));
    }
    Ok(String::from_utf8_lossy(bytes))
}

/// Puts folded lines together. A server refuses them, a client must not: it takes each fold for
/// blanks (RFC 9112, section 5.2).
pub fn unfold(lines: &[u8]) -> Vec<u8> {
    let mut lines = lines.to_vec();
    for at in 2..lines.len() {
        if &lines[at - 2..at] == b"\r\n" && matches!(lines[at], b' ' | b'\t') {
            lines[at - 2..at].copy_from_slice(b"  ");
        }
    }
    lines
}

/// The next line without its CR LF, and the bytes behind it.
///
/// RFC 9112, section 2.2, would accept a line feed alone. A reader that does sees lines where
/// others see one; so here every line feed has its carriage return, and the other way round.
pub fn split_line(bytes: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    let end = bytes.iter().position(|&byte| byte == b'\n').ok_or(bad("a line without an end"))?;
    let line = bytes[..end].strip_suffix(b"\r").ok_or(bad("a line feed without its CR"))?;
    if line.contains(&b'\r') {
        return Err(bad("a carriage return without its LF"));
    }
    Ok((line, &bytes[end + 1..]))
}
// listing: end fields

impl Fields {
    /// Adds a field that we send ourselves.
    pub fn add(&mut self, name: &str, value: impl fmt::Display) {
        self.0.push((name.to_owned(), value.to_string()));
    }

    /// Adds all of `others` behind these.
    pub fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// The values of all lines with this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let same = move |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
        self.0.iter().filter(same).map(|(_, value)| value.as_str())
    }

    /// The value of the first line with this name.
    pub fn first<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// The value, if there is just one line with this name.
    pub fn only<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let mut values = self.all(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// The members of a field that is a list; it may be cut into several lines and means the same
    /// (RFC 9110, section 5.2).
    pub fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let members = self.all(name).flat_map(|value| value.split(','));
        members.map(|member| member.trim_matches(OWS)).filter(|member| !member.is_empty())
    }

    /// Whether a list has this word in it, in any case.
    pub fn lists(&self, name: &str, word: &str) -> bool {
        self.list(name).any(|member| member.eq_ignore_ascii_case(word))
    }
}

/// The words that HTTP is made of (RFC 9110, section 5.6.2).
pub fn is_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(name, value)| write!(f, "{name}: {value}\r\n"))
    }
}
