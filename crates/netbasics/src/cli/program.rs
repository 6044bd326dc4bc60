//! How every program of the course ends: 0 when it did what it was asked, 1 when the network or
//! the peer failed, 2 when its arguments are wrong; and one line on standard error for the last two.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use crate::values::escape::escaped;
use crate::values::exit;

pub use crate::values::exit::{OutputError, Usage};
pub use crate::values::os_error::plain;

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
    match exit::code(error) {
        0 => ExitCode::SUCCESS,
        code => {
            let causes: Vec<String> = exit::causes(error).map(ToString::to_string).collect();
            eprintln!("{}", escaped(&causes.join(": ")));
            ExitCode::from(code)
        }
    }
}

/// The longest time limit of a command line. (Far longer ones would overflow the clock.)
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads a time limit in seconds, such as `30` or `0.5`, from a command line (for clap's
/// `value_parser`).
///
/// # Errors
/// When it is no number, not above zero, or more than a day.
pub fn seconds(text: &str) -> Result<Duration, NoTimeLimit> {
    let number: f64 = text.parse().map_err(|_| NoTimeLimit("give seconds, such as 30 or 0.5"))?;
    match Duration::try_from_secs_f64(number) {
        Ok(limit) if limit.is_zero() => Err(NoTimeLimit("a time limit is more than zero seconds")),
        Ok(limit) if limit <= A_DAY => Ok(limit),
        _ => Err(NoTimeLimit("a time limit is at most a day, 86400 seconds")),
    }
}

/// Why a text is no time limit: a sentence for the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoTimeLimit(&'static str);

impl fmt::Display for NoTimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for NoTimeLimit {}
