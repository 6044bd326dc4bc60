//! What can be wrong with `HOST:PORT`, in sentences.

use std::error::Error;
use std::fmt;

use crate::values::address::{AddressProblem, position_of, printable};

/// What is wrong, and at which byte of the text.
pub(super) type Fault = (usize, EndpointProblem);

/// A text that is not `HOST:PORT`: which text, where, and why.
///
/// Displayed as one line, such as `127.0.0.1:65536: the port is 65536; a port is at most 65535`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointError {
    /// The whole text that was parsed.
    pub text: String,
    /// The character where the trouble begins, counted from 1; one past the end when something is
    /// missing there.
    pub position: usize,
    /// What is wrong.
    pub problem: EndpointProblem,
}

impl EndpointError {
    pub(super) fn new(text: &str, (byte, problem): Fault) -> Self {
        Self { text: text.to_owned(), position: position_of(text, byte), problem }
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", printable(&self.text), self.problem)?;
        if self.problem.is_about_a_character() {
            write!(f, " (character {})", self.position)?;
        }
        Ok(())
    }
}

impl Error for EndpointError {}

/// What is wrong with an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointProblem {
    /// There is no text at all.
    Empty,
    /// A host, and nothing after it.
    MissingPort,
    /// A number alone.
    OnlyAPort,
    /// Nothing before the colon.
    EmptyHost,
    /// More than 65535.
    PortTooLarge {
        /// As it was written.
        digits: String,
    },
    /// The port holds something else than 0 to 9; names such as `http` are not accepted.
    PortNotADigit {
        /// The character that is no digit.
        found: char,
    },
    /// `::1:8888`: is the last group the port?
    Ipv6WithoutBrackets,
    /// `[` and no `]`.
    UnclosedBracket,
    /// More than one colon, and not IPv6 either: often a URL.
    ExtraColon,
    /// A character that cannot be in the name of a host.
    NotInAName {
        /// That character.
        found: char,
    },
    /// Two dots in a row in a name, or one at its beginning.
    EmptyLabel,
    /// The host was meant to be an address and is none.
    Address(AddressProblem),
}

impl EndpointProblem {
    const fn is_about_a_character(&self) -> bool {
        match self {
            Self::PortNotADigit { .. }
            | Self::ExtraColon
            | Self::NotInAName { .. }
            | Self::EmptyLabel => true,
            Self::Address(problem) => problem.is_about_a_character(),
            _ => false,
        }
    }
}

impl fmt::Display for EndpointProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("nothing there; write HOST:PORT, such as 127.0.0.1:8888"),
            Self::MissingPort => f.write_str("no port; write HOST:PORT, such as 127.0.0.1:8888"),
            Self::OnlyAPort => f.write_str("a port without a host; write 127.0.0.1:8888"),
            Self::EmptyHost => f.write_str(
                "no host before the ':'; 127.0.0.1 is this machine, 0.0.0.0 all of its addresses",
            ),
            Self::PortTooLarge { digits } => {
                write!(f, "the port is {}; a port is at most 65535", printable(digits))
            }
            Self::PortNotADigit { found } => {
                write!(f, "the port contains {found:?}; a port is a number from 0 to 65535")
            }
            Self::Ipv6WithoutBrackets => {
                f.write_str("an IPv6 address needs brackets before a port, such as [::1]:8888")
            }
            Self::UnclosedBracket => {
                f.write_str("the '[' is never closed; write [ADDRESS]:PORT, such as [::1]:8888")
            }
            Self::ExtraColon => {
                f.write_str("more than one ':'; write HOST:PORT alone, without http:// or the like")
            }
            Self::NotInAName { found } => write!(
                f,
                "the host contains {found:?}; a name is letters, digits, '-', '_' and '.'"
            ),
            Self::EmptyLabel => f.write_str(
                "two dots with nothing between them, or a dot at the beginning of the name",
            ),
            Self::Address(problem) => problem.fmt(f),
        }
    }
}

/// A text that is no address of a server to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DestinationError {
    /// It is not `HOST:PORT`.
    Endpoint(EndpointError),
    /// Its port is 0, which nobody can connect to.
    PortZero,
}

impl From<EndpointError> for DestinationError {
    fn from(error: EndpointError) -> Self {
        Self::Endpoint(error)
    }
}

impl fmt::Display for DestinationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint(error) => error.fmt(f),
            Self::PortZero => f.write_str(
                "port 0 is no port to connect to, it only lets a server pick one: give the port \
                 that the server says it is listening on",
            ),
        }
    }
}

impl Error for DestinationError {}
