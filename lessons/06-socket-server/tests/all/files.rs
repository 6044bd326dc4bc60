//! Socket files: whose they are, when they may be replaced, and who removes them.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests end at the first thing that is wrong
#![cfg(unix)] // elsewhere there are none

use crate::serving;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::serving::{LIMIT, PROGRAM, Served, ask, send_more_than_a_queue_takes, server_at};
use netlab::peers::Peer;
use netlab::program::{Running, poll};
use rstest::rstest;
use tempfile::tempdir;

const IN_USE: &str = "a server is alive there: end it, or try another --path";

fn program() -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(PROGRAM);
    command.timeout(LIMIT);
    command
}

fn client_of(path: &Path, kind: &str) -> assert_cmd::Command {
    let mut command = program();
    command.args(["client", "--kind", kind, "--path"]).arg(path);
    command
}

/// A server on `path` fails, and says `why`.
fn is_refused(path: &Path, kind: &str, why: &str) {
    let mut server = program();
    server.args(["server", "--kind", kind, "--path"]).arg(path);
    let doing = if kind == "unix" { "listen on" } else { "bind to" };
    let line = format!("cannot {doing} unix:{}: {why}\n", path.display());
    server.assert().code(1).stdout("").stderr(line);
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The file of a server that was killed.
fn stale(path: &Path, kind: &str) {
    let (mut running, ..) = serving::start(&mut server_at(path, kind));
    running.kill();
    assert!(path.exists());
}

#[rstest]
fn a_clean_end_leaves_nothing(#[values("unix", "unix-datagram")] kind: &str) {
    let mut server = Served::start(kind, &[]);
    assert_eq!(names(server.folder.path()), ["socket", "socket.lock"]);
    server.client().arg("hello").assert().success();
    server.interrupt();
    assert_eq!(server.code(), Some(0));
    assert_eq!(names(server.folder.path()), [""; 0]);
}

#[rstest]
fn the_file_of_a_dead_server_is_replaced(
    #[values("unix", "unix-datagram")] before: &str,
    #[values("unix", "unix-datagram")] after: &str,
) {
    let folder = tempdir().unwrap();
    let path = folder.path().join("socket");
    stale(&path, before);
    let (_server, _, at) = serving::start(&mut server_at(&path, after));
    assert_eq!(at, format!("unix:{}", path.display()));
    client_of(&path, after).arg("hello").assert().success().stdout("HELLO\n");
}

#[rstest]
fn a_living_servers_file_stays_its_own(
    #[values("unix", "unix-datagram")] first: &str,
    #[values("unix", "unix-datagram")] second: &str,
) {
    let server = Served::start(first, &[]);
    is_refused(&server.path(), second, IN_USE);
    server.client().arg("still here?").assert().success().stdout("STILL HERE?\n");
    assert_eq!(names(server.folder.path()), ["socket", "socket.lock"]);
}

#[rstest]
fn a_living_server_that_knows_no_lock_is_found_by_a_connect(
    #[values("unix", "unix-datagram")] second: &str,
) {
    let folder = tempdir().unwrap();
    let (stream, datagram) = (folder.path().join("stream"), folder.path().join("datagram"));
    let listener = UnixListener::bind(&stream).unwrap();
    let mailbox = UnixDatagram::bind(&datagram).unwrap();
    is_refused(&stream, second, IN_USE);
    is_refused(&datagram, second, IN_USE);
    assert_eq!(names(folder.path()), ["datagram", "stream"]);
    drop((listener, mailbox));
}

#[cfg(target_os = "linux")] // elsewhere a full queue refuses; the lock is what helps there
#[test]
fn a_living_server_with_a_full_queue_is_alive() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("socket");
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    socket.bind(&socket2::SockAddr::unix(&path).unwrap()).unwrap();
    socket.listen(0).unwrap();
    let _first = std::os::unix::net::UnixStream::connect(&path).unwrap();
    is_refused(&path, "unix", IN_USE);
    client_of(&path, "unix").args(["--timeout", "0.2", "hello"]).assert().code(1).stderr(format!(
        "cannot connect to unix:{}: timed out; somebody is alive there, but the queue is full and \
         nothing is taken from it\n",
        path.display()
    ));
}

#[rstest]
fn what_is_no_socket_is_not_touched(#[values("unix", "unix-datagram")] kind: &str) {
    let why = "there is a file of that name that is no socket, and it stays: try another --path";
    let folder = tempdir().unwrap();
    let [file, link, below] = ["file", "link", "folder"].map(|name| folder.path().join(name));
    fs::write(&file, "precious").unwrap();
    stale(&folder.path().join("socket"), kind);
    symlink(folder.path().join("socket"), &link).unwrap();
    fs::create_dir(&below).unwrap();
    for path in [&file, &link, &below] {
        is_refused(path, kind, why);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert!(link.is_symlink() && below.is_dir());
    client_of(&file, "unix").arg("hello").assert().code(1).stderr(format!(
        "cannot connect to unix:{}: that file is no socket: check --path\n",
        file.display()
    ));
}

/// Eight at once, again and again, on a path where a dead server's file lies and on a fresh one.
#[rstest]
fn of_servers_that_start_at_once_exactly_one_serves(
    #[values("unix", "unix-datagram")] kind: &str,
    #[values(true, false)] with_stale_file: bool,
) {
    let folder = tempdir().unwrap();
    for round in 0..5 {
        let path = folder.path().join(format!("socket{round}"));
        if with_stale_file {
            stale(&path, kind);
        }
        let mut servers: Vec<Running> =
            (0..8).map(|_| Running::start(&mut server_at(&path, kind), |_| {}).unwrap()).collect();
        let all_decided = || {
            let ended = servers.iter_mut().filter_map(Running::ended).count();
            let ready = servers.iter().filter(|server| !server.stdout().is_empty()).count();
            (ended + ready == 8).then_some((ended, ready))
        };
        assert_eq!(poll(LIMIT, all_decided), Some((7, 1)));
        client_of(&path, kind).arg("hello").assert().success().stdout("HELLO\n");
        for mut server in servers {
            if server.ended().is_some() {
                let says = || server.stderr().ends_with(&format!("{IN_USE}\n")).then_some(());
                assert!(poll(LIMIT, says).is_some(), "{server:?}");
            } else {
                assert_eq!(server.interrupt(LIMIT).and_then(|status| status.code()), Some(0));
            }
        }
        assert!(!path.exists());
    }
}

/// What came of starting a server.
enum Start {
    Serves(Running),
    AnotherServes,
}

/// Tries to start a server on `path`; `None` if that failed, and yet nobody answers there, or perhaps
/// the one does that is still to end.
fn try_start(path: &Path, first_has_ended: &AtomicBool) -> Option<Start> {
    let mut server = Running::start(&mut server_at(path, "unix"), |_| {}).unwrap();
    let is_decided = || (server.ended().is_some() || !server.stdout().is_empty()).then_some(());
    poll(LIMIT, is_decided).unwrap();
    if server.ended().is_none() {
        return Some(Start::Serves(server));
    }
    let by_another = first_has_ended.load(Ordering::SeqCst);
    let is_served = client_of(path, "unix").arg("hello").ok().is_ok();
    (is_served && by_another).then_some(Start::AnotherServes)
}

/// One ends while others start: the server that gets the path must be the one that clients find.
#[test]
fn a_server_that_ends_hands_the_path_to_one_other() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("socket");
    let (mut current, ..) = serving::start(&mut server_at(&path, "unix"));
    for _ in 0..10 {
        let ended = AtomicBool::new(false);
        let mut next: Vec<Running> = thread::scope(|scope| {
            let try_until = || poll(LIMIT, || try_start(&path, &ended)).expect("somebody serves");
            let starting: Vec<_> = (0..4).map(|_| scope.spawn(try_until)).collect();
            assert_eq!(current.interrupt(LIMIT).unwrap().code(), Some(0));
            ended.store(true, Ordering::SeqCst);
            let started = starting.into_iter().map(|thread| thread.join().unwrap());
            started
                .filter_map(|start| match start {
                    Start::Serves(server) => Some(server),
                    Start::AnotherServes => None,
                })
                .collect()
        });
        current = next.pop().expect("one of them serves");
        assert!(next.is_empty(), "two serve at once");
        client_of(&path, "unix").arg("hello").assert().success().stdout("HELLO\n");
    }
}

#[rstest]
fn a_file_that_is_not_its_own_any_more_is_left_alone(
    #[values("unix", "unix-datagram")] kind: &str,
) {
    let mut server = Served::start(kind, &[]);
    fs::remove_file(server.path()).unwrap();
    let other = UnixListener::bind(server.path()).unwrap();
    server.interrupt();
    assert_eq!(server.code(), Some(0));
    assert_eq!(names(server.folder.path()), ["socket"]);
    drop(other);
}

#[rstest]
#[case::unix("unix", "listen on")]
#[case::datagram("unix-datagram", "bind to")]
fn a_path_that_is_too_long_is_refused_in_a_line(#[case] kind: &str, #[case] doing: &str) {
    let folder = tempdir().unwrap();
    let most = if cfg!(target_os = "linux") { 107 } else { 103 };
    let room = most - folder.path().as_os_str().len() - 1;
    let fits = folder.path().join("x".repeat(room));
    let (server, ..) = serving::start(&mut server_at(&fits, kind));
    client_of(&fits, kind).arg("hello").assert().success().stdout("HELLO\n");
    drop(server);
    let path = folder.path().join("x".repeat(room + 1));
    let why = format!(
        "the path has {} bytes, and the address of a socket has room for {most} on this system: \
         try a shorter --path\n",
        most + 1
    );
    let at = format!("unix:{}", path.display());
    let mut server = program();
    server.args(["server", "--kind", kind, "--path"]).arg(&path);
    server.assert().code(1).stderr(format!("cannot {doing} {at}: {why}"));
    let doing = if kind == "unix" { "connect to" } else { "send to" };
    let client = client_of(&path, kind).arg("hello").assert();
    client.code(1).stderr(format!("cannot {doing} {at}: {why}"));
}

#[test]
fn a_folder_that_is_missing_is_named_as_the_reason() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("missing/socket");
    is_refused(&path, "unix", "its folder does not exist: make it, or check --path");
}

#[rstest]
#[case(0o700, 0o777, "its owner only (mode of the folder: 700, of the file: 700)")]
#[case(0o750, 0o007, "its owner and its group (mode of the folder: 750, of the file: 770)")]
#[case(0o755, 0o022, "its owner only (mode of the folder: 755, of the file: 755)")]
#[case(0o755, 0o000, "every user of this machine (mode of the folder: 755, of the file: 777)")]
fn the_server_says_who_may_connect(#[case] folder: u32, #[case] mask: u32, #[case] who: &str) {
    let folder_mode = folder;
    let folder = tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(folder_mode)).unwrap();
    let path = folder.path().join("socket");
    let mask = if mask == 0o777 { 0o077 } else { mask };
    let mut command = Command::new("sh");
    let script = format!("umask {mask:04o}; exec \"$0\" server --kind unix --path \"$1\"");
    command.args(["-c", &script, PROGRAM]).arg(&path);
    let (server, ..) = serving::start(&mut command);
    let line = format!("who may connect: {who}\n");
    assert!(poll(LIMIT, || (server.stderr() == line).then_some(())).is_some(), "{server:?}");
}

// Clients

#[test]
fn a_file_without_a_server_and_no_file_at_all_are_told_apart() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("socket");
    for (kind, doing) in [("unix", "connect to"), ("unix-datagram", "send to")] {
        client_of(&path, kind).arg("hello").assert().code(1).stdout("").stderr(format!(
            "cannot {doing} unix:{}: there is no such file, so no server listens there: start the \
             server first, or check --path\n",
            path.display()
        ));
    }
    stale(&path, "unix");
    for (kind, doing) in [("unix", "connect to"), ("unix-datagram", "send to")] {
        client_of(&path, kind).arg("hello").assert().code(1).stdout("").stderr(format!(
            "cannot {doing} unix:{}: connection refused; the file is there, but its server is \
             gone: start the server, which replaces it\n",
            path.display()
        ));
    }
}

#[rstest]
#[case("unix", "unix-datagram", "send to")]
#[case("unix-datagram", "unix", "connect to")]
fn a_client_of_the_other_kind_is_told_so(
    #[case] server: &str,
    #[case] client: &str,
    #[case] doing: &str,
) {
    let server = Served::start(server, &[]);
    client_of(&server.path(), client).arg("hello").assert().code(1).stdout("").stderr(format!(
        "cannot {doing} unix:{}: the socket there is of the other kind: try --kind unix for a \
         stream, or --kind unix-datagram\n",
        server.path().display()
    ));
}

#[test]
fn a_datagram_client_without_an_address_gets_no_answer_and_stops_nobody() {
    let server = Served::start("unix-datagram", &[]);
    let unnamed = UnixDatagram::unbound().unwrap();
    unnamed.send_to(b"hello", server.path()).unwrap();
    assert!(server.says(
        "cannot answer client 1: it has no address: a client that wants an answer binds one"
    ));
    server.client().arg("hello").assert().success().stdout("HELLO\n");
}

#[test]
fn a_datagram_client_that_is_gone_or_deaf_stops_nobody() {
    let server = Served::start("unix-datagram", &["--run", "inline"]);
    let path = |name: &str| server.folder.path().join(name);
    let gone = UnixDatagram::bind(path("gone")).unwrap();
    gone.send_to(b"hello", server.path()).unwrap();
    drop(gone);
    fs::remove_file(path("gone")).unwrap();
    let deaf = UnixDatagram::bind(path("deaf")).unwrap();
    send_more_than_a_queue_takes(&deaf, &server);
    server.client().arg("hello").assert().success().stdout("HELLO\n");
}

#[test]
fn a_large_datagram_between_files_is_answered_whole() {
    let server = Served::start("unix-datagram", &[]);
    let message = "x".repeat(100_000);
    server
        .client()
        .write_stdin(message.clone())
        .assert()
        .success()
        .stdout(message.to_uppercase() + "\n");
}

#[test]
fn a_datagram_client_removes_its_own_file_even_if_it_is_interrupted() {
    let temporary = tempdir().unwrap();
    let server = Served::start("unix-datagram", &["--work", "3600"]);
    let mut command = Command::new(PROGRAM);
    command.arg("client").args(server.target()).arg("hello").env("TMPDIR", temporary.path());
    let mut client = Running::start(&mut command, |_| {}).unwrap();
    assert!(server.says(" says: hello"));
    let [folder] = &names(temporary.path())[..] else { panic!("one folder") };
    let folder = temporary.path().join(folder);
    assert_eq!(names(&folder).len(), 2, "the file and its lock");
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(client.interrupt(LIMIT).unwrap().code(), Some(130));
    assert_eq!(names(&folder), [""; 0]);
}

#[test]
fn a_folder_that_others_can_enter_is_not_trusted() {
    let temporary = tempdir().unwrap();
    let usual = |arguments: &[&str]| {
        let mut command = program();
        command.args(arguments).env("TMPDIR", temporary.path());
        command
    };
    usual(&["client", "--kind", "unix", "hello"]).assert().code(1);
    let [folder] = &names(temporary.path())[..] else { panic!("one folder") };
    let folder = temporary.path().join(folder);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    usual(&["server", "--kind", "unix"]).assert().code(1).stdout("").stderr(format!(
        "cannot use a folder for socket files: {} is not a folder that only you can enter: remove \
         it, or try another --path\n",
        folder.display()
    ));
}

#[test]
fn without_a_path_both_sides_find_the_same_file() {
    let temporary = tempdir().unwrap();
    for kind in ["unix", "unix-datagram"] {
        let mut command = Command::new(PROGRAM);
        command.args(["server", "--kind", kind]).env("TMPDIR", temporary.path());
        let (_server, ..) = serving::start(&mut command);
        let mut client = program();
        client.args(["client", "--kind", kind, "hello"]).env("TMPDIR", temporary.path());
        client.assert().success().stdout("HELLO\n");
    }
}

#[test]
fn a_stream_client_needs_no_address_and_the_server_counts_them() {
    let server = Served::start("unix", &[]);
    let (one, two) = (server.connect(), server.connect());
    assert_eq!(ask(&one, "a") + &ask(&two, "b"), "A\nB\n");
    assert!(server.says("client 1 says: a") && server.says("client 2 says: b"));
    let mut typing = Peer::start(Command::new(PROGRAM).arg("client").args(server.target()));
    typing.tell("c\n");
    assert!(typing.prints("C\n", LIMIT), "{typing:?}");
}
