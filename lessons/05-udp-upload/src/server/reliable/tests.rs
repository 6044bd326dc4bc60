//! The receiver, fed by hand: no socket, no clock, every situation written down.

use super::*;
use proptest::prelude::*;
use rstest::rstest;
use sha2::{Digest, Sha256};
use std::fs;

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

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let receiver = ReliableReceiver::new(Inbox::open(folder.path()).unwrap(), MAX_BYTES);
        Self { folder, receiver, now: Instant::now() }
    }

    fn send(&mut self, from: SocketAddr, packet: &Packet) -> Packet {
        let answer = self.receiver.receive(&packet.encode(), from, self.now).expect("an answer");
        let answer = Packet::decode(&answer).expect("a packet");
        assert_eq!(answer.transfer, packet.transfer);
        answer
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

fn packet(kind: Kind, offset: u64, payload: &[u8]) -> Packet {
    Packet { kind, transfer: 7, offset, window: 0, payload: payload.to_vec() }
}

fn open(length: u64) -> Packet {
    packet(Kind::Open, length, b"a.txt")
}

fn close(content: &[u8]) -> Packet {
    packet(Kind::Close, content.len() as u64, &Sha256::digest(content))
}

fn assert_ack(answer: &Packet, offset: u64) {
    assert_eq!((answer.kind, answer.offset), (Kind::Ack, offset));
}

fn assert_refused(answer: &Packet, reason: &str) {
    let text = String::from_utf8_lossy(&answer.payload);
    assert!(answer.kind == Kind::Refused && text.contains(reason), "{:?}: {text}", answer.kind);
}

#[test]
fn a_file_arrives_in_order() {
    let mut stage = Stage::new();
    assert_ack(&stage.send(ALICE, &open(6)), 0);
    assert_ack(&stage.send(ALICE, &packet(Kind::Data, 0, b"abc")), 3);
    assert_ack(&stage.send(ALICE, &packet(Kind::Data, 3, b"def")), 6);
    let stored = stage.send(ALICE, &close(b"abcdef"));
    assert_eq!((stored.kind, stored.offset, &stored.payload[..]), (Kind::Stored, 6, &b"a.txt"[..]));
    assert_eq!(stage.files(), [("a.txt".into(), b"abcdef".to_vec())]);
}

#[test]
fn duplicates_and_packets_from_further_on_are_answered_and_change_nothing() {
    let mut stage = Stage::new();
    stage.send(ALICE, &open(6));
    assert_ack(&stage.send(ALICE, &packet(Kind::Data, 3, b"def")), 0);
    assert_ack(&stage.send(ALICE, &packet(Kind::Data, 0, b"abc")), 3);
    assert_ack(&stage.send(ALICE, &packet(Kind::Data, 0, b"abc")), 3);
    assert_ack(&stage.send(ALICE, &open(6)), 3);
    assert_ack(&stage.send(ALICE, &close(b"abcdef")), 3);
    assert_ack(&stage.send(ALICE, &packet(Kind::Data, 3, b"def")), 6);
    assert_eq!(stage.send(ALICE, &close(b"abcdef")).kind, Kind::Stored);
    assert_eq!(stage.files(), [("a.txt".into(), b"abcdef".to_vec())]);
}

#[test]
fn a_close_whose_answer_was_lost_is_answered_again_and_stores_nothing_twice() {
    let mut stage = Stage::new();
    stage.send(ALICE, &open(0));
    let first = stage.send(ALICE, &close(b""));
    assert_eq!(first.kind, Kind::Stored);
    assert_eq!(stage.send(ALICE, &close(b"")), first);
    assert_eq!(stage.send(ALICE, &open(0)), first);
    assert_eq!(stage.files().len(), 1);
}

#[test]
fn a_wrong_digest_stores_nothing_and_stays_wrong() {
    let mut stage = Stage::new();
    stage.send(ALICE, &open(3));
    stage.send(ALICE, &packet(Kind::Data, 0, b"abc"));
    assert_refused(&stage.send(ALICE, &close(b"abd")), "SHA-256");
    assert_refused(&stage.send(ALICE, &close(b"abc")), "SHA-256");
    assert_eq!(stage.files(), []);
}

#[rstest]
#[case::too_large(packet(Kind::Open, MAX_BYTES + 1, b"a"), "too many")]
#[case::hostile_name(packet(Kind::Open, 1, b"../a"), "another")]
#[case::name_is_no_text(packet(Kind::Open, 1, b"\xff"), "utf-8")]
#[case::unknown_data(packet(Kind::Data, 0, b"abc"), "no such upload")]
#[case::unknown_close(packet(Kind::Close, 0, b""), "no such upload")]
fn what_cannot_be_is_refused_and_not_remembered(#[case] packet: Packet, #[case] reason: &str) {
    let mut stage = Stage::new();
    assert_refused(&stage.send(ALICE, &packet), reason);
    assert!(stage.receiver.transfers.is_empty());
    assert_eq!(stage.files(), []);
}

#[test]
fn more_bytes_than_announced_end_the_upload() {
    let mut stage = Stage::new();
    stage.send(ALICE, &open(3));
    assert_refused(&stage.send(ALICE, &packet(Kind::Data, 0, b"abcd")), "more bytes");
    assert_eq!(stage.files(), []);
}

#[rstest]
#[case::not_ours(b"hello".to_vec())]
#[case::empty(Vec::new())]
#[case::a_servers_word(packet(Kind::Ack, 0, b"").encode())]
fn what_is_no_clients_packet_gets_no_answer(#[case] datagram: Vec<u8>) {
    let mut stage = Stage::new();
    assert_eq!(stage.receiver.receive(&datagram, ALICE, stage.now), None);
}

#[test]
fn the_same_number_from_two_senders_is_two_uploads() {
    let mut stage = Stage::new();
    for (sender, content) in [(ALICE, b"abc"), (BOB, b"xyz")] {
        stage.send(sender, &open(3));
        stage.send(sender, &packet(Kind::Data, 0, content));
    }
    stage.send(ALICE, &close(b"abc"));
    stage.send(BOB, &close(b"xyz"));
    let expected = [("a-1.txt".into(), b"xyz".to_vec()), ("a.txt".into(), b"abc".to_vec())];
    assert_eq!(stage.files(), expected);
}

#[test]
fn a_silent_sender_is_forgotten_with_its_file() {
    let mut stage = Stage::new();
    stage.send(ALICE, &open(3));
    stage.receiver.forget(stage.now + IDLE / 2, IDLE);
    assert_eq!(stage.files().len(), 1, "still under way");
    stage.receiver.forget(stage.now + IDLE, IDLE);
    assert_eq!(stage.files(), []);
    assert_refused(&stage.send(ALICE, &packet(Kind::Data, 0, b"abc")), "no such upload");
}

#[test]
fn only_so_many_uploads_are_under_way_at_once() {
    let mut stage = Stage::new();
    for number in 0..u32::try_from(MAX_UNDER_WAY).unwrap() {
        let answer = stage.send(ALICE, &Packet { transfer: 100 + number, ..open(3) });
        assert_ack(&answer, 0);
    }
    assert_refused(&stage.send(BOB, &open(3)), "too many uploads");
}

#[test]
fn uploads_that_are_over_do_not_count_and_are_forgotten_oldest_first() {
    let mut stage = Stage::new();
    for number in 0..u32::try_from(MAX_KNOWN).unwrap() + 10 {
        let refused = packet(Kind::Close, 0, b"not the digest");
        assert_ack(&stage.send(ALICE, &Packet { transfer: number, ..open(0) }), 0);
        assert_refused(&stage.send(ALICE, &Packet { transfer: number, ..refused }), "SHA-256");
        stage.now += Duration::from_millis(1);
    }
    assert_eq!(stage.receiver.transfers.len(), MAX_KNOWN);
    let first = Packet { transfer: 0, ..packet(Kind::Close, 0, b"") };
    assert_refused(&stage.send(ALICE, &first), "no such upload");
}

#[test]
fn no_refusal_is_longer_than_three_times_what_it_answers() {
    let mut stage = Stage::new();
    for datagram in [packet(Kind::Data, 0, b""), packet(Kind::Open, 1, b"a/b"), open(u64::MAX)] {
        let datagram = datagram.encode();
        let answer = stage.receiver.receive(&datagram, ALICE, stage.now).unwrap();
        assert!(answer.len() <= 3 * datagram.len(), "{} for {}", answer.len(), datagram.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A sender that repeats and shuffles at will, as long as the next packet comes at last.
    #[test]
    fn any_order_and_any_duplicates_give_the_exact_file(
        content in prop::collection::vec(any::<u8>(), 1..400),
        noise in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let mut stage = Stage::new();
        let pieces: Vec<Packet> = content
            .chunks(37)
            .enumerate()
            .map(|(number, piece)| packet(Kind::Data, 37 * number as u64, piece))
            .collect();
        stage.send(ALICE, &open(content.len() as u64));
        let mut noise = noise.iter();
        for piece in &pieces {
            for index in noise.by_ref().take(6) {
                stage.send(ALICE, index.get(&pieces));
            }
            stage.send(ALICE, piece);
        }
        prop_assert_eq!(stage.send(ALICE, &close(&content)).kind, Kind::Stored);
        prop_assert_eq!(stage.files(), [("a.txt".into(), content)]);
    }
}
