//! What the grader makes of a case that the machine has disturbed, by the word of its test: a course
//! whose one graded test says so, as often as it is told.

// Not only the test functions themselves may panic here: what prepares for them may too.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

use std::fs;

use rstest::rstest;

use crate::tiny::{Course, prints};

/// Is disturbed `DISTURBED` times, and fails then; it passes after that. Of ten seconds of processor
/// time its program has used `OWN`.
const TESTS: &str = r##"
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::AsFd;

fn examine() {
    let tries = std::fs::read_to_string("TRIES").unwrap_or_default().len();
    let mut noted = OpenOptions::new().create(true).append(true).open("TRIES").unwrap();
    noted.write_all(b"x").unwrap();
    let grader = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    let mut grader = File::from(grader);
    if tries >= DISTURBED {
        write!(grader, r#"{{"verdict":"pass","report":""}}"#).unwrap();
        return;
    }
    write!(grader, r#"{{"verdict":"fail","report":"it came too late","disturbance":{{
        "what":"the test stood still for 8.0 s","stood":8.0,"queued":8.0,
        "own_processor":OWN,"all_processors":10.0}}}}"#).unwrap();
    panic!("it fails");
}
mod one {
    #[test]
    fn prints_its_number() { super::examine() }
}
mod two {
    #[test]
    fn prints_its_number() {}
}
"##;

#[rstest]
#[case::once("one_pause", 1, "1.0", 0, 2, "2 / 2 points")]
#[case::twice("two_pauses", 2, "1.0", 0, 3, "2 / 2 points")]
#[case::always(
    "paused",
    9,
    "1.0",
    3,
    3,
    "this machine was paused or too busy: the test stood still"
)]
#[case::by_the_submission_itself("spins", 9, "9.0", 1, 1, "has used 9.0 s of the 10.0 s")]
fn a_disturbed_case_is_run_again_unless_its_own_program_has_disturbed_it(
    #[case] course: &str,
    #[case] disturbed: usize,
    #[case] own: &str,
    #[case] code: i32,
    #[case] tries: usize,
    #[case] says: &str,
) {
    let noted = Course::place(course).join("tries");
    let _ = fs::remove_file(&noted);
    let tests = TESTS.replace("TRIES", noted.to_str().unwrap());
    let tests = tests.replace("DISTURBED", &disturbed.to_string()).replace("OWN", own);
    let course = Course::with_tests(course, &tests);
    course.save("one", &prints("1"));
    let output = course.xtask(&["grade", "01/one"]).output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(says), "no {says:?} in: {said}");
    assert_eq!(fs::read_to_string(&noted).unwrap().len(), tries, "{said}");
}
