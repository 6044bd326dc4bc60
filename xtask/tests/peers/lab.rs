//! `cargo xtask lab` between programs that nobody here wrote.

#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use libtest_mimic::Trial;
use netlab::peers::{Peer, trial};
use netlab::program::{CAN_INTERRUPT, Server, poll};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(20);

pub fn trials() -> Vec<Trial> {
    vec![
        trial("nc", "nc_talks_through_the_laboratory_over_tcp", nc_over_tcp),
        trial("nc", "nc_loses_the_datagram_that_was_named_over_udp", nc_over_udp),
        trial("python3", "two_runs_over_tcp_are_the_same_diagram", the_same_diagram_again),
        trial("python3", "a_refused_program_is_told_so", python_is_refused),
    ]
}

const TCP_SERVER: &str = "
import socketserver
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(b'> ' + line)
with socketserver.TCPServer(('127.0.0.1', 0), Echo) as server:
    print('listening on 127.0.0.1:%d' % server.server_address[1], flush=True)
    server.serve_forever()
";

const UDP_SERVER: &str = "
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind(('127.0.0.1', 0))
    print('listening on 127.0.0.1:%d' % s.getsockname()[1], flush=True)
    while True:
        data, client = s.recvfrom(2048)
        s.sendto(b'> ' + data, client)
";

fn python(script: &str) -> Server {
    Server::start(Command::new("python3").args(["-c", script]), LIMIT).unwrap()
}

/// The laboratory in front of a server, with everything remembered in a folder.
struct Laboratory {
    program: Server,
    folder: TempDir,
}

impl Laboratory {
    fn before(server: &Server, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(["lab", "--to", &server.address().to_string(), "--transcript"]).args(options);
        command.arg("--record").arg(folder.path().join("run.pcapng"));
        command.arg("--diagram").arg(folder.path().join("run.svg"));
        let program = Server::start(&mut command, LIMIT).unwrap();
        Self { program, folder }
    }

    fn port(&self) -> String {
        self.program.address().port().to_string()
    }

    fn prints(&self, text: &str) {
        let said = || self.program.stdout();
        let found = poll(LIMIT, || said().contains(text).then_some(()));
        assert!(found.is_some(), "{text} is missing in {}", said());
    }

    /// Ends it as Ctrl-C does; the diagram, and the last words.
    fn end(mut self) -> (String, String) {
        if !CAN_INTERRUPT {
            return (String::new(), String::new());
        }
        let status = self.program.interrupt(LIMIT).unwrap();
        self.program.drain(LIMIT);
        assert!(status.success(), "{}", self.program.stderr());
        assert_is_whole(&self.folder.path().join("run.pcapng"));
        let diagram = fs::read_to_string(self.folder.path().join("run.svg")).unwrap();
        assert!(diagram.starts_with("<svg") && diagram.ends_with("</svg>\n"), "{diagram}");
        (diagram, self.program.stderr())
    }
}

/// Every block of a pcapng file says how long it is, at both of its ends.
fn assert_is_whole(capture: &Path) {
    let bytes = fs::read(capture).unwrap();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let (mut at, mut blocks) = (0, 0);
    while at < bytes.len() {
        let length = word(at + 4);
        assert_eq!(word(at + length - 4), length, "the block at byte {at}");
        at += length;
        blocks += 1;
    }
    assert_eq!(at, bytes.len());
    assert!(blocks > 3, "no packets: {blocks} blocks");
}

fn nc_over_tcp() {
    let server = python(TCP_SERVER);
    let laboratory = Laboratory::before(&server, &["--slice", "1", "--seed", "7"]);
    let mut nc = Peer::start(Command::new("nc").args(["-N", "127.0.0.1", &laboratory.port()]));
    nc.tell("hello\n你好\n");
    nc.close_input();
    assert!(nc.ends(LIMIT).unwrap().success(), "{nc:?}");
    assert_eq!(nc.stdout(), "> hello\n> 你好\n");
    laboratory.prints("client 1 connects");
    laboratory.prints("server → client 1: end of the stream (FIN)");
    let (diagram, said) = laboratory.end();
    if CAN_INTERRUPT {
        assert!(diagram.contains("FIN: no more to send"), "{diagram}");
        assert!(said.contains("[lab] 1 client\n"), "{said}");
        assert!(said.contains("to the server: 13 bytes"), "{said}");
        assert!(said.contains("--seed 7"), "{said}");
    }
}

fn nc_over_udp() {
    let server = python(UDP_SERVER);
    let options = ["--udp", "--lose", "0", "--direction", "to-server"];
    let laboratory = Laboratory::before(&server, &options);
    let mut nc = Peer::start(Command::new("nc").args(["-u", "127.0.0.1", &laboratory.port()]));
    nc.tell("first\n");
    laboratory.prints("client 1 → server: #0, 6 bytes \"first\\n\": lost");
    nc.tell("second\n");
    assert!(nc.prints("> second\n", LIMIT), "{nc:?}");
    assert_eq!(nc.stdout(), "> second\n");
    let (diagram, said) = laboratory.end();
    if CAN_INTERRUPT {
        assert!(diagram.contains(">lost</tspan>"), "{diagram}");
        assert!(said.contains("to the server: 1 datagram, 7 bytes; 1 lost"), "{said}");
    }
}

/// It says one thing after the other, so that nothing in it is chance but ports and pieces.
const POLITE_CLIENT: &str = "
import socket, sys
with socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=20) as s:
    for part in b'hel', b'lo', b'\\n':
        s.sendall(part)
    assert s.makefile('rb').readline() == b'> hello\\n'
    s.shutdown(socket.SHUT_WR)
    assert s.recv(1) == b''
";

fn the_same_diagram_again() {
    let server = python(TCP_SERVER);
    let [first, second] = [(); 2].map(|()| {
        let laboratory = Laboratory::before(&server, &["--delay", "2ms"]);
        let port = laboratory.port();
        let mut client = Peer::start(Command::new("python3").args(["-c", POLITE_CLIENT, &port]));
        assert!(client.ends(LIMIT).unwrap().success(), "{client:?}");
        laboratory.prints("server → client 1: end of the stream (FIN)");
        laboratory.end().0
    });
    assert_eq!(first, second);
    assert_eq!(first.is_empty(), !CAN_INTERRUPT);
}

const REFUSED: &str = "
import socket, sys
try:
    with socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=20) as s:
        print('got', s.recv(1))
except (ConnectionRefusedError, ConnectionResetError) as error:
    print('refused')
";

fn python_is_refused() {
    let server = python(TCP_SERVER);
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["lab", "--refuse", "--to", &server.address().to_string()]);
    let laboratory = Server::start(&mut command, LIMIT).unwrap();
    let port = laboratory.address().port().to_string();
    let mut client = Peer::start(Command::new("python3").args(["-c", REFUSED, &port]));
    assert!(client.ends(LIMIT).unwrap().success(), "{client:?}");
    assert_eq!(client.stdout(), "refused\n", "{client:?}");
}
