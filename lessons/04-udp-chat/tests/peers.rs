//! Our server and our client with programs that nobody here wrote: nc, socat, Python.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests end at the first thing that is wrong

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, ExitCode};
use std::time::Duration;

use netlab::peers::{
    self, LOCALHOST_IS_IPV6_FIRST, Peer, TWO_ADDRESSES, Transport, free_port, is_bound,
    silent_twin, trial, trial_with_hosts, with_hosts,
};
use netlab::program::Server;

const PROGRAM: &str = env!("CARGO_BIN_EXE_lesson-04");
/// Nothing here takes that long but on a machine that is very busy.
const LIMIT: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    peers::run(vec![
        trial("nc", "nc_talks_with_our_server", nc_talks_with_our_server),
        trial("nc", "our_client_talks_with_nc", our_client_talks_with_nc),
        trial("nc", "nc_hears_the_others_in_our_room", nc_hears_the_others_in_our_room),
        trial("socat", "socat_talks_with_our_server", socat_talks_with_our_server),
        trial("socat", "our_client_talks_with_socat", our_client_talks_with_socat),
        trial("python3", "python_talks_with_our_server", python_talks_with_our_server),
        trial("python3", "our_client_talks_with_python", our_client_talks_with_python),
        trial(
            "python3",
            "the_tutorials_client_talks_with_our_server",
            the_tutorials_client_talks_with_our_server,
        ),
        trial(
            "python3",
            "our_client_talks_with_the_tutorials_server",
            our_client_talks_with_the_tutorials_server,
        ),
        trial_with_hosts("a_server_at_the_second_address_is_found", || {
            let server = serve_at(Ipv4Addr::LOCALHOST);
            finds(LOCALHOST_IS_IPV6_FIRST, "localhost", &server);
        }),
        trial_with_hosts("an_address_that_does_not_answer_is_passed_over", || {
            let server = serve_at(Ipv4Addr::new(127, 0, 0, 2));
            let _silent = silent_twin(server.address()).unwrap();
            finds(TWO_ADDRESSES, "two.test", &server);
        }),
    ])
}

fn serve(arguments: &[&str]) -> Server {
    let mut command = Command::new(PROGRAM);
    command.args(["server", "--addr", "127.0.0.1:0"]).args(arguments);
    Server::start(&mut command, LIMIT).unwrap()
}

fn client(server: &str) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(PROGRAM);
    command.args(["client", "--addr", server]).timeout(LIMIT);
    command
}

/// An address for a peer that cannot say which one the system picked.
fn free_address() -> (String, u16) {
    let port = free_port(Transport::Udp);
    (format!("127.0.0.1:{port}"), port)
}

fn nc(server: SocketAddr) -> Peer {
    let (host, port) = (server.ip().to_string(), server.port().to_string());
    Peer::start(Command::new("nc").args(["-u", &host, &port]))
}

fn nc_talks_with_our_server() {
    let server = serve(&["--reply", "你好\n"]);
    let mut nc = nc(server.address());
    nc.tell("hello\n");
    assert!(nc.prints("你好\n", LIMIT), "{nc:?}");
    assert!(server.says(" says: hello", LIMIT), "{server:?}");
}

fn our_client_talks_with_nc() {
    let (address, port) = free_address();
    let mut nc = Peer::start(Command::new("nc").args(["-u", "-l", "127.0.0.1", &port.to_string()]));
    assert!(is_bound(Transport::Udp, port, LIMIT), "{nc:?}");
    // nc reads this once somebody has spoken to it, and so knows whom to answer.
    nc.tell("你好\n");
    client(&address).arg("hello").assert().success().stdout("你好\n");
    assert!(nc.prints("hello", LIMIT), "{nc:?}");
}

fn nc_hears_the_others_in_our_room() {
    let server = serve(&["--room"]);
    let mut nc = nc(server.address());
    nc.tell("hello\n");
    assert!(nc.prints("heard by 0", LIMIT), "{nc:?}");
    let mut client = client(&server.address().to_string());
    client.arg("good evening").assert().success().stdout("heard by 1\n");
    assert!(nc.prints(": good evening", LIMIT), "{nc:?}");
}

fn socat_talks_with_our_server() {
    let server = serve(&[]);
    let to = format!("UDP4:{}", server.address());
    let mut socat = Peer::start(Command::new("socat").args(["-", &to]));
    for line in ["hello\n", "你好\n"] {
        socat.tell(line);
        assert!(socat.prints(line, LIMIT), "{socat:?}");
    }
}

fn our_client_talks_with_socat() {
    let (address, port) = free_address();
    let at = format!("UDP4-RECVFROM:{port},bind=127.0.0.1,fork");
    let socat = Peer::start(Command::new("socat").args([&at, "PIPE"]));
    assert!(is_bound(Transport::Udp, port, LIMIT), "{socat:?}");
    client(&address).args(["hello", "你好"]).assert().success().stdout("hello\n你好\n");
}

/// Says something short, nothing, and as much as a datagram can carry.
const PYTHON_CLIENT: &str = "
import socket, sys
host, port = sys.argv[1].rsplit(':', 1)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.settimeout(20)
    for message in (b'hello', b'', b'x' * 65507):
        sock.sendto(message, (host, int(port)))
        answer, sender = sock.recvfrom(65536)
        print(len(answer), answer == message, sender == (host, int(port)))
";

fn python_talks_with_our_server() {
    let server = serve(&[]);
    let address = server.address().to_string();
    let mut command = assert_cmd::Command::new("python3");
    command.args(["-c", PYTHON_CLIENT, &address]).timeout(LIMIT);
    command.assert().success().stdout("5 True True\n0 True True\n65507 True True\n");
}

/// Keeps the program contract, as a program in any language can.
const PYTHON_SERVER: &str = "
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.bind(('127.0.0.1', 0))
    print('listening on %s:%d' % sock.getsockname(), flush=True)
    while True:
        message, sender = sock.recvfrom(65536)
        sock.sendto(message.upper(), sender)
";

fn our_client_talks_with_python() {
    let mut command = Command::new("python3");
    let server = Server::start(command.args(["-c", PYTHON_SERVER]), LIMIT).unwrap();
    let mut client = client(&server.address().to_string());
    let largest = "x".repeat(65_507);
    let said = format!("hello\n\n{largest}\n");
    client.write_stdin(said.clone()).assert().success().stdout(said.to_uppercase());
}

/// Does what the tutorial's client does, but for the port: one datagram, one answer, no time limit.
/// (Its 'UDP upload' is this program again.)
const TUTORIALS_CLIENT: &str = "
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b'hello', ('127.0.0.1', int(sys.argv[1])))
print('answer:', s.recvfrom(1024)[0].decode())
s.close()
";

fn the_tutorials_client_talks_with_our_server() {
    let server = serve(&["--reply", "你好"]);
    let port = server.address().port().to_string();
    let mut client = assert_cmd::Command::new("python3");
    client.args(["-c", TUTORIALS_CLIENT, &port]).env("PYTHONIOENCODING", "utf-8");
    client.timeout(LIMIT).assert().success().stdout("answer: 你好\n");
    assert!(server.says(" says: hello", LIMIT), "{server:?}");
}

/// Does what the tutorial's server does, but for the port: every interface, one datagram, one answer,
/// the end.
const TUTORIALS_SERVER: &str = "
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('', int(sys.argv[1])))
print('started')
data, client = s.recvfrom(1024)
print('heard:', data.decode())
s.sendto('你好'.encode(), client)
s.close()
";

fn our_client_talks_with_the_tutorials_server() {
    let (address, port) = free_address();
    let mut server = Command::new("python3");
    server.args(["-u", "-c", TUTORIALS_SERVER, &port.to_string()]);
    let mut server = Peer::start(server.env("PYTHONIOENCODING", "utf-8"));
    assert!(server.prints("started", LIMIT), "{server:?}");
    client(&address).arg("hello").assert().success().stdout("你好\n");
    assert!(server.ends(LIMIT).unwrap().success(), "{server:?}");
    assert!(server.prints("heard: hello\n", LIMIT), "{server:?}");
}

/// Our client says two messages to a server that it knows by name.
fn finds(hosts: &str, name: &str, server: &Server) {
    let mut client = with_hosts(hosts, PROGRAM);
    let to = format!("{name}:{}", server.address().port());
    client.args(["client", "--addr", &to, "--timeout", "2", "--retries", "1", "hello", "you"]);
    let said = assert_cmd::Command::from_std(client).timeout(2 * LIMIT).assert().success();
    said.stdout("hello\nyou\n");
}

/// A server at `ip`, on a port that nobody has at any other address.
fn serve_at(ip: Ipv4Addr) -> Server {
    let addr = format!("{ip}:{}", free_port(Transport::Udp));
    let mut command = Command::new(PROGRAM);
    Server::start(command.args(["server", "--addr", &addr]), LIMIT).unwrap()
}
