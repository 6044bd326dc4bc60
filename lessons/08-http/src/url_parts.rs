//! What a URL is made of (RFC 3986, section 3), and what of it a server gets to see.
//!
//! ```text
//!   https://user:pass@example.com:8443/a%20b/c.txt?lang=zh&q=1#part
//!   └─┬─┘   └───┬───┘ └────┬────┘ └┬─┘└─────┬─────┘└────┬────┘ └┬─┘
//!   scheme  userinfo     host     port    path        query   fragment
//!           └────── authority ───────┘
//! ```

use std::io::{self, Write};

use anyhow::Result;
use netbasics::cli::log;
use netbasics::cli::program::{OutputError, Usage};
use netbasics::values::escape::escaped;
use percent_encoding::percent_decode_str;
use url::{Position, Url};

/// Take a URL apart
#[derive(clap::Args)]
pub struct Options {
    /// Any URL; quote it, as shells have plans of their own for & and ?
    pub url: String,
}

pub fn run(options: &Options) -> Result<()> {
    let url = Url::parse(&options.url)
        .map_err(|problem| Usage(format!("{} is no URL: {problem}", options.url)))?;
    Ok(print(&url, &mut log::output()).map_err(OutputError)?)
}

fn print(url: &Url, out: &mut dyn Write) -> io::Result<()> {
    row(out, "URL", url.as_str(), "")?;
    row(out, "scheme", url.scheme(), "how to get there")?;
    print_authority(url, out)?;
    let is_web = matches!(url.scheme(), "http" | "https");
    print_rest(url, out, if is_web { "sent" } else { "" })?;
    if is_web {
        let target = &url[Position::BeforePath..Position::AfterQuery];
        let host = &url[Position::BeforeHost..Position::AfterPort];
        writeln!(out, "what a server gets:\n  GET {target} HTTP/1.1\n  Host: {host}")?;
    }
    out.flush()
}

fn print_authority(url: &Url, out: &mut dyn Write) -> io::Result<()> {
    if !url.username().is_empty() || url.password().is_some() {
        let userinfo = &url[Position::BeforeUsername..Position::AfterPassword];
        row(out, "userinfo", userinfo, "deprecated; this client never sends it")?;
    }
    if let Some(host) = url.host_str() {
        row(out, "host", host, "looked up; also sent, as Host")?;
    }
    match (url.port(), url.port_or_known_default()) {
        (Some(port), _) => row(out, "port", &port.to_string(), "connected to; also sent"),
        (None, Some(port)) => row(out, "port", &port.to_string(), "the scheme's own; not sent"),
        (None, None) => Ok(()),
    }
}

/// Path and query as they are, and then their parts, decoded: in this order, or a `%2F` would be
/// taken for a separator.
fn print_rest(url: &Url, out: &mut dyn Write, sent: &str) -> io::Result<()> {
    row(out, "path", url.path(), sent)?;
    for segment in url.path_segments().into_iter().flatten() {
        row(out, "  segment", &decoded(segment), "")?;
    }
    if let Some(query) = url.query() {
        row(out, "query", query, sent)?;
    }
    for (name, value) in url.query_pairs() {
        row(out, &format!("  {name}"), &value, "")?;
    }
    match url.fragment() {
        Some(part) => row(out, "fragment", &decoded(part), "never sent: a place in the document"),
        None => Ok(()),
    }
}

fn row(out: &mut dyn Write, name: &str, value: &str, what: &str) -> io::Result<()> {
    // Nothing of this can move the cursor or begin a line, whatever was percent-encoded in it.
    let [name, value, what] = [name, value, what].map(escaped);
    let width = log::width();
    let value = log::row(&format!("{name:<10} "), &value, 2, width);
    let line = log::row(&format!("{value:<45} "), &what, 11, width);
    writeln!(out, "{}", line.trim_end())
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
