//! `gossip`: a node that passes on what it hears. The test plays all of its neighbours.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use graded::{Case, Client, Difference, Host, mebibytes};
use netlab::conditions::{Coalesce, Conditions, Path, StreamFaults};
use netlab::record::Transport;
use rstest::rstest;

use super::A_MOMENT;

const HERE: &[u8] = b"H";
/// The longest text, in bytes.
const LONGEST: usize = 1024;
/// How many ids are remembered.
const REMEMBERED: usize = 1000;
/// Far more than the node may keep for a neighbour, and than the buffers in between hold, in bytes.
const FLOOD_BYTES: usize = 16 * 1024 * 1024;
/// How many messages are sent before somebody reads them; far fewer than may wait.
const AT_ONCE: usize = 100;
/// Memory for a neighbour that does not read, in bytes: many times what may wait for it.
const ENOUGH_MEMORY: u64 = 8 * 1024 * 1024;
/// The pause before a peer is called again: so short that a test can wait for it.
const RETRY: Duration = Duration::from_millis(400);
/// A small receive buffer, in bytes.
const SMALL_BUFFER: usize = 4096;

fn case() -> Case {
    Case::of("07", "gossip")
}

/// The node with `peers`, which it calls again soon.
fn serve(case: &Case, peers: &[SocketAddr]) -> SocketAddr {
    let peers: Vec<String> = peers.iter().map(ToString::to_string).collect();
    case.tells_to_wait(RETRY);
    let retry = RETRY.as_millis().to_string();
    let mut arguments = vec!["--retry", &retry];
    arguments.extend(peers.iter().flat_map(|peer| ["--peer", peer]));
    case.serve_at(&arguments, "127.0.0.1:0")
}

/// A neighbour that has called the node.
fn join(case: &Case, node: SocketAddr) -> Client {
    let mut neighbour = case.connect(node);
    neighbour.expect(HERE);
    neighbour.send(HERE);
    neighbour
}

/// A neighbour that the node has called.
fn be_called(host: &Host) -> Client {
    let mut neighbour = host.accept();
    neighbour.expect(HERE);
    neighbour.send(HERE);
    neighbour
}

fn message(id: &[u8], text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    [b"M", id, &length.to_be_bytes(), text].concat()
}

/// A message that nobody has seen before.
fn new_message(case: &Case, length: usize) -> Vec<u8> {
    message(&case.random_bytes(12), &case.random_bytes(length))
}

/// `from` sends `message`, and then it is the next thing that each of `others` hears.
fn spread(message: &[u8], from: &mut Client, others: &mut [&mut Client]) {
    from.send(message);
    for other in others {
        other.expect(message);
    }
}

/// As `spread`, with another message right behind it: if the first one is dropped, the second comes in
/// its place, and nobody has to wait for a timeout to see that.
fn spread_with_more(case: &Case, message: &[u8], from: &mut Client, other: &mut Client) {
    spread(&[message, &new_message(case, 5)].concat(), from, &mut [other]);
}

/// Nothing has come that should not.
fn silence(neighbours: &mut [&mut Client]) {
    for neighbour in neighbours {
        neighbour.expect_silence(A_MOMENT / 2);
    }
}

#[rstest]
#[case::hello(b"hello")]
#[case::chinese("你好".as_bytes())]
#[case::nothing(b"")]
#[case::zero_bytes(b"\0\0")]
#[case::letters_of_the_protocol(b"HMH\nM")]
#[case::as_long_as_may_be(&[b'x'; LONGEST])]
fn a_message_goes_to_all_other_neighbours(#[case] text: &[u8]) {
    let case = case();
    let host = case.listen();
    let node = serve(&case, &[host.address()]);
    let mut called = be_called(&host);
    let (mut a, mut b) = (join(&case, node), join(&case, node));
    let new = |text| message(&case.random_bytes(12), text);
    spread(&new(text), &mut a, &mut [&mut b, &mut called]);
    spread(&new(text), &mut called, &mut [&mut a, &mut b]);
    spread(&new(text), &mut b, &mut [&mut called, &mut a]);
    silence(&mut [&mut a, &mut b, &mut called]);
}

/// Who sends a copy of a message, and with which text.
#[rstest]
#[case::by_the_one_who_sent_it(0, b"hello")]
#[case::by_one_who_was_sent_it(1, b"hello")]
#[case::by_the_node_at_the_other_end_of_a_call(2, b"hello")]
#[case::with_another_text(1, b"hello, hello")]
fn a_message_passes_only_once(#[case] from: usize, #[case] text: &[u8]) {
    let case = case();
    let host = case.listen();
    let node = serve(&case, &[host.address()]);
    let called = be_called(&host);
    let mut neighbours = [join(&case, node), join(&case, node), called];
    let id = case.random_bytes(12);
    let [a, b, c] = &mut neighbours;
    spread(&message(&id, b"hello"), a, &mut [b, c]);
    for _ in 0..2 {
        neighbours[from].send(&message(&id, text));
        // Whatever the node makes of the copy, it does before it hears this.
        let next = new_message(&case, 20);
        neighbours[from].send(&next);
        for (other, neighbour) in neighbours.iter_mut().enumerate() {
            if other != from {
                neighbour.expect(&next);
            }
        }
    }
    let [a, b, c] = &mut neighbours;
    silence(&mut [a, b, c]);
}

#[rstest]
#[case::in_the_first_byte_of_the_origin(0)]
#[case::in_the_last_byte_of_the_origin(7)]
#[case::in_the_first_byte_of_the_number(8)]
#[case::in_the_last_byte_of_the_number(11)]
fn ids_that_differ_anywhere_are_different(#[case] at: usize) {
    let case = case();
    let node = serve(&case, &[]);
    let (mut a, mut b) = (join(&case, node), join(&case, node));
    let mut id = case.random_bytes(12);
    for _ in 0..3 {
        spread_with_more(&case, &message(&id, b"the same text"), &mut a, &mut b);
        id[at] = id[at].wrapping_add(1);
    }
}

#[rstest]
#[case::cut_to_single_bytes(StreamFaults { slice: Some(1), ..StreamFaults::default() })]
#[case::cut_to_seven_bytes(StreamFaults { slice: Some(7), ..StreamFaults::default() })]
#[case::glued(StreamFaults {
    coalesce: Some(Coalesce { bytes: 1_000, wait: A_MOMENT }),
    ..StreamFaults::default()
})]
fn the_network_may_cut_and_glue(#[case] stream: StreamFaults) {
    let case = case();
    let node = serve(&case, &[]);
    let path = Path { stream, ..Path::default() };
    let conditions = Conditions { to_server: path, ..Conditions::default() };
    let network = case.network(Transport::Tcp, node, conditions);
    let mut b = join(&case, node);
    let mut a = join(&case, network);
    let lengths = [0, 1, 300, 0, 40, LONGEST, 7, 0, 256, 255];
    let all = lengths.map(|length| new_message(&case, length)).concat();
    a.send_in_pieces(&all, 100);
    b.expect(&all);
}

#[rstest]
#[case::if_nobody_repeats_anything(false)]
#[case::and_a_repetition_does_not_renew_one(true)]
fn the_last_thousand_ids_are_remembered(#[case] repeats: bool) {
    let case = case();
    let node = serve(&case, &[]);
    let (mut a, mut b) = (join(&case, node), join(&case, node));
    let first = new_message(&case, 5);
    spread(&first, &mut a, &mut [&mut b]);
    let others: Vec<_> = (1..REMEMBERED).map(|_| new_message(&case, 0)).collect();
    for some in others.chunks(AT_ONCE) {
        spread(&some.concat(), &mut a, &mut [&mut b]);
        if repeats {
            a.send(&first);
        }
    }
    case.step(format!("{REMEMBERED} ids are known; the first of them still is"));
    a.send(&first);
    spread(&new_message(&case, 5), &mut a, &mut [&mut b]);
    case.step("that was one more, and the first is forgotten: it counts as new");
    spread_with_more(&case, &first, &mut a, &mut b);
    case.step("that were two more, so of the others the first two are forgotten, the last is not");
    a.send(&others[REMEMBERED - 2]);
    spread_with_more(&case, &others[1], &mut a, &mut b);
}

#[rstest]
#[case::closes(0, false)]
#[case::closes_in_the_middle_of_a_message(20, false)]
#[case::resets(0, true)]
#[case::resets_in_the_middle_of_a_message(20, true)]
fn neighbours_come_and_go(#[case] sent: usize, #[case] resets: bool) {
    let case = case();
    let node = serve(&case, &[]);
    let (mut a, mut b) = (join(&case, node), join(&case, node));
    spread(&new_message(&case, 50), &mut a, &mut [&mut b]);
    for _ in 0..3 {
        let mut guest = join(&case, node);
        case.step("what was said before is not told to who comes later; this is");
        spread(&new_message(&case, 50), &mut a, &mut [&mut guest, &mut b]);
        guest.send(&new_message(&case, 50)[..sent]);
        if resets {
            guest.reset();
        } else {
            guest.vanish();
        }
        spread(&new_message(&case, 50), &mut a, &mut [&mut b]);
        spread(&new_message(&case, 50), &mut b, &mut [&mut a]);
    }
}

#[rstest]
#[case::another_letter(b"X")]
#[case::a_small_letter(b"m")]
#[case::a_newline(b"\n")]
#[case::a_text_of_1025_bytes(b"M123456781234\x04\x01")]
#[case::a_text_of_65535_bytes(b"M123456781234\xff\xff")]
fn nonsense_ends_only_its_own_connection(#[case] nonsense: &[u8]) {
    let case = case();
    let node = serve(&case, &[]);
    let (mut a, mut b) = (join(&case, node), join(&case, node));
    for _ in 0..3 {
        let mut strange = join(&case, node);
        case.step("a message, and right behind it something that is none");
        let whole = new_message(&case, 30);
        strange.send(&[&whole, nonsense].concat());
        a.expect(&whole);
        b.expect(&whole);
        strange.expect_end_or_reset();
        spread(&new_message(&case, 50), &mut a, &mut [&mut b]);
    }
}

#[rstest]
fn who_does_not_read_holds_up_nobody() {
    let case = case();
    let host = case.listen_narrowly(SMALL_BUFFER);
    let node = serve(&case, &[host.address()]);
    let mut deaf = be_called(&host);
    let (mut a, mut b) = (join(&case, node), join(&case, node));
    spread(&new_message(&case, 10), &mut a, &mut [&mut b]);
    let before = case.peak_memory();
    let text = case.random_bytes(LONGEST);
    let total = FLOOD_BYTES / (LONGEST + 15);
    case.step(format!("one neighbour reads nothing; {total} messages, {AT_ONCE} at a time"));
    for first in (0..total).step_by(AT_ONCE) {
        let all: Vec<_> = (first..first + AT_ONCE)
            .map(|number| message(&[&[7; 4][..], &number.to_be_bytes()].concat(), &text))
            .collect();
        spread(&all.concat(), &mut a, &mut [&mut b]);
    }
    expect_little_memory(&case, before);
    case.step("by now the neighbour that reads nothing has been given up");
    deaf.expect_end_or_reset();
}

/// Expects that the node has never held much more memory than `before`.
fn expect_little_memory(case: &Case, before: Option<u64>) {
    if let (Some(before), Some(peak)) = (before, case.peak_memory()) {
        let most = mebibytes(ENOUGH_MEMORY);
        case.step(format!("expect that this took no more than {most} of memory"));
        let taken = peak.saturating_sub(before);
        if taken > ENOUGH_MEMORY {
            case.fail(Difference::fail(format!("it took {}", mebibytes(taken))));
        }
    }
}

/// More than the buffers in between hold, and less than what may wait.
#[rstest]
fn a_slow_neighbour_loses_nothing() {
    let case = case();
    let host = case.listen_narrowly(SMALL_BUFFER);
    let node = serve(&case, &[host.address()]);
    let mut slow = be_called(&host);
    let (mut a, mut b) = (join(&case, node), join(&case, node));
    let all: Vec<_> = (0..9 * AT_ONCE).map(|_| new_message(&case, LONGEST)).collect();
    for some in all.chunks(AT_ONCE) {
        spread(&some.concat(), &mut a, &mut [&mut b]);
    }
    slow.expect(&all.concat());
    spread(&new_message(&case, 10), &mut slow, &mut [&mut a, &mut b]);
}

/// A machine that is slow makes the pause longer, never shorter.
fn expect_pause(case: &Case, began: Instant) {
    let took = began.elapsed();
    case.step(format!("between the end and the next call there must be a pause of {RETRY:?}"));
    // Some clocks tick only every 16 ms.
    if took < RETRY * 19 / 20 {
        case.fail(Difference::fail(format!("the pause was {} ms", took.as_millis())));
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    NotThere,
    Closes,
    Resets,
}

#[rstest]
#[case::that_is_not_there_yet(Trouble::NotThere)]
#[case::that_closes(Trouble::Closes)]
#[case::that_resets(Trouble::Resets)]
fn a_peer_is_called_again(#[case] trouble: Trouble) {
    let case = case();
    let (later, other) = (case.reserve(), case.listen());
    let peers = [later.address(), other.address()];
    let node =
        if trouble == Trouble::NotThere { serve(&case, &peers) } else { serve(&case, &peers[1..]) };
    let (mut a, mut b) = (join(&case, node), be_called(&other));
    spread(&new_message(&case, 10), &mut a, &mut [&mut b]);
    let mut again = match trouble {
        Trouble::NotThere => be_called(&later.listen()),
        Trouble::Closes => {
            let began = Instant::now();
            b.vanish();
            b = join(&case, node);
            let again = be_called(&other);
            expect_pause(&case, began);
            again
        }
        Trouble::Resets => {
            b.reset();
            b = join(&case, node);
            be_called(&other)
        }
    };
    spread(&new_message(&case, 10), &mut a, &mut [&mut b, &mut again]);
    spread(&new_message(&case, 10), &mut again, &mut [&mut a, &mut b]);
}
