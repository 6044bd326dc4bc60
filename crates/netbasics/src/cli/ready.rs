//! The readiness line: how a server tells that a client can connect now.
//!
//! A server prints `listening on HOST:PORT` as the only such line on standard output and flushes
//! it. The program that started the server reads that line and connects: nobody sleeps "long
//! enough" and nobody knocks until somebody opens. With port 0 the line also tells which port the
//! system picked. A server on a Unix-domain socket has a file where others have a port, and prints
//! `listening on unix:PATH`.

use std::fmt::Display;
use std::io::{self, BufRead, Write};
use std::net::SocketAddr;

/// What the line begins with.
const PREFIX: &str = "listening on ";

/// Prints the readiness line for `address` on standard output and flushes it. The address is a
/// [`SocketAddr`], or whatever prints itself as `unix:PATH`.
///
/// Call it after `listen` (TCP) or `bind` (UDP): from then on the system keeps what clients
/// send until the program gets to it.
pub fn announce(address: impl Display) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", line(address))?;
    stdout.flush()
}

/// The readiness line, without its line end.
#[must_use]
pub fn line(address: impl Display) -> String {
    format!("{PREFIX}{address}")
}

/// The address in a readiness line, or `None` if the line is something else (that of a server on
/// a Unix-domain socket, too: it has a path and no [`SocketAddr`]).
#[must_use]
pub fn parse(line: &str) -> Option<SocketAddr> {
    line.trim_end_matches(['\r', '\n']).strip_prefix(PREFIX)?.parse().ok()
}

/// Reads the output of a server until its readiness line.
///
/// It waits as long as `output` does; give it a stream that ends, or a thread of its own.
///
/// # Errors
/// `UnexpectedEof` when the output ends first: the server has ended without getting ready.
pub fn wait(output: &mut impl BufRead) -> io::Result<SocketAddr> {
    let mut line = String::new();
    loop {
        line.clear();
        if output.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(address) = parse(&line) {
            return Ok(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::ipv4("127.0.0.1:8888")]
    #[case::ipv6("[::1]:8888")]
    #[case::wildcard("0.0.0.0:1")]
    fn what_is_announced_is_parsed_back(#[case] address: SocketAddr) {
        assert_eq!(parse(&line(address)), Some(address));
    }

    #[rstest]
    #[case::other_text("starting up")]
    #[case::no_port("listening on 127.0.0.1")]
    #[case::text_behind("listening on 127.0.0.1:1 and more")]
    #[case::a_path("listening on unix:/tmp/socket")]
    #[case::text_before("now listening on 127.0.0.1:1")]
    fn other_lines_are_not_taken_for_it(#[case] line: &str) {
        assert_eq!(parse(line), None);
    }

    #[test]
    fn waiting_passes_over_other_lines_and_stops_at_the_end() {
        let mut output: &[u8] = b"hello\nlistening on 127.0.0.1:4000\n";
        assert_eq!(wait(&mut output).unwrap().port(), 4000);
        let mut output: &[u8] = b"hello\n";
        assert_eq!(wait(&mut output).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
