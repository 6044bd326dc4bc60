//! The lesson's server and client against programs that nobody here wrote.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::process::{Command, ExitCode};
use std::time::Duration;

use assert_cmd::cargo::cargo_bin_cmd;
use netlab::conditions::{Conditions, Path, StreamFaults};
use netlab::peers::{
    LOCALHOST_IS_IPV6_FIRST, Peer, Transport, free_port, is_bound, run, trial, trial_with_hosts,
    with_hosts,
};
use netlab::program::Server;
use netlab::relay::Relay;
use netlab::shape::Shape;

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
        trial("python3", "the_tutorials_client_is_answered", || {
            the_tutorials_client_is_answered(&["--each-read"]);
        }),
        trial("python3", "the_tutorials_client_is_answered_by_one_thread", || {
            the_tutorials_client_is_answered(&["--each-read", "--events"]);
        }),
        trial(
            "python3",
            "without_each_read_the_tutorials_client_is_not_answered",
            without_each_read_the_tutorials_client_is_not_answered,
        ),
        trial("python3", "the_tutorials_client_is_answered_for_the_first_slice", || {
            the_tutorials_client_is_answered_for_the_first_slice(&["--each-read"]);
        }),
        trial(
            "python3",
            "the_tutorials_client_is_answered_for_the_first_slice_by_one_thread",
            || {
                the_tutorials_client_is_answered_for_the_first_slice(&["--each-read", "--events"]);
            },
        ),
        trial(
            "python3",
            "our_client_is_answered_by_the_tutorials_server",
            our_client_is_answered_by_the_tutorials_server,
        ),
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
        trial_with_hosts("a_server_at_the_second_address_is_found", second_address_is_tried),
        trial_with_hosts("both_addresses_without_a_server_are_named", both_addresses_are_named),
    ])
}

fn our_server(args: &[&str]) -> Server {
    our_server_at("127.0.0.1:0", args)
}

fn our_server_at(addr: &str, args: &[&str]) -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lesson-02"));
    command.args(["server", "--addr", addr]).args(args);
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

/// Does what the tutorial's client does, but for the port: one send, one receive, no half-close, no
/// time limit.
const TUTORIALS_CLIENT: &str = "
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect(('127.0.0.1', int(sys.argv[1])))
s.send(b'hello')
print('answer:', s.recv(1024).decode())
s.close()
";

/// What it prints.
fn tutorials_client(port: u16) -> String {
    let mut client = assert_cmd::Command::new("python3");
    client.args(["-c", TUTORIALS_CLIENT, &port.to_string()]).env("PYTHONIOENCODING", "utf-8");
    let output = client.timeout(LIMIT).assert().success().get_output().stdout.clone();
    String::from_utf8(output).unwrap()
}

fn our_replying_server(args: &[&str]) -> Server {
    our_server(&[&["--reply", "你好"], args].concat())
}

fn the_tutorials_client_is_answered(args: &[&str]) {
    let server = our_replying_server(args);
    let said = tutorials_client(server.address().port());
    assert_eq!(said, "answer: 你好\n\n");
    assert!(server.says("says: hello", LIMIT), "{}", server.stderr());
    assert!(server.says("is done", LIMIT), "{}", server.stderr());
}

/// Both would wait forever: the server for the end of the line, the client for the answer.
fn without_each_read_the_tutorials_client_is_not_answered() {
    for args in [&["--idle", "1"][..], &["--idle", "1", "--events"]] {
        let server = our_replying_server(args);
        let said = tutorials_client(server.address().port());
        assert_eq!(said, "answer: \n");
        assert!(server.says("is gone: timed out", LIMIT), "{}", server.stderr());
    }
}

/// How fast a network carries one byte at a time, in bits a second: each is tried until the server has read
/// byte by byte. On a machine that is busy or stands still, it may read several at once in between.
const RATES: [u64; 16] = [400, 400, 400, 400, 80, 80, 80, 80, 80, 80, 40, 40, 40, 40, 40, 40];

fn the_tutorials_client_is_answered_for_the_first_slice(args: &[&str]) {
    for rate in RATES {
        let server = our_replying_server(args);
        let shape = Shape { rate: Some(rate), ..Shape::default() };
        let stream = StreamFaults { slice: Some(1), ..StreamFaults::default() };
        let to_server = Path { shape, stream, ..Path::default() };
        let network = Conditions { to_server, ..Conditions::default() };
        let relay = Relay::start(Transport::Tcp, server.address(), network, None).unwrap();
        let said = tutorials_client(relay.address().port());
        assert!(said.starts_with("answer: 你好\n"), "{said}");
        assert!(server.says("says: h", LIMIT), "{}", server.stderr());
        if server.stderr().lines().any(|line| line.ends_with("says: h")) {
            return;
        }
    }
    panic!("the server has never read less than the network was sent");
}

/// Does what the tutorial's server does, but for the port: every interface, one client, one receive,
/// one send, the end.
const TUTORIALS_SERVER: &str = "
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.bind(('', int(sys.argv[1])))
s.listen()
print('started')
conn, _ = s.accept()
print('heard:', conn.recv(1024).decode())
conn.send('你好'.encode())
conn.close()
s.close()
";

fn our_client_is_answered_by_the_tutorials_server() {
    let port = free_port(Transport::Tcp);
    let mut command = Command::new("python3");
    command.args(["-u", "-c", TUTORIALS_SERVER, &port.to_string()]);
    let mut server = Peer::start(command.env("PYTHONIOENCODING", "utf-8"));
    assert!(server.prints("started", LIMIT), "{server:?}");
    let addr = format!("127.0.0.1:{port}");
    let mut client = cargo_bin_cmd!("lesson-02");
    let client = client.timeout(LIMIT).args(["client", "--addr", &addr, "hello"]);
    client.assert().success().stdout("你好");
    assert!(server.ends(LIMIT).unwrap().success(), "{server:?}");
    assert!(server.prints("heard: hello\n", LIMIT), "{server:?}");
}

/// Our client of `localhost`, where that is `::1` and then 127.0.0.1.
fn our_client_of_localhost(port: u16) -> assert_cmd::Command {
    let mut client = with_hosts(LOCALHOST_IS_IPV6_FIRST, env!("CARGO_BIN_EXE_lesson-02"));
    client.args(["client", "--addr", &format!("localhost:{port}"), "hello"]);
    let mut client = assert_cmd::Command::from_std(client);
    client.timeout(2 * LIMIT);
    client
}

fn second_address_is_tried() {
    let port = free_port(Transport::Tcp);
    let _server = our_server_at(&format!("127.0.0.1:{port}"), &[]);
    our_client_of_localhost(port).assert().success().stdout("hello\n");
}

fn both_addresses_are_named() {
    let port = free_port(Transport::Tcp);
    our_client_of_localhost(port).assert().code(1).stderr(format!(
        "cannot connect to localhost:{port}: tried [::1]:{port} (connection refused) and \
         127.0.0.1:{port} (connection refused); no program listens there: start the server first, \
         or check --addr (cargo xtask doctor tells more)\n"
    ));
}
