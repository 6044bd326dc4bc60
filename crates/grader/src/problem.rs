//! What went wrong with a grading itself.

use std::error::Error;
use std::fmt;

/// Why something cannot be graded or shown, in a sentence for the person who grades. Nothing that a
/// student could mend: as a verdict it is a grader error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Problem {}

impl<T: Into<String>> From<T> for Problem {
    fn from(sentence: T) -> Self {
        Self(sentence.into())
    }
}
