//! The programs under test, built ahead: tests begin in the order of their names, so that the programs
//! of a lesson are compiled while those of the lessons before are tested.

// Not only the test functions themselves may panic here: what prepares for them may too.
#![allow(clippy::unwrap_used)]

use std::env;
use std::path::Path;

use graded::command_line;

#[test]
fn every_exercise_has_a_solution_that_can_be_built() {
    // What somebody wants to have graded need not be there for every exercise.
    if ["GRADER_PROGRAM", "PROGRAM", "SUBMISSION"].iter().any(|name| env::var_os(name).is_some()) {
        return;
    }
    let root = course::workspace::root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    for lesson in course::lessons(&root).unwrap() {
        for exercise in &lesson.about.exercises {
            let command = command_line(&lesson.number, &exercise.name);
            assert!(Path::new(&command[0]).is_file(), "{command:?}");
        }
    }
}
