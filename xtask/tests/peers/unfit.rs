//! `cargo xtask grade` on machines that cannot grade: each time a grader error with the reason, exit
//! code 3, and no submission is said to have failed at anything. The machines are made by unshare(1)
//! and by limits of a shell.

// Not only the test functions themselves may panic here: what prepares for them may too.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

use libtest_mimic::Trial;
use netlab::peers::trial_if;

/// What every one of them says.
const NOT_YOURS: &str = "grader error, not your mistake";

pub fn trials() -> Vec<Trial> {
    let unshare = |name, test| {
        let missing = "unshare is not installed or not allowed here".to_owned();
        let is_allowed = cfg!(unix) && shell(&in_namespaces("true")).status.success();
        trial_if(is_allowed, missing, name, test)
    };
    let unix = |name, test| trial_if(cfg!(unix), "this system has no sh".to_owned(), name, test);
    vec![
        unshare("loopback_that_is_down_fails_nobody [unshare]", loopback_is_down),
        unshare("ports_that_are_all_taken_fail_nobody [unshare]", no_ports),
        unshare("a_full_disk_fails_nobody [unshare]", no_disk),
        unix("a_low_limit_of_descriptors_fails_nobody", no_descriptors),
        unix("a_lesson_that_cannot_be_read_fails_nobody", a_broken_lesson),
    ]
}

fn loopback_is_down() {
    expect("loopback is down", &in_namespaces(&grade()));
}

fn no_ports() {
    let few = "ip link set lo up && echo 40000 40010 >/proc/sys/net/ipv4/ip_local_port_range";
    expect("no free ports", &in_namespaces(&format!("{few} && {}", grade())));
}

fn no_disk() {
    let full = "ip link set lo up && mount -t tmpfs -o size=1m tmpfs /mnt && export TMPDIR=/mnt";
    expect("no room on the disk: /mnt", &in_namespaces(&format!("{full} && {}", grade())));
}

fn no_descriptors() {
    expect("no descriptors", &format!("ulimit -n 64 && {}", grade()));
}

/// In a course of its own.
fn a_broken_lesson() {
    let root = tempfile::tempdir().unwrap();
    let lesson = root.path().join("lessons/01-broken");
    std::fs::create_dir_all(&lesson).unwrap();
    std::fs::write(root.path().join("Cargo.toml"), "[workspace]\n").unwrap();
    std::fs::write(lesson.join("lesson.toml"), "minutes = soon\n").unwrap();
    expect("lesson.toml", &format!("cd '{}' && {}", root.path().display(), grade()));
}

fn expect(reason: &str, script: &str) {
    let Output { status, stdout, stderr } = shell(script);
    let said = String::from_utf8([stdout, stderr].concat()).unwrap();
    assert_eq!(status.code(), Some(3), "{said}");
    assert!(said.contains(NOT_YOURS) && said.contains(reason), "no {reason:?} in: {said}");
    assert!(!said.contains("fail "), "{said}");
}

fn grade() -> String {
    format!("'{}' grade 02/answer --submission solution", env!("CARGO_BIN_EXE_xtask"))
}

/// The script with a network and with mounts of its own.
fn in_namespaces(script: &str) -> String {
    format!("unshare --map-root-user --net --mount sh -c \"{script}\"")
}

fn shell(script: &str) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", script]).env("LC_ALL", "C");
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).output().unwrap()
}
