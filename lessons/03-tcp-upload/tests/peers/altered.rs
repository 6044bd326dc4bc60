//! The lesson on systems that differ from this one: names with two addresses, and calls that are
//! refused, as a container, a network drive or an overlay does.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::fs;
use std::path::PathBuf;

use crate::common::{Host, LIMIT, Receipt, file, random_bytes};
use libtest_mimic::Trial;
use netlab::peers::{
    LOCALHOST_IS_IPV6_FIRST, refusing, trial_refusing, trial_with_hosts, with_hosts,
};
use netlab::program::Server;

const PROGRAM: &str = env!("CARGO_BIN_EXE_lesson-03");

pub fn trials() -> Vec<Trial> {
    vec![
        trial_with_hosts("a_server_at_the_second_address_is_found", second_address_is_tried),
        trial_refusing("without_locks_uploads_are_stored", || {
            is_stored_without(&["flock:error=ENOLCK"]);
        }),
        trial_refusing("a_folder_without_fsync_is_no_reason_to_say_refused", || {
            // The first call is for the file, the second for its folder.
            is_stored_without(&["fsync:error=EIO:when=2+"]);
        }),
        trial_refusing("a_file_system_without_fsync_stores_all_the_same", || {
            is_stored_without(&["fsync:error=EINVAL"]);
        }),
        trial_refusing("without_sendfile_splice_statx_and_getrandom_uploads_are_stored", || {
            is_stored_without(&[
                "sendfile,splice,statx:error=ENOSYS",
                "getrandom,renameat2:error=EPERM",
            ]);
        }),
        trial_refusing("a_file_that_is_not_on_the_disk_is_refused", unwritten_file_is_refused),
    ]
}

fn second_address_is_tried() {
    let host = Host::start_on_a_free_port(&[]);
    let (_folder, path) = file("a.bin", b"some bytes");
    let mut client = with_hosts(LOCALHOST_IS_IPV6_FIRST, PROGRAM);
    client.args([
        "client",
        "--addr",
        &format!("localhost:{}", host.server.address().port()),
        &path,
    ]);
    assert_cmd::Command::from_std(client).timeout(2 * LIMIT).assert().success();
    assert!(host.stored("a.bin") == b"some bytes");
}

/// A server where calls are refused.
fn host_without(faults: &[&str], args: &[&str]) -> Host {
    let folder = tempfile::tempdir().unwrap();
    let mut command = refusing(faults, PROGRAM);
    command.args(["server", "--addr", "127.0.0.1:0", "--dir"]).arg(folder.path()).args(args);
    Host { server: Server::start(&mut command, LIMIT).unwrap(), folder }
}

/// Both framings, with both sides on a system that refuses calls.
fn is_stored_without(faults: &[&str]) {
    let content = random_bytes(1, 3 << 20);
    let (_folder, path) = file("a.bin", &content);
    for (framing, name) in [("sized", "a.bin"), ("eof", "upload.bin")] {
        let host = host_without(faults, &["--framing", framing]);
        let mut client = refusing(faults, PROGRAM);
        client.args(["client", "--addr", &host.addr(), "--framing", framing, &path]);
        let sent = assert_cmd::Command::from_std(client).timeout(6 * LIMIT).assert().success();
        sent.stderr("");
        assert!(fs::read(PathBuf::from(host.folder.path()).join(name)).unwrap() == content);
        assert_eq!(host.names(), [name]);
        assert!(
            host.server.says(&format!("stored {name} from "), LIMIT),
            "{}",
            host.server.stderr()
        );
    }
}

/// The disk fails while the file itself is written: that must not be called stored.
fn unwritten_file_is_refused() {
    let host = host_without(&["fsync:error=EIO:when=1"], &[]);
    let Receipt::Refused(reason) = host.upload("a.bin", b"some bytes") else {
        panic!("it is not on the disk");
    };
    assert!(reason.starts_with("cannot store the file: "), "{reason}");
    assert_eq!(host.names(), [""; 0]);
}
