//! Whose a socket file is. (Lesson 6's tests do the same with programs, and let them race.)

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;
use std::time::Duration;

use rstest::rstest;
use socket2::{Domain, Socket, Type};

use super::*;

const LIMIT: Duration = Duration::from_secs(20);

/// Claims `path` and binds it; a server, but for the loop.
fn serve(path: &Path, kind: Type) -> std::io::Result<(SocketFile, Socket)> {
    let mut file = SocketFile::claim(path, kind)?;
    let socket = Socket::new(Domain::UNIX, kind, None)?;
    file.bind(&socket)?;
    if kind == Type::STREAM {
        socket.listen(8)?;
    }
    Ok((file, socket))
}

#[rstest]
fn a_file_comes_and_goes_with_its_server(#[values(Type::STREAM, Type::DGRAM)] kind: Type) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    for _ in 0..3 {
        let (file, socket) = serve(&path, kind).unwrap();
        connect(&path, kind, LIMIT).unwrap();
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        drop(socket);
    }
}

#[rstest]
fn while_one_has_the_path_nobody_else_gets_it(
    #[values(Type::STREAM, Type::DGRAM)] first: Type,
    #[values(Type::STREAM, Type::DGRAM)] second: Type,
) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let _claimed_only = SocketFile::claim(&path, first).unwrap();
    let error = SocketFile::claim(&path, second).unwrap_err().to_string();
    assert_eq!(error, "a server is alive there: end it, or try another --path");
}

#[rstest]
fn what_a_killed_server_leaves_is_replaced(#[values(Type::STREAM, Type::DGRAM)] kind: Type) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    // A standard listener does not remove its file either.
    drop(UnixListener::bind(&path).unwrap());
    fs::write(folder.path().join("socket.lock"), "").unwrap();
    let (_file, _socket) = serve(&path, kind).unwrap();
    connect(&path, kind, LIMIT).unwrap();
}

#[test]
fn a_claim_that_fails_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let _alive = UnixListener::bind(&path).unwrap();
    SocketFile::claim(&path, Type::STREAM).unwrap_err();
    UnixStream::connect(&path).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_only_looks_like_a_lock_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (path, lock) = (folder.path().join("socket"), folder.path().join("socket.lock"));
    fs::write(&lock, "precious").unwrap();
    let error = SocketFile::claim(&path, Type::STREAM).unwrap_err().to_string();
    let said = "is no lock of a server, and it stays: try another --path";
    assert_eq!(error, format!("{} {said}", lock.display()));
    assert_eq!(fs::read_to_string(&lock).unwrap(), "precious");
}

#[test]
fn who_has_removed_its_files_does_not_remove_its_successors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let (first, first_socket) = serve(&path, Type::DGRAM).unwrap();
    first.remove();
    let (second, second_socket) = serve(&path, Type::DGRAM).unwrap();
    drop((first, first_socket));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    connect(&path, Type::DGRAM, LIMIT).unwrap();
    drop((second, second_socket));
}

#[test]
fn of_many_claims_at_once_one_at_a_time_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let served = std::sync::Mutex::new(());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..200 {
                    if let Ok((file, socket)) = serve(&path, Type::DGRAM) {
                        let alone = served.try_lock().expect("another holds it, too");
                        connect(&path, Type::DGRAM, LIMIT).unwrap();
                        drop((alone, file, socket));
                    }
                }
            });
        }
    });
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn two_mailboxes_write_to_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let (one, one_file) = Mailbox::temporary(folder.path()).unwrap();
    let (two, two_file) = Mailbox::temporary(folder.path()).unwrap();
    two.set_time_limits(LIMIT, LIMIT).unwrap();
    one.send_to(b"hello", two_file.path()).unwrap();
    let (length, sender) = two.receive_from(&mut [0; 16]).unwrap();
    assert_eq!((length, sender.as_deref()), (5, Some(one_file.path())));
}

#[rstest]
#[case(0o700, 0o777, "its owner only")]
#[case(0o755, 0o755, "its owner only")]
#[case(0o750, 0o775, "its owner and its group")]
#[case(0o770, 0o777, "its owner and its group")]
#[case(0o755, 0o777, "every user of this machine")]
#[case(0o744, 0o777, "its owner only")]
#[case(0o705, 0o777, "its owner and those who are not in its group")]
fn who_may_connect_is_who_may_enter_and_write(
    #[case] folder_mode: u32,
    #[case] file_mode: u32,
    #[case] who: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let _listener = UnixListener::bind(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(file_mode)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(folder_mode)).unwrap();
    let modes = format!("(mode of the folder: {folder_mode:03o}, of the file: {file_mode:03o})");
    assert_eq!(who_may_connect(&path).unwrap(), format!("{who} {modes}"));
}
