//! The client: one URL, by hand (`client/session.rs`) or with a library (`client/library.rs`).

mod destination;
mod library;
mod session;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use netbasics::port::Endpoint;
use netbasics::program::{OutputError, Usage};
use netbasics::{program, say};

use crate::http::head::Response;
use crate::http::tls;
pub use destination::Destination;
pub use library::Library;
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
    #[arg(long, value_name = "FIRST-LAST", allow_hyphen_values = true, value_parser = range)]
    pub range: Option<String>,
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

/// What a person may write behind --range; several ranges at once are more than we can print.
fn range(text: &str) -> Result<String, String> {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('-') {
        Some((first, last)) if is_number(first) && is_number(last) && text.len() > 1 => {
            Ok(format!("bytes={text}"))
        }
        _ => Err("write FIRST-LAST, FIRST- or -COUNT, such as 0-99".to_owned()),
    }
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

/// Whether we got what we asked for. A redirect is not followed by hand: whoever follows where a
/// server points has to count, to compare hosts, and to think about what to send there.
fn judge(to: &Destination, options: &Options, response: &Response) -> Result<()> {
    let Response { status, reason, .. } = response;
    if (200..300).contains(status) {
        return Ok(());
    }
    let what = format!("{} {}: {status} {reason}", options.method(), to.url);
    match response.fields.first("Location") {
        Some(location) => bail!("{what}; it is now at {location}"),
        None => bail!("{what}"),
    }
}

/// Prints the head of an answer to a HEAD, which is all of it.
fn print_head(response: &Response) -> Result<(), OutputError> {
    let head = response.to_string().replace("\r\n", "\n");
    let head = head.trim_end().to_owned() + "\n";
    print(&mut say::output(), head.as_bytes()).map_err(OutputError)
}

fn print(output: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    output.write_all(bytes).and_then(|()| output.flush())
}

/// Shows a head line by line, with a sign in front for its direction.
fn show(sign: char, head: &str) {
    head.lines().take_while(|line| !line.is_empty()).for_each(|line| say!("{sign} {line}"));
}
