//! The receiver, fed by hand: no socket, no clock, every situation written down.

use super::*;
use proptest::prelude::*;
use rstest::rstest;
use sha2::{Digest, Sha256};
use std::fs;

use crate::packet::ack::Ack;

const ALICE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);
const BOB: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 2);
const MAX_BYTES: u64 = 10_000;
const IDLE: Duration = Duration::from_secs(30);

/// A receiver with a folder of its own, and a time that stands still until it is moved.
struct Stage {
    folder: tempfile::TempDir,
    receiver: ReliableReceiver,
    now: Instant,
}

/// An answer as its client reads it.
#[derive(Debug, PartialEq, Eq)]
struct Heard {
    kind: Kind,
    token: u64,
    block: u32,
    number: u32,
    payload: Vec<u8>,
}

impl Heard {
    fn ack(&self) -> Ack {
        assert_eq!(self.kind, Kind::Ack, "{}", String::from_utf8_lossy(&self.payload));
        Ack::decode(self.block, self.number, &self.payload).unwrap()
    }
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(folder.path()).unwrap();
        let receiver = ReliableReceiver::new(inbox, MAX_BYTES, Tokens::new().unwrap());
        Self { folder, receiver, now: Instant::now() }
    }

    /// All answers to a packet, as they are.
    fn answers(&mut self, from: SocketAddr, datagram: &[u8]) -> Vec<Vec<u8>> {
        let at_once = self.receiver.receive(datagram, from, self.now);
        let later = self.receiver.answers().into_iter().map(|(to, answer)| {
            assert_eq!(to, from);
            answer
        });
        at_once.into_iter().chain(later).collect()
    }

    /// The one answer to a packet that has the token it should have.
    fn send(&mut self, from: SocketAddr, packet: &Packet) -> Heard {
        let token = self.receiver.tokens.of(from, packet.transfer);
        self.send_as_it_is(from, &Packet { token, ..*packet })
    }

    fn send_as_it_is(&mut self, from: SocketAddr, packet: &Packet) -> Heard {
        let answers = self.answers(from, &packet.encode());
        let [answer] = &answers[..] else { panic!("{} answers", answers.len()) };
        let Packet { kind, transfer, token, block, number, payload } =
            Packet::decode(answer).unwrap();
        assert_eq!(transfer, packet.transfer);
        Heard { kind, token, block, number, payload: payload.to_vec() }
    }

    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                (path.file_name().unwrap().to_str().unwrap().into(), fs::read(path).unwrap())
            })
            .collect();
        files.sort();
        files
    }
}

fn packet(kind: Kind, payload: &[u8]) -> Packet<'_> {
    Packet { kind, transfer: 7, token: 0, block: 0, number: 0, payload }
}

/// A description of `a.txt` in blocks of three bytes.
fn about(length: u64) -> Vec<u8> {
    Description { length, block_bytes: 3, name: "a.txt".into() }.encode()
}

fn data(block: u32, payload: &[u8]) -> Packet<'_> {
    Packet { block, number: block.saturating_add(1), ..packet(Kind::Data, payload) }
}

fn assert_refused(answer: &Heard, reason: &str) {
    let text = String::from_utf8_lossy(&answer.payload);
    assert!(answer.kind == Kind::Refused && text.contains(reason), "{:?}: {text}", answer.kind);
}

fn assert_acked(answer: &Heard, first_missing: u32, blocks: &[u32]) {
    let ack = answer.ack();
    let come: Vec<u32> = (first_missing..2000).filter(|block| ack.has(*block)).collect();
    assert_eq!((ack.first_missing, &come[..]), (first_missing, blocks));
}

#[test]
fn a_file_arrives_in_order() {
    let mut stage = Stage::new();
    assert_acked(&stage.send(ALICE, &packet(Kind::Open, &about(6))), 0, &[]);
    assert_acked(&stage.send(ALICE, &data(0, b"abc")), 1, &[]);
    assert_acked(&stage.send(ALICE, &data(1, b"def")), 2, &[]);
    let stored = stage.send(ALICE, &packet(Kind::Close, &Sha256::digest(b"abcdef")));
    assert_eq!((stored.kind, &stored.payload[..]), (Kind::Stored, &b"a.txt"[..]));
    assert_eq!(stage.files(), [("a.txt".into(), b"abcdef".to_vec())]);
}

#[test]
fn blocks_come_in_any_order_and_repeat_and_the_ack_says_what_is_there() {
    let mut stage = Stage::new();
    stage.send(ALICE, &packet(Kind::Open, &about(11)));
    assert_acked(&stage.send(ALICE, &data(3, b"jk")), 0, &[3]);
    assert_acked(&stage.send(ALICE, &data(1, b"def")), 0, &[1, 3]);
    assert_acked(&stage.send(ALICE, &data(1, b"def")), 0, &[1, 3]);
    assert_acked(&stage.send(ALICE, &packet(Kind::Open, &about(11))), 0, &[1, 3]);
    assert_acked(&stage.send(ALICE, &data(0, b"abc")), 2, &[3]);
    let digest = Sha256::digest(b"abcdefghijk");
    assert_acked(&stage.send(ALICE, &packet(Kind::Close, &digest)), 2, &[3]);
    let last = stage.send(ALICE, &Packet { number: 77, ..data(2, b"ghi") });
    assert_acked(&last, 4, &[]);
    assert_eq!(last.ack().largest_acked, 77);
    assert_eq!(stage.send(ALICE, &packet(Kind::Close, &digest)).kind, Kind::Stored);
    assert_eq!(stage.files(), [("a.txt".into(), b"abcdefghijk".to_vec())]);
}

#[test]
fn a_batch_gets_one_answer() {
    let mut stage = Stage::new();
    stage.send(ALICE, &packet(Kind::Open, &about(9)));
    let token = stage.receiver.tokens.of(ALICE, 7);
    for block in 0..3 {
        let datagram = Packet { token, ..data(block, b"abc") }.encode();
        assert_eq!(stage.receiver.receive(&datagram, ALICE, stage.now), None);
    }
    assert_eq!(stage.receiver.answers().len(), 1);
    assert_eq!(stage.receiver.answers().len(), 0);
}

#[test]
fn a_close_whose_answer_was_lost_is_answered_again_and_stores_nothing_twice() {
    let mut stage = Stage::new();
    let close = Sha256::digest(b"");
    stage.send(ALICE, &packet(Kind::Open, &about(0)));
    let first = stage.send(ALICE, &packet(Kind::Close, &close));
    assert_eq!(first.kind, Kind::Stored);
    assert_eq!(stage.send(ALICE, &packet(Kind::Close, &close)), first);
    assert_eq!(stage.send(ALICE, &packet(Kind::Open, &about(0))), first);
    assert_eq!(stage.files().len(), 1);
}

#[test]
fn a_wrong_digest_stores_nothing_and_stays_wrong() {
    let mut stage = Stage::new();
    stage.send(ALICE, &packet(Kind::Open, &about(3)));
    stage.send(ALICE, &data(0, b"abc"));
    for content in [b"abd", b"abc"] {
        let close = Sha256::digest(content);
        assert_refused(&stage.send(ALICE, &packet(Kind::Close, &close)), "SHA-256");
    }
    assert_eq!(stage.files(), []);
}

/// The payload of an `open`: length, size of a block, name.
fn open(length: u64, block_bytes: u32, name: &[u8]) -> Vec<u8> {
    [&length.to_be_bytes()[..], &block_bytes.to_be_bytes(), name].concat()
}

#[rstest]
#[case::too_large(Kind::Open, open(MAX_BYTES + 1, 3, b"a"), "too many")]
#[case::too_many_blocks(Kind::Open, open(u64::MAX, 1, b"a"), "more blocks than")]
#[case::no_blocks(Kind::Open, open(1, 0, b"a"), "blocks of 0 bytes")]
#[case::large_blocks(Kind::Open, open(1, 65_001, b"a"), "blocks of 65001 bytes")]
#[case::hostile_name(Kind::Open, open(1, 3, b"../a"), "another")]
#[case::name_is_no_text(Kind::Open, open(1, 3, b"\xff"), "utf-8")]
#[case::cut_short(Kind::Open, b"\0\0\0".to_vec(), "too short")]
#[case::unknown_data(Kind::Data, b"abc".to_vec(), "no such upload")]
#[case::unknown_close(Kind::Close, Vec::new(), "no such upload")]
fn what_cannot_be_is_refused_and_not_remembered(
    #[case] kind: Kind,
    #[case] payload: Vec<u8>,
    #[case] reason: &str,
) {
    let mut stage = Stage::new();
    let heard = stage.send(ALICE, &packet(kind, &payload));
    // A refusal may be cut to three times the length of what it answers.
    assert_refused(&heard, &reason[..reason.len().min(heard.payload.len())]);
    assert!(stage.receiver.transfers.is_empty());
    assert_eq!(stage.files(), []);
}

#[rstest]
#[case::longer_than_a_block(data(0, b"abcd"), "another length")]
#[case::shorter_than_a_block(data(0, b"ab"), "another length")]
#[case::beyond_the_end(data(2, b"abc"), "more bytes")]
#[case::far_beyond_the_end(data(u32::MAX, b"abc"), "more bytes")]
fn data_that_was_not_announced_ends_the_upload(#[case] data: Packet<'_>, #[case] reason: &str) {
    let mut stage = Stage::new();
    stage.send(ALICE, &packet(Kind::Open, &about(6)));
    assert_refused(&stage.send(ALICE, &data), reason);
    assert_eq!(stage.files(), []);
}

#[rstest]
#[case::not_ours(b"hello".to_vec())]
#[case::empty(Vec::new())]
#[case::a_servers_word(packet(Kind::Ack, b"").encode())]
fn what_is_no_clients_packet_gets_no_answer(#[case] datagram: Vec<u8>) {
    let mut stage = Stage::new();
    assert_eq!(stage.answers(ALICE, &datagram), [[0; 0]; 0]);
}

#[test]
fn nothing_is_kept_for_an_address_that_has_not_proven_itself() {
    let mut stage = Stage::new();
    let about = about(6);
    let open = packet(Kind::Open, &about);
    let heard = stage.send_as_it_is(ALICE, &open);
    assert_eq!((heard.kind, heard.payload.len()), (Kind::Token, 0));
    assert_ne!(heard.token, 0);
    // The token of one is worth nothing to another, nor for another upload, nor a guess.
    let stolen = Packet { token: heard.token, ..open };
    assert_eq!(stage.send_as_it_is(BOB, &stolen).kind, Kind::Token);
    assert_eq!(stage.send_as_it_is(ALICE, &Packet { transfer: 8, ..stolen }).kind, Kind::Token);
    assert_eq!(stage.send_as_it_is(ALICE, &Packet { token: 1, ..open }).kind, Kind::Token);
    assert!(stage.receiver.transfers.is_empty());
    assert_eq!(stage.files(), []);
    assert_acked(&stage.send_as_it_is(ALICE, &stolen), 0, &[]);
}

#[test]
fn who_does_not_know_the_token_cannot_disturb_an_upload() {
    let mut stage = Stage::new();
    let digest = Sha256::digest(b"abcdef");
    stage.send(ALICE, &packet(Kind::Open, &about(6)));
    stage.send(ALICE, &data(0, b"abc"));
    // In Alice's name: other bytes, and an end before its time.
    for forged in [data(1, b"xyz"), packet(Kind::Close, &digest)] {
        let answer = stage.send_as_it_is(ALICE, &Packet { token: 4711, ..forged });
        assert_refused(&answer, "no such upload");
        assert_eq!(answer.token, 4711, "Alice sees that it does not answer her");
    }
    stage.send(ALICE, &data(1, b"def"));
    assert_eq!(stage.send(ALICE, &packet(Kind::Close, &digest)).kind, Kind::Stored);
    assert_eq!(stage.files(), [("a.txt".into(), b"abcdef".to_vec())]);
}

#[test]
fn tokens_of_an_earlier_run_are_worth_nothing() {
    let (mut before, mut after) = (Stage::new(), Stage::new());
    let (about, datagram) = (about(6), data(0, b"abc"));
    let token = before.send(ALICE, &packet(Kind::Open, &about)).token;
    let stale = Packet { token, ..packet(Kind::Open, &about) };
    assert_eq!(after.send_as_it_is(ALICE, &stale).kind, Kind::Token);
    let answer = after.send_as_it_is(ALICE, &Packet { token, ..datagram });
    assert_refused(&answer, "no such upload");
    assert_eq!(answer.token, token, "so Alice knows that it is for her");
}

#[test]
fn the_same_number_from_two_senders_is_two_uploads() {
    let mut stage = Stage::new();
    for (sender, content) in [(ALICE, b"abc"), (BOB, b"xyz")] {
        stage.send(sender, &packet(Kind::Open, &about(3)));
        stage.send(sender, &data(0, content));
    }
    stage.send(ALICE, &packet(Kind::Close, &Sha256::digest(b"abc")));
    stage.send(BOB, &packet(Kind::Close, &Sha256::digest(b"xyz")));
    let expected = [("a-1.txt".into(), b"xyz".to_vec()), ("a.txt".into(), b"abc".to_vec())];
    assert_eq!(stage.files(), expected);
}

#[test]
fn a_silent_sender_is_forgotten_with_its_file() {
    let mut stage = Stage::new();
    stage.send(ALICE, &packet(Kind::Open, &about(3)));
    stage.receiver.forget(stage.now + IDLE / 2, IDLE);
    assert_eq!(stage.files().len(), 1, "still under way");
    stage.receiver.forget(stage.now + IDLE, IDLE);
    assert_eq!(stage.files(), []);
    assert_refused(&stage.send(ALICE, &data(0, b"abc")), "no such upload");
}

#[test]
fn one_host_cannot_take_the_places_of_all_others() {
    let mut stage = Stage::new();
    let about = about(3);
    for number in 0..u32::try_from(room::MAX_OF_ONE_HOST).unwrap() {
        let open = Packet { transfer: 100 + number, ..packet(Kind::Open, &about) };
        assert_acked(&stage.send(ALICE, &open), 0, &[]);
    }
    // Bob is on the same host as Alice, and Carol is not.
    assert_refused(&stage.send(BOB, &packet(Kind::Open, &about)), "too many uploads at once from ");
    let carol = SocketAddr::from(([127, 0, 0, 2], 1));
    assert_acked(&stage.send(carol, &packet(Kind::Open, &about)), 0, &[]);
}

#[test]
fn only_so_many_uploads_are_under_way_at_once() {
    let mut stage = Stage::new();
    let about = about(3);
    for number in 0..u32::try_from(room::MAX_UNDER_WAY).unwrap() {
        let host = SocketAddr::from(([127, 0, 1, u8::try_from(number % 256).unwrap()], 1));
        let open = Packet { transfer: 100 + number, ..packet(Kind::Open, &about) };
        assert_acked(&stage.send(host, &open), 0, &[]);
    }
    assert_refused(&stage.send(BOB, &packet(Kind::Open, &about)), "too many uploads at once; try");
}

#[test]
fn uploads_that_are_over_do_not_count_and_are_forgotten_oldest_first() {
    let mut stage = Stage::new();
    let about = about(0);
    for transfer in 0..u32::try_from(MAX_KNOWN).unwrap() + 10 {
        let open = Packet { transfer, ..packet(Kind::Open, &about) };
        assert_acked(&stage.send(ALICE, &open), 0, &[]);
        let close = Packet { transfer, ..packet(Kind::Close, b"not the digest") };
        assert_refused(&stage.send(ALICE, &close), "SHA-256");
        stage.now += Duration::from_millis(1);
    }
    assert_eq!(stage.receiver.transfers.len(), MAX_KNOWN);
    let first = Packet { transfer: 0, ..packet(Kind::Close, b"") };
    assert_refused(&stage.send(ALICE, &first), "no such upload");
}

#[test]
fn an_unproven_address_gets_at_most_three_times_what_came_from_it() {
    let mut stage = Stage::new();
    let (good, bad) = (about(u64::MAX), open(1, 3, b"a/b"));
    let forged = [packet(Kind::Data, b""), packet(Kind::Close, b""), packet(Kind::Open, b"")];
    for packet in forged.into_iter().chain([packet(Kind::Open, &good), packet(Kind::Open, &bad)]) {
        let datagram = packet.encode();
        let answers = stage.answers(ALICE, &datagram);
        assert_eq!(answers.len(), 1);
        assert!(answers[0].len() <= 3 * datagram.len(), "{packet:?}");
    }
}

#[test]
fn a_block_from_further_ahead_than_the_window_is_passed_over() {
    let mut stage = Stage::new();
    stage.receiver.max_bytes = u64::MAX;
    let large = Description { length: 1 << 30, block_bytes: 65_000, name: "a".into() };
    let block = vec![1; 65_000];
    let window = stage.send(ALICE, &packet(Kind::Open, &large.encode())).ack().window;
    assert_eq!(window, 64 * 1024 * 1024 / 65_000);
    assert_acked(&stage.send(ALICE, &data(window, &block)), 0, &[]);
    assert_acked(&stage.send(ALICE, &data(window - 1, &block)), 0, &[window - 1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// More bytes than are collected at a time, in any order, with any repetitions.
    #[test]
    fn any_order_and_any_duplicates_give_the_exact_file(
        length in 1_usize..400_000,
        noise in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        seed in any::<u64>(),
    ) {
        let mut stage = Stage::new();
        stage.receiver.max_bytes = u64::MAX;
        let content: Vec<u8> = (0..length).map(|place| (place * 31 % 251).to_le_bytes()[0]).collect();
        let about = Description { length: length as u64, block_bytes: 9000, name: "a.txt".into() };
        stage.send(ALICE, &packet(Kind::Open, &about.encode()));
        let mut pieces: Vec<_> = (0_u32..).zip(content.chunks(9000)).collect();
        pieces.sort_by_key(|(block, _)| (u64::from(*block) + 1).wrapping_mul(seed | 1));
        for index in noise {
            let (block, piece) = *index.get(&pieces);
            stage.send(ALICE, &data(block, piece));
        }
        for (block, piece) in pieces {
            stage.send(ALICE, &data(block, piece));
        }
        let close = Sha256::digest(&content);
        prop_assert_eq!(stage.send(ALICE, &packet(Kind::Close, &close)).kind, Kind::Stored);
        prop_assert_eq!(stage.files(), [("a.txt".into(), content)]);
    }
}
