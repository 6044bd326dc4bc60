//! Programs that keep only part of the contract, in a language that nobody here builds; and the
//! files that a failed case leaves, as tshark reads them.
//!
//! The test runs itself again as one case of a made-up exercise, with the variables that a grader
//! would set.

#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Output};

use graded::Case;
use grader::outcome;
use grader::protocol::{self, Outcome, Verdict};
use netlab::peers::{run, trial};
use tempfile::TempDir;

fn main() -> ExitCode {
    if std::env::var_os(protocol::OUTCOME).is_some() {
        return case();
    }
    run(vec![
        trial("python3", "a_program_that_only_takes_a_port_is_given_one", a_port),
        trial("python3", "a_program_that_only_takes_an_address_is_given_one", an_address),
        trial("python3", "a_bound_udp_port_is_a_ready_program", datagrams),
        trial("python3", "a_silent_program_without_a_port_is_not_ready", never_ready),
        trial("python3", "a_program_that_takes_another_port_is_not_ready", another_port),
        trial("python3", "a_client_is_told_the_server_in_its_own_words", a_client),
        trial("python3", "a_failed_case_leaves_a_diagram_and_a_capture", artifacts_of_a_failure),
        trial("python3", "a_passed_case_leaves_no_files", no_artifacts_of_a_pass),
        trial("tshark", "tshark_reads_the_capture_of_a_failed_case", a_whole_capture),
    ])
}

/// The case that the exercise's name stands for.
fn case() -> ExitCode {
    let name = std::env::var(protocol::CASE).unwrap();
    let case = Case::of("00", "foreign");
    match name.as_str() {
        "echo" => {
            let mut client = case.connect(case.serve());
            client.send(b"hello");
            client.half_close();
            client.expect_last_words(b"hello");
        }
        "datagram" => {
            let sender = case.sender(case.serve());
            sender.send(b"hello");
            sender.expect(b"hello");
        }
        "client" => {
            let host = case.listen();
            let running = case.start_client(host.address(), &["hello"]);
            host.accept().expect_last_words(b"hello");
            running.expect_exit(0);
        }
        other => panic!("no case {other}"),
    }
    ExitCode::SUCCESS
}

/// Echoes one connection after the other on the port that is its first argument.
const ECHO: &str = "
import socket, sys
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(('127.0.0.1', int(sys.argv[1].split(':')[-1])))
listener.listen()
while True:
    connection, _ = listener.accept()
    while data := connection.recv(1024):
        connection.sendall(data)
    connection.close()
";
/// Echoes datagrams.
const DATAGRAMS: &str = "
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(('127.0.0.1', int(sys.argv[1])))
while True:
    data, peer = sock.recvfrom(65535)
    sock.sendto(data, peer)
";
/// Sends its last argument to the address that is its first.
const CLIENT: &str = "
import socket, sys
host, port = sys.argv[1].split(':')
with socket.create_connection((host, int(port))) as connection:
    connection.sendall(sys.argv[-1].encode())
";
/// Answers another word.
const WRONG: &str = "
import socket, sys
listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
while True:
    connection, _ = listener.accept()
    while connection.recv(1024): pass
    connection.sendall(b'hullo')
    connection.close()
";

/// One graded case, and the folder of its files.
struct Graded {
    folder: TempDir,
    outcome: Outcome,
    output: Output,
}

impl Graded {
    /// The script with more words after it on its command line.
    fn run(case: &str, script: &str, words: &[&str]) -> Self {
        Self::run_with_patience(10_000, case, script, words)
    }

    fn run_with_patience(milliseconds: u32, case: &str, script: &str, words: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("s.py");
        fs::write(&file, script).unwrap();
        let program = [&["python3", file.to_str().unwrap()], words].concat();
        let (stdin, outcome) = outcome::channel().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .stdin(stdin)
            .env(protocol::OUTCOME, "stdin")
            .env(protocol::PROGRAM, serde_json::to_string(&program).unwrap())
            .env(protocol::CASE, case)
            .env(protocol::SEED, "7")
            .env(protocol::PATIENCE, milliseconds.to_string())
            .env(protocol::ARTIFACTS, folder.path().join("artifacts"));
        let output = command.output().unwrap();
        // It holds a copy of the test's end of the channel.
        drop(command);
        let outcome = outcome.receive().unwrap();
        Self { folder, outcome, output }
    }

    fn assert(&self, verdict: Verdict) {
        let Outcome { verdict: got, report, .. } = &self.outcome;
        assert_eq!(*got, verdict, "{report}\n{}", String::from_utf8_lossy(&self.output.stderr));
        assert_eq!(self.output.status.success(), verdict == Verdict::Pass);
    }

    fn artifacts(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join("artifacts")).unwrap();
        let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        names.iter().map(|name| name.to_str().unwrap().to_owned()).collect()
    }
}

fn a_port() {
    let graded = Graded::run("echo", ECHO, &["{port}"]);
    graded.assert(Verdict::Pass);
    assert!(graded.outcome.longest_wait > 0.0);
}

fn an_address() {
    Graded::run("echo", ECHO, &["{addr}", "--verbose"]).assert(Verdict::Pass);
}

fn datagrams() {
    Graded::run("datagram", DATAGRAMS, &["{port}"]).assert(Verdict::Pass);
}

fn never_ready() {
    let graded = Graded::run("echo", "print('I need no port')", &["{port}"]);
    graded.assert(Verdict::NotReady);
    let report = &graded.outcome.report;
    assert!(report.contains("I need no port"), "{report}");
    assert!(!report.contains("{port}") && report.contains("s.py "), "{report}");
}

fn another_port() {
    let script = "import time; time.sleep(1000)";
    let graded = Graded::run_with_patience(300, "echo", script, &["{port}"]);
    graded.assert(Verdict::NotReady);
    let report = &graded.outcome.report;
    assert!(report.contains("the server did not listen on port "), "{report}");
}

fn a_client() {
    Graded::run("client", CLIENT, &["{addr}"]).assert(Verdict::Pass);
}

fn artifacts_of_a_failure() {
    let graded = Graded::run("echo", WRONG, &["{port}"]);
    graded.assert(Verdict::Fail);
    assert_eq!(graded.artifacts(), ["00-foreign-echo.pcapng", "00-foreign-echo.svg"]);
    let svg = graded.folder.path().join("artifacts/00-foreign-echo.svg");
    let svg = fs::read_to_string(svg).unwrap();
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg:.200}");
    assert!(svg.contains("hello") && svg.contains("hullo"), "{svg}");
}

fn no_artifacts_of_a_pass() {
    let graded = Graded::run("echo", ECHO, &["{port}"]);
    graded.assert(Verdict::Pass);
    assert_eq!(graded.artifacts(), [""; 0]);
}

fn a_whole_capture() {
    let graded = Graded::run("echo", WRONG, &["{port}"]);
    let capture = graded.folder.path().join("artifacts/00-foreign-echo.pcapng");
    // Severity 0x800000 is an error, of which a malformed packet is one.
    assert_eq!(tshark(&capture, "_ws.malformed || _ws.expert.severity >= 0x800000"), "");
    assert!(tshark(&capture, "tcp.payload == 68:65:6c:6c:6f").contains("hello"));
    assert_eq!(tshark(&capture, "tcp.flags.syn == 1").lines().count(), 2);
    assert_eq!(tshark(&capture, "tcp.flags.fin == 1").lines().count(), 2);
}

/// The payloads, as text, of the packets that `filter` chooses.
fn tshark(capture: &Path, filter: &str) -> String {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(capture).args(["-Y", filter, "-T", "fields"]);
    command.args(["-e", "frame.number", "-e", "tcp.payload", "-e", "data.text"]);
    command.args(["-o", "data.show_as_text:TRUE"]);
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && !error.contains("cut short"), "{error}");
    String::from_utf8(output.stdout).unwrap()
}
