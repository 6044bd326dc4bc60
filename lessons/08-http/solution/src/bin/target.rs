//! Exercise `target`: what a client has to do for a URL.
//!
//! `target URL…` takes them from the command line, `target -` from standard input, one a line.
//! Nothing is looked up and nobody is connected to. Use the standard library only.
//!
//! ```text
//! http://example.org:8080/where?q=now#top
//! scheme      authority   path  query fragment
//! ```

use std::io::{self, BufRead, Write};
use std::net::Ipv6Addr;
use std::process::ExitCode;

/// Why a text is no URL for us, in the words of the task.
type Complaint = &'static str;

/// What stands between a URL's scheme and its fragment.
struct Parts<'a> {
    /// Whether the scheme is `https`.
    is_secure: bool,
    /// `HOST` or `HOST:PORT`, as it was written.
    authority: &'a str,
    /// Everything behind the authority, up to the fragment: it may be empty.
    path_and_query: &'a str,
}

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.is_empty() {
        eprintln!("usage: target URL… or target - to read them from standard input");
        return Ok(ExitCode::from(2));
    }
    let texts = if arguments == ["-"] { read_lines()? } else { arguments };
    let mut all_good = true;
    for text in &texts {
        match describe(text) {
            Ok(line) => writeln!(io::stdout(), "{line}")?,
            Err(complaint) => {
                eprintln!("{text}: {complaint}");
                all_good = false;
            }
        }
    }
    Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// The lines of standard input, without the blanks around them and without empty lines.
fn read_lines() -> io::Result<Vec<String>> {
    let mut texts = Vec::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let text = line.trim_matches([' ', '\t']);
        if !text.is_empty() {
            texts.push(text.to_owned());
        }
    }
    Ok(texts)
}

/// `SECURITY HOST PORT FIELD TARGET` for a URL.
fn describe(url: &str) -> Result<String, Complaint> {
    // exercise: begin "take the URL apart; the Host field leaves out the scheme's own port"
    check_characters(url)?;
    let Parts { is_secure, authority, path_and_query } = take_apart(url)?;
    let (security, usual_port) = if is_secure { ("tls", 443) } else { ("tcp", 80) };
    let (host, port) = host_and_port(authority)?;
    let port = port.unwrap_or(usual_port);
    // A colon is in no name: this is an IPv6 address, which would run into the port.
    let in_brackets = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let field = if port == usual_port { in_brackets } else { format!("{in_brackets}:{port}") };
    // RFC 9112, section 3.2.1: never empty, and the slash stands before a query, too.
    let slash = if path_and_query.starts_with('/') { "" } else { "/" };
    Ok(format!("{security} {host} {port} {field} {slash}{path_and_query}"))
    // exercise: end
}

/// RFC 3986, section 2: a URL is made of these characters, and each `%` begins three of them.
fn check_characters(url: &str) -> Result<(), Complaint> {
    // exercise: begin "look at every character, and at the two behind each `%`"
    let is_fit =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    if !url.bytes().all(is_fit) {
        return Err("bad character");
    }
    let is_encoded = |rest: &str| {
        let digits = rest.as_bytes().iter().take(2).filter(|byte| byte.is_ascii_hexdigit());
        digits.count() == 2
    };
    if url.split('%').skip(1).all(is_encoded) { Ok(()) } else { Err("bad percent-encoding") }
    // exercise: end
}

/// Takes a URL apart, at the first character that ends each of its parts.
fn take_apart(url: &str) -> Result<Parts<'_>, Complaint> {
    // exercise: begin "the scheme in any letters, then the fragment, then the authority's end"
    let (scheme, rest) = url.split_once("://").ok_or("not http or https")?;
    let is_secure = match scheme.to_ascii_lowercase().as_str() {
        "http" => false,
        "https" => true,
        _ => return Err("not http or https"),
    };
    // The fragment first: whatever is in it, a question mark or a slash, is no other part.
    let (rest, _fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path_and_query) = rest.split_at(end);
    Ok(Parts { is_secure, authority, path_and_query })
    // exercise: end
}

/// The host as a client asks the resolver for it, and the port if one is given.
fn host_and_port(authority: &str) -> Result<(String, Option<u16>), Complaint> {
    // exercise: begin "no user; an IPv6 address ends at its bracket, a name at the colon"
    if authority.contains('@') {
        return Err("user information");
    }
    let (host, rest) = if let Some(inside) = authority.strip_prefix('[') {
        let (address, rest) = inside.split_once(']').ok_or("bad host")?;
        let address: Ipv6Addr = address.parse().map_err(|_| "bad host")?;
        (address.to_string(), rest)
    } else {
        let end = authority.find(':').unwrap_or(authority.len());
        (name(&authority[..end])?, &authority[end..])
    };
    Ok((host, port(rest)?))
    // exercise: end
}

/// A name (or an IPv4 address, which is written with the same characters) in small letters.
fn name(text: &str) -> Result<String, Complaint> {
    // exercise: begin "not empty; letters, digits, hyphens and dots only"
    if text.is_empty() {
        return Err("no host");
    }
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if text.bytes().all(is_fit) { Ok(text.to_ascii_lowercase()) } else { Err("bad host") }
    // exercise: end
}

/// What stands behind the host: nothing, or a colon and a port, which may be empty.
fn port(text: &str) -> Result<Option<u16>, Complaint> {
    // exercise: begin "nothing, a colon, or a colon and a number from 1 to 65535"
    let Some(digits) = text.strip_prefix(':') else {
        return if text.is_empty() { Ok(None) } else { Err("bad host") };
    };
    if digits.is_empty() {
        return Ok(None);
    }
    // `parse` alone would take a sign, too.
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(port @ 1..) if is_number => Ok(Some(port)),
        _ => Err("bad port"),
    }
    // exercise: end
}
