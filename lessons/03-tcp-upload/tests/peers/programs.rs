//! The lesson's server and client against programs that nobody here wrote.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{Host, LIMIT, Receipt, file, hex, lesson, random_bytes};
use libtest_mimic::Trial;
use netlab::peers::{Peer, Transport, free_port, is_bound, trial};
use netlab::program::{Server, poll};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("nc", "nc_uploads_to_our_server", || {
            uploads_to_our_server("exec nc -N 127.0.0.1 $PORT < $FILE");
        }),
        trial("socat", "socat_uploads_to_our_server", || {
            uploads_to_our_server("exec socat -u OPEN:$FILE TCP:127.0.0.1:$PORT");
        }),
        trial("python3", "python_uploads_to_our_server", python_uploads_to_our_server),
        trial("nc", "our_client_uploads_to_nc", our_client_uploads_to_nc),
        trial("socat", "our_client_uploads_to_socat", our_client_uploads_to_socat),
        trial("python3", "our_client_uploads_to_python", our_client_uploads_to_python),
        trial(
            "python3",
            "the_tutorials_client_uploads_to_our_server",
            the_tutorials_client_uploads_to_our_server,
        ),
        trial(
            "python3",
            "our_client_uploads_to_the_tutorials_server",
            our_client_uploads_to_the_tutorials_server,
        ),
        trial("python3", "python_speaks_the_sized_format", python_speaks_the_sized_format),
        trial(
            "python3",
            "python_understands_the_sized_format",
            python_understands_the_sized_format,
        ),
    ]
}

/// Larger than any buffer on the way, and of any bytes.
fn content() -> Vec<u8> {
    random_bytes(1, 2_000_003)
}

fn python(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.args(["-c", program]).args(args);
    command
}

// Framing by the end of the stream: our server

/// In the shell's command line stand `$PORT` for our server's port and `$FILE` for a file.
fn uploads_to_our_server(command_line: &str) {
    let mut command = Command::new("sh");
    is_uploaded(command.args(["-c", command_line]));
}

/// The peer finds our server's port and a file in its environment.
fn is_uploaded(peer: &mut Command) {
    let host = Host::start(&["--framing", "eof"]);
    let content = content();
    let (_folder, path) = file("a.bin", &content);
    peer.env("PORT", host.server.address().port().to_string()).env("FILE", path);
    let mut peer = Peer::start(peer);
    assert!(peer.ends(LIMIT).unwrap().success(), "{peer:?}");
    assert!(host.server.says("stored upload.bin", LIMIT), "{}", host.server.stderr());
    assert!(host.stored("upload.bin") == content);
}

/// As a beginner writes it: read all, send all, close. (The classic of the tutorials, a `send` in
/// the place of `sendall`, may leave the end of a large file at home.)
const PYTHON_EOF_CLIENT: &str = "
import os, socket
s = socket.socket()
s.connect(('127.0.0.1', int(os.environ['PORT'])))
with open(os.environ['FILE'], 'rb') as f:
    s.sendall(f.read())
s.close()
";

/// The same piece by piece, with a half-close and patience for the server's.
const PYTHON_CAREFUL_CLIENT: &str = "
import os, socket
with socket.create_connection(('127.0.0.1', int(os.environ['PORT'])), timeout=30) as s:
    with open(os.environ['FILE'], 'rb') as f:
        while piece := f.read(1000):
            s.sendall(piece)
    s.shutdown(socket.SHUT_WR)
    assert s.recv(1) == b''
";

fn python_uploads_to_our_server() {
    is_uploaded(&mut python(PYTHON_EOF_CLIENT, &[]));
    is_uploaded(&mut python(PYTHON_CAREFUL_CLIENT, &[]));
}

// Framing by the end of the stream: our client

fn our_client_sends(path: &str, port: u16) {
    let addr = format!("127.0.0.1:{port}");
    let args = ["client", "--framing", "eof", "--addr", &addr, path];
    let expected = "sent 2000003 bytes; nobody confirms them (--framing eof)\n";
    lesson().args(args).assert().success().stdout(expected);
}

/// The peer writes what comes on `port` to the file called `received`, and ends.
fn our_client_uploads_to(peer: &mut Command, port: u16, received: &Path) {
    let mut peer = peer.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    assert!(is_bound(Transport::Tcp, port, LIMIT));
    let (_folder, path) = file("a.bin", &content());
    our_client_sends(&path, port);
    let ended = poll(LIMIT, || peer.try_wait().unwrap());
    if ended.is_none() {
        peer.kill().unwrap();
        peer.wait().unwrap();
    }
    assert!(ended.unwrap().success());
    assert!(fs::read(received).unwrap() == content());
}

fn our_client_uploads_to_nc() {
    let (_folder, received) = file("received", b"");
    let port = free_port(Transport::Tcp);
    let mut nc = Command::new("nc");
    nc.args(["-l", "127.0.0.1", &port.to_string()]).stdout(File::create(&received).unwrap());
    our_client_uploads_to(&mut nc, port, Path::new(&received));
}

fn our_client_uploads_to_socat() {
    let (_folder, received) = file("received", b"");
    let port = free_port(Transport::Tcp);
    let listen = format!("TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr");
    let mut socat = Command::new("socat");
    socat.args(["-u", &listen, &format!("OPEN:{received},creat,trunc")]);
    our_client_uploads_to(&mut socat, port, Path::new(&received));
}

/// Stores one upload in the file named by its first argument.
const PYTHON_EOF_SERVER: &str = "
import socket, sys
with socket.create_server(('127.0.0.1', 0)) as listener:
    print('listening on 127.0.0.1:%d' % listener.getsockname()[1], flush=True)
    connection, _ = listener.accept()
    with connection, open(sys.argv[1], 'wb') as f:
        while piece := connection.recv(1024):
            f.write(piece)
";

fn our_client_uploads_to_python() {
    let (_folder, received) = file("received", b"");
    let mut server = Server::start(&mut python(PYTHON_EOF_SERVER, &[&received]), LIMIT).unwrap();
    let (_folder, path) = file("a.bin", &content());
    our_client_sends(&path, server.address().port());
    assert!(poll(LIMIT, || server.ended()).unwrap().success(), "{}", server.stderr());
    assert!(fs::read(received).unwrap() == content());
}

// Framing by the end of the stream: the tutorial's two programs

/// Does what the tutorial's client does, but for the port: it sends the file `bbbb.txt` of its folder.
const TUTORIALS_CLIENT: &str = "
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
    s.connect(('127.0.0.1', int(sys.argv[1])))
    with open('bbbb.txt', 'rb') as f:
        s.sendall(f.read())
    print('sent')
";

fn the_tutorials_client_uploads_to_our_server() {
    let host = Host::start(&["--framing", "eof"]);
    let (folder, content) = (tempfile::tempdir().unwrap(), content());
    fs::write(folder.path().join("bbbb.txt"), &content).unwrap();
    let port = host.server.address().port().to_string();
    let mut client = python(TUTORIALS_CLIENT, &[&port]);
    client.current_dir(folder.path()).env("PYTHONIOENCODING", "utf-8");
    let mut client = Peer::start(&mut client);
    assert!(client.ends(LIMIT).unwrap().success(), "{client:?}");
    assert!(client.prints("sent\n", LIMIT), "{client:?}");
    assert!(host.server.says("stored upload.bin", LIMIT), "{}", host.server.stderr());
    assert!(host.stored("upload.bin") == content);
}

/// Does what the tutorial's server does, but for the port: it reads to the end of the stream, writes
/// `aaaa.txt` into its folder, and waits for the next client, forever.
const TUTORIALS_SERVER: &str = "
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
    s.bind(('', int(sys.argv[1])))
    s.listen(10)
    print('started')
    while True:
        with s.accept()[0] as conn:
            pieces = []
            while piece := conn.recv(1024):
                pieces.append(piece)
        with open('aaaa.txt', 'wb') as f:
            f.write(b''.join(pieces))
        print('received')
";

fn our_client_uploads_to_the_tutorials_server() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port(Transport::Tcp);
    let mut server = Command::new("python3");
    server.args(["-u", "-c", TUTORIALS_SERVER, &port.to_string()]);
    server.current_dir(folder.path()).env("PYTHONIOENCODING", "utf-8");
    let server = Peer::start(&mut server);
    assert!(server.prints("started", LIMIT), "{server:?}");
    let (_folder, path) = file("a.bin", &content());
    our_client_sends(&path, port);
    assert!(server.prints("received", LIMIT), "{server:?}");
    assert!(fs::read(folder.path().join("aaaa.txt")).unwrap() == content());
}

// The sized format, from the drawing in `src/protocol.rs` alone

/// Uploads the file named by its second argument as `报告.bin` and prints the receipt.
const PYTHON_SIZED_CLIENT: &str = "
import hashlib, socket, struct, sys
content = open(sys.argv[2], 'rb').read()
header = struct.pack('>Q', len(content)) + '报告.bin'.encode()
with socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=30) as s:
    s.sendall(struct.pack('>I', len(header)) + header + content)
    answer = s.makefile('rb')
    size, = struct.unpack('>I', answer.read(4))
    receipt = answer.read(size)
    assert answer.read() == b'', 'the server says more than a receipt'
assert receipt[0] == 1, receipt
length, = struct.unpack('>Q', receipt[1:9])
assert receipt[9:41] == hashlib.sha256(content).digest()
print(length, receipt[41:].decode())
";

fn python_speaks_the_sized_format() {
    let host = Host::start(&[]);
    let (_folder, path) = file("a.bin", &content());
    let port = host.server.address().port().to_string();
    let mut client = python(PYTHON_SIZED_CLIENT, &[&port, &path]);
    let mut client = Peer::start(client.env("PYTHONIOENCODING", "utf-8"));
    assert!(client.ends(LIMIT).unwrap().success(), "{client:?}");
    assert!(client.prints("2000003 报告.bin\n", LIMIT), "{client:?}");
    assert!(host.stored("报告.bin") == content());
    // And the same name again, to see that the test's own client reads the same receipt.
    assert_eq!(host.upload("报告.bin", b"x"), Receipt::of(b"x", "报告-1.bin"));
}

/// Takes one upload into the folder named by its argument, and then refuses one.
const PYTHON_SIZED_SERVER: &str = "
import hashlib, os, socket, struct, sys
def frame(payload):
    return struct.pack('>I', len(payload)) + payload
def read_header(stream):
    size, = struct.unpack('>I', stream.read(4))
    header = stream.read(size)
    return struct.unpack('>Q', header[:8])[0], header[8:].decode()
with socket.create_server(('127.0.0.1', 0)) as listener:
    print('listening on 127.0.0.1:%d' % listener.getsockname()[1], flush=True)
    connection, _ = listener.accept()
    with connection, connection.makefile('rb') as stream:
        length, name = read_header(stream)
        content = stream.read(length)
        with open(os.path.join(sys.argv[1], name), 'wb') as f:
            f.write(content)
        digest = hashlib.sha256(content).digest()
        connection.sendall(frame(b'\\x01' + struct.pack('>Q', length) + digest + name.encode()))
    connection, _ = listener.accept()
    with connection, connection.makefile('rb') as stream:
        stream.read(read_header(stream)[0])
        connection.sendall(frame(b'\\x00' + '今天够了'.encode()))
";

fn python_understands_the_sized_format() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let server = Server::start(&mut python(PYTHON_SIZED_SERVER, &[dir]), LIMIT).unwrap();
    let content = content();
    let (_folder, path) = file("a.bin", &content);
    let upload = ["client", "--addr", &server.address().to_string(), &path];
    let expected = format!("stored as a.bin: 2000003 bytes, SHA-256 {}\n", hex(&content));
    lesson().args(upload).assert().success().stdout(expected);
    assert!(fs::read(folder.path().join("a.bin")).unwrap() == content);
    let refused = "the server refused the upload: 今天够了\n";
    lesson().args(upload).assert().code(1).stderr(refused);
}
