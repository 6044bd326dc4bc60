//! `single`: a node that keeps one connection with each other node. The test plays the other nodes,
//! and decides by what it sends which of two connections is ready first.

use std::net::SocketAddr;
use std::thread;

use graded::{Case, Client, Difference, Host};
use rstest::rstest;

use super::A_MOMENT;

/// The longest text, in bytes.
const LONGEST: usize = 1024;
/// The node's id, and the id of a peer that it does not matter how it compares with.
const US: u64 = 1_000;
const PEER: u64 = 2_000;

fn case() -> Case {
    Case::of("07", "single")
}

/// The node with the id `us`; it calls `peers`.
fn serve(case: &Case, us: u64, peers: &[SocketAddr]) -> SocketAddr {
    let (us, peers) = (us.to_string(), peers.iter().map(ToString::to_string).collect::<Vec<_>>());
    let mut arguments = vec!["--id", us.as_str()];
    arguments.extend(peers.iter().flat_map(|peer| ["--peer", peer]));
    case.serve_at(&arguments, "127.0.0.1:0")
}

fn hello(id: u64) -> Vec<u8> {
    [b"H", &id.to_be_bytes()[..]].concat()
}

fn question(number: u32, text: &[u8]) -> Vec<u8> {
    frame(b'Q', number, text)
}

fn answer(number: u32, text: &[u8]) -> Vec<u8> {
    frame(b'A', number, &text.iter().rev().copied().collect::<Vec<_>>())
}

fn frame(kind: u8, number: u32, text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    [&[kind], &number.to_be_bytes()[..], &length.to_be_bytes(), text].concat()
}

/// A connection that the test has opened, on which the node has said hello and the test has not.
fn call(case: &Case, node: SocketAddr, us: u64) -> Client {
    let mut line = case.connect(node);
    line.expect(&hello(us));
    line
}

/// A connection that the node has opened, on which the test has not said hello.
fn be_called(host: &Host, us: u64) -> Client {
    let mut line = host.accept();
    line.expect(&hello(us));
    line
}

/// A question over `line` that is answered over `line`: it is the one in use.
fn converse(case: &Case, line: &mut Client) {
    converse_over(case, line, None);
}

/// A question over `line`, answered over `other` if there is one.
fn converse_over(case: &Case, line: &mut Client, other: Option<&mut Client>) {
    let number = case.random_bytes(4).iter().fold(0, |sum, byte| (sum << 8) | u32::from(*byte));
    let text = case.random_bytes(case.random_length(1, 40));
    line.send(&question(number, &text));
    other.unwrap_or(line).expect(&answer(number, &text));
}

/// A node that has called the test, and that the test has called: two connections, and on both of
/// them only the node has said hello.
struct Crossing {
    case: Case,
    node: SocketAddr,
    us: u64,
    peer: u64,
    /// The one that the node has opened.
    theirs: Client,
    /// The one that the test has opened.
    ours: Client,
}

impl Crossing {
    fn begin(us: u64, peer: u64) -> Self {
        let case = case();
        let host = case.listen();
        let node = serve(&case, us, &[host.address()]);
        let theirs = be_called(&host, us);
        let ours = call(&case, node, us);
        Self { case, node, us, peer, theirs, ours }
    }

    /// The test says hello on both, one after the other, and hears which one is ended.
    fn settle(self, first: Side) -> Settled {
        let Self { case, node, us, peer, theirs, ours } = self;
        let survivor = if peer > us { Side::Test } else { Side::Node };
        let lines = |side| if side == Side::Test { (ours, theirs) } else { (theirs, ours) };
        let (mut first_line, mut second_line) = lines(first);
        first_line.send(&hello(peer));
        // Its answer says that the node has taken the first hello in.
        converse(&case, &mut first_line);
        second_line.send(&hello(peer));
        let (mut survivor_line, mut loser) =
            if survivor == first { (first_line, second_line) } else { (second_line, first_line) };
        case.step(format!(
            "the node has id {us}, the test {peer}: what the {} has opened survives",
            if survivor == Side::Test { "test" } else { "node" }
        ));
        expect_end_of(&case, &mut loser, &mut survivor_line);
        Settled { case, node, us, survivor: survivor_line, loser }
    }
}

/// `loser` is half-closed, and not `survivor`.
fn expect_end_of(case: &Case, loser: &mut Client, survivor: &mut Client) {
    if !loser.closes_before(survivor) {
        case.fail(Difference::fail("your program has ended the wrong one of two connections"));
    }
}

/// The same, decided.
struct Settled {
    case: Case,
    node: SocketAddr,
    us: u64,
    survivor: Client,
    /// The node has half-closed it, the test has not.
    loser: Client,
}

/// Who has opened a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Node,
    Test,
}

#[rstest]
#[case::one(Some(1))]
#[case::with_all_bytes_different(Some(0x0123_4567_89ab_cdef))]
#[case::the_largest(Some(u64::MAX))]
#[case::none_so_that_it_draws_one(None)]
fn each_side_says_hello_first(#[case] told: Option<u64>) {
    let case = case();
    let host = case.listen();
    let mut drawn = Vec::new();
    for _ in 0..2 {
        let peer = host.address().to_string();
        let (id, mut arguments) = (told.unwrap_or_default().to_string(), vec!["--peer", &peer]);
        if told.is_some() {
            arguments.extend(["--id", &id]);
        }
        let node = case.serve_at(&arguments, "127.0.0.1:0");
        let (mut theirs, mut ours) = (host.accept(), case.connect(node));
        let said = match told {
            Some(id) => hello(id),
            None => theirs.receive(9),
        };
        if told.is_some() {
            theirs.expect(&said);
        }
        case.step("the node says the same on every connection");
        ours.expect(&said);
        drawn.push(said);
        case.step("both hear nothing more before they have said hello themselves");
        theirs.expect_silence(A_MOMENT / 2);
        ours.expect_silence(A_MOMENT / 2);
    }
    case.step("started again, a node that was told no id must have drawn another one");
    if told.is_none() && (drawn[0] == drawn[1] || drawn[0][0] != b'H') {
        let what = "your program draws the same id again, or does not begin with H";
        case.fail(Difference::fail(what).with(&drawn[0], &drawn[1]));
    }
}

#[rstest]
#[case::hello(b"hello")]
#[case::chinese("你好".as_bytes())]
#[case::nothing(b"")]
#[case::zero_bytes(b"\0\0\x01")]
#[case::as_long_as_may_be(&[b'x'; LONGEST])]
fn a_question_is_answered_on_its_connection(#[case] text: &[u8]) {
    let case = case();
    let host = case.listen();
    let node = serve(&case, US, &[host.address()]);
    let mut called = be_called(&host, US);
    let mut calling = call(&case, node, US);
    for (line, id) in [(&mut called, 1), (&mut calling, 2)] {
        case.step("the hello and two questions, glued");
        line.send(&[hello(id), question(7, text), question(0xfedc_ba98, b"ab")].concat());
        line.expect(&[answer(7, text), answer(0xfedc_ba98, b"ab")].concat());
        line.send_slowly(&question(7, b"abc"), 4, A_MOMENT / 10);
        line.expect(&answer(7, b"abc"));
        converse(&case, line);
    }
}

/// Ids that a comparison gets wrong which takes them for something else than an unsigned integer
/// in big-endian order.
#[rstest]
#[case::as_text(9, 10)]
#[case::signed_or_little_endian(0xff, 0x8100_0000_0000_0000)]
#[case::in_floating_point(1 << 60, (1 << 60) + 1)]
fn the_connection_of_the_larger_id_survives(
    #[case] smaller: u64,
    #[case] larger: u64,
    #[values(Side::Node, Side::Test)] survivor: Side,
    #[values(Side::Node, Side::Test)] first: Side,
) {
    let (us, peer) = if survivor == Side::Node { (larger, smaller) } else { (smaller, larger) };
    let mut settled = Crossing::begin(us, peer).settle(first);
    for _ in 0..3 {
        converse(&settled.case, &mut settled.survivor);
    }
}

#[rstest]
fn what_still_comes_over_the_loser_is_answered_over_the_survivor(
    #[values(1, PEER)] peer: u64,
    #[values(Side::Node, Side::Test)] first: Side,
) {
    let mut settled = Crossing::begin(US, peer).settle(first);
    let Settled { case, survivor, loser, .. } = &mut settled;
    converse_over(case, loser, Some(survivor));
    converse(case, survivor);
    case.step("two questions over the loser, in pieces, and then its end");
    loser.send_slowly(&[question(8, b"eight"), question(9, b"nine")].concat(), 5, A_MOMENT / 10);
    loser.half_close();
    survivor.expect(&[answer(8, b"thgie"), answer(9, b"enin")].map(|a| reversed(&a)).concat());
    survivor.expect_silence(A_MOMENT);
    converse(case, survivor);
}

/// An answer whose text was written as it is heard: the other way round.
fn reversed(answer: &[u8]) -> Vec<u8> {
    let (head, text) = answer.split_at(7);
    [head, &text.iter().rev().copied().collect::<Vec<_>>()].concat()
}

#[rstest]
fn in_the_middle_of_many_questions_none_is_lost_or_answered_twice(#[values(1, PEER)] peer: u64) {
    let Crossing { case, mut theirs, mut ours, .. } = Crossing::begin(US, peer);
    // The loser is the one that is ready first, so that it is in use for a while.
    let (loser, survivor) =
        if peer > US { (&mut theirs, &mut ours) } else { (&mut ours, &mut theirs) };
    let texts: Vec<_> = (0..200).map(|_| case.random_bytes(case.random_length(0, 99))).collect();
    let all = |make: fn(u32, &[u8]) -> Vec<u8>| {
        (1..).zip(&texts).map(|(number, text)| make(number, text)).collect::<Vec<_>>().concat()
    };
    loser.send(&hello(peer));
    converse(&case, loser);
    loser.send(&all(question));
    survivor.send(&hello(peer));
    case.step("what is not answered over the loser before its end is answered over the survivor");
    let mut got = loser.receive_to_the_end();
    let expected = all(answer);
    got.extend(survivor.receive(expected.len().saturating_sub(got.len())));
    if got != expected {
        let what = "these are not all the answers, each once and in order";
        case.fail(Difference::fail(what).with(&expected, &got));
    }
    converse(&case, survivor);
}

#[rstest]
fn a_second_connection_of_the_same_kind_is_refused(
    #[values(1, PEER)] peer: u64,
    #[values(Side::Node, Side::Test)] opener: Side,
) {
    let case = case();
    let hosts = [case.listen(), case.listen()];
    let node = if opener == Side::Node {
        serve(&case, US, &[hosts[0].address(), hosts[1].address()])
    } else {
        serve(&case, US, &[])
    };
    let open = |host: &Host| match opener {
        Side::Node => be_called(host, US),
        Side::Test => call(&case, node, US),
    };
    let [mut first, mut second] = [&hosts[0], &hosts[1]].map(open);
    first.send(&hello(peer));
    converse(&case, &mut first);
    second.send(&hello(peer));
    expect_end_of(&case, &mut second, &mut first);
    converse(&case, &mut first);
    case.step("also what comes over the second one is answered over the first");
    converse_over(&case, &mut second, Some(&mut first));
    second.vanish();
    first.expect_silence(A_MOMENT);
    converse(&case, &mut first);
}

#[rstest]
fn a_node_does_not_talk_with_itself(#[values(Side::Node, Side::Test)] opener: Side) {
    let case = case();
    let host = case.listen();
    let node = serve(&case, US, &[host.address()]);
    let (mut theirs, mut ours) = (be_called(&host, US), call(&case, node, US));
    let (myself, other) = match opener {
        Side::Node => (&mut theirs, &mut ours),
        Side::Test => (&mut ours, &mut theirs),
    };
    other.send(&hello(PEER));
    converse(&case, other);
    case.step("what the node hears here is its own id");
    myself.send(&[hello(US), question(1, b"who are you?")].concat());
    myself.expect_end_without_a_byte();
    converse(&case, other);
}

#[derive(Clone, Copy, PartialEq)]
enum Ending {
    Closes,
    Resets,
}

#[rstest]
fn after_the_survivor_has_ended_a_new_one_is_taken(
    #[values(1, PEER)] peer: u64,
    #[values(Ending::Closes, Ending::Resets)] ending: Ending,
) {
    let settled = Crossing::begin(US, peer).settle(Side::Node);
    let Settled { case, node, us, mut survivor, loser } = settled;
    loser.vanish();
    survivor.expect_silence(A_MOMENT);
    converse(&case, &mut survivor);
    if ending == Ending::Closes {
        survivor.half_close();
        survivor.expect_close();
        case.step("the node has closed, so it must have forgotten this connection");
        let mut new = call(&case, node, us);
        new.send(&hello(peer));
        converse(&case, &mut new);
    } else {
        survivor.reset();
        let mut new = call_until_taken(&case, node, (us, peer));
        converse(&case, &mut new);
    }
}

/// The node need not know at once that a connection was reset: it is called until it does.
fn call_until_taken(case: &Case, node: SocketAddr, (us, peer): (u64, u64)) -> Client {
    let deadline = case.deadline();
    let mut pause = A_MOMENT / 5;
    loop {
        let mut new = call(case, node, us);
        new.send(&hello(peer));
        new.send(&question(1, b"?"));
        if new.expect_or_end(&answer(1, b"?")) {
            return new;
        }
        if deadline.is_over() {
            let what = "the connection in use was reset long ago, and a new one is still refused";
            case.fail(Difference::fail(what));
        }
        thread::sleep(pause);
        pause *= 2;
    }
}

#[rstest]
fn the_end_of_the_loser_changes_nothing(
    #[values(1, PEER)] peer: u64,
    #[values(Ending::Closes, Ending::Resets)] ending: Ending,
) {
    let settled = Crossing::begin(US, peer).settle(Side::Test);
    let Settled { case, node, us, mut survivor, mut loser } = settled;
    if ending == Ending::Closes {
        loser.half_close();
    } else {
        loser.reset();
    }
    // The node needs not a word for it, so here it gets the time.
    survivor.expect_silence(A_MOMENT);
    converse(&case, &mut survivor);
    case.step("the survivor is still there, so one more connection is refused");
    let mut third = call(&case, node, us);
    third.send(&hello(peer));
    expect_end_of(&case, &mut third, &mut survivor);
    converse(&case, &mut survivor);
}

#[rstest]
#[case::another_letter_in_place_of_the_hello(b"X", false)]
#[case::a_question_before_the_hello(&question(1, b"?"), false)]
#[case::an_answer_that_nobody_has_asked_for(&answer(1, b"?"), true)]
#[case::a_second_hello(&hello(PEER), true)]
#[case::another_letter(b"q", true)]
#[case::a_text_of_1025_bytes(b"Q\0\0\0\x01\x04\x01", true)]
fn nonsense_ends_only_its_own_connection(#[case] nonsense: &[u8], #[case] says_hello: bool) {
    let case = case();
    let node = serve(&case, US, &[]);
    let mut good = call(&case, node, US);
    good.send(&hello(1));
    converse(&case, &mut good);
    for _ in 0..3 {
        let mut strange = call(&case, node, US);
        if says_hello {
            strange.send(&hello(PEER));
            converse(&case, &mut strange);
        }
        strange.send(nonsense);
        strange.expect_end_or_reset();
        converse(&case, &mut good);
    }
    case.step("and then its place is free again");
    let mut new = call_until_taken(&case, node, (US, PEER));
    converse(&case, &mut new);
}
