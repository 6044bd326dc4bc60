//! The student's file, made out of the solution.
//!
//! A solution marks what the student is to write:
//!
//! ```text
//!     // exercise: begin "receive until the end of the stream"
//!     …
//!     // exercise: end
//! ```
//!
//! In the exercise, `todo!("receive until the end of the stream")` is there instead; every
//! other line is the same.

use std::fmt;

const BEGIN: &str = "// exercise: begin";
const END: &str = "// exercise: end";

/// What is wrong with a solution's markers, and in which line (counted from 1).
#[derive(Debug, PartialEq, Eq)]
pub struct MarkerError {
    /// The line of the marker, or 0 if there is none at all.
    pub line: usize,
    problem: &'static str,
}

impl fmt::Display for MarkerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(self.problem),
            line => write!(f, "line {line}: {}", self.problem),
        }
    }
}

impl std::error::Error for MarkerError {}

/// The exercise's text for a solution's text.
///
/// # Errors
/// When a marker has no partner, no sentence or nothing inside, or when there is none at all.
pub fn from_solution(solution: &str) -> Result<String, MarkerError> {
    let mut exercise = Vec::new();
    let mut open: Option<Part> = None;
    let mut parts = 0;
    for (line, text) in (1..).zip(solution.lines()) {
        let marker = text.trim();
        if let Some(rest) = marker.strip_prefix(BEGIN) {
            let indentation = &text[..text.len() - text.trim_start().len()];
            exercise.push(format!("{indentation}todo!(\"{}\")", begin(open.as_ref(), rest, line)?));
            open = Some(Part { line, has_code: false });
            parts += 1;
        } else if marker == END {
            end(open.take().as_ref(), line)?;
        } else if let Some(part) = &mut open {
            part.has_code |= !marker.is_empty() && !marker.starts_with("//");
        } else {
            exercise.push(text.to_owned());
        }
    }
    match open {
        Some(Part { line, .. }) => error(line, "begins a part that never ends"),
        None if parts == 0 => error(0, "nothing is left to be done"),
        None => Ok(exercise.join("\n") + "\n"),
    }
}

/// A part that the student is to write: where it begins, and whether there was code so far.
struct Part {
    line: usize,
    has_code: bool,
}

/// The sentence of a begin marker.
fn begin<'a>(open: Option<&Part>, rest: &'a str, line: usize) -> Result<&'a str, MarkerError> {
    if open.is_some() {
        return error(line, "begins before the last part has ended");
    }
    match sentence(rest) {
        Some(sentence) => Ok(sentence),
        None => error(line, "a begin marker names in quotes what is to be done"),
    }
}

fn end(open: Option<&Part>, line: usize) -> Result<(), MarkerError> {
    match open {
        None => error(line, "ends a part that has not begun"),
        Some(Part { has_code: false, .. }) => error(line, "ends a part with nothing in it"),
        Some(_) => Ok(()),
    }
}

fn error<T>(line: usize, problem: &'static str) -> Result<T, MarkerError> {
    Err(MarkerError { line, problem })
}

/// The sentence of ` "sentence"`; it is inside a string literal and a format string.
fn sentence(rest: &str) -> Option<&str> {
    let sentence = rest.trim().strip_prefix('"')?.strip_suffix('"')?;
    (!sentence.trim().is_empty() && !sentence.contains(['"', '\\', '{', '}'])).then_some(sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_marked_body_becomes_a_todo_and_the_rest_stays() {
        let solution = "fn f() {\n    // exercise: begin \"add\"\n    1 + 1\n    \
                        // exercise: end\n}\n// bye\n";
        let exercise = "fn f() {\n    todo!(\"add\")\n}\n// bye\n";
        assert_eq!(from_solution(solution).unwrap(), exercise);
    }

    #[rstest]
    #[case::never_ends("a\n// exercise: begin \"x\"\nb\n", 2)]
    #[case::never_began("a\n// exercise: end\n", 2)]
    #[case::nested("// exercise: begin \"x\"\na\n// exercise: begin \"y\"\n", 3)]
    #[case::no_sentence("// exercise: begin\na\n// exercise: end\n", 1)]
    #[case::blank_sentence("// exercise: begin \" \"\na\n// exercise: end\n", 1)]
    #[case::braces_in_the_sentence("// exercise: begin \"{}\"\na\n// exercise: end\n", 1)]
    #[case::empty("// exercise: begin \"x\"\n  // only a comment\n// exercise: end\n", 3)]
    #[case::no_marker_at_all("fn main() {}\n", 0)]
    fn a_wrong_marker_is_an_error_with_its_line(#[case] solution: &str, #[case] line: usize) {
        assert_eq!(from_solution(solution).unwrap_err().line, line);
    }
}
