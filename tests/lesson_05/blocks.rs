//! The datagrams of `stopwait` and `window`, a server under test, and a client under test.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use graded::{Case, Difference, Folder, Running, Sender, UdpHost, mebibytes};
use netlab::conditions::{Conditions, Path};
use netlab::faults::{DatagramFaults, Fate};
use netlab::port::free_address;
use netlab::record::Transport;

/// Bytes of the file in a block; fewer in the last.
pub const BLOCK: usize = 1024;
/// As the task says: what a file may cost, in bytes of memory, while that many of its bytes come.
const MORE_MEMORY: u64 = 8 * 1024 * 1024;
const MORE_BLOCKS: usize = 16 * 1024;
/// A `--timeout` that is not over before the case is.
pub const LONG: &str = "60000";
/// A `--timeout` that is soon over, and of which ten are as long as a test may stand still.
pub const SHORT: &str = "100";
/// Longer than the timeout that a client has by default. A correct program is silent however slow
/// the machine is.
pub const A_WHILE: Duration = Duration::from_millis(300);

pub fn header(kind: u8, upload: u32, block: u32) -> Vec<u8> {
    [&[kind], &upload.to_be_bytes()[..], &block.to_be_bytes()].concat()
}

pub fn data(upload: u32, block: u32, payload: &[u8]) -> Vec<u8> {
    [&header(b'D', upload, block), payload].concat()
}

pub fn ack(upload: u32, block: u32) -> Vec<u8> {
    header(b'A', upload, block)
}

/// The payloads of a file: the last one is short, if need be empty.
pub fn payloads(content: &[u8]) -> Vec<Vec<u8>> {
    let full = content.len() / BLOCK + 1;
    (0..full).map(|n| content[n * BLOCK..content.len().min((n + 1) * BLOCK)].to_vec()).collect()
}

/// A file of at least `blocks` blocks, of which the last is short.
pub fn random_file(case: &Case, blocks: usize) -> Vec<u8> {
    case.random_bytes((blocks - 1) * BLOCK + case.random_length(1, BLOCK - 1))
}

/// Sends a block and expects that it is acknowledged.
pub fn deliver(sender: &Sender, upload: u32, block: u32, payload: &[u8]) {
    sender.send(&data(upload, block, payload));
    sender.expect(&ack(upload, block));
}

/// The submission's server, and the folder that it stores into.
pub struct Store {
    pub case: Case,
    pub server: SocketAddr,
    pub folder: Folder,
}

impl Store {
    pub fn open(exercise: &str) -> Self {
        let case = Case::of("05", exercise);
        let folder = case.folder();
        let server = case.serve_at(&["--dir", &folder.inside("uploads")], "127.0.0.1:0");
        Self { case, server, folder }
    }

    pub fn sender(&self) -> Sender {
        self.case.sender(self.server)
    }

    /// A number such as a client picks.
    pub fn number(&self) -> u32 {
        self.case.random_bytes(4).iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
    }

    /// Nothing that is called `K.bin` is there but the first `count` files.
    pub fn expect_stored(&self, count: usize) {
        self.case.step(format!("DIR must hold {count} files named *.bin, no more"));
        let names = fs::read_dir(self.folder.path())
            .unwrap_or_else(|error| panic!("cannot look into the folder: {error}"))
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension() == Some("bin".as_ref()))
            .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        let mut found: Vec<String> = names.collect();
        found.sort();
        if found != (1..=count).map(|k| format!("{k}.bin")).collect::<Vec<_>>() {
            let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
            self.case.fail(Difference::fail(format!("DIR holds {found}")));
        }
    }

    /// Uploads a file in order, as number `k`.
    pub fn deliver_file(&self, sender: &Sender, upload: u32, content: &[u8], k: usize) {
        for (block, payload) in (0..).zip(payloads(content)) {
            self.expect_stored(k - 1);
            deliver(sender, upload, block, &payload);
        }
        self.expect_stored(k);
        self.folder.expect_file(&format!("{k}.bin"), content);
    }
}

impl Store {
    /// Uploads a large file, with this many blocks on their way at once, and looks how the server's
    /// memory grows meanwhile.
    pub fn expect_little_memory(&self, at_once: usize) {
        let beginning = 512;
        let content = random_file(&self.case, beginning + MORE_BLOCKS);
        let (socket, payloads) = (self.socket(), payloads(&content));
        self.case.step("upload the first 512 KiB of a file");
        self.pour(&socket, 0, &payloads[..beginning], at_once);
        let before = self.case.peak_memory();
        self.case.step("upload 16 MiB more of it");
        self.pour(&socket, beginning, &payloads[beginning..], at_once);
        let after = self.case.peak_memory();
        self.folder.expect_file("1.bin", &content);
        self.case.step(format!("these 16 MiB may cost {} of memory", mebibytes(MORE_MEMORY)));
        let grown = after.zip(before).map_or(0, |(after, before)| after.saturating_sub(before));
        if grown > MORE_MEMORY {
            let what =
                format!("your server has taken {} more of memory for them", mebibytes(grown));
            self.case.fail(Difference::fail(what));
        }
    }

    /// A socket of the test's own: the steps of thousands of datagrams would tell nothing.
    fn socket(&self) -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").and_then(|socket| {
            socket.connect(self.server)?;
            socket.set_read_timeout(Some(self.case.patience()))?;
            Ok(socket)
        });
        socket.unwrap_or_else(|error| panic!("no UDP socket for the test: {error}"))
    }

    /// Sends blocks and expects that each of them is acknowledged, in whatever order.
    fn pour(&self, socket: &UdpSocket, first: usize, payloads: &[Vec<u8>], at_once: usize) {
        let numbered: Vec<_> = (first..).zip(payloads).collect();
        for group in numbered.chunks(at_once) {
            for (block, payload) in group {
                let block = u32::try_from(*block).unwrap_or(0);
                if let Err(error) = socket.send(&data(1, block, payload)) {
                    self.case.fail(Difference::fail(format!("it cannot be sent: {error}")));
                }
            }
            for (block, _) in group {
                let mut answer = [0; 16];
                let received = retry(|| socket.recv(&mut answer));
                if !received.is_ok_and(|length| answer[..length].starts_with(b"A")) {
                    let what = format!("block {block} or one near it was not acknowledged");
                    self.case.fail(Difference::timeout(what));
                }
            }
        }
    }
}

/// The submission's client, and the test as its server.
pub struct Upload {
    pub case: Case,
    pub host: UdpHost,
    pub client: Running,
    pub payloads: Vec<Vec<u8>>,
    /// Where the client is, and the number of its upload; known from its first block on.
    peer: Option<(SocketAddr, u32)>,
    _folder: Folder,
}

impl Upload {
    /// Starts the client with `arguments` and a file of this content.
    pub fn start(case: Case, content: &[u8], arguments: &[&str]) -> Self {
        let (folder, host) = (case.folder(), case.listen_udp());
        let file = folder.file("to-send.bin", content);
        let client = case.start_client(host.address(), &[arguments, &[&file]].concat());
        Self { case, host, client, payloads: payloads(content), peer: None, _folder: folder }
    }

    pub fn last(&self) -> u32 {
        u32::try_from(self.payloads.len()).unwrap_or(0) - 1
    }

    pub fn peer(&self) -> (SocketAddr, u32) {
        self.peer.unwrap_or_else(|| panic!("the test has not met the client yet"))
    }

    /// The next datagram must be exactly this block.
    pub fn expect_block(&mut self, block: u32) {
        let got = self.receive();
        self.compare(block, &got);
    }

    /// The next datagram that is not a copy of `known` must be exactly this block.
    pub fn expect_block_after(&mut self, known: &[u32], block: u32) {
        let mut got = self.receive();
        while known.iter().any(|known| got == self.block(*known)) {
            got = self.receive();
        }
        self.compare(block, &got);
    }

    /// The next datagram must be a block of the file, exactly; which one.
    pub fn expect_any_block(&mut self) -> u32 {
        let got = self.receive();
        let number = got.get(5..9).and_then(|bytes| bytes.try_into().ok());
        let block = number.map_or(0, u32::from_be_bytes).min(self.last());
        self.compare(block, &got);
        block
    }

    /// Sends `stray` again and again, until the client has sent this block once more.
    pub fn expect_block_despite(&mut self, stray: &[u8], block: u32) {
        let (_, got) = self.host.receive_amid(self.peer().0, stray);
        self.compare(block, &got);
    }

    fn receive(&mut self) -> Vec<u8> {
        let (peer, got) = self.host.receive();
        let number = got.get(1..5).and_then(|bytes| bytes.try_into().ok());
        self.peer.get_or_insert((peer, number.map_or(0, u32::from_be_bytes)));
        got
    }

    fn compare(&self, block: u32, got: &[u8]) {
        let expected = self.block(block);
        if got != expected {
            let what = format!("your client should have sent block {block} of its file");
            self.case.fail(Difference::fail(what).with(&expected, got));
        }
    }

    /// The datagram of a block.
    pub fn block(&self, block: u32) -> Vec<u8> {
        data(self.peer().1, block, &self.payloads[block as usize])
    }

    pub fn send(&self, datagram: &[u8]) {
        self.host.send_to(self.peer().0, datagram);
    }

    pub fn acknowledge(&self, block: u32) {
        self.send(&ack(self.peer().1, block));
    }

    /// A client that has given up has sent this block often enough. (Others may still be on their
    /// way to us.)
    pub fn expect_no_more_of(&self, block: u32) {
        self.case.step(format!("block {block} must not come once more"));
        while let Some((_, got)) = self.host.receive_within(A_WHILE / 2) {
            if got == self.block(block) {
                let what = format!("block {block} has come once too often");
                self.case.fail(Difference::fail(what));
            }
        }
    }

    /// The contract: code 1, and one line that says why.
    pub fn expect_failure(&self) {
        let output = self.client.expect_exit(1);
        if output.stderr.lines().filter(|line| !line.trim().is_empty()).count() != 1 {
            let what = "a client that fails says why in one line on standard error";
            self.case.fail(Difference::fail(format!("{what}; yours said:\n{}", output.stderr)));
        }
    }
}

/// A client that is told something wrong ends with code 2. One that is told it right ends well.
pub fn expect_usage_error(case: Case, wrong: &[&str], right: &[&str]) {
    let output = case.run(wrong, "");
    case.step("the exit code of wrong arguments is 2");
    if output.code != Some(2) {
        let what = format!("it ended with {:?}; it said:\n{}", output.code, output.stderr);
        case.fail(Difference::fail(what));
    }
    let mut upload = Upload::start(case, b"right", right);
    upload.expect_block(0);
    upload.acknowledge(0);
    upload.client.expect_exit(0);
}

/// Nobody listens when the client sends its first blocks, but soon after. That nobody does is told
/// at the next call on the socket: with several blocks at once, when the second one is sent.
pub fn expect_patience_with_a_late_server(case: &Case, blocks: usize) {
    let folder = case.folder();
    let file = folder.file("to-send.bin", &vec![b'l'; blocks * BLOCK - 1]);
    let address = free_address(Transport::Udp);
    let client = case.start_client(address, &["--timeout", "300", &file]);
    client.expect_still_running(A_WHILE / 2);
    case.step("only now the test's server is bound to this port");
    let server = UdpSocket::bind(address)
        .unwrap_or_else(|error| panic!("the test's server cannot be bound to {address}: {error}"));
    answer(case, &server, blocks);
    client.expect_exit(0);
}

/// A socket with a time limit is interrupted when the process was stopped for a while (signal(7)).
pub fn retry<T>(mut receive: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match receive() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            received => return received,
        }
    }
}

/// Acknowledges this many blocks, as a server does whose steps are not logged.
fn answer(case: &Case, server: &UdpSocket, blocks: usize) {
    let (mut buffer, mut acknowledged) = ([0; 2048], BTreeSet::new());
    while acknowledged.len() < blocks {
        let received = server
            .set_read_timeout(Some(case.patience()))
            .and_then(|()| retry(|| server.recv_from(&mut buffer)));
        let Ok((_, peer)) = received else {
            case.fail(Difference::timeout("the test's server waited for a block, and none came"));
        };
        let answer = [b"A", &buffer[1..9]].concat();
        if let Err(error) = server.send_to(&answer, peer) {
            panic!("the test's server cannot answer: {error}");
        }
        acknowledged.insert(answer);
    }
}

/// One way through a network that loses, repeats and reorders so often.
pub fn faults(lose: f64, duplicate: f64, reorder: f64) -> Path {
    let datagrams =
        DatagramFaults { lose, duplicate, reorder, depth: 3, ..DatagramFaults::default() };
    Path { datagrams, ..Path::default() }
}

/// One way through a network in which something happens to one datagram, counted from 0.
pub fn one(index: u64, fate: Fate) -> Path {
    let datagrams = DatagramFaults { exactly: [(index, fate)].into(), ..DatagramFaults::default() };
    Path { datagrams, ..Path::default() }
}

/// The submission's own client and server with a network between them, twice.
pub fn expect_whole_through(
    exercise: &str,
    conditions: Conditions,
    options: &[&str],
    blocks: usize,
) {
    let store = Store::open(exercise);
    let network = store.case.network(Transport::Udp, store.server, conditions);
    for (k, content) in [(1, random_file(&store.case, blocks)), (2, b"\0".repeat(2 * BLOCK))] {
        let file = store.folder.file(&format!("to-send-{k}.bin"), &content);
        let client = store.case.start_client(network, &[options, &[&file]].concat());
        client.expect_exit(0);
        store.expect_stored(k);
        store.folder.expect_file(&format!("{k}.bin"), &content);
    }
}
