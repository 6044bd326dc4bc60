//! What the first tutorial's programs are worth, graded like anybody's: which checks they pass, and
//! how they fail the others. The programs are in `peers/`; what each keeps of the tutorial and what
//! the course had to add stands at its top.

#![allow(clippy::unwrap_used, clippy::expect_used)] // Helpers of tests; a panic is a failed test.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use course::workspace;
use grader::protocol::Verdict::{self, Crash, Fail, Pass, Timeout};
use grader::run::{self, Job};
use grader::submission::Submission;
use netlab::peers;

/// A fixed one: random payloads decide whether a program meets bytes that are no text.
const SEED: u64 = 20_260_101;

fn main() -> ExitCode {
    peers::run(vec![
        peers::trial("python3", "tcp_chat", tcp_chat),
        peers::trial("python3", "tcp_upload", tcp_upload),
        peers::trial("python3", "tcp_upload_client", tcp_upload_client),
        peers::trial("python3", "udp_chat", udp_chat),
        peers::trial("python3", "udp_chat_client", udp_chat_client),
        peers::trial("python3", "udp_upload", udp_upload),
    ])
}

fn tcp_chat() {
    let checks = [
        ("a_short_message_is_answered_with_its_length", Pass),
        ("any_bytes_make_a_message", Fail),
        ("every_client_is_answered", Fail),
        ("a_message_lasts_until_the_half_close", Fail),
        ("the_network_may_cut_and_glue", Fail),
        ("a_large_message_is_counted_to_the_last_byte", Fail),
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
        ("a_reset_leaves_nothing", Fail),
        ("a_silent_client_blocks_nobody", Timeout),
        ("a_large_file_takes_little_memory", Fail),
    ];
    expect("03/receive", "tcp_upload.py", &checks);
}

fn tcp_upload_client() {
    let checks = [
        ("the_file_arrives_byte_for_byte", Pass),
        ("the_half_close_follows_the_digest", Pass),
        ("a_bad_network_changes_nothing", Pass),
        ("a_slow_server_gets_every_byte", Pass),
        ("only_the_right_receipt_is_success", Fail),
        ("a_right_receipt_may_come_in_pieces", Fail),
        ("a_refusal_is_passed_on", Fail),
        ("a_hostile_answer_does_nothing_to_the_terminal", Fail),
        ("a_reset_is_no_success", Fail),
        ("a_network_that_resets_is_no_success", Fail),
        ("a_silent_server_is_given_up", Timeout),
        ("a_patient_client_waits", Fail),
        ("nobody_is_called_with_wrong_arguments", Fail),
        ("a_server_that_is_not_there_is_told", Fail),
        ("a_file_that_grows_is_sent_as_announced", Pass),
        ("a_file_that_shrinks_does_not_look_complete", Fail),
    ];
    // It holds the whole file; but it waits for no answer, and whether its memory can be read before it
    // has ended is the machine's affair.
    expect_all_but("03/send", "tcp_upload_client.py", &checks, "a_large_file_takes_little_memory");
}

fn udp_chat() {
    let checks = [
        ("every_datagram_is_answered_in_reverse", Fail),
        ("a_large_datagram_comes_back_whole", Fail),
        ("an_empty_datagram_is_answered_with_an_empty_one", Fail),
        ("each_sender_gets_the_answers_to_its_own_datagrams", Fail),
        ("what_arrives_is_answered_and_nothing_else", Fail),
        ("a_vanished_sender_does_not_stop_the_server", Fail),
        ("wrong_arguments_are_refused", Timeout),
    ];
    expect("04/reply", "udp_chat.py", &checks);
}

fn udp_chat_client() {
    let checks = [
        ("a_question_is_asked_and_its_answer_printed", Pass),
        ("an_answer_may_be_any_bytes", Pass),
        ("a_large_answer_comes_whole", Fail),
        ("every_question_has_an_id_of_its_own", Pass),
        ("it_gives_up_after_so_many_tries", Timeout),
        ("a_failure_names_the_server_and_keeps_earlier_answers", Timeout),
        ("a_try_lasts_as_long_as_it_should", Pass),
        ("an_answer_that_is_slower_than_a_try_counts", Timeout),
        ("what_is_no_answer_is_passed_over", Fail),
        ("an_answer_from_another_port_is_passed_over", Fail),
        ("stray_datagrams_do_not_stop_the_clock", Fail),
        ("an_old_answer_is_not_taken_for_the_next", Fail),
        ("it_gets_its_answers_through_a_bad_network", Timeout),
        ("a_port_that_nobody_has_is_asked_again", Timeout),
        ("wrong_arguments_are_refused", Fail),
        ("a_question_that_cannot_be_sent_ends_at_once", Fail),
    ];
    expect("04/retry", "udp_chat_client.py", &checks);
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

/// Grades `program` and compares each check's first failure with `expected`. A crash counts as a
/// fail: whether a program's end is seen before what it did wrong depends on the machine.
fn expect(exercise: &str, program: &str, expected: &[(&str, Verdict)]) {
    expect_all_but(exercise, program, expected, "");
}

/// As [`expect`], but one check may pass or fail.
fn expect_all_but(exercise: &str, program: &str, expected: &[(&str, Verdict)], either: &str) {
    let root = workspace::root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let lessons = course::lessons(&root).unwrap();
    let (number, name) = exercise.split_once('/').unwrap();
    let lesson = lessons.iter().find(|lesson| lesson.number == number).unwrap();
    let exercise = lesson.about.exercises.iter().find(|it| it.name == name).unwrap();
    let program = root.join("tests/peers").join(program);
    let submission = Submission::Program(vec!["python3".into(), program.display().to_string()]);
    // A program that hangs is asked often; what the solution needs decides how long is long enough.
    let (jobs, patience) = (2, Duration::from_secs(1));
    let job = Job { jobs, patience, ..Job::new(&root, (lesson, exercise), &submission, SEED) };
    let score = run::grade(&job, &mut |_| {});
    assert!(score.problems.is_empty(), "{:#?}", score.problems);
    let came = score.checks.iter().map(|check| {
        let mut verdicts = check.cases.iter().map(|case| case.verdict);
        let first = verdicts.find(|verdict| *verdict != Pass).unwrap_or(Pass);
        (check.name.as_str(), if first == Crash { Fail } else { first })
    });
    let is_open =
        |(name, verdict): &(&str, Verdict)| *name == either && matches!(verdict, Pass | Fail);
    let came: Vec<(&str, Verdict)> = came.filter(|check| !is_open(check)).collect();
    assert_eq!(came, expected, "{:#?}", score.checks);
}
