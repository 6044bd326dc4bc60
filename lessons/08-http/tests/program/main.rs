//! The lesson's program against itself, and against clients and servers that misbehave.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

mod client;
mod files;
mod refusals;
mod server;
mod tls;

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use assert_cmd::cargo::cargo_bin_cmd;
use netlab::hostile;
use netlab::port::free_address;
use netlab::program::Server;
use netlab::record::Transport;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(20);
const PAGE: &str = "<h1>你好</h1>\n";
const NUMBERS: &str = "0123456789";

fn lesson() -> assert_cmd::Command {
    let mut command = cargo_bin_cmd!("lesson-08");
    command.timeout(2 * LIMIT);
    command
}

/// A server of a small folder, which is gone again when this is dropped.
struct Site {
    server: Server,
    folder: TempDir,
}

fn site(args: &[&str]) -> Site {
    site_at("127.0.0.1:0", args)
}

fn site_at(addr: &str, args: &[&str]) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("site");
    fs::create_dir_all(root.join("sub/empty")).unwrap();
    fs::create_dir(root.join(".git")).unwrap();
    for (name, content) in [
        ("site/index.html", PAGE),
        ("site/numbers.txt", NUMBERS),
        ("site/a b.bin", "blank"),
        ("site/nothing", ""),
        ("site/sub/index.html", "sub"),
        ("site/.git/config", "secret"),
        ("secret.txt", "secret"),
    ] {
        fs::write(folder.path().join(name), content).unwrap();
    }
    Site { server: serve(&root, addr, args), folder }
}

fn serve(dir: &Path, addr: &str, args: &[&str]) -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lesson-08"));
    command.args(["server", "--addr", addr, "--dir"]).arg(dir).args(args);
    Server::start(&mut command, LIMIT).unwrap()
}

impl Site {
    fn addr(&self) -> String {
        self.server.address().to_string()
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.server.address()).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        stream
    }

    /// Sends `bytes` and returns all that comes until the server closes.
    fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        rest(&mut stream)
    }

    /// One GET on a connection of its own.
    fn get(&self, path: &str, fields: &str) -> String {
        self.exchange(get(path, &format!("Connection: close\r\n{fields}")).as_bytes())
    }

    fn client(&self, args: &[&str]) -> assert_cmd::Command {
        let mut client = lesson();
        client.args(["client", "--addr", &self.addr()]).args(args);
        client
    }

    /// It has got over whatever came before.
    fn still_serves(&self) {
        assert!(self.get("/numbers.txt", "").ends_with(NUMBERS));
    }
}

fn get(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
}

/// All that comes until the peer closes.
fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// A head, read byte by byte, so that nothing behind it is taken.
fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn status(answer: &str) -> u16 {
    answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest[..3].parse().ok()).unwrap_or(0)
}

/// A server that reads one head, answers with `answer`, whatever it was, and closes. It returns
/// the head.
fn answers(answer: impl Into<Vec<u8>>) -> (SocketAddr, JoinHandle<String>) {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        let head = head(&mut stream);
        // A client that has seen enough is allowed to be gone.
        let _ = stream.write_all(&answer);
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
        head
    });
    (address, serving)
}
