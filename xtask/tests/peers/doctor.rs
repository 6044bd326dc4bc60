//! What `cargo xtask doctor` finds on machines on which something is wrong: network namespaces in
//! which loopback is down, a port is taken, IPv6 is switched off, or few descriptors are left.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;
use libtest_mimic::Trial;
use netlab::peers::trial_if;

/// The command itself gives up after a minute.
const LIMIT: Duration = Duration::from_secs(120);
const PROGRAM: &str = env!("CARGO_BIN_EXE_xtask");
/// In the order in which they are shown.
const SUBJECTS: [&str; 11] = [
    "Rust",
    "loopback",
    "IPv6",
    "localhost",
    "port 8888",
    "multicast",
    "ping",
    "files",
    "console",
    "descriptors",
    "programs",
];

pub fn trials() -> Vec<Trial> {
    let in_namespace = |name, test| {
        let missing = "this system gives no network namespaces".to_owned();
        trial_if(has_namespaces(), missing, &format!("{name} [unshare]"), test)
    };
    let anywhere = |name, test| trial_if(true, String::new(), name, test);
    vec![
        anywhere("every_subject_is_shown_in_both_languages", every_subject_is_shown),
        anywhere("outside_of_the_course_it_says_so", outside_of_the_course_it_says_so),
        in_namespace("a_healthy_machine_has_no_problem", a_healthy_machine_has_no_problem),
        in_namespace("a_loopback_that_is_down_is_a_problem", a_loopback_that_is_down_is_a_problem),
        in_namespace("the_program_is_named_that_has_the_port", the_owner_of_the_port_is_named),
        in_namespace("without_ipv6_lessons_1_to_5_work", without_ipv6_lessons_1_to_5_work),
        in_namespace("few_descriptors_are_noted_and_hardly_any_are_a_problem", few_descriptors),
        in_namespace("a_group_that_may_ping_and_one_that_may_not", a_group_may_ping_or_not),
        in_namespace("a_missing_program_is_named", a_missing_program_is_named),
    ]
}

fn has_namespaces() -> bool {
    let mut unshare = Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "--net", "ip", "link", "set", "lo", "up"]);
    unshare.output().is_ok_and(|output| output.status.success())
}

/// What it prints, and its exit code.
struct Diagnosis {
    said: String,
    code: Option<i32>,
}

impl Diagnosis {
    fn of(command: &mut Command) -> Self {
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).env("LC_ALL", "C");
        let output = command.timeout(LIMIT).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        let said = String::from_utf8(output.stdout).unwrap();
        Self { said, code: output.status.code() }
    }

    /// After `script`, as root of a network of its own in which nothing is up yet. `$DOCTOR` is us.
    fn in_namespace(script: &str) -> Self {
        let mut unshare = Command::new("unshare");
        unshare.args(["--user", "--map-root-user", "--net", "sh", "-e", "-c", script]);
        Self::of(unshare.env("DOCTOR", PROGRAM))
    }

    /// The line about a subject begins with this level.
    #[track_caller]
    fn says(&self, level: &str, subject: &str, part: &str) {
        let start = format!("{level:<9}{subject}: ");
        let is_it = |line: &str| line.starts_with(&start) && line.contains(part);
        assert!(self.said.lines().any(is_it), "{start}… {part}: {}", self.said);
    }

    /// The exit code goes by the problems.
    #[track_caller]
    fn ends(&self, code: i32) {
        assert_eq!(self.code, Some(code), "{}", self.said);
        let has_problem = self.said.lines().any(|line| line.starts_with("problem"));
        assert_eq!(has_problem, code == 1, "{}", self.said);
    }
}

fn every_subject_is_shown() {
    let english = Diagnosis::of(Command::new(PROGRAM).args(["doctor", "--lang", "en"]));
    let chinese = Diagnosis::of(Command::new(PROGRAM).args(["doctor", "--lang", "zh"]));
    let mut lines = english.said.lines();
    for subject in SUBJECTS {
        let is_it = |line: &str| line.get(9..).is_some_and(|line| line.starts_with(subject));
        assert!(lines.any(is_it), "{subject} is missing, or comes too late: {}", english.said);
    }
    assert!(english.said.lines().count() <= 40, "more than a screen: {}", english.said);
    assert_eq!(english.said.lines().count(), chinese.said.lines().count(), "{}", chinese.said);
    let levels = ["正常   ", "注意   ", "问题   ", "         "];
    let told = chinese.said.lines().take_while(|line| !line.is_empty());
    assert!(told.clone().count() >= SUBJECTS.len(), "{}", chinese.said);
    assert!(told.clone().all(|line| levels.iter().any(|level| line.starts_with(level))));
}

fn outside_of_the_course_it_says_so() {
    let elsewhere = tempfile::tempdir().unwrap();
    let output =
        Command::new(PROGRAM).arg("doctor").current_dir(elsewhere.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not in the course"));
}

const HEALTHY: &str = "ip link set lo up; ulimit -n 1024; export LC_ALL=C.UTF-8";

fn a_healthy_machine_has_no_problem() {
    let healthy = Diagnosis::in_namespace(&format!("{HEALTHY}; exec $DOCTOR doctor"));
    healthy.ends(0);
    healthy.says("ok", "loopback", "TCP and UDP over 127.0.0.1 work");
    healthy.says("ok", "port 8888", "free, for TCP and for UDP");
    healthy.says("ok", "multicast", "239.255.77.7 comes back");
    healthy.says("ok", "console", "LC_ALL=C.UTF-8");
    healthy.says("ok", "descriptors", "1024 files and sockets");
    healthy.says("ok", "Rust", "the course needs");
}

fn a_loopback_that_is_down_is_a_problem() {
    let down = Diagnosis::in_namespace("exec $DOCTOR doctor");
    down.ends(1);
    down.says("problem", "loopback", "TCP over 127.0.0.1 does not work (Network is unreachable)");
    assert!(down.said.contains("\n         try: sudo ip link set lo up\n"), "{}", down.said);
    down.says("note", "multicast", "lesson 7's nodes do not find each other");
    down.says("note", "IPv6", "::1 does not work");
    assert!(down.said.ends_with("before the problems above are solved.\n"), "{}", down.said);
}

/// The laboratory is as good a program as any to have a port.
fn the_owner_of_the_port_is_named() {
    for (option, protocol, other) in [("", "TCP", "UDP"), ("--udp", "UDP", "TCP")] {
        let script = format!(
            "{HEALTHY}; out=$(mktemp); trap 'kill $lab; rm \"$out\"' EXIT
            $DOCTOR lab {option} --listen 127.0.0.1:8888 --to 127.0.0.1:9 >$out 2>&1 & lab=$!
            until grep -q listening $out; do sleep 0.05; done
            echo lab is $lab; $DOCTOR doctor"
        );
        let taken = Diagnosis::in_namespace(&script);
        taken.ends(0);
        let id = taken.said.lines().find_map(|line| line.strip_prefix("lab is ")).unwrap();
        let expected = format!("xtask (process {id}) has it for {protocol}");
        taken.says("note", "port 8888", &expected);
        assert!(!taken.said.contains(&format!("has it for {other}")), "{}", taken.said);
        assert!(taken.said.contains("--addr 127.0.0.1:0"), "{}", taken.said);
    }
}

fn without_ipv6_lessons_1_to_5_work() {
    let off = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6";
    let without = Diagnosis::in_namespace(&format!("{HEALTHY}; {off}; exec $DOCTOR doctor"));
    without.ends(0);
    without.says("ok", "loopback", "127.0.0.1 work");
    without.says("note", "IPv6", "lesson 9 shows less");
    assert!(without.said.contains("disable_ipv6=0"), "{}", without.said);
}

fn few_descriptors() {
    for (limit, level, code) in [(200, "note", 0), (50, "problem", 1)] {
        let script = format!("{HEALTHY}; ulimit -n {limit}; exec $DOCTOR doctor");
        let few = Diagnosis::in_namespace(&script);
        few.ends(code);
        few.says(level, "descriptors", &format!("{limit} files and sockets at once"));
        assert!(few.said.contains("try: ulimit -n 4096"), "{}", few.said);
    }
}

/// In a new network no group may.
fn a_group_may_ping_or_not() {
    let allow = "echo 0 0 > /proc/sys/net/ipv4/ping_group_range";
    for (setup, level, said) in
        [(allow, "ok", "answered by 127.0.0.1"), ("true", "note", "no ICMP echo")]
    {
        let script = format!("{HEALTHY}; {setup}; exec $DOCTOR doctor");
        let diagnosis = Diagnosis::in_namespace(&script);
        diagnosis.ends(0);
        diagnosis.says(level, "ping", said);
        assert_eq!(diagnosis.said.contains("ping_group_range"), level == "note");
    }
}

fn a_missing_program_is_named() {
    let script = format!(
        "{HEALTHY}; bin=$(mktemp -d); trap 'rm -r \"$bin\"' EXIT
        ln -s $(command -v rustc) $(command -v unshare) $(command -v true) $bin
        PATH=$bin $DOCTOR doctor"
    );
    let bare = Diagnosis::in_namespace(&script);
    bare.ends(0);
    bare.says("note", "programs", "nc (02-10), socat (02-07, 09), ");
    let advice = "try: sudo apt-get install netcat-openbsd socat python3 ";
    assert!(bare.said.contains(advice), "{}", bare.said);
}
