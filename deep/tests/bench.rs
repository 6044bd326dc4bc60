//! `cargo xtask bench --quick`: everything works, with whatever peers there are. How fast it is,
//! no test says.

// Not only the test functions themselves may panic here: what prepares for them may too.
#![allow(clippy::unwrap_used, clippy::expect_used)]
// Elsewhere there is no bench.
#![cfg(target_os = "linux")]

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use grader::build;
use grader::process::Cancel;
use netlab::program::{poll, signal};
use serde_json::Value;

/// How long one bench may take, with the building of its lesson.
const LIMIT: Duration = Duration::from_secs(180);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What `cargo xtask bench` starts, built.
fn staff() -> &'static Path {
    static STAFF: OnceLock<PathBuf> = OnceLock::new();
    STAFF.get_or_init(|| build::binary(&root(), "staff", "staff", &Cancel::default()).unwrap())
}

/// Runs a bench into `out`, with the programs on `path`; its table.
fn bench(name: &str, path: &OsStr, out: &Path) -> String {
    let mut command = assert_cmd::Command::new(staff());
    command.current_dir(root());
    command.args(["bench", name, "--quick", "--out"]).arg(out).env("PATH", path).timeout(LIMIT);
    String::from_utf8(command.assert().success().get_output().stdout.clone()).unwrap()
}

fn report(name: &str, out: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(out.join(format!("{name}.json"))).unwrap()).unwrap()
}

/// Every start tag has its end, in order; a small check, but of every character.
fn assert_well_formed(svg: &str) {
    let mut open = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').expect("a tag has its end");
        assert!(!text.contains('>') && tag.matches('"').count() % 2 == 0, "{tag}>{text}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "in {svg}");
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap());
        }
    }
    assert!(open.is_empty(), "{open:?} have no end");
}

/// A table, a report and a chart, in which lessons succeed and nobody is left out in silence.
fn assert_complete(name: &str, peers: &[&str]) {
    let out = tempfile::tempdir().unwrap();
    let table = bench(name, &std::env::var_os("PATH").unwrap(), out.path());
    let report = report(name, out.path());
    let list_names = |list: &Value| -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    let rows = &report["groups"][0]["rows"];
    let named = [list_names(rows), list_names(&report["missing"])].concat();
    for peer in peers {
        assert!(named.iter().any(|name| name == peer), "{peer} is neither there nor missing");
        assert!(table.contains(peer), "{peer} is not in {table}");
    }
    let ours: Vec<_> =
        rows.as_array().unwrap().iter().filter(|row| row["kind"] == "ours").collect();
    assert!(!ours.is_empty());
    for row in ours {
        assert_eq!(row["values"].as_array().unwrap().len(), 1, "{row}");
        assert!(row["median"].as_f64().unwrap() > 0.0, "{row}");
    }
    let svg = fs::read_to_string(out.path().join(format!("{name}.svg"))).unwrap();
    assert!(svg.contains("prefers-color-scheme: dark"));
    assert_well_formed(&svg);
}

#[test]
fn upload_has_a_row_for_everybody_or_says_who_is_missing() {
    let python = ["Python, plain", "Python, sendfile"];
    assert_complete("upload", &[&["nc", "socat", "cp", "iperf3"][..], &python].concat());
}

#[test]
fn udp_has_a_row_for_everybody_or_says_who_is_missing() {
    let quinn = ["quinn, defaults", "quinn BBR, 32 MiB windows"];
    assert_complete("udp", &[&["UDT", "uftp", "curl tftp", "atftp"][..], &quinn].concat());
}

#[test]
fn echo_has_a_row_for_everybody_or_says_who_is_missing() {
    assert_complete("echo", &["socat", "Python, threads", "sockperf"]);
}

#[test]
fn a_peer_that_is_not_installed_is_missing_and_its_package_is_named() {
    let (out, tools) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // Of all the system's programs, only those are found that a build may need.
    for tool in ["cc", "ld", "as"] {
        let found = Command::new("which").arg(tool).output().unwrap().stdout;
        let program = String::from_utf8(found).unwrap();
        std::os::unix::fs::symlink(program.trim(), tools.path().join(tool)).unwrap();
    }
    let rustc = Path::new(env!("CARGO")).parent().unwrap();
    let path = std::env::join_paths([rustc, tools.path()]).unwrap();
    let table = bench("upload", &path, out.path());
    assert!(table.contains("missing: nc: no nc; package netcat-openbsd"), "{table}");
    assert!(table.contains("to install the peers: apt-get install"), "{table}");
}

#[test]
fn ctrl_c_leaves_no_program_and_no_file_behind() {
    let out = tempfile::tempdir().unwrap();
    let mut command = Command::new(staff());
    command.current_dir(root());
    command.args(["bench", "udp", "--quick", "--out"]).arg(out.path());
    let mut bench = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // From here on it handles Ctrl-C, and the first client has not begun yet.
    let mut lines = BufReader::new(bench.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("building lesson-05")));
    let id = bench.id().to_string();
    signal("-INT", bench.id()).unwrap();
    let status = poll(LIMIT, || bench.try_wait().unwrap()).expect("it ends");
    assert_eq!(status.code(), Some(130));
    // The scratch folder's name has the id in it, and so have the arguments of what was started.
    let scratch = format!("/bench-{id}-");
    assert_eq!(folders(&scratch), [] as [PathBuf; 0]);
    assert!(poll(LIMIT, || processes(&scratch).is_empty().then_some(())).is_some());
}

/// Where scratch folders may be, the ones with this in their path.
fn folders(text: &str) -> Vec<PathBuf> {
    let places = [PathBuf::from("/dev/shm"), std::env::temp_dir()];
    let entries = places.iter().flat_map(|place| fs::read_dir(place).unwrap().flatten());
    entries.map(|entry| entry.path()).filter(|path| path.to_str().unwrap().contains(text)).collect()
}

/// The running programs with this in their arguments.
fn processes(text: &str) -> Vec<String> {
    let files = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path().join("cmdline"));
    let lines = files.filter_map(|file| fs::read(file).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).into_owned());
    lines.filter(|line| line.contains(text)).collect()
}
