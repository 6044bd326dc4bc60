//! From what a request asks for to a path below our folder. Nothing here touches a file. (RFC 9110,
//! section 17.3, on attacks with paths, is why it is so long.)
//!
//! ```text
//!   GET http://localhost:8888/a%20b/c.txt?lang=en HTTP/1.1
//!       └─ rarely there ────┘└── path ───┘└ for programs, not for files
//!                             "a b", "c.txt"
//! ```

use std::net::Ipv6Addr;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use crate::http::head::{Fault, Request, Version, bad};

pub const NO_SUCH_FILE: Fault = Fault { status: 404, why: "there is no such file" };

/// An HTTP/1.1 request says once for which host it is, as many may share an address; if not, 400
/// (RFC 9112, section 3.2). We have one site and take every name.
pub fn check_host(request: &Request) -> Result<(), Fault> {
    let mut hosts = request.fields.all("Host");
    match (hosts.next(), hosts.next()) {
        (None, _) if request.version < Version::Http11 => Ok(()),
        (None, _) => Err(bad("HTTP/1.1 without a Host")),
        (Some(_), Some(_)) => Err(bad("more than one Host")),
        (Some(host), None) if is_host(host) => Ok(()),
        _ => Err(bad("Host is not NAME or NAME:PORT")),
    }
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (text, ""),
    };
    let is_name = || {
        let is_part =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte);
        !host.is_empty() && host.bytes().all(is_part)
    };
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_address = bracketed.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    (is_address || is_name()) && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// The path of a target, still percent-encoded, and its query with the `?`, or nothing.
///
/// Usually that is all of it. A client may also send the whole URL, as it would to a proxy, and
/// every server has to take that (RFC 9112, section 3.2.2).
pub fn path_and_query(target: &str) -> Result<(&str, &str), Fault> {
    let target = match target.split_once("://") {
        _ if target.starts_with('/') => target,
        Some((scheme, rest))
            if ["http", "https"].iter().any(|s| scheme.eq_ignore_ascii_case(s)) =>
        {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            if !is_host(&rest[..end]) {
                return Err(bad("the URL has no host, or more than a host and a port"));
            }
            &rest[end..]
        }
        _ => return Err(bad("the target is neither a path nor a URL")),
    };
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    Ok((if path.is_empty() { "/" } else { path }, query))
}

// listing: begin resolve
/// The file's place below the folder: always one or more plain names, or nothing at all for the
/// folder itself.
///
/// First cut at each '/', then decode, and once only (RFC 3986, section 2.4): a `%2F` is a
/// character of a name and no separator. A server that decodes first, or twice, opens doors.
pub fn resolve(path: &str) -> Result<PathBuf, Fault> {
    let mut place = PathBuf::new();
    if path == "/" {
        return Ok(place);
    }
    let path = path.strip_prefix('/').unwrap_or(path);
    // The '/' at the end of a folder has no name behind it.
    for segment in path.strip_suffix('/').unwrap_or(path).split('/') {
        let name = decode(segment)?;
        if !is_plain_name(&name) {
            return Err(NO_SUCH_FILE);
        }
        place.push(name);
    }
    Ok(place)
}

fn decode(segment: &str) -> Result<String, Fault> {
    let mut rest = segment.split('%').skip(1);
    let is_digit = |text: &str, at| text.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
    if !rest.all(|part| is_digit(part, 0) && is_digit(part, 1)) {
        return Err(bad("a '%' without two hexadecimal digits"));
    }
    let name = percent_decode_str(segment).decode_utf8().map_err(|_| NO_SUCH_FILE)?;
    if name.contains('\0') {
        return Err(bad("a NUL in the path"));
    }
    Ok(name.into_owned())
}

/// Whether a name stands for a file in its folder, on every system.
///
/// The list says what is *not* plain: `..` and all other names that begin with a dot (nobody means
/// to publish `.git` or `.env`); separators, on Windows a backslash too; a colon, which there means
/// a drive (`C:`) or a second stream; a dot or a blank at the end, which Windows drops; and the
/// names of its devices.
pub fn is_plain_name(name: &str) -> bool {
    let is_odd = |c: char| {
        c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
    };
    !name.is_empty()
        && !name.starts_with('.')
        && !name.ends_with(['.', ' '])
        && !name.contains(is_odd)
        && !is_device(name)
}

/// On Windows `nul`, `NUL.txt` and `Com1 .log` are devices, in every folder (Microsoft, "Naming
/// Files, Paths, and Namespaces").
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_ascii_uppercase();
    let numbered = stem.strip_prefix("COM").or(stem.strip_prefix("LPT"));
    let digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³"];
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].contains(&stem.as_str())
        || numbered.is_some_and(|number| digits.contains(&number))
}
// listing: end resolve

#[cfg(test)]
mod tests;
