//! `receive`: bytes until the half-close.

use std::net::SocketAddr;
use std::time::Duration;

use graded::{Case, Client, Difference, Folder, mebibytes};
use netlab::conditions::{Conditions, Path, Stall, StreamFaults};
use netlab::record::Transport;
use rstest::rstest;

use super::wire::{self, MAX_MEMORY};

/// Long enough that a server which answers too early has done so; a correct one is silent,
/// however slow the machine.
const A_MOMENT: Duration = Duration::from_millis(100);
/// What fits into one segment on every system's loopback, and into every buffer.
const SHORT: usize = 500;
/// Twice what the program may hold in memory, in bytes.
const LARGE: u64 = 2 * MAX_MEMORY;

/// A program that stores into a folder of its own.
struct Store {
    case: Case,
    server: SocketAddr,
    folder: Folder,
}

impl Store {
    fn open() -> Self {
        let case = Case::of("03", "receive");
        let folder = case.folder();
        let server = case.serve_at(&["--dir", &folder.inside("in")], "127.0.0.1:0");
        Self { case, server, folder }
    }

    fn connect(&self) -> Client {
        self.case.connect(self.server)
    }

    /// A client that goes through a network with these faults, if any, on the way to the server.
    fn connect_through(&self, stream: StreamFaults) -> Client {
        if stream == StreamFaults::default() {
            return self.connect();
        }
        let to_server = Path { stream, ..Path::default() };
        let conditions = Conditions { to_server, ..Conditions::default() };
        self.case.connect(self.case.network(Transport::Tcp, self.server, conditions))
    }

    /// A client that has sent everything ends; its file is there when it is told so.
    fn finish(&self, mut client: Client, content: &[u8], number: u32) {
        client.half_close();
        let words = format!("stored {} bytes as {number}.bin\n", content.len());
        client.expect_last_words(words.as_bytes());
        self.folder.expect_file(&format!("{number}.bin"), content);
    }

    /// Nothing that is called `K.bin` is there but the first `count` files.
    fn expect_no_more_than(&self, count: u32) {
        self.case.step(format!("the folder must hold no file after number {count}"));
        let next = format!("{}.bin", count + 1);
        if self.folder.path().join(&next).exists() {
            self.case.fail(Difference::fail(format!("{next} is there before it is complete")));
        }
    }
}

#[rstest]
#[case::none(b"")]
#[case::hello(b"hello")]
#[case::zero_bytes(b"\0\0\0")]
#[case::not_utf8(b"\xff\xfe \xc3\x28")]
#[case::newlines_and_blanks(b" one\r\ntwo\n\n ")]
fn any_bytes_arrive_unchanged(#[case] content: &[u8]) {
    let store = Store::open();
    let any = store.case.random_bytes(SHORT);
    for (number, content) in [(1, content), (2, &any)] {
        let mut client = store.connect();
        client.send(content);
        store.finish(client, content, number);
    }
}

#[rstest]
#[case::one_byte_at_a_time(1, StreamFaults::default())]
#[case::a_few_bytes_at_a_time(7, StreamFaults::default())]
#[case::many_bytes_at_a_time(5000, StreamFaults::default())]
#[case::sliced_by_the_network(5000, StreamFaults { slice: Some(3), ..Default::default() })]
#[case::stalled_by_the_network(
    5000,
    StreamFaults { stall: Some(Stall { after: 2_000, time: A_MOMENT }), ..Default::default() }
)]
fn a_file_lasts_until_the_half_close(#[case] piece: usize, #[case] network: StreamFaults) {
    let store = Store::open();
    let content = store.case.random_bytes(store.case.random_length(6_000, 9_000));
    let (beginning, rest) = content.split_at(3);
    let mut client = store.connect_through(network);
    client.send_in_pieces(beginning, piece);
    client.expect_silence(A_MOMENT);
    store.expect_no_more_than(0);
    client.send_in_pieces(rest, piece);
    client.expect_silence(A_MOMENT);
    store.finish(client, &content, 1);
}

#[rstest]
fn files_are_numbered_as_they_become_complete() {
    let store = Store::open();
    let mut clients: Vec<Client> = (0..5).map(|_| store.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.send(format!("the beginning of {number}, ").as_bytes());
    }
    clients[0].expect_silence(A_MOMENT);
    store.expect_no_more_than(0);
    for (number, (begun, mut client)) in (1..).zip(clients.into_iter().enumerate().rev()) {
        client.send(b"the end");
        let content = format!("the beginning of {begun}, the end");
        store.finish(client, content.as_bytes(), number);
        store.expect_no_more_than(number);
    }
}

#[rstest]
#[case::of_a_few_bytes(SHORT, None)]
#[case::of_many(300_000, None)]
#[case::of_the_network(300_000, Some(100_000))]
fn a_reset_leaves_nothing(#[case] length: usize, #[case] reset_after: Option<u64>) {
    let store = Store::open();
    let mut client = store.connect_through(StreamFaults { reset_after, ..Default::default() });
    client.send(&vec![b'x'; length]);
    if reset_after.is_some() {
        client.expect_end_or_reset();
    } else {
        // By now the server has received something, and has begun a file in its own way.
        client.expect_silence(A_MOMENT);
        client.reset();
    }
    store.folder.expect_nothing();
    let mut next = store.connect();
    next.send(b"still here?");
    store.finish(next, b"still here?", 1);
    store.folder.expect_only(&["1.bin"]);
}

#[rstest]
fn a_silent_client_blocks_nobody() {
    let store = Store::open();
    let silent = store.connect();
    let mut other = store.connect();
    other.send(b"me first");
    store.finish(other, b"me first", 1);
    store.finish(silent, b"", 2);
}

#[rstest]
fn a_large_file_takes_little_memory() {
    let store = Store::open();
    let content = wire::large(&store.case.random_bytes(1024 * 1024), LARGE);
    let mut client = store.connect();
    client.send(&content);
    store.finish(client, &content, 1);
    store.case.step(format!("your program may hold at most {} of memory", mebibytes(MAX_MEMORY)));
    if let Some(peak) = store.case.peak_memory().filter(|peak| *peak > MAX_MEMORY) {
        let what = format!("your program has held {} of memory", mebibytes(peak));
        store.case.fail(Difference::fail(what));
    }
}
