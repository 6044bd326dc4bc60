//! With which code a program of the course ends, and the errors that decide it: 0 when it did what it
//! was asked, 1 when the network or the peer failed, 2 when its arguments are wrong.

use std::error::Error;
use std::fmt;
use std::io;

/// The arguments are wrong: the person who typed them can mend it, the network cannot.
///
/// A program that ends with this anywhere in its chain of errors exits with code 2.
#[derive(Debug)]
pub struct Usage(pub String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Usage {}

/// Writing to standard output failed.
///
/// It has a type of its own because a closed *socket* is a broken pipe too: only for standard
/// output does that mean that the reader (`lesson-01 … | head -1`) has seen enough.
#[derive(Debug)]
pub struct OutputError(pub io::Error);

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot write to standard output: {}", self.0)
    }
}

impl Error for OutputError {}

/// The exit code that `error` deserves: 2 if a [`Usage`] is among its causes, else 1; but 0 when the
/// reader of standard output has closed it ([`OutputError`]).
#[must_use]
pub fn code(error: &(dyn Error + 'static)) -> u8 {
    if causes(error).any(is_closed_output) {
        0
    } else if causes(error).any(<dyn Error>::is::<Usage>) {
        2
    } else {
        1
    }
}

/// `error`, what caused it, and so on.
pub fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&cause| cause.source())
}

fn is_closed_output(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<OutputError>().is_some_and(|e| e.0.kind() == io::ErrorKind::BrokenPipe)
}
