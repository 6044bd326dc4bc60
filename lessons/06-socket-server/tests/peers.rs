//! All four kinds, in both directions, with programs that nobody here wrote: python3 (its sockets
//! as clients, its `socketserver` as servers), socat, nc.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests end at the first thing that is wrong

mod serving;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use netlab::peers::{
    LOCALHOST_IS_IPV6_FIRST, Peer, TWO_ADDRESSES, run, silent_twin, trial, trial_with_hosts,
    with_hosts,
};
use netlab::port::free_port_for_any;
use netlab::program::poll;
use serving::{LIMIT, PROGRAM, Served, exists, start};
use tempfile::tempdir;

const KINDS: [&str; 4] = ["tcp", "udp", "unix", "unix-datagram"];
const SAID: &str = "hello\nwie geht es\n";
const ANSWERED: &str = "HELLO\nWIE GEHT ES\n";

fn main() -> ExitCode {
    let mut trials = vec![
        trial("python3", "python_talks_with_our_four_servers", python_talks_with_our_servers),
        trial("python3", "our_client_talks_with_pythons_socketserver", we_talk_with_socketserver),
        trial("python3", "our_client_talks_with_pythons_threading_mix_in", || {
            we_talk_with_python("threads", "tcp");
        }),
        trial("nc", "nc_talks_with_our_tcp_server", || {
            talks_with_our_server("tcp", |at| words(&format!("nc -N {}", at.replace(':', " "))));
        }),
        trial_with_hosts("a_tcp_server_at_the_second_address_is_found", || {
            finds(LOCALHOST_IS_IPV6_FIRST, "localhost", "127.0.0.1", "tcp");
        }),
        trial_with_hosts("a_udp_server_at_the_second_address_is_found", || {
            finds(LOCALHOST_IS_IPV6_FIRST, "localhost", "127.0.0.1", "udp");
        }),
        trial_with_hosts("an_address_that_does_not_answer_is_passed_over", || {
            finds(TWO_ADDRESSES, "two.test", "127.0.0.2", "udp");
        }),
    ];
    if cfg!(unix) {
        trials.extend([
            trial("python3", "our_server_leaves_pythons_living_file_alone", pythons_file_stays),
            trial("python3", "our_server_replaces_pythons_dead_file", pythons_dead_file_goes),
            trial("socat", "socat_talks_with_our_unix_server", || {
                talks_with_our_server("unix", |at| {
                    words(&format!("socat -t 20 STDIO {}", connect(at)))
                });
            }),
            trial("socat", "our_client_talks_with_socats_unix_server", we_talk_with_socat),
            trial("socat", "socat_talks_with_our_unix_datagram_server", socat_sends_datagrams),
            trial("socat", "our_datagrams_are_answered_by_socat", socat_answers_datagrams),
            trial("nc", "nc_talks_with_our_unix_server", || {
                talks_with_our_server("unix", |at| words(&format!("nc -N -U {}", path(at))));
            }),
        ]);
    }
    run(trials)
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

fn path(at: &str) -> &str {
    at.strip_prefix("unix:").unwrap()
}

fn connect(at: &str) -> String {
    format!("UNIX-CONNECT:{}", path(at))
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

fn client(kind: &str, at: &str) -> assert_cmd::Command {
    let (option, at) = at.strip_prefix("unix:").map_or(("--addr", at), |path| ("--path", path));
    let mut command = assert_cmd::Command::new(PROGRAM);
    command.args(["client", "--kind", kind, option, at]).timeout(LIMIT);
    command
}

// Their clients, our servers

fn python_talks_with_our_servers() {
    for kind in KINDS.into_iter().filter(|kind| exists(kind)) {
        let server = Served::start(kind, &[]);
        let mut python = Command::new("python3");
        let mut python = Peer::start(python.arg(script("client.py")).args([kind, &server.at]));
        assert!(python.ends(LIMIT).unwrap().success(), "{kind}: {python:?}");
        assert!(python.prints(ANSWERED, LIMIT), "{kind}: {python:?}");
        assert!(server.says(" says: wie geht es"));
    }
}

fn talks_with_our_server(kind: &str, command_line: impl Fn(&str) -> Vec<String>) {
    let server = Served::start(kind, &[]);
    let words = command_line(&server.at);
    let mut peer = Peer::start(Command::new(&words[0]).args(&words[1..]));
    peer.tell(SAID);
    assert!(peer.prints(ANSWERED, LIMIT), "{peer:?}");
    peer.close_input();
    assert!(peer.ends(LIMIT).unwrap().success(), "{peer:?}");
    assert_eq!(peer.stdout(), ANSWERED);
}

fn socat_sends_datagrams() {
    let server = Served::start("unix-datagram", &[]);
    let own = server.folder.path().join("socat");
    let to = format!("UNIX-SENDTO:{},bind={}", path(&server.at), own.display());
    let mut socat = Peer::start(Command::new("socat").args(["STDIO", &to]));
    for word in ["hello", "wie geht es"] {
        socat.tell(&format!("{word}\n"));
        assert!(socat.prints(&format!("{}\n", word.to_uppercase()), LIMIT), "{socat:?}");
    }
}

// Our client, their servers

/// A server of Python's `socketserver`; on a file, if its kind has one.
fn pythons_server(kind: &str, folder: &Path) -> Command {
    let mut command = Command::new("python3");
    command.arg(script("servers.py")).arg(kind);
    if kind.starts_with("unix") {
        command.arg(folder.join("python"));
    }
    command
}

fn we_talk_with_socketserver() {
    for kind in KINDS.into_iter().filter(|kind| exists(kind)) {
        we_talk_with_python(kind, kind);
    }
}

fn we_talk_with_python(server: &str, kind: &str) {
    let folder = tempdir().unwrap();
    let (_python, _, at) = start(&mut pythons_server(server, folder.path()));
    client(kind, &at).args(["hello", "wie geht es"]).assert().success().stdout(ANSWERED);
}

/// Waits until a program that says nothing has made its socket file.
fn wait_for(file: &Path) {
    assert!(poll(LIMIT, || file.exists().then_some(())).is_some());
}

fn we_talk_with_socat() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("socat");
    let listen = format!("UNIX-LISTEN:{},fork", file.display());
    let socat = Peer::start(Command::new("socat").args([&listen, "PIPE"]));
    wait_for(&file);
    // It is bound before it listens, and refuses in between.
    let at = format!("unix:{}", file.display());
    let answers = || client("unix", &at).args(["hello", "wie geht es"]).ok().ok();
    let answer = poll(LIMIT, answers).unwrap_or_else(|| panic!("{socat:?}"));
    assert_eq!(answer.stdout, SAID.as_bytes());
}

fn socat_answers_datagrams() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("socat");
    let receive = format!("UNIX-RECVFROM:{},fork", file.display());
    let socat = Peer::start(Command::new("socat").args([&receive, "PIPE"]));
    wait_for(&file);
    let at = format!("unix:{}", file.display());
    let asked = client("unix-datagram", &at).args(["hello", "wie geht es"]).assert();
    assert_eq!(asked.success().get_output().stdout, SAID.as_bytes(), "{socat:?}");
}

// Whose file it is

fn pythons_file_stays() {
    for kind in ["unix", "unix-datagram"] {
        let folder = tempdir().unwrap();
        let (_python, _, at) = start(&mut pythons_server(kind, folder.path()));
        let mut ours =
            assert_cmd::Command::from_std(serving::server_at(Path::new(path(&at)), kind));
        ours.timeout(LIMIT).assert().code(1);
        client(kind, &at).arg("still here?").assert().success().stdout("STILL HERE?\n");
    }
}

fn pythons_dead_file_goes() {
    for kind in ["unix", "unix-datagram"] {
        let folder = tempdir().unwrap();
        let (mut python, _, at) = start(&mut pythons_server(kind, folder.path()));
        python.kill();
        assert!(fs::exists(path(&at)).unwrap(), "socketserver never removes its file");
        let (_ours, ..) = start(&mut serving::server_at(Path::new(path(&at)), kind));
        client(kind, &at).arg("hello").assert().success().stdout("HELLO\n");
        // And so python could not have done it.
        let again =
            Command::new("python3").arg(script("servers.py")).args([kind, path(&at)]).output();
        let again = String::from_utf8(again.unwrap().stderr).unwrap();
        assert!(again.contains("Address already in use"), "{again}");
    }
}

/// Our client talks with a server that it knows by a name with two addresses.
fn finds(hosts: &str, name: &str, ip: &str, kind: &str) {
    // A port that nobody has at any other address.
    let addr = format!("{ip}:{}", free_port_for_any());
    let mut command = Command::new(PROGRAM);
    command.args(["server", "--kind", kind, "--addr", &addr]);
    let server = netlab::program::Server::start(&mut command, LIMIT).unwrap();
    // Where 127.0.0.1 is not the server's, somebody has its port there and says nothing.
    let _silent = (ip != "127.0.0.1").then(|| silent_twin(server.address()).unwrap());
    let to = format!("{name}:{}", server.address().port());
    let mut client = with_hosts(hosts, PROGRAM);
    client.args(["client", "--kind", kind, "--addr", &to, "--timeout", "2", "hello", "you"]);
    let said = assert_cmd::Command::from_std(client).timeout(2 * LIMIT).assert().success();
    said.stdout("HELLO\nYOU\n");
}
