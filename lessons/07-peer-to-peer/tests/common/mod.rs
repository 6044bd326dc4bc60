//! Nodes as processes, and a peer made by hand that speaks the table of `src/wire.rs`.

#![allow(dead_code)] // each test file uses a part of this
#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use netlab::program::{Server, poll};
use socket2::{Domain, Socket, Type};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_lesson-07");
/// Nothing here takes that long but on a machine that is very busy.
pub const LIMIT: Duration = Duration::from_secs(20);
/// Ids that no random number is smaller or larger than: with `LARGE` the node decides.
pub const SMALL: u64 = 0;
pub const LARGE: u64 = u64::MAX;

/// A node called `name` that finds others by `--peer` and what its neighbours tell.
pub fn node(name: &str, args: &[&str]) -> Server {
    node_at("127.0.0.1:0", name, args)
}

/// As [`node`]; and `watch` is told each line that it says, as it comes.
pub fn watched_node(
    name: &str,
    args: &[&str],
    watch: impl Fn(&str) + Send + Sync + 'static,
) -> Server {
    Server::start_watched(&mut command("127.0.0.1:0", name, args), LIMIT, watch).unwrap()
}

pub fn node_at(addr: &str, name: &str, args: &[&str]) -> Server {
    Server::start(&mut command(addr, name, args), LIMIT).unwrap()
}

fn command(addr: &str, name: &str, args: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["server", "--addr", addr, "--name", name]);
    if !args.contains(&"--discover") {
        command.args(["--discover", "peers"]);
    }
    command.args(args);
    command
}

pub fn addr(node: &Server) -> String {
    node.address().to_string()
}

pub fn client(peer: SocketAddr, args: &[&str]) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(PROGRAM);
    command.args(["client", "--addr", &peer.to_string()]).args(args).timeout(2 * LIMIT);
    command
}

/// A visitor who says `text` at `node` and leaves.
pub fn visit(node: &Server, name: &str, text: &str) {
    client(node.address(), &["--name", name, text]).assert().success();
}

pub fn assert_says(node: &Server, text: &str) {
    assert!(node.says(text, LIMIT), "no `{text}` in:\n{}", node.stderr());
}

/// How often the node has said just this line.
pub fn times(node: &Server, line: &str) -> usize {
    node.stderr().lines().filter(|said| *said == line).count()
}

/// Waits until each of `nodes` has met each of `names`, itself left out.
pub fn have_met(nodes: &[Server], names: &[&str]) {
    for (node, own) in nodes.iter().zip(names) {
        for name in names.iter().filter(|name| *name != own) {
            assert_says(node, &format!("{name} is here, at 127.0.0.1:"));
        }
    }
}

/// Ends all of them, as Ctrl-C would, so that nothing is on its way any more.
pub fn end_all(nodes: &mut [Server]) {
    for node in nodes {
        assert_eq!(node.interrupt(LIMIT).expect("it ends").code(), Some(0), "{}", node.stderr());
        node.drain(LIMIT);
    }
}

/// A connection of the test's own.
pub struct Raw(pub TcpStream);

impl Raw {
    pub fn connect(node: &Server) -> Self {
        Self::on(TcpStream::connect(node.address()).unwrap())
    }

    pub fn accept(listener: &TcpListener) -> Self {
        listener.set_nonblocking(true).unwrap();
        let accepted = poll(LIMIT, || listener.accept().ok()).expect("a connection");
        accepted.0.set_nonblocking(false).unwrap();
        Self::on(accepted.0)
    }

    fn on(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// Joins as a node that leaves the decision to `node`, and is welcome.
    pub fn join(node: &Server, name: &str) -> Self {
        Self::connect(node).welcome(name)
    }

    /// Joins with a receive window of a few kilobytes: megabytes need not be sent until it is full.
    pub fn join_with_little_room(node: &Server, name: &str) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(&node.address().into()).unwrap();
        Self::on(socket.into()).welcome(name)
    }

    fn welcome(mut self, name: &str) -> Self {
        self.send(&hello(LARGE, 9, name));
        assert_eq!(self.next()[0], 1, "its greeting");
        assert_eq!(self.next(), [2], "its welcome");
        self.send(&[2]);
        self
    }

    pub fn send(&mut self, payload: &[u8]) {
        self.bytes(&framed(payload));
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// The payload of the next frame.
    pub fn next(&mut self) -> Vec<u8> {
        self.try_next().expect("a frame")
    }

    /// The payload of the next frame; `None` if the connection has ended.
    pub fn try_next(&mut self) -> Option<Vec<u8>> {
        let mut length = [0; 4];
        match self.0.read_exact(&mut length) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("nothing came")
            }
            Err(_) => return None,
        }
        let mut payload = vec![0; u32::from_be_bytes(length) as usize];
        self.0.read_exact(&mut payload).ok()?;
        Some(payload)
    }

    /// The next frame of `kind`; those of other kinds are passed over.
    pub fn next_of(&mut self, kind: u8) -> Vec<u8> {
        loop {
            let payload = self.next();
            if payload[0] == kind {
                return payload;
            }
        }
    }

    pub fn assert_closed(&mut self) {
        while self.try_next().is_some() {}
    }
}

pub fn framed(payload: &[u8]) -> Vec<u8> {
    [&u32::try_from(payload.len()).unwrap().to_be_bytes(), payload].concat()
}

pub fn hello(id: u64, port: u16, name: &str) -> Vec<u8> {
    [b"\x01PEER\x01", &id.to_be_bytes()[..], &port.to_be_bytes(), name.as_bytes()].concat()
}

pub fn text(origin: u64, number: u32, hops: u8, name: &str, words: &[u8]) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap();
    let (origin, number) = (origin.to_be_bytes(), number.to_be_bytes());
    [&[5], &origin[..], &number, &[hops, length], name.as_bytes(), words].concat()
}

/// The words of a TEXT, behind its name.
pub fn words(payload: &[u8]) -> String {
    assert_eq!(payload[0], 5);
    String::from_utf8(payload[15 + usize::from(payload[14])..].to_vec()).unwrap()
}
