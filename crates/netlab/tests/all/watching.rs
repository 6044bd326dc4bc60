//! A watcher of a program is told every line it prints, as it comes.
//!
//! The programs are scripts for the shell, which is there on every Unix.
#![cfg(unix)]
// `is_alive` is part of a test, but clippy knows only functions marked as one.
#![allow(clippy::unwrap_used)]

#[cfg(target_os = "linux")]
use std::env;
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use netlab::program::{Misprint, Running, Server, StartError, poll};

/// How long a script may take that does next to nothing.
const LIMIT: Duration = Duration::from_secs(60);

fn script(text: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(text);
    shell
}

/// Where lines go, and where they come out again.
fn channel() -> (impl Fn(&str) + Send + Sync + 'static, Receiver<String>) {
    let (sender, lines) = mpsc::channel();
    (move |line: &str| drop(sender.send(line.to_owned())), lines)
}

#[test]
fn a_line_is_told_while_the_program_still_runs() {
    let (watch, lines) = channel();
    let mut running = Running::start(&mut script("echo first; exec sleep 60"), watch).unwrap();
    assert_eq!(lines.recv_timeout(LIMIT).as_deref(), Ok("first"));
    assert!(running.ended().is_none());
}

#[test]
fn both_streams_are_told_to_the_last_unfinished_line() {
    let (watch, lines) = channel();
    let command = "echo result; echo trouble >&2; printf unfinished; exit 3";
    let mut running = Running::start(&mut script(command), watch).unwrap();
    let status = poll(LIMIT, || running.ended()).unwrap();
    assert_eq!(status.code(), Some(3));
    running.drain(LIMIT);
    let mut told: Vec<String> = lines.try_iter().collect();
    told.sort();
    assert_eq!(told, ["result", "trouble", "unfinished"]);
}

#[test]
fn a_line_longer_than_what_is_kept_is_told_in_parts() {
    let (watch, lines) = channel();
    let command = "head -c 200000 /dev/zero | tr '\\0' x; echo";
    let mut running = Running::start(&mut script(command), watch).unwrap();
    poll(LIMIT, || running.ended()).unwrap();
    running.drain(LIMIT);
    let told: Vec<String> = lines.try_iter().collect();
    assert!(told.len() > 1);
    assert_eq!(told.concat(), "x".repeat(200_000));
}

#[test]
fn a_server_is_watched_from_before_its_readiness_to_after_its_interrupt() {
    let (watch, lines) = channel();
    // It starts no other program while it waits: a shell that is just doing so may miss the signal.
    let command = "trap 'echo goodbye; exit 0' INT; echo hello >&2; \
         echo listening on 127.0.0.1:4242; while :; do :; done";
    let mut server = Server::start_watched(&mut script(command), LIMIT, watch).unwrap();
    assert_eq!(server.address(), "127.0.0.1:4242".parse().unwrap());
    assert!(server.interrupt(LIMIT).unwrap().success());
    server.drain(LIMIT);
    let told: Vec<String> = lines.try_iter().collect();
    for line in ["hello", "listening on 127.0.0.1:4242", "goodbye"] {
        assert!(told.iter().any(|told| told == line), "{line} is missing in {told:?}");
    }
}

/// A shell tells what it starts in the background to ignore SIGINT, and a child inherits that. The test
/// runs once more below such a shell.
#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_ends_what_a_process_that_ignores_it_has_started() {
    const IGNORING: &str = "NETLAB_TEST_IGNORES_CTRL_C";
    if env::var_os(IGNORING).is_some() {
        let mut running = Running::start(&mut script("exec sleep 600"), |_| {}).unwrap();
        let status = running.interrupt(LIMIT).expect("it ends");
        assert!(!status.success());
        return;
    }
    let name = "watching::ctrl_c_ends_what_a_process_that_ignores_it_has_started";
    let mut shell = script("trap '' INT; exec \"$0\" --exact \"$1\"");
    let shell = shell.arg(env::current_exe().unwrap()).arg(name).env(IGNORING, "1");
    let output = shell.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn a_server_that_ends_early_leaves_its_last_words_in_the_error() {
    let (watch, lines) = channel();
    let command = "echo starting; echo no luck >&2; exit 1";
    let error = Server::start_watched(&mut script(command), LIMIT, watch).unwrap_err();
    assert!(matches!(&error, StartError::Ended(status, said)
        if status.code() == Some(1) && said.contains("starting") && said.contains("no luck")));
    assert_eq!(lines.try_iter().count(), 2);
}

#[test]
fn a_readiness_line_on_standard_error_or_without_a_newline_is_named_as_that() {
    let start = |command: &str, limit| {
        Server::start(&mut script(&format!("{command}; sleep 60")), limit).unwrap_err()
    };
    for (command, expected) in [
        ("echo listening on 127.0.0.1:4242 >&2", Misprint::OnStandardError),
        ("printf 'listening on 127.0.0.1:4242'", Misprint::Unended),
    ] {
        // A shell prints that at once, but on a busy machine that may be late.
        let limits = [LIMIT / 600, LIMIT / 60, LIMIT];
        let mut errors = limits.into_iter().map(|limit| start(command, limit));
        let found = errors.find(|error| !matches!(error, StartError::NotReady(..)));
        assert!(
            matches!(&found, Some(StartError::Misprinted(misprint, said))
                if *misprint == expected && said.contains("127.0.0.1:4242")),
            "{found:?}"
        );
    }
}

#[test]
fn dropping_a_program_kills_what_it_has_started() {
    let (watch, lines) = channel();
    let running = Running::start(&mut script("sleep 60 & echo $!; wait"), watch).unwrap();
    let grandchild = lines.recv_timeout(LIMIT).unwrap();
    drop(running);
    let is_gone = || (!is_alive(&grandchild)).then_some(());
    assert!(poll(LIMIT, is_gone).is_some(), "process {grandchild} is still there");
}

/// `kill -0` asks for a process without a signal. An orphan that is dead but not collected yet
/// (state Z of ps(1)) counts as gone.
fn is_alive(process: &str) -> bool {
    let state = Command::new("ps").args(["-o", "state=", "-p", process]).output().unwrap();
    let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}
