//! The lesson's server and client against programs that nobody here wrote.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::process::{Command, ExitCode};
use std::time::Duration;

use assert_cmd::cargo::cargo_bin_cmd;
use netlab::peers::{Peer, Transport, free_port, is_bound, run, trial};
use netlab::program::Server;

const LIMIT: Duration = Duration::from_secs(20);
const CHAT: &str = "hello\n你好\nlast line without end";

fn main() -> ExitCode {
    run(vec![
        trial("nc", "nc_talks_with_our_server", || {
            talks_with_our_server("nc -N 127.0.0.1 PORT", &[]);
        }),
        trial("nc", "nc_talks_with_our_server_of_one_thread", || {
            talks_with_our_server("nc -N 127.0.0.1 PORT", &["--events"]);
        }),
        trial("nc", "our_client_talks_with_nc", our_client_talks_with_nc),
        trial("socat", "socat_talks_with_our_server", || {
            talks_with_our_server("socat -t 20 STDIO TCP:127.0.0.1:PORT", &[]);
        }),
        trial("socat", "socat_talks_with_our_server_of_one_thread", || {
            talks_with_our_server("socat -t 20 STDIO TCP:127.0.0.1:PORT", &["--events"]);
        }),
        trial("socat", "our_client_is_echoed_by_socat", our_client_is_echoed_by_socat),
        trial("python3", "python_talks_with_our_server", || {
            python_talks_with_our_server(&["--reply", "你好"]);
        }),
        trial("python3", "python_talks_with_our_server_of_one_thread", || {
            python_talks_with_our_server(&["--reply", "你好", "--events"]);
        }),
        trial(
            "python3",
            "our_client_talks_with_pythons_socketserver",
            our_client_talks_with_python,
        ),
        trial("curl", "curls_telnet_talks_with_our_server", || {
            curls_telnet_talks_with_our_server(&[]);
        }),
        trial("curl", "curls_telnet_talks_with_our_server_of_one_thread", || {
            curls_telnet_talks_with_our_server(&["--events"]);
        }),
    ])
}

fn our_server(args: &[&str]) -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lesson-02"));
    command.args(["server", "--addr", "127.0.0.1:0"]).args(args);
    Server::start(&mut command, LIMIT).unwrap()
}

fn our_client_says_hello_to(port: u16) -> String {
    let addr = format!("127.0.0.1:{port}");
    let mut client = cargo_bin_cmd!("lesson-02");
    let client = client.timeout(LIMIT).args(["client", "--addr", &addr, "hello", "你好"]);
    String::from_utf8(client.assert().success().get_output().stdout.clone()).unwrap()
}

/// `PORT` in the command line stands for our server's port.
fn talks_with_our_server(command_line: &str, args: &[&str]) {
    let server = our_server(args);
    let command_line = command_line.replace("PORT", &server.address().port().to_string());
    let mut words = command_line.split(' ');
    let mut peer = Peer::start(Command::new(words.next().unwrap()).args(words));
    peer.tell(CHAT);
    assert!(peer.prints(CHAT, LIMIT), "{peer:?}");
    peer.close_input();
    assert!(peer.ends(LIMIT).unwrap().success(), "{peer:?}");
    assert_eq!(peer.stdout(), CHAT);
}

fn our_client_talks_with_nc() {
    let port = free_port(Transport::Tcp);
    let mut nc = Peer::start(Command::new("nc").args(["-l", "-N", "127.0.0.1", &port.to_string()]));
    nc.tell("你好\n");
    nc.close_input();
    assert!(is_bound(Transport::Tcp, port, LIMIT), "{nc:?}");
    assert_eq!(our_client_says_hello_to(port), "你好\n");
    assert!(nc.ends(LIMIT).unwrap().success(), "{nc:?}");
    assert_eq!(nc.stdout(), "hello\n你好\n");
}

fn our_client_is_echoed_by_socat() {
    let port = free_port(Transport::Tcp);
    let listen = format!("TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr");
    let socat = Peer::start(Command::new("socat").args([&listen, "PIPE"]));
    assert!(is_bound(Transport::Tcp, port, LIMIT), "{socat:?}");
    assert_eq!(our_client_says_hello_to(port), "hello\n你好\n");
}

/// curl neither half-closes nor ends when its input does, so only the echo is looked at.
fn curls_telnet_talks_with_our_server(args: &[&str]) {
    let server = our_server(args);
    let url = format!("telnet://{}", server.address());
    let mut curl = Peer::start(Command::new("curl").args(["--silent", "--no-buffer", &url]));
    curl.tell(CHAT);
    assert!(curl.prints(CHAT, LIMIT), "{curl:?}");
}

/// The tutorial's client, but for its mistake of taking one `recv` for the whole answer.
const PYTHON_CLIENT: &str = "
import socket, sys
with socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=20) as s:
    s.sendall('hello'.encode())
    s.shutdown(socket.SHUT_WR)
    answer = b''
    while data := s.recv(1024):
        answer += data
print(answer.decode(), end='')
";

fn python_talks_with_our_server(args: &[&str]) {
    let server = our_server(args);
    let port = server.address().port().to_string();
    let mut client = Peer::start(Command::new("python3").args(["-c", PYTHON_CLIENT, &port]));
    assert!(client.ends(LIMIT).unwrap().success(), "{client:?}");
    assert_eq!(client.stdout(), "你好\n");
    assert!(server.says("says: hello", LIMIT), "{}", server.stderr());
}

const PYTHON_SERVER: &str = "
import socketserver
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(b'> ' + line)
with socketserver.TCPServer(('127.0.0.1', 0), Echo) as server:
    print('listening on 127.0.0.1:%d' % server.server_address[1], flush=True)
    server.serve_forever()
";

fn our_client_talks_with_python() {
    let mut command = Command::new("python3");
    let server = Server::start(command.args(["-c", PYTHON_SERVER]), LIMIT).unwrap();
    assert_eq!(our_client_says_hello_to(server.address().port()), "> hello\n> 你好\n");
}
