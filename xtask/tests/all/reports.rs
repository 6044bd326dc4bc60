//! `cargo xtask grade --report KIND=FILE`: what is wrong is said before anything is graded, and
//! what was asked for is there in the end.

// Not only the test functions themselves may panic here: what prepares for them may too.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use rstest::rstest;

const KINDS: [&str; 6] = ["json", "gradescope", "classroom50", "exercism", "junit", "markdown"];
/// What the runner of Classroom 50 says.
const VARIABLES: [&str; 7] = [
    "CLASSROOM",
    "ASSIGNMENT",
    "ASSIGNMENT_TYPE",
    "OWNER",
    "SUBMISSION_TAG",
    "COMMIT_URL",
    "RELEASE_URL",
];

fn grade(reports: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    command.args(["grade", "02/answer", "--seed", "7"]);
    for report in reports {
        command.args(["--report", report]);
    }
    for name in VARIABLES {
        command.env_remove(name);
    }
    command
}

/// What it says about arguments that are wrong. Nothing is graded: nothing is on standard output.
fn complaint(reports: &[String]) -> String {
    let output = grade(reports).assert().code(2).get_output().clone();
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[rstest]
#[case::unknown_kind("jnuit=x", &["there is no report \"jnuit\"", "gradescope", "junit"])]
#[case::no_kind("x.json", &["KIND=FILE", "json"])]
#[case::no_file("json=", &["KIND=FILE"])]
#[case::nobody_to_grade("classroom50=x", &["missing: ", "CLASSROOM, ASSIGNMENT"])]
#[case::a_folder("json=.", &["is not a file"])]
fn a_wrong_report_ends_with_2_and_says_why(#[case] report: &str, #[case] words: &[&str]) {
    let said = complaint(&[report.to_owned()]);
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
}

#[test]
fn two_reports_to_one_file_are_noticed_by_whatever_names() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let file = folder.path().join("grade").display().to_string();
    let again = folder.path().join("sub/../grade").display().to_string();
    let said = complaint(&[format!("json={file}"), format!("junit={again}")]);
    assert!(said.contains("json and junit would be the same file"), "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "only `sub` is there");
}

#[test]
fn a_report_that_cannot_be_written_is_noticed_before_anything_is_graded() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let below = folder.path().join("file/grade.json").display().to_string();
    let said = complaint(&[format!("json={below}")]);
    assert!(said.contains(&format!("cannot write the report {below}")), "{said}");
}

#[test]
fn every_kind_of_report_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let place = |kind: &str| -> PathBuf { folder.path().join("new").join(kind) };
    let reports = KINDS.map(|kind| format!("{kind}={}", place(kind).display()));
    let mut command = grade(&reports);
    command.envs(VARIABLES.map(|name| (name, "x"))).env("ASSIGNMENT_TYPE", "individual");
    // It is not there any more when somebody wants to talk to it.
    command.args(["--program", "cargo", "--case", "every_client_is_answered"]);
    command.assert().code(1);
    let text = |kind: &str| fs::read_to_string(place(kind)).unwrap();
    for kind in &KINDS[..4] {
        let report: serde_json::Value = serde_json::from_str(&text(kind)).unwrap();
        assert!(report.is_object(), "{report}");
    }
    assert!(text("junit").contains("<failure "), "{}", text("junit"));
    assert!(text("markdown").contains("| `every_client_is_answered` |"), "{}", text("markdown"));
    let files = fs::read_dir(folder.path().join("new")).unwrap();
    assert_eq!(files.count(), KINDS.len(), "nothing else is left");
}

/// The graded program hangs, and says its process id in a file before.
#[cfg(unix)]
#[test]
fn an_interrupted_grading_leaves_a_report_that_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let script = format!("#!/bin/sh\necho $$ > {}\nexec sleep 600\n", place("id").display());
    fs::write(place("hangs"), script).unwrap();
    fs::set_permissions(place("hangs"), fs::Permissions::from_mode(0o755)).unwrap();
    // From an earlier grading.
    fs::write(place("gradescope"), "{}").unwrap();
    let mut grading = std::process::Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["grade", "02/answer", "--program", place("hangs").to_str().unwrap()])
        .args(["--report", &format!("json={}", place("json").display())])
        .args(["--report", &format!("gradescope={}", place("gradescope").display())])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let limit = std::time::Duration::from_secs(120);
    let hangs = || place("id").exists().then_some(());
    netlab::program::poll(limit, hangs).unwrap();
    netlab::program::signal("-INT", grading.id()).unwrap();
    let status = netlab::program::poll(limit, || grading.try_wait().unwrap()).unwrap();
    assert_eq!(status.code(), Some(130));
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(place("json")).unwrap()).unwrap();
    assert_eq!((&report["complete"], &report["points"]), (&false.into(), &0.into()));
    assert!(report["out_of"].as_u64().unwrap() > 0, "{report:#}");
    assert!(!place("gradescope").exists(), "the earlier grade would pass for this one's");
}
