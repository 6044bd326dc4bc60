//! What the first tutorial's programs are worth, graded like anybody's: which checks they pass, and
//! how they fail the others. The programs are in `peers/`; what each keeps of the tutorial and what
//! the course had to add stands at its top.

#![allow(clippy::unwrap_used, clippy::expect_used)] // Helpers of tests; a panic is a failed test.

use std::path::Path;
use std::process::ExitCode;

use grader::course;
use grader::protocol::Verdict::{self, Crash, Fail, Pass, Timeout};
use grader::run::{self, Job};
use grader::submission::Submission;
use grader::workspace;
use netlab::peers;

/// A fixed one: random payloads decide whether a program meets bytes that are no text.
const SEED: u64 = 20_260_101;

fn main() -> ExitCode {
    peers::run(vec![
        peers::trial("python3", "tcp_chat", tcp_chat),
        peers::trial("python3", "tcp_upload", tcp_upload),
        peers::trial("python3", "udp_chat", udp_chat),
        peers::trial("python3", "udp_upload", udp_upload),
    ])
}

fn tcp_chat() {
    let checks = [
        ("a_short_message_is_answered_with_its_length", Pass),
        ("any_bytes_make_a_message", Crash),
        ("every_client_is_answered", Crash),
        ("a_message_lasts_until_the_half_close", Crash),
        ("the_network_may_cut_and_glue", Crash),
        ("a_large_message_is_counted_to_the_last_byte", Crash),
        ("a_client_that_vanishes_ends_only_its_own_connection", Fail),
        ("the_same_port_can_be_bound_again_at_once", Fail),
        ("it_tells_by_its_exit_code_why_it_cannot_serve", Fail),
    ];
    expect("02/answer", "tcp_chat.py", &checks);
}

fn tcp_upload() {
    let checks = [
        ("any_bytes_arrive_unchanged", Pass),
        ("a_file_lasts_until_the_half_close", Pass),
        ("files_are_numbered_as_they_become_complete", Timeout),
        ("a_reset_leaves_nothing", Crash),
        ("a_silent_client_blocks_nobody", Timeout),
        ("a_large_file_takes_little_memory", Fail),
    ];
    expect("03/receive", "tcp_upload.py", &checks);
}

fn udp_chat() {
    let checks = [
        ("every_datagram_is_answered_in_reverse", Fail),
        ("a_large_datagram_comes_back_whole", Crash),
        ("an_empty_datagram_is_answered_with_an_empty_one", Fail),
        ("each_sender_gets_the_answers_to_its_own_datagrams", Crash),
        ("a_vanished_sender_does_not_stop_the_server", Fail),
    ];
    expect("04/reply", "udp_chat.py", &checks);
}

fn udp_upload() {
    let checks = [
        ("an_upload_is_stored_and_confirmed", Fail),
        ("one_sender_uploads_again_and_again", Pass),
        ("data_may_be_any_bytes", Pass),
        ("what_is_lost_or_repeated_is_noticed", Fail),
        ("what_is_not_understood_changes_nothing", Fail),
        ("senders_do_not_mix", Fail),
    ];
    expect("05/keyword", "udp_upload.py", &checks);
}

/// Grades `program` and compares each check's worst case with `expected`.
fn expect(exercise: &str, program: &str, expected: &[(&str, Verdict)]) {
    let root = workspace::root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let lessons = course::lessons(&root).unwrap();
    let (number, name) = exercise.split_once('/').unwrap();
    let lesson = lessons.iter().find(|lesson| lesson.number == number).unwrap();
    let exercise = lesson.about.exercises.iter().find(|it| it.name == name).unwrap();
    let program = root.join("tests/peers").join(program);
    let submission = Submission::Program(vec!["python3".into(), program.display().to_string()]);
    let job = Job::new(&root, (lesson, exercise), &submission, SEED);
    let score = run::grade(&job, &mut |_| {});
    assert!(score.problems.is_empty(), "{:#?}", score.problems);
    let worst = score.checks.iter().map(|check| {
        let failure = check.cases.iter().find(|case| case.verdict != Pass);
        (check.name.as_str(), failure.map_or(Pass, |case| case.verdict))
    });
    let worst: Vec<(&str, Verdict)> = worst.collect();
    assert_eq!(worst, expected, "{:#?}", score.checks);
}
