//! `retry`: a client that asks again, and knows the answer when it comes. The test is its server.

use std::net::SocketAddr;

use graded::{Case, Difference, Output, Running, UdpHost};
use netlab::conditions::{Conditions, Path};
use netlab::faults::Fate;
use netlab::record::Transport;
use rstest::rstest;

use super::{A_MOMENT, bad_network, exactly, expect_refused, yes_or_no};

/// Bytes of an id.
const ID: usize = 4;
/// The largest text: 65,507 bytes less the id.
const LARGEST: usize = 65_507 - ID;
/// A time limit that no test lives to see, in milliseconds.
const FOR_EVER: &str = "600000";
/// One that is over soon, and tries enough that they are not.
const SOON: &str = "100";
const MANY: &str = "1000";

/// A client under test that asks the test.
struct Asked {
    case: Case,
    host: UdpHost,
    client: Running,
}

fn ask(arguments: &[&str]) -> Asked {
    let case = Case::of("04", "retry");
    let host = case.listen_udp();
    let client = case.start_client(host.address(), arguments);
    Asked { case, host, client }
}

impl Asked {
    /// The next try of a question: who asks, and the id.
    fn expect_question(&self, text: &str) -> (SocketAddr, [u8; ID]) {
        let (client, datagram) = self.host.receive();
        let Some((id, asked)) = datagram.split_first_chunk() else {
            let what = "a question begins with 4 bytes of id";
            self.case.fail(Difference::fail(what).with(text.as_bytes(), &datagram));
        };
        self.case.step("it must be the next question, behind 4 bytes of id");
        if asked != text.as_bytes() {
            let what = "the question is not the one expected";
            let expected = [id, text.as_bytes()].concat();
            self.case.fail(Difference::fail(what).with(&expected, &datagram));
        }
        (client, *id)
    }

    fn answer(&self, client: SocketAddr, id: [u8; ID], text: &[u8]) {
        self.host.send_to(client, &[&id, text].concat());
    }

    /// Expects a good end with `printed`, and that nothing is asked any more.
    fn expect_answered(&self, printed: &[u8]) {
        self.client.expect_exit_having_printed(0, printed);
        self.host.expect_silence(A_MOMENT);
    }

    fn expect_given_up(&self, printed: &[u8]) {
        expect_one_line(&self.case, &self.client.expect_exit_having_printed(1, printed));
        self.host.expect_silence(A_MOMENT);
    }
}

fn expect_one_line(case: &Case, output: &Output) {
    let lines = output.stderr.lines().count();
    case.expect_equal("how many lines are on standard error", "1", &lines.to_string());
}

fn lines(answers: &[&[u8]]) -> Vec<u8> {
    answers.iter().flat_map(|answer| [answer, b"\n".as_slice()]).collect::<Vec<_>>().concat()
}

#[rstest]
#[case::a_word("hello")]
#[case::chinese("你好")]
#[case::nothing("")]
#[case::a_long_one(&"long ".repeat(1_000))]
fn a_question_is_asked_and_its_answer_printed(#[case] question: &str) {
    let asked = ask(&["--timeout", FOR_EVER, question]);
    let (client, id) = asked.expect_question(question);
    asked.answer(client, id, b"yes");
    asked.expect_answered(b"yes\n");
}

#[rstest]
#[case::nothing(b"")]
#[case::chinese("你好".as_bytes())]
#[case::zero_bytes(b"\0\0")]
#[case::not_utf8(b"\xff\xc3\x28 \xfe")]
#[case::lines(b"\none\r\ntwo\n")]
fn an_answer_may_be_any_bytes(#[case] answer: &[u8]) {
    let asked = ask(&["--timeout", FOR_EVER, "one", "two"]);
    let random = asked.case.random_bytes(asked.case.random_length(1, 1000));
    for (question, answer) in [("one", answer), ("two", &random)] {
        let (client, id) = asked.expect_question(question);
        asked.answer(client, id, answer);
    }
    asked.expect_answered(&lines(&[answer, &random]));
}

#[rstest]
#[case::more_than_a_tutorial_receives(1_025 - ID)]
#[case::the_largest(LARGEST)]
fn a_large_answer_comes_whole(#[case] length: usize) {
    let asked = ask(&["--timeout", FOR_EVER, "how large?"]);
    let (client, id) = asked.expect_question("how large?");
    let text = asked.case.random_bytes(length);
    asked.answer(client, id, &text);
    asked.expect_answered(&lines(&[&text]));
}

/// Three questions of one run, and one of another.
#[rstest]
fn every_question_has_an_id_of_its_own() {
    let asked = ask(&["--timeout", FOR_EVER, "one", "two", "two"]);
    let mut ids = Vec::new();
    for question in ["one", "two", "two"] {
        let (client, id) = asked.expect_question(question);
        asked.answer(client, id, b"yes");
        ids.push(u32::from_be_bytes(id));
    }
    asked.expect_answered(b"yes\nyes\nyes\n");
    asked.case.step(format!("each id is one higher than the one before: {ids:08x?}"));
    if ids.windows(2).any(|pair| pair[1] != pair[0].wrapping_add(1)) {
        asked.case.fail(Difference::fail("these ids do not follow each other"));
    }
    let again = asked.case.start_client(asked.host.address(), &["one"]);
    let (client, id) = asked.expect_question("one");
    asked.answer(client, id, b"yes");
    again.expect_exit_having_printed(0, b"yes\n");
    asked.case.step("another run begins with another id");
    if ids[0] == u32::from_be_bytes(id) {
        asked.case.fail(Difference::fail("it begins with the same id"));
    }
}

/// Counted to the end: exactly this many datagrams come, all the same, and none after them.
#[rstest]
#[case::once("1", 1)]
#[case::three_times("3", 3)]
#[case::four_times_if_nothing_is_said("", 4)]
fn it_gives_up_after_so_many_tries(#[case] tries: &str, #[case] expected: usize) {
    let option: &[&str] = if tries.is_empty() { &[] } else { &["--tries", tries] };
    let asked = ask(&[&["--timeout", SOON], option, &["well?", "never asked"]].concat());
    let (_, first) = asked.expect_question("well?");
    for _ in 1..expected {
        let (_, id) = asked.expect_question("well?");
        asked.case.step("another try has the same id");
        if id != first {
            let what = "the question has another id than at the first try";
            asked.case.fail(Difference::fail(what).with(&first, &id));
        }
    }
    asked.expect_given_up(b"");
}

/// There is more time for the first answer than any machine needs, and so it takes long to fail.
#[rstest]
fn a_failure_names_the_server_and_keeps_earlier_answers() {
    let asked = ask(&["--timeout", SOON, "--tries", "20", "one", "two", "three"]);
    asked.case.tells_to_wait(20 * A_MOMENT);
    let timed = asked.case.must_act_within(20 * A_MOMENT);
    let (client, id) = asked.expect_question("one");
    asked.answer(client, id, b"first");
    drop(timed);
    let output = asked.client.expect_exit_having_printed(1, b"first\n");
    expect_one_line(&asked.case, &output);
    let named = output.stderr.contains(&asked.host.address().to_string());
    asked.case.expect_equal("whether the line names HOST:PORT", "yes", yes_or_no(named));
}

/// A try that is cut short would be seen: as another one, or as the end.
#[rstest]
#[case::the_only_try("1")]
#[case::the_first_try("4")]
fn a_try_lasts_as_long_as_it_should(#[case] tries: &str) {
    let asked = ask(&["--timeout", FOR_EVER, "--tries", tries, "patience?"]);
    let (client, id) = asked.expect_question("patience?");
    asked.host.expect_silence(3 * A_MOMENT);
    asked.client.expect_still_running(A_MOMENT);
    asked.answer(client, id, b"a virtue");
    asked.expect_answered(b"a virtue\n");
}

#[rstest]
fn an_answer_that_is_slower_than_a_try_counts() {
    let asked = ask(&["--timeout", SOON, "--tries", MANY, "how far?"]);
    let (client, first) = asked.expect_question("how far?");
    asked.expect_question("how far?");
    asked.expect_question("how far?");
    asked.answer(client, first, b"far");
    asked.client.expect_exit_having_printed(0, b"far\n");
}

#[derive(Clone, Copy)]
enum Stray {
    Bytes(&'static [u8]),
    PartOfTheId,
    AnotherId,
    IdBackwards,
    IdBehind,
}

impl Stray {
    fn datagram(self, id: [u8; ID]) -> Vec<u8> {
        let [a, b, c, d] = id;
        let wrong = b"wrong".as_slice();
        match self {
            Self::Bytes(bytes) => bytes.to_vec(),
            Self::PartOfTheId => vec![a, b, c],
            Self::AnotherId => [&[a, b, c, d ^ 1], wrong].concat(),
            // Palindromes are changed, or it would be the right one.
            Self::IdBackwards if [d, c, b, a] == id => [&[!d, c, b, a], wrong].concat(),
            Self::IdBackwards => [&[d, c, b, a], wrong].concat(),
            Self::IdBehind => [wrong, &id].concat(),
        }
    }
}

#[rstest]
#[case::nothing(Stray::Bytes(b""))]
#[case::one_byte(Stray::Bytes(b"\n"))]
#[case::three_bytes_of_the_id(Stray::PartOfTheId)]
#[case::another_id(Stray::AnotherId)]
#[case::the_id_backwards(Stray::IdBackwards)]
#[case::the_id_at_the_end(Stray::IdBehind)]
fn what_is_no_answer_is_passed_over(#[case] stray: Stray) {
    let asked = ask(&["--timeout", FOR_EVER, "really?"]);
    let (client, id) = asked.expect_question("really?");
    for _ in 0..5 {
        asked.host.send_to(client, &stray.datagram(id));
    }
    asked.host.expect_silence(A_MOMENT);
    asked.answer(client, id, b"really");
    asked.expect_answered(b"really\n");
}

#[rstest]
fn an_answer_from_another_port_is_passed_over() {
    let asked = ask(&["--timeout", FOR_EVER, "who?"]);
    let (client, id) = asked.expect_question("who?");
    let somebody_else = asked.case.listen_udp();
    somebody_else.send_to(client, &[&id, b"me!".as_slice()].concat());
    asked.host.expect_silence(A_MOMENT);
    asked.answer(client, id, b"I");
    asked.expect_answered(b"I\n");
}

/// They come ten times in each try and more: if each one began a new wait, it would never end.
#[rstest]
fn stray_datagrams_do_not_stop_the_clock() {
    let asked = ask(&["--timeout", "800", "--tries", MANY, "anybody?"]);
    asked.case.tells_to_wait(8 * A_MOMENT);
    let (client, id) = asked.expect_question("anybody?");
    let (_, again) = asked.host.receive_amid(client, &Stray::AnotherId.datagram(id));
    asked.case.step("it must be the same question once more");
    let expected = [&id, b"anybody?".as_slice()].concat();
    if again != expected {
        let what = "the second try is not the first once more";
        asked.case.fail(Difference::fail(what).with(&expected, &again));
    }
    asked.answer(client, id, b"yes");
    asked.client.expect_exit_having_printed(0, b"yes\n");
}

#[rstest]
fn an_old_answer_is_not_taken_for_the_next() {
    let asked = ask(&["--timeout", FOR_EVER, "one", "two", "three"]);
    let (client, one) = asked.expect_question("one");
    asked.answer(client, one, b"1");
    asked.answer(client, one, b"1 again");
    let (client, two) = asked.expect_question("two");
    asked.answer(client, one, b"1, and late");
    asked.host.expect_silence(A_MOMENT);
    asked.answer(client, two, b"2");
    let (client, three) = asked.expect_question("three");
    asked.answer(client, two, b"2 again");
    asked.answer(client, one, b"1, and very late");
    asked.answer(client, three, b"3");
    asked.expect_answered(b"1\n2\n3\n");
}

/// The network's faults by number, or by the seed of the case.
#[rstest]
#[case::the_question_is_lost(Some((exactly([(0, Fate::Lose)]), exactly([]))))]
#[case::the_answer_is_lost(Some((exactly([]), exactly([(0, Fate::Lose), (1, Fate::Lose)]))))]
#[case::everything_comes_twice(Some((
    exactly([(0, Fate::Duplicate), (1, Fate::Duplicate)]),
    exactly([(0, Fate::Duplicate), (2, Fate::Duplicate)]),
)))]
#[case::the_second_try_is_first(Some((exactly([(0, Fate::Reorder(1))]), exactly([]))))]
#[case::as_it_comes(None)]
fn it_gets_its_answers_through_a_bad_network(#[case] faults: Option<(Path, Path)>) {
    let case = Case::of("04", "retry");
    let host = case.listen_udp();
    let conditions = faults.map_or_else(bad_network, |(to_server, to_client)| Conditions {
        to_server,
        to_client,
        ..Conditions::default()
    });
    let network = case.network(Transport::Udp, host.address(), conditions);
    let questions: Vec<String> = (0..6).map(|number| format!("question {number}")).collect();
    let asked: Vec<&str> = questions.iter().map(String::as_str).collect();
    // Enough for every network of this kind, and few enough that a client which passes over its
    // answers gives up soon.
    let arguments = [&["--timeout", SOON, "--tries", "50"], &asked[..]].concat();
    let client = case.start_client(network, &arguments);
    while let Some((peer, datagram)) = host.receive_unless_ended() {
        // An answer that only its question can have: the question backwards.
        let text: Vec<u8> = datagram.iter().skip(ID).rev().copied().collect();
        host.send_to(peer, &[&datagram[..ID.min(datagram.len())], &text].concat());
    }
    let mut expected = Vec::new();
    for question in &questions {
        expected.extend(question.bytes().rev().chain([b'\n']));
    }
    client.expect_exit_having_printed(0, &expected);
}

#[rstest]
fn a_port_that_nobody_has_is_asked_again() {
    let asked = ask(&["--timeout", "50", "--tries", MANY, "back again?"]);
    let (client, id) = asked.expect_question("back again?");
    asked.host.refuse_everybody();
    asked.client.expect_still_running(5 * A_MOMENT);
    asked.host.take_only_from(client);
    asked.expect_question("back again?");
    asked.answer(client, id, b"yes");
    asked.client.expect_exit_having_printed(0, b"yes\n");
}

/// Each time the same program then does as it is asked.
#[rstest]
#[case::no_question(&["client"])]
#[case::no_tries(&["client", "--tries", "0", "hello"])]
#[case::half_a_try(&["client", "--tries", "1.5", "hello"])]
#[case::no_time(&["client", "--timeout", "0", "hello"])]
#[case::a_time_that_is_no_number(&["client", "--timeout", "soon", "hello"])]
#[case::another_role(&["server"])]
#[case::no_port(&["client", "--addr", "127.0.0.1", "hello"])]
fn wrong_arguments_are_refused(#[case] arguments: &[&str]) {
    let asked = ask(&["--timeout", FOR_EVER, "hello"]);
    expect_refused(&asked.case, arguments);
    let (client, id) = asked.expect_question("hello");
    asked.answer(client, id, b"yes");
    asked.expect_answered(b"yes\n");
}

/// 65,508 bytes with the id.
#[rstest]
fn a_question_that_cannot_be_sent_ends_at_once() {
    // Windows starts no program with so long an argument (CreateProcess: 32,767 characters).
    let length = if cfg!(windows) { 0 } else { LARGEST + 1 };
    let question = "a".repeat(length);
    let asked = ask(&["--timeout", FOR_EVER, "one", &question]);
    let (client, id) = asked.expect_question("one");
    asked.answer(client, id, b"yes");
    if cfg!(windows) {
        let (client, id) = asked.expect_question("");
        asked.answer(client, id, b"yes");
        asked.expect_answered(b"yes\nyes\n");
    } else {
        asked.expect_given_up(b"yes\n");
    }
}
