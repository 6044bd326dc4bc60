//! What `cargo xtask run` makes of lessons that go wrong: a small course of its own, whose
//! lessons are one program with different arguments.

// Not only the test functions themselves may panic here: what prepares for them may too.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{LazyLock, mpsc};
use std::time::Duration;

use netlab::port::free_address;
use netlab::program::{CAN_INTERRUPT, Running};
use netlab::record::Transport;

use crate::tiny::{package, workspace};

/// How long a lesson may take to be built and to have its say.
const LIMIT: Duration = Duration::from_secs(60);

/// Keeps the contract as far as its arguments let it. (It does not catch Ctrl-C.) A test that looks
/// whether the server is gone says by `LISTEN_AT` where it is: nobody else is given that port then.
const PROGRAM: &str = r#"
use std::net::{TcpListener, TcpStream};
use std::process::exit;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [] => println!("all alone"),
        ["server", "--addr", _, "quit"] => {
            eprintln!("no luck today");
            exit(3)
        }
        ["server", "--addr", address, ..] => {
            let address = std::env::var("LISTEN_AT").unwrap_or(address.to_owned());
            let listener = TcpListener::bind(address).unwrap();
            println!("listening on {}", listener.local_addr().unwrap());
            let _guest = listener.accept();
            if words[3..] == ["leave"] {
                exit(0)
            }
            loop { std::thread::park() }
        }
        ["client", "--addr", address, ..] => {
            let mut stream = TcpStream::connect(address).unwrap();
            println!("connected");
            match words[3..] {
                ["fail"] => exit(1),
                ["stay"] => drop(std::io::copy(&mut stream, &mut std::io::sink())),
                _ => {}
            }
        }
        _ => exit(2),
    }
}
"#;

/// Topic, source and `[run]` of each lesson; the numbers are those of their order.
const LESSONS: &[(&str, &str, &str)] = &[
    ("solo", PROGRAM, ""),
    ("half-typed", "fn main( {", ""),
    ("quitter", PROGRAM, "server = ['server', 'quit']\nclient = ['client']"),
    ("failing-client", PROGRAM, "server = ['server']\nclient = ['client', 'fail']"),
    ("early-leaver", PROGRAM, "server = ['server', 'leave']\nclient = ['client', 'stay']"),
    ("unclean-server", PROGRAM, "server = ['server']\nclient = ['client']"),
    ("endless", PROGRAM, "server = ['server']\nclient = ['client', 'stay']"),
];

/// The folder of the course. It stays in cargo's target folder for the next time.
static COURSE: LazyLock<PathBuf> = LazyLock::new(|| {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("broken-course");
    let write = |path: PathBuf, text: &str| {
        // What says so already stays as old as it is: cargo builds again what is newer.
        if fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            return;
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(root.join("Cargo.toml"), &workspace("'lessons/*'"));
    for (number, (topic, source, run)) in (1..).zip(LESSONS) {
        let folder = root.join(format!("lessons/{number:02}-{topic}"));
        write(folder.join("src/main.rs"), source);
        write(folder.join("Cargo.toml"), &package(&format!("lesson-{number:02}")));
        let run = if run.is_empty() { String::new() } else { format!("[run]\n{run}\n") };
        let text = "{ en = 'T', zh = '题' }";
        let about = format!("minutes = 1\ntitle = {text}\nlearn = {text}\n{run}");
        write(folder.join("lesson.toml"), &about);
    }
    root
});

fn xtask_run(lesson: &str) -> Command {
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
    // The packages here bear the names of the real ones: they must not replace them.
    xtask.current_dir(&*COURSE).env("CARGO_TARGET_DIR", COURSE.join("target"));
    xtask.args(["run", lesson]);
    xtask
}

/// Runs a lesson of that course; its exit code and what was said, standard error last.
fn run(lesson: &str) -> (Option<i32>, String) {
    let output = xtask_run(lesson).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[track_caller]
fn assert_says(said: &str, expected: &[&str]) {
    for text in expected {
        assert!(said.contains(text), "{text:?} is missing in:\n{said}");
    }
}

#[test]
fn a_lesson_without_a_run_section_is_shown_as_it_is() {
    let (code, said) = run("solo");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("all alone"), "{said}");
}

#[test]
fn a_lesson_that_does_not_compile_shows_what_cargo_says() {
    let (code, said) = run("half-typed");
    assert_eq!(code, Some(1), "{said}");
    assert_says(&said, &["src/main.rs:1", "lesson-02 does not compile"]);
}

#[test]
fn a_server_that_quits_is_named_with_its_last_words() {
    let (code, said) = run("quitter");
    assert_eq!(code, Some(1), "{said}");
    assert_says(&said, &["[server] no luck today", "lesson 03 failed: the server ended"]);
}

#[test]
fn a_client_that_fails_is_named() {
    let (code, said) = run("failing-client");
    assert_eq!(code, Some(1), "{said}");
    assert_says(&said, &["[client] connected", "lesson 04 failed: ", "the client ended with"]);
}

#[test]
fn a_server_that_ends_unasked_is_named() {
    let (code, said) = run("early-leaver");
    assert_eq!(code, Some(1), "{said}");
    assert_says(&said, &["lesson 05 failed: ", "before anybody asked it to"]);
}

#[test]
fn a_server_must_end_with_code_0_where_it_can_be_interrupted() {
    let (code, said) = run("unclean-server");
    assert_eq!(code, Some(i32::from(CAN_INTERRUPT)), "{said}");
    assert_eq!(said.contains("should end with code 0"), CAN_INTERRUPT, "{said}");
}

#[test]
fn ctrl_c_ends_both_programs() {
    // Without signals nobody can ask xtask to end; killed, it would leave both programs behind.
    if !CAN_INTERRUPT {
        return;
    }
    let (sender, lines) = mpsc::channel();
    let watch = move |line: &str| drop(sender.send(line.to_owned()));
    let free = free_address(Transport::Tcp).to_string();
    let mut xtask = Running::start(xtask_run("endless").env("LISTEN_AT", &free), watch).unwrap();
    let wait_for = |start: &str| loop {
        let line = lines.recv_timeout(LIMIT).unwrap();
        if let Some(rest) = line.strip_prefix(start) {
            return rest.to_owned();
        }
    };
    let server = wait_for("[server] listening on ");
    assert_eq!(server, free);
    wait_for("[client] connected");
    let status = xtask.interrupt(LIMIT).unwrap();
    assert_eq!(status.code(), Some(1));
    wait_for("cargo xtask: lesson 07 failed: ");
    TcpStream::connect(server).expect_err("nobody listens any more");
}
