//! A server of this lesson as a program, of any kind, and sockets of the test that talk with it.

#![allow(dead_code)] // each of the test programs needs its own part of this
#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use netlab::port::free_address;
use netlab::program::{Running, poll, uninterrupted};
use netlab::record::Transport;
use socket2::{Domain, SockAddr, Socket, Type};
use tempfile::TempDir;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_lesson-06");
/// Nothing here takes that long but on a machine that is very busy.
pub const LIMIT: Duration = Duration::from_secs(20);
/// For silence: how long nothing comes where nothing must come.
pub const SHORT: Duration = Duration::from_millis(200);

/// Whether the kind exists on this system.
pub fn exists(kind: &str) -> bool {
    cfg!(unix) || !kind.starts_with("unix")
}

pub fn is_stream(kind: &str) -> bool {
    kind == "tcp" || kind == "unix"
}

/// An address of 127.0.0.1 at which nobody is, for a server of this kind.
pub fn free(kind: &str) -> String {
    let transport = if kind == "udp" { Transport::Udp } else { Transport::Tcp };
    free_address(transport).to_string()
}

/// A running server. Dropping it kills it.
pub struct Served {
    pub running: Running,
    pub id: u32,
    kind: String,
    /// What stands behind `listening on`.
    pub at: String,
    /// Where its socket file is, if it has one.
    pub folder: TempDir,
}

impl Served {
    /// On a free port, and not on any port: what the test has to do with it may go on when the server
    /// has closed it.
    pub fn start(kind: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(["server", "--kind", kind]).args(arguments);
        if kind.starts_with("unix") {
            command.arg("--path").arg(folder.path().join("socket"));
        } else {
            command.args(["--addr", &free(kind)]);
        }
        let (running, id, at) = start(&mut command);
        Self { running, id, kind: kind.to_owned(), at, folder }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    pub fn address(&self) -> SocketAddr {
        self.at.parse().unwrap()
    }

    /// The options that lead a client to it.
    pub fn target(&self) -> [String; 4] {
        let (option, at) = match self.at.strip_prefix("unix:") {
            Some(path) => ("--path", path),
            None => ("--addr", self.at.as_str()),
        };
        ["--kind", &self.kind, option, at].map(str::to_owned)
    }

    pub fn client(&self) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::new(PROGRAM);
        command.arg("client").args(self.target()).timeout(LIMIT);
        command
    }

    /// A new connection to it.
    pub fn connect(&self) -> Socket {
        self.try_connect().unwrap()
    }

    pub fn try_connect(&self) -> std::io::Result<Socket> {
        let (domain, address) = self.socket_address();
        let socket = Socket::new(domain, Type::STREAM, None)?;
        // A full queue lets nobody in: that, too, has its end.
        socket.set_write_timeout(Some(LIMIT))?;
        socket.set_read_timeout(Some(LIMIT))?;
        socket.connect(&address)?;
        Ok(socket)
    }

    fn socket_address(&self) -> (Domain, SockAddr) {
        match self.at.strip_prefix("unix:") {
            Some(path) => (Domain::UNIX, SockAddr::unix(path).unwrap()),
            None => (Domain::IPV4, self.address().into()),
        }
    }

    pub fn udp(&self) -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(self.address()).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        socket
    }

    /// Waits until it has said `text` on standard error.
    pub fn says(&self, text: &str) -> bool {
        poll(LIMIT, || self.running.stderr().contains(text).then_some(())).is_some()
    }

    /// Waits until nobody is let in any more.
    pub fn is_closed(&self) -> bool {
        poll(LIMIT, || self.try_connect().is_err().then_some(())).is_some()
    }

    /// Does what Ctrl-C does, and waits for nothing.
    #[cfg(unix)]
    pub fn interrupt(&self) {
        netlab::program::signal("-INT", self.id).unwrap();
    }

    /// The code it has ended with, after at most the limit.
    pub fn code(&mut self) -> Option<i32> {
        poll(LIMIT, || self.running.ended()).expect("it ends").code()
    }
}

/// Starts a server and waits until it is ready; its id, and what stands behind `listening on`.
pub fn start(command: &mut Command) -> (Running, u32, String) {
    let mut id = 0;
    let running = Running::start_noting(command, |found| id = found).unwrap();
    let is_ready = || {
        let said = running.stdout();
        let (line, _) = said.strip_prefix("listening on ")?.split_once('\n')?;
        Some(line.to_owned())
    };
    match poll(LIMIT, is_ready) {
        Some(at) => (running, id, at),
        None => panic!("not ready: {running:?}"),
    }
}

/// A server on `path`, which need not be one's own.
pub fn server_at(path: &Path, kind: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["server", "--kind", kind, "--path"]).arg(path);
    command
}

/// Says one line.
pub fn say(mut stream: &Socket, line: &str) {
    stream.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// The next line that comes, with its line feed; what has come at the end of the stream.
pub fn hear(mut stream: &Socket) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\n") {
        match uninterrupted(|| stream.read(&mut byte)) {
            Ok(0) => break,
            Ok(_) => line.push(byte[0]),
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&line)),
        }
    }
    String::from_utf8(line).unwrap()
}

/// Sends more datagrams than there is room for their answers in the queue of a receiver that takes
/// none (`net.unix.max_dgram_qlen`).
#[cfg(unix)]
pub fn send_more_than_a_queue_takes(deaf: &std::os::unix::net::UnixDatagram, server: &Served) {
    deaf.set_write_timeout(Some(LIMIT)).unwrap();
    for _ in 0..12 {
        uninterrupted(|| deaf.send_to(b"hello", server.path())).unwrap();
    }
}

pub fn ask(stream: &Socket, line: &str) -> String {
    say(stream, line);
    hear(stream)
}

/// All that comes on a new connection, on which one line was said and nothing more will be.
pub fn try_ask(server: &Served, line: &str) -> std::io::Result<String> {
    let mut stream = server.try_connect()?;
    stream.write_all(format!("{line}\n").as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Whether nothing comes for a moment.
pub fn is_silent(mut stream: &Socket) -> bool {
    stream.set_read_timeout(Some(SHORT)).unwrap();
    let read = uninterrupted(|| stream.read(&mut [0]));
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    read.is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

/// Whether the connection has ended, properly or not, and nothing had come.
pub fn is_ended(mut stream: &Socket) -> bool {
    match uninterrupted(|| stream.read(&mut [0])) {
        Ok(length) => length == 0,
        Err(error) => matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
    }
}
