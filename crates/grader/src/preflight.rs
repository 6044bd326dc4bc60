//! Whether this machine can grade at all, looked at before a grading and after every case that did
//! not pass: a program that cannot listen on loopback because there is none has failed at nothing.
//!
//! What is looked at is what a case needs at most: loopback, ports, descriptors, room for files. All
//! of it takes a few milliseconds.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use crate::Problem;

/// The most descriptors that a test, or a program under test, has open at one time, and some more. (A
/// Mac allows 256 if nobody asks for more.)
const DESCRIPTORS: usize = 192;
/// The most ports that a case needs at one time, and some more, beyond the few that one look takes.
const PORTS: usize = 64;
/// The largest files that a case writes, taken together.
const DISK_BYTES: usize = 64 * 1024 * 1024;
/// They are written in blocks of this size.
const BLOCK_BYTES: usize = 1024 * 1024;
/// Loopback carries a byte in microseconds.
const LIMIT: Duration = Duration::from_secs(10);

/// How much of the disk is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// All that a case may need: once, before a grading.
    Whole,
    /// Whether anything can be written: after a case.
    OneBlock,
}

/// Looks whether this machine can grade.
///
/// # Errors
/// A sentence that says what is missing and what to do about it.
pub fn check(disk: Disk) -> Result<(), Problem> {
    loopback().map_err(|error| no_loopback(&error))?;
    ports().map_err(|error| {
        format!(
            "no free ports: {PORTS} sockets cannot be bound on 127.0.0.1 at the same time ({error}); \
             end what holds them, or wait a minute for those in TIME-WAIT"
        )
    })?;
    descriptors().map_err(|error| {
        format!(
            "no descriptors: {DESCRIPTORS} files cannot be open at the same time ({error}); raise the \
             limit, as with `ulimit -n 1024`"
        )
    })?;
    write(disk).map_err(|error| {
        let folder = std::env::temp_dir();
        let room = DISK_BYTES / 1024 / 1024;
        Problem::from(format!(
            "no room on the disk: {} takes no file ({error}); make room for {room} MiB there, or name \
             another folder with the variable TMPDIR",
            folder.display()
        ))
    })
}

fn no_loopback(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrNotAvailable | ErrorKind::NetworkUnreachable => format!(
            "loopback is down: 127.0.0.1 cannot be used ({error}); switch it on, as with \
             `ip link set lo up`, or start the container with a network"
        ),
        _ if is_no_descriptor(error) => {
            format!(
                "no descriptors: there is none left for a socket ({error}); raise the limit, as \
                     with `ulimit -n 1024`"
            )
        }
        ErrorKind::AddrInUse => format!(
            "no free ports: no socket can be bound on 127.0.0.1 ({error}); end what holds them, or \
             wait a minute for those in TIME-WAIT"
        ),
        _ => format!("loopback does not work: two sockets on 127.0.0.1 cannot talk ({error})"),
    }
}

/// Whether the process, or the whole machine, has no more descriptors (EMFILE and ENFILE; errno(3)).
fn is_no_descriptor(error: &io::Error) -> bool {
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}

/// A byte from one socket to another, over TCP and over UDP.
fn loopback() -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut near = TcpStream::connect_timeout(&listener.local_addr()?, LIMIT)?;
    let (mut far, _) = listener.accept()?;
    far.set_read_timeout(Some(LIMIT))?;
    near.write_all(b"?")?;
    far.read_exact(&mut [0])?;
    let (here, there) = (udp()?, udp()?);
    there.set_read_timeout(Some(LIMIT))?;
    here.send_to(b"?", there.local_addr()?)?;
    there.recv(&mut [0]).map(drop)
}

fn udp() -> io::Result<UdpSocket> {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
}

/// Running out of descriptors here is told as what it is by the next look.
fn ports() -> io::Result<()> {
    let mut bound = Vec::new();
    for _ in 0..PORTS / 2 {
        let both = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|tcp| Ok((tcp, udp()?)));
        match both {
            Err(error) if is_no_descriptor(&error) => return Ok(()),
            both => bound.push(both?),
        }
    }
    Ok(())
}

fn descriptors() -> io::Result<()> {
    let this = std::env::current_exe()?;
    let files: io::Result<Vec<File>> = (0..DESCRIPTORS).map(|_| File::open(&this)).collect();
    files.map(drop)
}

/// Writes one block, and the others only where room for them cannot be had without writing.
fn write(disk: Disk) -> io::Result<()> {
    let (mut file, block) = (tempfile::tempfile()?, vec![0x5a; BLOCK_BYTES]);
    file.write_all(&block)?;
    if disk == Disk::Whole && !reserves(&file, DISK_BYTES as u64) {
        (1..DISK_BYTES / BLOCK_BYTES).try_for_each(|_| file.write_all(&block))?;
    }
    file.flush()
}

/// Whether the system has set `bytes` aside for the file (fallocate(2)). If it has not, as the file
/// system cannot do that or has no room, writing tells which.
#[cfg(unix)]
fn reserves(file: &File, bytes: u64) -> bool {
    rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, bytes).is_ok()
}

#[cfg(not(unix))]
fn reserves(_file: &File, _bytes: u64) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_can_grade() {
        assert_eq!(check(Disk::Whole), Ok(()));
    }

    /// No file system has room for the first; the second is little, but not every system can reserve it.
    #[cfg(unix)]
    #[test]
    fn room_is_reserved_only_where_there_is_room() {
        let file = tempfile::tempfile().unwrap();
        assert!(!reserves(&file, u64::MAX / 4));
        // Where it can be done at all, the file is as long as that.
        if reserves(&file, BLOCK_BYTES as u64) {
            assert_eq!(file.metadata().unwrap().len(), BLOCK_BYTES as u64);
        }
    }

    #[test]
    fn every_reason_says_what_is_missing_and_what_to_do() {
        let no = |kind: ErrorKind| no_loopback(&kind.into());
        assert!(no(ErrorKind::AddrNotAvailable).contains("loopback is down"));
        assert!(no(ErrorKind::NetworkUnreachable).contains("ip link set lo up"));
        assert!(no(ErrorKind::AddrInUse).contains("no free ports"));
        assert!(no(ErrorKind::TimedOut).contains("two sockets on 127.0.0.1 cannot talk"));
    }
}
