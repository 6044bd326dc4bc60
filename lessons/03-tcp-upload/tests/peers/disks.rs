//! The lesson's server on a full disk and on a read-only one.
//!
//! The disk is a tmpfs of one mebibyte in a mount namespace of the server's own, which needs no
//! privileges: unshare(1). Where the system has none or forbids it, these tests are ignored.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{Host, LIMIT, Receipt, file, lesson, names_in, random_bytes, sparse_file};
use libtest_mimic::Trial;
use netlab::peers::trial_if;
use netlab::program::Server;

/// Mounts a small disk on `$0` for itself alone, then becomes the command that follows.
const SMALL_DISK: &str = r#"mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@""#;
const READ_ONLY_DISK: &str = r#"mount -t tmpfs -o ro tmpfs "$0" && exec "$@""#;

pub fn trials() -> Vec<Trial> {
    let is_allowed = a_small_disk_can_be_mounted();
    let trial = |name: &str, test: fn()| -> Trial {
        let missing = "unshare is not installed or not allowed here".to_owned();
        trial_if(is_allowed, missing, &format!("{name} [unshare]"), test)
    };
    vec![
        trial("a_full_disk_is_said_and_leaves_nothing", a_full_disk),
        trial("a_file_that_outgrows_the_disk_leaves_nothing", a_file_that_outgrows_the_disk),
        trial("a_full_disk_is_said_without_a_receipt_too", a_full_disk_without_a_receipt),
        trial("a_read_only_disk_is_said_and_ends_nothing", a_read_only_disk),
    ]
}

/// `command`, with a disk of its own on `folder`.
fn with_disk(script: &str, folder: &Path, command: &[&str]) -> Command {
    let mut unshare = Command::new("unshare");
    unshare.args(["--map-root-user", "--mount", "sh", "-c", script]).arg(folder).args(command);
    unshare
}

fn a_small_disk_can_be_mounted() -> bool {
    let folder = tempfile::tempdir().unwrap();
    with_disk(SMALL_DISK, folder.path(), &["true"])
        .output()
        .is_ok_and(|output| output.status.success())
}

fn host_with(script: &str, args: &[&str]) -> Host {
    let folder = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_lesson-03");
    let dir = folder.path().to_str().unwrap();
    let server = [&[program, "server", "--addr", "127.0.0.1:0", "--dir", dir], args].concat();
    Host {
        server: Server::start(&mut with_disk(script, folder.path(), &server), LIMIT).unwrap(),
        folder,
    }
}

/// The folder as the server sees it; from outside the disk is not there.
fn inside(host: &Host) -> PathBuf {
    let root = PathBuf::from(format!("/proc/{}/root", host.server.id()));
    root.join(host.folder.path().strip_prefix("/").unwrap())
}

/// What the lesson's client says when it is refused.
fn refusal(host: &Host, path: &str) -> String {
    let output = lesson().args(["client", "--addr", &host.addr(), path]).assert().code(1);
    String::from_utf8(output.get_output().stderr.clone()).unwrap()
}

const NO_SPACE: &str =
    "the server refused the upload: cannot store the file: no space left on the disk\n";

fn a_full_disk() {
    let host = host_with(SMALL_DISK, &[]);
    let content = random_bytes(1, 700 * 1024);
    let (_folder, path) = file("a.bin", &content);
    assert_eq!(host.upload("a.bin", &content), Receipt::of(&content, "a.bin"));
    assert_eq!(refusal(&host, &path), NO_SPACE);
    assert_eq!(names_in(&inside(&host)), ["a.bin"]);
    assert!(std::fs::read(inside(&host).join("a.bin")).unwrap() == content);
}

fn a_file_that_outgrows_the_disk() {
    let host = host_with(SMALL_DISK, &[]);
    let (_folder, path) = sparse_file(64 << 20);
    assert_eq!(refusal(&host, &path), NO_SPACE);
    assert_eq!(names_in(&inside(&host)), [""; 0]);
    // It fits only because nothing is left of the first one.
    let content = random_bytes(2, 900 * 1024);
    assert_eq!(host.upload("a.bin", &content), Receipt::of(&content, "a.bin"));
    assert!(std::fs::read(inside(&host).join("a.bin")).unwrap() == content);
}

/// The client can only be told by a reset; the reason stands at the server.
fn a_full_disk_without_a_receipt() {
    let host = host_with(SMALL_DISK, &["--framing", "eof"]);
    let args = ["client", "--framing", "eof", "--addr", &host.addr()];
    let (_folder, path) = sparse_file(64 << 20);
    lesson().args(args).arg(path).assert().code(1);
    let why = "cannot store the file: no space left on the disk";
    assert!(host.server.says(why, LIMIT), "{}", host.server.stderr());
    assert_eq!(names_in(&inside(&host)), [""; 0]);
    let content = random_bytes(4, 900 * 1024);
    let (_folder, path) = file("a.bin", &content);
    lesson().args(args).arg(path).assert().success();
    assert!(std::fs::read(inside(&host).join("upload.bin")).unwrap() == content);
}

fn a_read_only_disk() {
    let host = host_with(READ_ONLY_DISK, &[]);
    let (_folder, path) = file("a.bin", &random_bytes(3, 5000));
    for _ in 0..2 {
        let said = refusal(&host, &path);
        let expected =
            "the server refused the upload: cannot store the file: the disk is read-only\n";
        assert_eq!(said, expected);
    }
    assert_eq!(names_in(&inside(&host)), [""; 0]);
}
