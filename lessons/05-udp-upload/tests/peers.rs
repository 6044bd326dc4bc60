//! The keyword mode against programs that nobody here wrote, and the packet layout against a
//! client that was written from its description alone.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use assert_cmd::cargo::cargo_bin_cmd;
use netlab::peers::{
    LOCALHOST_IS_IPV6_FIRST, Peer, TWO_ADDRESSES, Transport, free_port, is_bound, refusing, run,
    silent_twin, trial, trial_refusing, trial_with_hosts, with_hosts,
};
use netlab::program::{Server, poll};

const LIMIT: Duration = Duration::from_secs(20);
/// Three datagrams of a file that is not text.
const PIECES: [&[u8]; 3] = [b"first\0", b"\xff\xfe second \r\n", "第三".as_bytes()];

fn main() -> ExitCode {
    run(vec![
        trial("nc", "nc_uploads_with_the_keyword", nc_uploads_with_the_keyword),
        trial("nc", "our_client_uploads_to_nc", our_client_uploads_to_nc),
        trial("socat", "socat_uploads_with_the_keyword", socat_uploads_with_the_keyword),
        trial("socat", "our_client_uploads_to_socat", our_client_uploads_to_socat),
        trial("python3", "python_uploads_with_the_keyword", python_uploads_with_the_keyword),
        trial("python3", "our_client_uploads_to_python", our_client_uploads_to_python),
        trial("python3", "python_uploads_reliably", python_uploads_reliably),
        trial_with_hosts("a_server_at_the_second_address_is_found", || {
            finds(LOCALHOST_IS_IPV6_FIRST, "localhost", "127.0.0.1", "reliable");
        }),
        trial_with_hosts("a_server_at_the_second_address_is_found_with_the_keyword", || {
            finds(LOCALHOST_IS_IPV6_FIRST, "localhost", "127.0.0.1", "keyword");
        }),
        trial_with_hosts("an_address_that_does_not_answer_is_passed_over", || {
            finds(TWO_ADDRESSES, "two.test", "127.0.0.2", "reliable");
        }),
        trial_refusing("without_recvmmsg_a_file_arrives", || {
            arrives_although_refused(&["recvmmsg:error=EPERM"]);
        }),
        trial_refusing("without_options_of_the_socket_a_file_arrives", || {
            arrives_although_refused(&["setsockopt:error=EPERM"]);
        }),
        trial_refusing("without_sendmsg_a_file_arrives", || {
            arrives_although_refused(&["sendmsg,sendmmsg:error=ENOSYS"]);
        }),
        trial_refusing("without_locks_statx_and_getrandom_a_file_arrives", || {
            arrives_although_refused(&[
                "flock:error=ENOLCK",
                "statx:error=ENOSYS",
                "getrandom:error=EPERM",
                "fsync:error=EINVAL:when=2+",
            ]);
        }),
    ])
}

fn our_server(inbox: &Path, mode: &str) -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lesson-05"));
    command.args(["server", "--addr", "127.0.0.1:0", "--mode", mode, "--dir"]).arg(inbox);
    Server::start(&mut command, LIMIT).unwrap()
}

fn assert_stored(inbox: &Path, name: &str, expected: &[u8]) {
    let stored = poll(LIMIT, || fs::read(inbox.join(name)).ok()).expect("the file appears");
    assert_eq!(stored, expected);
}

/// nc sends a datagram for each piece that it reads, so the pieces are told apart by its echo in
/// the server's temporary file.
fn nc_uploads_with_the_keyword() {
    let inbox = tempfile::tempdir().unwrap();
    let server = our_server(inbox.path(), "keyword");
    let port = server.address().port().to_string();
    let mut nc = Peer::start(Command::new("nc").args(["-u", "127.0.0.1", &port]));
    nc.tell("hello from nc\n");
    let growing = || fs::read_dir(inbox.path()).unwrap().flatten().next()?.metadata().ok();
    let arrived = poll(LIMIT, || growing().filter(|about| about.len() == 14));
    arrived.expect("the first datagram arrives");
    nc.tell("END");
    assert_stored(inbox.path(), "upload.bin", b"hello from nc\n");
}

fn socat_uploads_with_the_keyword() {
    let inbox = tempfile::tempdir().unwrap();
    let server = our_server(inbox.path(), "keyword");
    let to = format!(
        "UDP:127.0.0.1:{},sourceport={}",
        server.address().port(),
        free_port(Transport::Udp)
    );
    for piece in ["hello from socat", "END"] {
        let mut socat = Peer::start(Command::new("socat").args(["-u", "STDIO", &to]));
        socat.tell(piece);
        socat.close_input();
        assert!(socat.ends(LIMIT).expect("it ends").success(), "{socat:?}");
    }
    assert_stored(inbox.path(), "upload.bin", b"hello from socat");
}

const PYTHON_CLIENT: &str = "
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    for piece in [b'first\\0', b'\\xff\\xfe second \\r\\n', '第三'.encode(), b'END']:
        s.sendto(piece, ('127.0.0.1', int(sys.argv[1])))
";

fn python_uploads_with_the_keyword() {
    let inbox = tempfile::tempdir().unwrap();
    let server = our_server(inbox.path(), "keyword");
    let port = server.address().port().to_string();
    let mut python = Peer::start(Command::new("python3").args(["-c", PYTHON_CLIENT, &port]));
    assert!(python.ends(LIMIT).expect("it ends").success(), "{python:?}");
    assert_stored(inbox.path(), "upload.bin", &PIECES.concat());
}

/// Our client's file of three datagrams: 1,024 bytes, 1,024 bytes and the rest.
fn our_file(folder: &Path) -> (String, Vec<u8>) {
    let content = (0..2500_u32).map(|n| n.to_le_bytes()[0]).collect::<Vec<u8>>();
    let path = folder.join("file.bin");
    fs::write(&path, &content).unwrap();
    (path.to_str().unwrap().into(), content)
}

fn our_client_sends(file: &str, port: u16) {
    let addr = format!("127.0.0.1:{port}");
    let args = ["client", "--mode", "keyword", "--addr", &addr, file];
    cargo_bin_cmd!("lesson-05").timeout(LIMIT).args(args).assert().success();
}

fn our_client_uploads_to_nc() {
    our_client_uploads_to("nc", |port, _| vec!["-u".into(), "-l".into(), "127.0.0.1".into(), port]);
}

fn our_client_uploads_to_socat() {
    our_client_uploads_to("socat", |port, folder| {
        let file = folder.join("out.bin");
        let receive = format!("UDP-RECV:{port},bind=127.0.0.1");
        vec!["-u".into(), receive, format!("OPEN:{},creat", file.display())]
    });
}

/// A peer that writes what arrives to standard output or to out.bin: the file, then `END`.
fn our_client_uploads_to(program: &'static str, args: fn(String, &Path) -> Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let (file, content) = our_file(folder.path());
    let out = folder.path().join("out.bin");
    let port = free_port(Transport::Udp);
    let words = args(port.to_string(), folder.path());
    let shell = format!("exec {program} {} > {}", words.join(" "), out.display());
    let peer = Peer::start(Command::new("sh").args(["-c", &shell]));
    assert!(is_bound(Transport::Udp, port, LIMIT), "{peer:?}");
    our_client_sends(&file, port);
    let expected = [content, b"END".to_vec()].concat();
    let received = poll(LIMIT, || fs::read(&out).ok().filter(|got| got.len() == expected.len()));
    assert!(received.expect("everything arrives") == expected);
}

const PYTHON_SERVER: &str = "
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.1', 0))
print('listening on 127.0.0.1:%d' % s.getsockname()[1], flush=True)
with open(sys.argv[1], 'wb') as f:
    while (data := s.recvfrom(65535)[0]) != b'END':
        f.write(data)
print('done', flush=True)
";

fn our_client_uploads_to_python() {
    let folder = tempfile::tempdir().unwrap();
    let (file, content) = our_file(folder.path());
    let out = folder.path().join("out.bin");
    let mut command = Command::new("python3");
    let server = Server::start(command.args(["-c", PYTHON_SERVER]).arg(&out), LIMIT).unwrap();
    our_client_sends(&file, server.address().port());
    poll(LIMIT, || server.stdout().contains("done").then_some(())).expect("END arrives");
    assert!(fs::read(&out).unwrap() == content);
}

/// Written from the layout in packet.rs: stop-and-wait, no retransmission, the blocks backwards.
const PYTHON_RELIABLE: &str = "
import hashlib, socket, struct, sys
HEADER = struct.Struct('>2sBBIQII')
OPEN, DATA, CLOSE, ACK, STORED, REFUSED, TOKEN = range(1, 8)
content, size, token, number = bytes(range(256)) * 40, 1200, 0, 0
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(20)
s.connect(('127.0.0.1', int(sys.argv[1])))
def exchange(kind, block, payload):
    global token
    s.send(HEADER.pack(b'NU', kind, 0, 4711, token, block, number) + payload)
    answer = s.recv(2048)
    magic, kind, zero, transfer, new_token, block, largest_acked = HEADER.unpack(answer[:HEADER.size])
    assert (magic, zero, transfer) == (b'NU', 0, 4711), answer
    token = new_token
    return kind, block, largest_acked, answer[HEADER.size:]
about = struct.pack('>QI', len(content), size) + '蟒.bin'.encode()
assert exchange(OPEN, 0, about) == (TOKEN, 0, 0, b'')
kind, first_missing, largest_acked, window = exchange(OPEN, 0, about)
assert (kind, first_missing, largest_acked) == (ACK, 0, 0) and int.from_bytes(window, 'big') >= 5
came = 0
for block in reversed(range((len(content) + size - 1) // size)):
    number += 1
    kind, first_missing, largest_acked, payload = exchange(DATA, block, content[block * size:][:size])
    came |= 1 << block
    assert (kind, largest_acked) == (ACK, number)
    assert int.from_bytes(payload[4:], 'little') == came, (payload, came)
kind, _, _, name = exchange(CLOSE, 0, hashlib.sha256(content).digest())
assert (kind, name) == (STORED, '蟒.bin'.encode())
";

fn python_uploads_reliably() {
    let inbox = tempfile::tempdir().unwrap();
    let server = our_server(inbox.path(), "reliable");
    let port = server.address().port().to_string();
    let mut python = Peer::start(Command::new("python3").args(["-c", PYTHON_RELIABLE, &port]));
    assert!(python.ends(LIMIT).expect("it ends").success(), "{python:?}");
    let expected = (0..40).flat_map(|_| 0..=255).collect::<Vec<u8>>();
    assert_stored(inbox.path(), "蟒.bin", &expected);
}

/// Our client uploads to a server that it knows by a name with two addresses.
fn finds(hosts: &str, name: &str, ip: &str, mode: &str) {
    let inbox = tempfile::tempdir().unwrap();
    let file = inbox.path().join("a.bin");
    fs::write(&file, "some bytes").unwrap();
    // A port that nobody has at any other address.
    let addr = format!("{ip}:{}", free_port(Transport::Udp));
    let mut command = Command::new(env!("CARGO_BIN_EXE_lesson-05"));
    command.args(["server", "--addr", &addr, "--mode", mode, "--dir"]).arg(inbox.path());
    let server = Server::start(&mut command, LIMIT).unwrap();
    // Where 127.0.0.1 is not the server's, somebody has its port there and says nothing.
    let _silent = (ip != "127.0.0.1").then(|| silent_twin(server.address()).unwrap());
    let to = format!("{name}:{}", server.address().port());
    let mut client = with_hosts(hosts, env!("CARGO_BIN_EXE_lesson-05"));
    client.args(["client", "--addr", &to, "--mode", mode, "--retries", "2"]).arg(&file);
    assert_cmd::Command::from_std(client).timeout(2 * LIMIT).assert().success();
    let stored = if mode == "keyword" { "upload.bin" } else { "a-1.bin" };
    assert_stored(inbox.path(), stored, b"some bytes");
}

/// Both sides on a system that answers some of their calls with an error, as a container may.
fn arrives_although_refused(faults: &[&str]) {
    let inbox = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..100_000_u32).flat_map(u32::to_be_bytes).collect();
    let file = inbox.path().join("a.bin");
    fs::write(&file, &content).unwrap();
    let mut command = refusing(faults, env!("CARGO_BIN_EXE_lesson-05"));
    command.args(["server", "--addr", "127.0.0.1:0", "--dir"]).arg(inbox.path());
    let server = Server::start(&mut command, LIMIT).unwrap();
    let mut client = refusing(faults, env!("CARGO_BIN_EXE_lesson-05"));
    client.args(["client", "--addr", &server.address().to_string()]).arg(&file);
    let sent = assert_cmd::Command::from_std(client).timeout(6 * LIMIT).assert().success();
    let said = String::from_utf8_lossy(&sent.get_output().stdout).into_owned();
    assert!(said.starts_with("stored as a-1.bin: 400000 bytes"), "{said}");
    assert!(fs::read(inbox.path().join("a-1.bin")).unwrap() == content);
}
