//! Every server of every lesson and of every solution ends on the first Ctrl-C, whatever it waits for:
//! a client, one that is silent, the rest of a request, one that does not read, or anything at all
//! while its own address has gone or the loopback interface is down.
//!
//! Each is told to be patient with its clients for an hour, where it has such a limit, so that only
//! Ctrl-C can end it within the time of a test.

#![allow(clippy::unwrap_used, clippy::expect_used)] // Helpers of tests; a panic is a failed test.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use course::workspace;
use grader::build;
use libtest_mimic::{Arguments, Trial};
use netlab::peers::trial_if;
use netlab::port::free_port_for_any;
use netlab::program::{CAN_INTERRUPT, Server, poll, uninterrupted};

use Doing::{AddressGone, Deaf, HalfARequest, LoopbackDown, NoClient, Silent};
use Ends::{AtOnce, Itself};

/// Less than any server here is patient with a client.
const LIMIT: Duration = Duration::from_secs(60);
/// How long a client that fills the buffers on the way tries to write more.
const STUCK: Duration = Duration::from_millis(300);

/// What a server does when Ctrl-C comes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Doing {
    NoClient,
    Silent,
    HalfARequest,
    /// It has sent all that the buffers hold, and its client reads nothing.
    Deaf,
    /// The address that it listens on is no longer one of this machine.
    AddressGone,
    LoopbackDown,
}

/// How a client and the server talk.
#[derive(Clone, Copy, Default)]
struct Talk {
    is_udp: bool,
    /// What the server answers, with at least one byte: then it certainly serves this client.
    hello: Option<&'static [u8]>,
    /// The beginning of something.
    half: Option<&'static [u8]>,
    /// What it answers with as much, as often as it comes.
    much: Option<&'static [u8]>,
}

/// How a program ends.
#[derive(Clone, Copy)]
enum Ends {
    /// Cleanly, with code 0.
    Itself,
    /// By the system or as if by it: signal 2 or code 130.
    AtOnce,
}

#[derive(Clone, Copy)]
struct Program {
    name: &'static str,
    arguments: &'static [&'static str],
    /// Whether it is given a folder, in which nothing must be left.
    has_folder: bool,
    talk: Talk,
    ends: Ends,
}

const TCP: Talk = Talk { is_udp: false, hello: None, half: None, much: None };
const UDP: Talk = Talk { is_udp: true, ..TCP };
const ECHO: Talk = Talk { hello: Some(b"x"), much: Some(&[b'x'; 65_536]), ..TCP };
const LINES: Talk = Talk { hello: Some(b"x\n"), half: Some(b"hal"), much: Some(b"x\n"), ..TCP };
/// However much comes, little is answered, and nothing fills up.
const SHORT_ANSWERS: Talk = Talk { much: None, ..LINES };
/// Its answers are as long: few of them fill the buffers.
const LONG_LINES: Talk = Talk { much: Some(&LONG_LINE), ..LINES };
const GREETING: Talk = Talk { hello: Some(b""), ..TCP };
const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const HTTP: Talk = Talk { hello: Some(GET), half: Some(b"GET / HT"), much: Some(GET), ..TCP };
/// A frame that says what comes: 1,000 bytes for `a.txt`.
const HEADER: &[u8] = b"\0\0\0\x0d\0\0\0\0\0\0\x03\xe8a.txtabc";

#[rustfmt::skip] // a table
fn programs() -> Vec<Program> {
    let lesson = |name, arguments, talk| Program {
        name, arguments, has_folder: false, talk, ends: Itself,
    };
    let receives = |name, arguments, half, talk| Program {
        has_folder: true, ..lesson(name, arguments, Talk { half, ..talk })
    };
    let solution = |name, talk| Program {
        name, arguments: &[], has_folder: false, talk, ends: AtOnce,
    };
    let stores = |name, half, talk| Program {
        has_folder: true, ..solution(name, Talk { half, ..talk })
    };
    vec![
        lesson("lesson-02", &["--idle", "3600"], ECHO),
        lesson("lesson-02", &["--idle", "3600", "--events"], ECHO),
        lesson("lesson-02", &["--idle", "3600", "--reply", "x"], LINES),
        lesson("lesson-02", &["--idle", "3600", "--reply", "x", "--events"], LINES),
        lesson("lesson-02", &["--idle", "3600", "--reply", "x", "--each-read"], SHORT_ANSWERS),
        lesson("lesson-02", &["--idle", "3600", "--reply", "x", "--each-read", "--events"], SHORT_ANSWERS),
        receives("lesson-03", &["--idle", "3600"], Some(HEADER), TCP),
        receives("lesson-03", &["--idle", "3600", "--framing", "eof"], Some(b"abc"), TCP),
        lesson("lesson-04", &[], Talk { hello: Some(b"hello"), ..UDP }),
        lesson("lesson-04", &["--room", "--expire", "3600"], Talk { half: Some(b"hello"), ..UDP }),
        receives("lesson-05", &["--idle", "3600"], None, UDP),
        receives("lesson-05", &["--idle", "3600", "--mode", "keyword"], Some(b"abc"), UDP),
        lesson("lesson-06", &["--idle", "3600", "--grace", "3600", "--run", "inline"], LONG_LINES),
        lesson("lesson-06", &["--idle", "3600", "--grace", "3600", "--run", "threads"], LONG_LINES),
        lesson("lesson-06", &["--idle", "3600", "--grace", "3600", "--run", "pool"], LONG_LINES),
        lesson("lesson-06", &["--kind", "udp", "--grace", "3600", "--run", "inline"], Talk { hello: Some(b"hi"), ..UDP }),
        lesson("lesson-06", &["--kind", "udp", "--grace", "3600", "--run", "threads"], Talk { hello: Some(b"hi"), ..UDP }),
        lesson("lesson-06", &["--kind", "udp", "--grace", "3600", "--run", "pool"], Talk { hello: Some(b"hi"), ..UDP }),
        lesson("lesson-07", &["--discover", "none"], Talk { half: Some(b"\0\0\0\x20PEER"), ..TCP }),
        lesson("lesson-07", &["--discover", "multicast"], TCP),
        lesson("lesson-08", &["--idle", "3600", "--request-time", "3600"], HTTP),
        lesson("lesson-08", &["--idle", "3600", "--request-time", "3600", "--tls"], Talk { half: Some(b"\x16\x03\x01\x02\0\x01"), ..TCP }),
        lesson("lesson-09", &[], Talk { much: ECHO.much, ..GREETING }),
        lesson("lesson-10", &[], GREETING),
        solution("answer-solution", Talk { half: Some(b"hal"), ..TCP }),
        solution("crowd-solution", Talk { much: ECHO.much, ..GREETING }),
        solution("lines-solution", Talk { half: Some(b"hal"), ..TCP }),
        stores("receive-solution", Some(b"abc"), TCP),
        stores("framed-solution", Some(b"FILE\0\x05\0\0\0\0\0\0\x03\xe8a.txtabc"), TCP),
        solution("reply-solution", Talk { hello: Some(b"hello"), ..UDP }),
        solution("room-solution", Talk { hello: Some(b""), ..UDP }),
        stores("keyword-solution", Some(b"Dabc"), UDP),
        stores("stopwait-solution", Some(&FIRST_BLOCK), UDP),
        stores("window-solution", Some(&FIRST_BLOCK), UDP),
        solution("both-solution", Talk { hello: Some(b"get a\n"), half: Some(b"ge"), ..TCP }),
        solution("drain-solution", Talk { hello: Some(b"finish a\n"), half: Some(b"wo"), ..TCP }),
        solution("gossip-solution", TCP),
        solution("single-solution", GREETING),
        Program { has_folder: true, ..solution("serve-solution", HTTP) },
        solution("dual-solution", TCP),
        solution("pong-solution", UDP),
    ]
}

static LONG_LINE: [u8; 60_000] = {
    let mut line = [b'x'; 60_000];
    line[line.len() - 1] = b'\n';
    line
};

/// Kind D, upload 7, block 0, which is full: more follow.
const FIRST_BLOCK: [u8; 9 + 1024] = {
    let mut block = [0; 9 + 1024];
    (block[0], block[4]) = (b'D', 7);
    block
};

/// An address that is on an interface of its own network and can go.
const ADDRESS: &str = "10.77.0.1";
const LOOPBACK: &str = "ip link set lo up && ip addr add 10.77.0.1/32 dev lo";

fn main() -> ExitCode {
    if !CAN_INTERRUPT {
        return ExitCode::SUCCESS;
    }
    let network = within(&["true"]).stderr(Stdio::null()).status().is_ok_and(|ok| ok.success());
    let mut trials = Vec::new();
    for program in programs() {
        let Talk { is_udp, half, much, .. } = program.talk;
        for doing in [NoClient, Silent, HalfARequest, Deaf, AddressGone, LoopbackDown] {
            let name = format!("{} {}: {doing:?}", program.name, program.arguments.join(" "));
            let test = move || program.ends_on_ctrl_c(doing);
            trials.push(match doing {
                Silent if is_udp && program.talk.hello.is_none() => continue,
                HalfARequest if half.is_none() => continue,
                Deaf if much.is_none() => continue,
                AddressGone | LoopbackDown => {
                    let missing =
                        "no network can be made here (unshare -rn, ip, nsenter)".to_owned();
                    trial_of(network, missing, &name, test)
                }
                _ => trial_of(true, String::new(), &name, test),
            });
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// As `trial_if`, for a test that knows its program.
fn trial_of(
    is_there: bool,
    missing: String,
    name: &str,
    test: impl FnOnce() + Send + 'static,
) -> Trial {
    if is_there {
        return Trial::test(name, move || {
            test();
            Ok(())
        });
    }
    trial_if(false, missing, name, || ())
}

/// A command in a network of its own, with a loopback interface that has a second address.
fn within(command: &[&str]) -> Command {
    let mut shell = Command::new("unshare");
    // From here on sh is the program itself, so that what ends it ends the program.
    shell.args(["-rn", "sh", "-c", &format!("{LOOPBACK} && exec \"$@\""), "sh"]).args(command);
    shell
}

/// The programs of the default members, all of which one call of cargo builds.
fn built() -> &'static HashMap<String, PathBuf> {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    BUILT.get_or_init(|| {
        let root = workspace::root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let output = build::cargo()
            .args(["build", "--bins", "--quiet", "--message-format=json"])
            .current_dir(root)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let messages = String::from_utf8(output.stdout).unwrap();
        let message = |line| serde_json::from_str::<serde_json::Value>(line).ok();
        let found = messages.lines().filter_map(message).filter_map(|message| {
            let path = PathBuf::from(message["executable"].as_str()?);
            Some((message["target"]["name"].as_str()?.to_owned(), path))
        });
        found.collect()
    })
}

impl Program {
    fn ends_on_ctrl_c(self, doing: Doing) {
        let folder = tempfile::tempdir().unwrap();
        // One that no other test's client is given when this server has gone.
        let port = free_port_for_any().to_string();
        let mut server = self.start(doing, &port, folder.path());
        let _client = self.client(doing, server.address(), folder.path());
        match doing {
            AddressGone => change(&server, &["addr", "del", "10.77.0.1/32", "dev", "lo"]),
            LoopbackDown => change(&server, &["link", "set", "lo", "down"]),
            _ => {}
        }
        let status = server.interrupt(LIMIT);
        let said = server.stderr();
        let status = status.unwrap_or_else(|| panic!("it has not ended; it said:\n{said}"));
        assert!(self.is_right(status), "{status}; it said:\n{said}");
        assert_eq!(names(folder.path()), [""; 0]);
        if !matches!(doing, AddressGone | LoopbackDown) {
            let again = self.start(doing, &port, folder.path());
            assert_eq!(again.address(), server.address());
        }
    }

    fn start(self, doing: Doing, port: &str, folder: &Path) -> Server {
        let program = built()[self.name].to_str().unwrap();
        let is_elsewhere = doing == AddressGone;
        let address = format!("{}:{port}", if is_elsewhere { ADDRESS } else { "127.0.0.1" });
        let command = [&[program, "server", "--addr", &address], self.arguments].concat();
        let mut command = match doing {
            AddressGone | LoopbackDown => within(&command),
            _ => {
                let mut plain = Command::new(command[0]);
                plain.args(&command[1..]);
                plain
            }
        };
        if self.has_folder {
            command.arg("--dir").arg(folder);
        }
        Server::start(&mut command, LIMIT).unwrap()
    }

    /// A client in the state that the test is about.
    fn client(self, doing: Doing, server: SocketAddr, folder: &Path) -> Option<Client> {
        if matches!(doing, NoClient | AddressGone | LoopbackDown) {
            return None;
        }
        let mut client = Client::connect(self.talk.is_udp, server);
        if let Some(hello) = self.talk.hello {
            client.send(hello).unwrap();
            client.receive();
        }
        if let (HalfARequest, Some(half)) = (doing, self.talk.half) {
            client.send(half).unwrap();
            if self.has_folder && self.talk.hello.is_none() {
                poll(LIMIT, || (!names(folder).is_empty()).then_some(())).expect("a part file");
            }
        }
        if let (Deaf, Some(much)) = (doing, self.talk.much) {
            let much = much.repeat(65_536 / much.len());
            while client.send(&much).is_ok() {}
        }
        Some(client)
    }

    fn is_right(self, status: ExitStatus) -> bool {
        #[cfg(unix)]
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        #[cfg(not(unix))]
        let signal = None;
        match self.ends {
            Itself => status.code() == Some(0),
            AtOnce => status.code() == Some(130) || signal == Some(2),
        }
    }
}

enum Client {
    Tcp(TcpStream),
    Udp(UdpSocket),
}

impl Client {
    fn connect(is_udp: bool, server: SocketAddr) -> Self {
        if is_udp {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.connect(server).unwrap();
            socket.set_read_timeout(Some(LIMIT)).unwrap();
            return Self::Udp(socket);
        }
        let stream = TcpStream::connect(server).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(STUCK)).unwrap();
        Self::Tcp(stream)
    }

    fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.write_all(bytes),
            Self::Udp(socket) => socket.send(bytes).map(drop),
        }
    }

    fn receive(&mut self) {
        let received = match self {
            Self::Tcp(stream) => uninterrupted(|| stream.read(&mut [0])),
            Self::Udp(socket) => uninterrupted(|| socket.recv(&mut vec![0; 65_536])),
        };
        assert!(received.unwrap() > 0);
    }
}

/// Changes the network of a server.
fn change(server: &Server, ip: &[&str]) {
    let target = format!("--target={}", server.id());
    let mut command = Command::new("nsenter");
    command.args([&target, "--user", "--net", "--preserve-credentials", "ip"]).args(ip);
    assert!(command.status().unwrap().success());
}

/// What is in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
