//! The `junit` report is what its XSD says, as libxml2's xmllint sees it.

#![allow(clippy::unwrap_used)] // Not only the test functions themselves may panic here.

mod grades;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use netlab::peers;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use grades::{any_grade, examples, kind};

fn main() -> ExitCode {
    let valid = || every_report_is_valid_by_the_xsd();
    let wrong = || the_xsd_refuses_a_wrong_report();
    peers::run(vec![
        peers::trial("xmllint", "every_report_is_valid_by_the_xsd", valid),
        peers::trial("xmllint", "the_xsd_refuses_a_wrong_report", wrong),
    ])
}

/// Whether xmllint finds all of these valid, and what it says.
fn lint(files: &[PathBuf]) -> (bool, String) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/junit.xsd");
    let mut xmllint = Command::new("xmllint");
    let output = xmllint.args(["--noout", "--nonet", "--schema"]).arg(schema).args(files).output();
    let output = output.unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn every_report_is_valid_by_the_xsd() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = TestRunner::deterministic();
    let mut grades: Vec<_> = examples().into_iter().map(|(_, grade)| grade).collect();
    grades.extend((0..40).map(|_| any_grade().new_tree(&mut random).unwrap().current()));
    let mut files = Vec::new();
    for (number, grade) in grades.iter().enumerate() {
        files.push(folder.path().join(format!("{number}.xml")));
        fs::write(&files[number], kind("junit").render(grade).unwrap()).unwrap();
    }
    let (is_valid, said) = lint(&files);
    assert!(is_valid, "{said}");
    assert_eq!(said.matches(" validates").count(), files.len(), "{said}");
}

fn the_xsd_refuses_a_wrong_report() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.xml");
    let grade = examples().into_iter().find(|(name, _)| *name == "partial").unwrap().1;
    let report = kind("junit").render(&grade).unwrap();
    for (right, wrong) in [
        ("<testsuites ", "<testsuite "),
        ("type=\"fail\"", "type=\"failed\""),
        ("type=\"fail\"", ""),
        ("<failure ", "<broken "),
        ("name=\"points\"", "name=\"out_of\""),
        (" errors=\"0\"", ""),
        ("failures=\"1\"", "failures=\"-1\""),
        ("classname=", "class="),
        ("time=\"0.500\"", "time=\"PT0.5S\""),
        ("timestamp=\"20", "timestamp=\"in 20"),
        ("</failure>", "\u{1}</failure>"),
    ] {
        assert!(report.contains(right), "{right} is not in {report}");
        let closed = |tag: &str| format!("</{}>", &tag[1..tag.len() - 1]);
        let mut changed = report.replacen(right, wrong, 1);
        if right.starts_with('<') && right.ends_with(' ') {
            changed = changed.replacen(&closed(right), &closed(wrong), 1);
        }
        fs::write(&file, changed).unwrap();
        let (is_valid, said) = lint(std::slice::from_ref(&file));
        assert!(!is_valid && !said.contains("cannot"), "{right} -> {wrong}: {said}");
    }
}
