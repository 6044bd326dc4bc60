use std::fs;

use super::{assert_says, case, report_of};

#[test]
fn a_folder_holds_what_the_program_was_to_write() {
    let case = case();
    let folder = case.folder();
    assert_eq!(fs::read(folder.file("given.txt", b"for you")).unwrap(), b"for you");
    let inside = folder.inside("in");
    folder.expect_nothing();
    fs::write(format!("{inside}/a"), "A").unwrap();
    fs::write(format!("{inside}/b"), "B").unwrap();
    folder.expect_file("a", b"A");
    folder.expect_only(&["b", "a"]);
}

#[test]
fn a_missing_and_a_different_file_are_told() {
    let write = |content: Option<&str>| {
        let case = case();
        let folder = case.folder();
        let inside = folder.inside("in");
        fs::write(format!("{inside}/other"), content.unwrap_or_default()).unwrap();
        folder.expect_file(if content.is_some() { "other" } else { "a.txt" }, b"right");
    };
    let missing = report_of(|| write(None));
    assert_says(&missing, &["there is no file a.txt; the folder holds other"]);
    let different = report_of(|| write(Some("wrong")));
    assert_says(&different, &["other does not hold what it should", "first difference at byte 0"]);
}

#[test]
fn what_is_too_much_is_named() {
    let report = report_of(|| {
        let case = case();
        let folder = case.folder();
        fs::write(format!("{}/half", folder.inside("in")), "").unwrap();
        folder.expect_nothing();
    });
    assert_says(&report, &["the folder must hold no file, nothing else", "the folder holds half"]);
}

#[test]
fn a_file_outside_the_folder_fails_at_the_end() {
    for name in ["../escaped", "../../escaped", "../../../../escaped"] {
        let report = report_of(|| {
            let case = case();
            let folder = case.folder();
            fs::write(format!("{}/{name}", folder.inside("in")), "").unwrap();
            folder.expect_nothing();
        });
        assert_says(&report, &["fail: your program has written outside its folder: escaped"]);
    }
}
