//! How every program of the course ends: 0 when it did what it was asked, 1 when the network or
//! the peer failed, 2 when its arguments are wrong; and one line on standard error for the last two.

use std::error::Error;
use std::fmt;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use crate::escape::escaped;

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

/// The end of a `main`: code 0, or what [`exit_code`] makes of the error. (For `anyhow::Error` and
/// whatever else can be seen as an [`Error`].)
pub fn end<E: AsRef<dyn Error>>(result: Result<(), E>) -> ExitCode {
    result.map_or_else(|error| exit_code(error.as_ref()), |()| ExitCode::SUCCESS)
}

/// Prints `error` and its causes as one line on standard error and returns the exit code it
/// deserves: 2 if a [`Usage`] is among the causes, else 1.
///
/// An error often quotes the peer (`the server refused the upload: …`), so the line is
/// [`escaped`]: no server writes on our terminal through a refusal.
///
/// When the reader of standard output has closed it ([`OutputError`]), that is no failure:
/// nothing is printed and the code is 0.
#[must_use]
pub fn exit_code(error: &(dyn Error + 'static)) -> ExitCode {
    let causes: Vec<&(dyn Error + 'static)> =
        std::iter::successors(Some(error), |&cause| cause.source()).collect();
    if causes.iter().any(|cause| is_closed_output(*cause)) {
        return ExitCode::SUCCESS;
    }
    let sentence: Vec<String> = causes.iter().map(ToString::to_string).collect();
    eprintln!("{}", escaped(&sentence.join(": ")));
    if causes.iter().any(|cause| cause.is::<Usage>()) {
        ExitCode::from(2)
    } else {
        ExitCode::FAILURE
    }
}

fn is_closed_output(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<OutputError>().is_some_and(|e| e.0.kind() == io::ErrorKind::BrokenPipe)
}

/// The system's own sentence without its error number: `no such file or directory`.
#[must_use]
pub fn plain(error: &io::Error) -> String {
    sentence(&error.to_string()).to_owned()
}

/// Without the number, and without the full stop that Windows puts behind its sentences, as ours go
/// on or end with one of their own.
fn sentence(text: &str) -> &str {
    let text = text.split(" (os error").next().unwrap_or(text);
    text.strip_suffix(['.', '。']).unwrap_or(text)
}

/// Whether the system does not have, or a container or a sandbox does not allow, what was called:
/// seccomp(2) answers as its filter says, mostly `EPERM` or `ENOSYS`; others say `EACCES`, and a file
/// system without the call `EOPNOTSUPP`. Where there is a plainer way, it is to be taken.
#[must_use]
pub fn is_refused_call(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, Unsupported};
    matches!(error.kind(), PermissionDenied | Unsupported)
}

/// The longest time limit of a command line. (Far longer ones would overflow the clock.)
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads a time limit in seconds, such as `30` or `0.5`, from a command line (for clap's
/// `value_parser`).
///
/// # Errors
/// A sentence for the person who typed it, when it is no number or not above zero.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| "give seconds, such as 30 or 0.5".to_owned())?;
    match Duration::try_from_secs_f64(number) {
        Ok(limit) if limit.is_zero() => Err("a time limit is more than zero seconds".to_owned()),
        Ok(limit) if limit <= A_DAY => Ok(limit),
        _ => Err("a time limit is at most a day, 86400 seconds".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn a_systems_sentence_has_no_number_and_no_full_stop() {
        for (text, expected) in [
            ("No such file or directory (os error 2)", "No such file or directory"),
            (
                "The system cannot find the file specified. (os error 2)",
                "The system cannot find the file specified",
            ),
            ("系统找不到指定的文件。 (os error 2)", "系统找不到指定的文件"),
            ("unexpected end of file", "unexpected end of file"),
            ("the name is too long.", "the name is too long"),
            ("", ""),
        ] {
            assert_eq!(sentence(text), expected);
        }
    }
}
