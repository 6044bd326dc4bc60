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
//! In the exercise, `todo!("receive until the end of the stream")` stands there instead; every
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
    let mut exercise = String::new();
    // The line of the open `begin` marker, and whether there was code since.
    let mut open: Option<(usize, bool)> = None;
    let mut found_any = false;
    for (line, text) in (1..).zip(solution.lines()) {
        let marker = text.trim();
        let error = |problem| Err(MarkerError { line, problem });
        if let Some(rest) = marker.strip_prefix(BEGIN) {
            let Some(sentence) = sentence(rest) else {
                return error("a begin marker names in quotes what is to be done");
            };
            if open.is_some() {
                return error("begins before the last part has ended");
            }
            let indentation = &text[..text.len() - text.trim_start().len()];
            exercise.push_str(&format!("{indentation}todo!(\"{sentence}\")\n"));
            (open, found_any) = (Some((line, false)), true);
        } else if marker == END {
            match open.take() {
                None => return error("ends a part that has not begun"),
                Some((_, false)) => return error("ends a part with nothing in it"),
                Some((_, true)) => {}
            }
        } else if let Some((_, has_code)) = &mut open {
            *has_code |= !marker.is_empty() && !marker.starts_with("//");
        } else {
            exercise.push_str(text);
            exercise.push('\n');
        }
    }
    match open {
        Some((line, _)) => Err(MarkerError { line, problem: "begins a part that never ends" }),
        None if !found_any => Err(MarkerError { line: 0, problem: "nothing is left to be done" }),
        None => Ok(exercise),
    }
}

/// The sentence of ` "sentence"`; it stands inside a string literal and a format string.
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
