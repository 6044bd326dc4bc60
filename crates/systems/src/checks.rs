//! What is tried with every lesson. Each check returns why it failed.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use course::Transport;
use netlab::peers::Peer;
use netlab::port::free_port_for_any;
use netlab::program::poll;

use crate::lessons::Lesson;
use crate::wine::{Wine, windows_path};

/// For whatever is done in a moment on a machine that has nothing else to do.
const LIMIT: Duration = Duration::from_secs(120);
/// For a grading, which waits a lot.
const GRADING_LIMIT: Duration = Duration::from_secs(600);
/// What lesson 3 uploads.
const UPLOAD_BYTES: usize = 50_000_000;

/// The lesson's program without arguments: both sides, as threads.
pub fn demo(wine: &Wine, lesson: &Lesson) -> Result<()> {
    let mut demo = wine.program(&lesson.program());
    if lesson.server.is_some() {
        demo.args(["--addr", "127.0.0.1:0"]);
    }
    run(&mut demo, LIMIT).and_then(|ended| ended.expect(0))
}

/// Server and client as two processes, started by xtask's own `run`.
pub fn talk(wine: &Wine, root: &Path, lesson: &Lesson) -> Result<()> {
    let mut xtask = wine.program("xtask");
    xtask.args(["run", &lesson.number]).current_dir(root);
    run(&mut xtask, LIMIT).and_then(|ended| ended.expect(0))
}

/// The solution of one exercise, graded: full points end with 0.
pub fn graded(wine: &Wine, root: &Path, exercise: &str) -> Result<()> {
    let mut xtask = wine.program("xtask");
    xtask.args(["grade", exercise, "--submission", "solution"]).current_dir(root);
    run(&mut xtask, GRADING_LIMIT).and_then(|ended| ended.expect(0))
}

/// A second server on the port of the first one ends with 1 and says why; Ctrl-C ends the first one
/// although a client is connected, which is in the middle of an upload where it can be; then
/// nothing is left, and the port is free.
pub fn stop(wine: &Wine, lesson: &Lesson) -> Result<()> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    // One that no other program is given before the last server has it.
    let address = format!("127.0.0.1:{}", free_port_for_any());
    let mut server = Server::start(wine, lesson, folder.path(), &address)?;

    let mut second = wine.program(&lesson.program());
    second.args(arguments(lesson, folder.path(), &address));
    let refused = run(&mut second, LIMIT)?;
    refused.expect(1)?;
    ensure!(refused.said.contains("another program has it"), "a port in use: {}", refused.said);

    let client = (lesson.transport == Transport::Tcp).then(|| connect(server.address, lesson));
    let client = client.transpose()?;
    if lesson.number == "03" {
        let begun = || names_in(folder.path()).ok().filter(|names| !names.is_empty());
        poll(LIMIT, begun).context("the upload does not begin")?;
    }
    server.interrupt()?;
    let left = names_in(folder.path())?;
    ensure!(left.is_empty(), "Ctrl-C has left {left:?} behind");
    drop(client);
    Server::start(wine, lesson, folder.path(), &address)
        .context("the port cannot be bound again")?
        .interrupt()
}

/// A large file by lesson 3, from one process to another.
pub fn upload(wine: &Wine, lesson: &Lesson) -> Result<()> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let (file, inbox) = (folder.path().join("large.bin"), folder.path().join("inbox"));
    let content: Vec<u8> = (0..UPLOAD_BYTES / 8)
        .flat_map(|n| (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes())
        .collect();
    fs::write(&file, &content).context("cannot write the file")?;
    fs::create_dir(&inbox).context("cannot make the inbox")?;
    let mut server = Server::start(wine, lesson, &inbox, "127.0.0.1:0")?;
    let mut client = wine.program(&lesson.program());
    client.args(["client", "--addr", &server.address.to_string(), &windows_path(&file)]);
    run(&mut client, LIMIT)?.expect(0)?;
    server.interrupt()?;
    let arrived = fs::read(inbox.join("large.bin")).context("no file has arrived")?;
    ensure!(arrived == content, "{} bytes have arrived, and not the ones sent", arrived.len());
    Ok(())
}

/// A server in a console of its own.
struct Server {
    program: Peer,
    address: SocketAddr,
}

impl Server {
    fn start(wine: &Wine, lesson: &Lesson, folder: &Path, address: &str) -> Result<Self> {
        let mut command = wine.interruptible(&lesson.program());
        command.args(arguments(lesson, folder, address));
        let mut program = Peer::start(&mut command);
        let found = poll(LIMIT, || {
            if let Some(address) = announced(&program.stdout()) {
                return Some(Ok(address));
            }
            let ended = program.ends(Duration::ZERO)?;
            Some(Err(anyhow!("the server ended ({ended}): {}", program.stderr())))
        });
        let address = found.with_context(|| format!("the server is not ready: {program:?}"))??;
        Ok(Self { program, address })
    }

    /// Ctrl-C.
    fn interrupt(&mut self) -> Result<()> {
        let pressed = Instant::now();
        self.program.close_input();
        let ended = self.program.ends(LIMIT);
        let said = || format!("{}{}", self.program.stdout(), self.program.stderr());
        match ended.map(|status| status.code()) {
            Some(Some(0)) => Ok(()),
            Some(_) => bail!("after Ctrl-C the server ended with {ended:?}: {}", said()),
            None => bail!("{:?} after Ctrl-C the server runs: {}", pressed.elapsed(), said()),
        }
    }
}

/// The first whole line of what a server prints tells where it listens.
fn announced(stdout: &str) -> Option<SocketAddr> {
    let lines = stdout.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    lines.into_iter().find_map(|line| line.trim_end().strip_prefix("listening on ")?.parse().ok())
}

fn arguments(lesson: &Lesson, folder: &Path, address: &str) -> Vec<String> {
    let folder = windows_path(folder);
    let own = lesson.server.iter().flatten().map(|word| word.replace("{dir}", &folder));
    ["server", "--addr", address].map(String::from).into_iter().chain(own).collect()
}

/// A client that has begun and says no more.
fn connect(address: SocketAddr, lesson: &Lesson) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address).context("cannot connect")?;
    if lesson.number == "03" {
        // A frame with the file's length and name, and the beginning of the file.
        stream.write_all(b"\0\0\0\x0d\0\0\0\0\0\x01\0\0a.binbeginning").context("cannot send")?;
    }
    Ok(stream)
}

fn names_in(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).context("cannot list the inbox")?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// How a program ended, and what it said on both streams.
struct Ended {
    command: String,
    code: Option<i32>,
    said: String,
}

impl Ended {
    fn expect(&self, code: i32) -> Result<()> {
        ensure!(
            self.code == Some(code),
            "{} ended with {:?} instead of {code}:\n{}",
            self.command,
            self.code,
            self.said
        );
        Ok(())
    }
}

fn run(command: &mut Command, limit: Duration) -> Result<Ended> {
    let mut program = Peer::start(command);
    program.close_input();
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    let Some(status) = program.ends(limit) else {
        bail!("{} has not ended within {limit:?}: {program:?}", words.join(" "));
    };
    let said = format!("{}{}", program.stdout(), program.stderr());
    Ok(Ended { command: words.join(" "), code: status.code(), said })
}
