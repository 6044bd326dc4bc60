//! The client: one URL, by hand (`client/session.rs`) or with a library (`client/library.rs`).

mod destination;
mod library;
mod range;
mod session;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use netbasics::cli::program::{OutputError, Usage};
use netbasics::cli::{log, program};
use netbasics::values::port::Endpoint;

use crate::http::head::Response;
use crate::http::tls;
pub use destination::Destination;
pub use library::Library;
pub use range::Range;
pub use session::Session;

/// Fetch a URL and print what it gives
#[derive(Clone, clap::Args)]
pub struct Options {
    /// A URL, or the path alone for the server at --addr
    #[arg(value_name = "URL", default_value = "/")]
    pub url: String,
    /// Ask for the head only, and print that
    #[arg(long)]
    pub head: bool,
    /// Ask for some of the bytes, counted from 0: 0-99, 100- or -100 (the last hundred)
    #[arg(long, value_name = "FIRST-LAST", allow_hyphen_values = true, value_parser = Range::parse)]
    pub range: Option<Range>,
    /// For https: the certificate of the authority to trust, as PEM; nobody else is trusted
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<PathBuf>,
    /// Let the library ureq do it
    #[arg(long)]
    pub library: bool,
    /// Show the heads of request (>; not with --library) and answer (<) on standard error
    #[arg(long, short)]
    pub verbose: bool,
    /// The longest wait for the connection, for the head, and for more of the body
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = program::seconds)]
    pub timeout: Duration,
    /// The largest body to take
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
    pub max_bytes: u64,
}

impl Options {
    pub fn method(&self) -> &'static str {
        if self.head { "HEAD" } else { "GET" }
    }
}

pub fn run(addr: Option<Endpoint>, options: &Options) -> Result<()> {
    let to = Destination::new(addr, &options.url, options.cacert.is_some())?;
    if options.cacert.is_some() && !to.is_https() {
        return Err(Usage("--cacert is for https, and this URL is http".to_owned()).into());
    }
    let authorities = options.cacert.as_deref().map(tls::read_authorities).transpose()?;
    let authorities = authorities.unwrap_or_default();
    let response = if options.library {
        Library::new(&to, &authorities, options).fetch(&to, options)?
    } else {
        let trusted = tls::trust(&authorities)?;
        let mut session = Session::open(&to, &trusted, options)?;
        let response = session.fetch(&to, options, true)?;
        session.close();
        response
    };
    judge(&to, options, &response)
}

/// Whether we got what we asked for. A redirect is not followed by hand: a client that follows
/// where a server points has to count, to compare hosts, and to think about what to send there.
fn judge(to: &Destination, options: &Options, response: &Response) -> Result<()> {
    let Response { status, reason, fields, .. } = response;
    let more = match status {
        200..=299 => return Ok(()),
        300..=399 => fields
            .first("Location")
            .map(|location| format!("; it is now at {}", to.redirect(location))),
        416 => range::length(fields).map(|length| format!("; it has {length} bytes")),
        _ => None,
    };
    bail!("{} {}: {status} {reason}{}", options.method(), to.url, more.unwrap_or_default())
}

/// How many bytes of content must come, if that is known.
fn expected(to: &Destination, options: &Options, response: &Response) -> Result<Option<u64>> {
    let expected = Range::check(options.range, response);
    expected.with_context(|| format!("{} {}: {}", options.method(), to.url, response.status))
}

/// Whether that many have come: a part with more or fewer bytes is not the one that its head names.
fn check_length(to: &Destination, expected: Option<u64>, length: u64) -> Result<()> {
    match expected {
        Some(expected) if expected != length => {
            bail!("{} sends {length} bytes for a part of {expected}", to.host())
        }
        _ => Ok(()),
    }
}

/// Prints the head of an answer to a HEAD, which is all of it.
fn print_head(response: &Response) -> Result<(), OutputError> {
    let head = response.to_string().replace("\r\n", "\n");
    let head = head.trim_end().to_owned() + "\n";
    print(&mut log::output(), head.as_bytes()).map_err(OutputError)
}

fn print(output: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    output.write_all(bytes).and_then(|()| output.flush())
}

/// Shows a head line by line, with a sign in front for its direction.
fn show(sign: char, head: &str) {
    head.lines().take_while(|line| !line.is_empty()).for_each(|line| log!("{sign} {line}"));
}
