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
    todo!("take the URL apart; the Host field leaves out the scheme's own port")
}

/// RFC 3986, section 2: a URL is made of these characters, and each `%` begins three of them.
fn check_characters(url: &str) -> Result<(), Complaint> {
    todo!("look at every character, and at the two behind each `%`")
}

/// Takes a URL apart, at the first character that ends each of its parts.
fn take_apart(url: &str) -> Result<Parts<'_>, Complaint> {
    todo!("the scheme in any letters, then the fragment, then the authority's end")
}

/// The host as a client asks the resolver for it, and the port if one is given.
fn host_and_port(authority: &str) -> Result<(String, Option<u16>), Complaint> {
    todo!("no user; an IPv6 address ends at its bracket, a name at the colon")
}

/// A name (or an IPv4 address, which is written with the same characters) in small letters.
fn name(text: &str) -> Result<String, Complaint> {
    todo!("not empty; letters, digits, hyphens and dots only")
}

/// What stands behind the host: nothing, or a colon and a port, which may be empty.
fn port(text: &str) -> Result<Option<u16>, Complaint> {
    todo!("nothing, a colon, or a colon and a number from 1 to 65535")
}
