//! Where the body ends: the question on which an HTTP connection stands or falls.
//!
//! RFC 9112, section 6.3, has the rules in their order. Get one wrong, and the rest of a body is
//! taken for the next message.

use crate::http::head::{Fault, Fields, Request, Response, Version, bad};

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// This many bytes; none is the usual case of a request.
    Length(u64),
    /// In pieces, each with its length in front, until one of length 0.
    Chunked,
    /// Until the server closes the connection. Only a response can end like this.
    UntilClose,
}

// listing: begin framing
/// How long the body of a request is.
///
/// # Errors
/// 400 for whatever could be read in two ways, 501 for a coding we do not know.
pub fn of_request(request: &Request) -> Result<Framing, Fault> {
    match declared(&request.fields, request.version)? {
        Some(framing) => Ok(framing),
        // Neither field: there is no body, whatever the method.
        None => Ok(Framing::Length(0)),
    }
}

/// How long the body of the answer to a request with this method is.
pub fn of_response(method: &str, response: &Response) -> Result<Framing, Fault> {
    // These never have a body, whatever their fields say: a HEAD is answered with the length that
    // a GET would have got.
    if method == "HEAD" || matches!(response.status, 100..=199 | 204 | 304) {
        return Ok(Framing::Length(0));
    }
    let declared = declared(&response.fields, response.version)?;
    Ok(declared.unwrap_or(Framing::UntilClose))
}

fn declared(fields: &Fields, version: Version) -> Result<Option<Framing>, Fault> {
    let is_coded = fields.first("Transfer-Encoding").is_some();
    let mut lengths = fields.all("Content-Length");
    match (is_coded, lengths.next(), lengths.next()) {
        (false, None, _) => Ok(None),
        (false, Some(length), None) => Ok(Some(Framing::Length(content_length(length)?))),
        // Even two equal ones: no honest sender makes them, and there would be a first and a last.
        (_, Some(_), Some(_)) => Err(bad("more than one Content-Length")),
        (true, Some(_), _) => Err(bad("Content-Length and Transfer-Encoding together")),
        (true, None, _) if version < Version::Http11 => {
            Err(bad("Transfer-Encoding in a message of HTTP/1.0, which does not know it"))
        }
        (true, None, _) => transfer_coding(fields).map(Some),
    }
}

/// Digits and nothing else: no sign, no blank, no comma (RFC 9110, section 8.6).
fn content_length(text: &str) -> Result<u64, Fault> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad("Content-Length is not a number"));
    }
    // Digits that are too many for a u64 are a length all the same, and above every limit.
    Ok(text.parse().unwrap_or(u64::MAX))
}
// listing: end framing

/// `chunked` alone. It must be the last coding (RFC 9112, section 6.1), and we know no other.
fn transfer_coding(fields: &Fields) -> Result<Framing, Fault> {
    let codings: Vec<&str> = fields.list("Transfer-Encoding").collect();
    let is_chunked = |coding: &&&str| coding.eq_ignore_ascii_case("chunked");
    match codings.as_slice() {
        [only] if is_chunked(&only) => Ok(Framing::Chunked),
        [before @ .., last] if is_chunked(&last) && !before.iter().any(|c| is_chunked(&c)) => {
            Err(Fault { status: 501, why: "a transfer coding other than chunked" })
        }
        _ => Err(bad("Transfer-Encoding does not end with one chunked")),
    }
}
