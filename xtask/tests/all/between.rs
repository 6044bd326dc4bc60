//! `cargo xtask run` with the laboratory between a lesson's two sides, and what `cargo xtask lab`
//! says to wrong options.

// Not only the test functions themselves may panic here: what prepares for them may too.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use rstest::rstest;
use tempfile::tempdir;

fn xtask(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    command.current_dir(root).args(arguments);
    command
}

fn stdout(arguments: &[&str]) -> String {
    let output = xtask(arguments).assert().success().get_output().stdout.clone();
    String::from_utf8(output).unwrap()
}

#[test]
fn two_runs_of_one_conversation_are_the_same_diagram() {
    let folder = tempdir().unwrap();
    let [first, second] = ["first.svg", "second.svg"].map(|name| {
        let file = folder.path().join(name);
        stdout(&["run", "04", "--diagram", file.to_str().unwrap()]);
        fs::read_to_string(file).unwrap()
    });
    assert!(first.contains("你好"), "{first}");
    assert_eq!(first, second);
}

#[test]
fn a_file_arrives_over_a_bad_network_and_the_diagram_shows_what_was_lost() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("upload.txt");
    let options = ["run", "05", "--loss", "5%", "--seed", "7", "--lose", "0", "--diagram"];
    let said = stdout(&[&options[..], &[file.to_str().unwrap()]].concat());
    assert!(said.contains("arrived whole: 100,000 bytes, identical"), "{said}");
    assert!(said.contains("[xtask] seed 7; "), "{said}");
    assert!(said.contains(" lost\n"), "{said}");
    let diagram = fs::read_to_string(file).unwrap();
    assert!(diagram.contains("lost ") && diagram.contains('✕'), "{diagram}");
}

#[test]
fn a_transcript_stands_between_the_lines_of_the_two_programs() {
    let said = stdout(&["run", "02", "--transcript"]);
    let line = "[lab] client 1 → server: 6 bytes \"hello\\n\"";
    assert!(said.lines().any(|found| found == line), "{said}");
}

#[rstest]
#[case::no_percent(&["--udp", "--loss", "5"], "is that 5%? then write 5%")]
#[case::no_unit(&["--delay", "10"], "10 of what?")]
#[case::no_reason(&["--jitter", "5ms"], "more jitter than delay")]
#[case::wrong_transport(&["--loss", "5%"], "--loss is about datagrams (UDP)")]
#[case::wrong_file(&["--diagram", "run.png"], "ends in .svg or in .txt")]
#[case::no_bottleneck(&["--queue", "64k"], "--rate")]
fn wrong_options_are_explained_and_end_with_2(#[case] options: &[&str], #[case] why: &str) {
    let assert = xtask(&[&["lab", "--to", "127.0.0.1:9"], options].concat()).assert().code(2);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains(why), "{said}");
}

#[test]
fn an_address_without_a_port_is_no_address() {
    let assert = xtask(&["lab", "--to", "127.0.0.1"]).assert().code(2);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("write HOST:PORT, such as 127.0.0.1:8888"), "{said}");
}

#[test]
fn a_file_that_cannot_be_written_is_noticed_before_the_run() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("missing/run.pcapng");
    let assert = xtask(&["lab", "--to", "127.0.0.1:9", "--record"]).arg(&file).assert().code(1);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains(&format!("cannot write {}", file.display())), "{said}");
}

#[test]
fn a_lesson_without_sockets_has_nothing_to_stand_between() {
    let assert = xtask(&["run", "01", "--delay", "10ms"]).assert().code(2);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("opens no socket"), "{said}");
}

#[rstest]
#[case::tcp("--tcp")]
#[case::udp("--udp")]
fn a_port_that_is_taken_leaves_an_older_capture_as_it_was(#[case] transport: &str) {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = tcp.local_addr().unwrap().to_string();
    let _udp = (transport == "--udp").then(|| UdpSocket::bind(&listen).unwrap());
    let folder = tempdir().unwrap();
    let file = folder.path().join("old.pcapng");
    fs::write(&file, "an older capture").unwrap();
    let lab = ["lab", transport, "--to", "127.0.0.1:9", "--listen", &listen, "--record"];
    let assert = xtask(&lab).arg(&file).assert().code(1);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("another program already has this port"), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "an older capture");
}
