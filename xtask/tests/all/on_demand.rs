//! What only contributors use is built when it is asked for: a course with another program in the
//! place of the package `staff`.

// Not only the test functions themselves may panic here: what prepares for them may too.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tiny::{package, workspace};

const FIRST: &str = "[xtask] building the commands of contributors (package staff): the first time this \
                     takes about a minute\n";

/// Says where it is and what it was given, and ends with a code of its own.
const PROGRAM: &str = r#"
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    println!("{}: {arguments:?}", std::env::current_dir().unwrap().ends_with("lessons"));
    std::process::exit(3)
}
"#;

/// In cargo's target folder, as in the beginning: the program was never built.
fn course(name: &str, program: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("on demand").join(name);
    let _ = fs::remove_dir_all(&root);
    for folder in ["lessons", "crates/staff/src"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    fs::write(root.join("Cargo.toml"), workspace("'crates/staff'")).unwrap();
    fs::write(root.join("crates/staff/Cargo.toml"), package("staff")).unwrap();
    fs::write(root.join("crates/staff/src/main.rs"), program).unwrap();
    root
}

/// The exit code, standard output, standard error of a command in the course's `lessons/`.
fn said(root: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(arguments).current_dir(root.join("lessons")).env("LC_ALL", "C");
    // The package here bears the name of the real one: it must not replace it.
    let output = command.env("CARGO_TARGET_DIR", root.join("target")).output().unwrap();
    let [out, err] =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    (output.status.code(), out, err)
}

#[test]
fn it_is_announced_once_and_gets_every_argument_as_it_was_typed() {
    let root = course("arguments", PROGRAM);
    let first = said(&root, &["ci", "--list"]);
    assert_eq!(first, (Some(3), "true: [\"ci\", \"--list\"]\n".to_owned(), FIRST.to_owned()));
    for arguments in [
        &["bench", "--help"][..],
        &["record", "--chekc", "05 中"],
        &["ci", "-x", "--", "--list", "--"],
        &["bench"],
    ] {
        let (code, out, err) = said(&root, arguments);
        assert_eq!((code, out), (Some(3), format!("true: {arguments:?}\n")), "{err}");
        assert!(!err.contains("the first time"), "{err}");
    }
}

#[test]
fn if_it_does_not_compile_cargo_says_why() {
    let root = course("broken", "fn main() { missing() }");
    let (code, out, err) = said(&root, &["ci"]);
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    assert!(err.contains("cannot find function `missing`"), "{err}");
    assert!(err.contains("cargo xtask: staff does not compile: cargo says why, above"), "{err}");
}
