//! What the tests of this lesson share: a server with a folder of its own, and the wire format
//! of `src/protocol.rs` spoken by hand.

#![allow(dead_code)] // each file of tests uses its own part of this
#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use assert_cmd::cargo::cargo_bin_cmd;
use netlab::port::free_address;
use netlab::program::{Server, poll};
use netlab::record::Transport;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

pub const LIMIT: Duration = Duration::from_secs(30);

pub fn lesson() -> assert_cmd::Command {
    let mut command = cargo_bin_cmd!("lesson-03");
    command.timeout(2 * LIMIT);
    command
}

/// The lesson's client, as a process to look at while it runs.
pub fn client(addr: SocketAddr, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lesson-03"));
    command.args(["client", "--addr", &addr.to_string()]).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Waits for a client to end by itself.
pub fn end_of(mut client: Child) -> Output {
    let ended = poll(LIMIT, || client.try_wait().unwrap());
    if ended.is_none() {
        client.kill().unwrap();
    }
    let output = client.wait_with_output().unwrap();
    assert!(ended.is_some(), "the client was still running after {LIMIT:?}: {output:?}");
    output
}

/// The lesson's server on a folder that outlives it.
pub fn server_on(folder: &Path, addr: &str, args: &[&str]) -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lesson-03"));
    command.args(["server", "--addr", addr, "--dir"]).arg(folder).args(args);
    Server::start(&mut command, LIMIT).unwrap()
}

/// The lesson's server with a folder of its own.
pub struct Host {
    pub server: Server,
    pub folder: TempDir,
}

impl Host {
    pub fn start(args: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", args)
    }

    /// For tests that start another server on the port of this one, or find nobody there at `::1`.
    pub fn start_on_a_free_port(args: &[&str]) -> Self {
        Self::start_at(&free_address(Transport::Tcp).to_string(), args)
    }

    fn start_at(addr: &str, args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { server: server_on(folder.path(), addr, args), folder }
    }

    pub fn addr(&self) -> String {
        self.server.address().to_string()
    }

    pub fn connect(&self) -> TcpStream {
        connect(self.server.address())
    }

    /// A connection on which a header and then `content` have gone up.
    pub fn send(&self, length: u64, name: &[u8], content: &[u8]) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(&header(length, name)).unwrap();
        stream.write_all(content).unwrap();
        stream
    }

    /// A whole upload.
    pub fn upload(&self, name: &str, content: &[u8]) -> Receipt {
        read_receipt(&mut self.send(content.len() as u64, name.as_bytes(), content))
    }

    pub fn stored(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join(name)).unwrap()
    }

    /// All that the folder holds, hidden files too.
    pub fn names(&self) -> Vec<String> {
        names_in(self.folder.path())
    }

    /// Waits until this many bytes of an unfinished upload are in the folder.
    pub fn has_received(&self, length: u64) {
        let part = || fs::read_dir(self.folder.path()).ok()?.find_map(Result::ok);
        let arrived = || part()?.metadata().ok().filter(|about| about.len() >= length);
        assert!(poll(LIMIT, arrived).is_some(), "{:?}: {}", self.names(), self.server.stderr());
    }
}

pub fn connect(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

pub fn names_in(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Bytes of any value, the same again for the same seed (xorshift64*).
pub fn random_bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut number = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes()
    };
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&number());
    }
    bytes.truncate(length);
    bytes
}

pub fn digest(content: &[u8]) -> [u8; 32] {
    Sha256::digest(content).into()
}

/// The digest as programs print it.
pub fn hex(content: &[u8]) -> String {
    digest(content).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// One frame: its length in 4 bytes, then the payload.
pub fn frame(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap();
    [&length.to_be_bytes(), payload].concat()
}

pub fn header(length: u64, name: &[u8]) -> Vec<u8> {
    frame(&[&length.to_be_bytes(), name].concat())
}

/// A receipt that says "stored".
pub fn stored(length: u64, digest: [u8; 32], name: &str) -> Vec<u8> {
    frame(&[&[1], &length.to_be_bytes()[..], &digest, name.as_bytes()].concat())
}

#[derive(Debug, PartialEq, Eq)]
pub enum Receipt {
    Stored { length: u64, digest: [u8; 32], name: String },
    Refused(String),
}

impl Receipt {
    /// What a receipt for `content` must be.
    pub fn of(content: &[u8], name: &str) -> Self {
        Self::Stored {
            length: content.len() as u64,
            digest: digest(content),
            name: name.to_owned(),
        }
    }

    /// Why nothing was stored.
    pub fn reason(self) -> String {
        match self {
            Self::Refused(reason) => reason,
            stored @ Self::Stored { .. } => panic!("{stored:?}"),
        }
    }
}

/// The next frame's payload.
pub fn read_frame(stream: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut payload = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut payload).unwrap();
    payload
}

pub fn read_receipt(stream: &mut TcpStream) -> Receipt {
    let payload = read_frame(stream);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    match payload[0] {
        0 => Receipt::Refused(text(&payload[1..])),
        1 => Receipt::Stored {
            length: u64::from_be_bytes(payload[1..9].try_into().unwrap()),
            digest: payload[9..41].try_into().unwrap(),
            name: text(&payload[41..]),
        },
        kind => panic!("a receipt of kind {kind}"),
    }
}

/// A file to send, in a folder of its own.
pub fn file(name: &str, content: &[u8]) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    (folder, path.to_str().unwrap().to_owned())
}

/// A file of this many zero bytes, which takes no room on most disks.
pub fn sparse_file(length: u64) -> (TempDir, String) {
    let (folder, path) = file("large.bin", b"");
    fs::File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
    (folder, path)
}
