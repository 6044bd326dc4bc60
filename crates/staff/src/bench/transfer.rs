//! One file goes from a client to a server, and we look at the clock.
//!
//! The clock starts when the client is started, and the server has been listening since before
//! that. It stops when both are true: the client has ended with success, and the server's side has
//! the whole file, which it shows by saying so (ours) or by ending (those that serve one client).
//! Then the file is compared, byte by byte; that is not timed.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use grader::process;
use netlab::conditions::Conditions;
use netlab::peers::{self, Transport};
use netlab::record::Transport::Udp;
use netlab::relay::Relay;
use netlab::timed::{Ended, Timed};

use super::comparison::{OUT_OF_TIME, Sample};
use super::report::Memory;

/// How long a server may take until it can be spoken to.
const READY_LIMIT: Duration = Duration::from_secs(10);
/// How long a transfer may take.
pub const LIMIT: Duration = Duration::from_secs(120);
/// How often we look up from waiting: for Ctrl-C, and for what a program has said.
const TICK: Duration = Duration::from_millis(1);
const BLOCK: usize = 64 * 1024;

/// A program that is about to run, with what its streams are tied to.
pub struct Launch {
    command: Command,
    stdin: Option<PathBuf>,
    stdout: Option<PathBuf>,
}

impl Launch {
    pub fn new(program: &Path) -> Self {
        Command::new(program).into()
    }

    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    pub fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub fn reading(mut self, file: &Path) -> Self {
        self.stdin = Some(file.to_owned());
        self
    }

    pub fn writing(mut self, file: PathBuf) -> Self {
        self.stdout = Some(file);
        self
    }

    pub fn start(mut self) -> Result<Timed> {
        let stdin = self
            .stdin
            .map_or_else(|| Ok(Stdio::null()), |file| File::open(file).map(Into::into))?;
        let stdout = self
            .stdout
            .map_or_else(|| Ok(Stdio::piped()), |file| File::create(file).map(Into::into))?;
        Ok(Timed::start(&mut self.command, stdin, stdout)?)
    }
}

impl From<Command> for Launch {
    fn from(command: Command) -> Self {
        Self { command, stdin: None, stdout: None }
    }
}

/// How one knows that a server can be spoken to.
#[derive(Clone, Copy)]
pub enum Ready {
    /// It prints `listening on HOST:PORT`.
    Says,
    /// The system lists a socket that listens on (TCP), or is bound to (UDP), this port.
    Bound(Transport, u16),
}

/// How one knows that the server's side has the whole file.
#[derive(Clone, Copy)]
pub enum Done {
    /// It serves one client and ends.
    Ends,
    /// It says a line with this in it, and serves on.
    Says(&'static str),
    /// It says nothing of it; the file has its full length.
    Whole,
}

/// A server that will receive into a folder.
pub struct Receiver {
    pub launch: Launch,
    pub ready: Ready,
    pub done: Done,
}

/// The file that is sent, and the folder in which it, alone, is expected.
#[derive(Clone, Copy)]
pub struct Cargo<'a> {
    pub file: &'a Path,
    pub inbox: &'a Path,
    /// How many times it is expected. Not once from iperf3, which sends bytes and no file.
    pub files: usize,
}

/// Starts the server, then its client with the server's address, or, where there is a `network`
/// between them, with that of a UDP relay; MiB/s, and both sides' memory.
pub fn transfer(
    cargo: Cargo<'_>,
    receiver: Receiver,
    network: Option<Conditions>,
    client: impl FnOnce(SocketAddr) -> Result<Launch>,
) -> Result<Sample> {
    let mut server = receiver.launch.start()?;
    let address = wait_until_ready(&mut server, receiver.ready)?;
    let until = Instant::now() + LIMIT;
    let relay = network.map(|network| Relay::start(Udp, address, network, None)).transpose()?;
    let address = relay.as_ref().map_or(address, Relay::address);
    let mut client = client(address)?.start()?;
    let sent = finish("the client", &mut client, until)?;
    let stored = match receiver.done {
        Done::Ends => finish("the server", &mut server, until)?.at,
        Done::Says(text) => wait_for(&mut server, text, until)?.0,
        Done::Whole => wait_until_whole(cargo, &server, until)?,
    };
    let took = sent.at.max(stored) - client.started();
    let server = server.kill().map(|ended| ended.peak_memory);
    check(cargo)?;
    let memory = Memory { server, client: Some(sent.peak_memory) };
    Ok(Sample { values: vec![mib_per_second(fs::metadata(cargo.file)?.len(), took)], memory })
}

#[expect(clippy::cast_precision_loss, reason = "a speed needs no more digits than a f64 has")]
pub fn mib_per_second(bytes: u64, took: Duration) -> f64 {
    bytes as f64 / f64::from(1 << 20) / took.as_secs_f64()
}

/// Where the server can be reached.
pub fn wait_until_ready(server: &mut Timed, ready: Ready) -> Result<SocketAddr> {
    match ready {
        Ready::Says => {
            let until = Instant::now() + READY_LIMIT;
            let (_, line) = wait_for(server, "listening on ", until)?;
            let address = line.rsplit(' ').next().unwrap_or_default();
            address.parse().with_context(|| format!("this names no address: {line}"))
        }
        Ready::Bound(transport, port) => {
            let until = Instant::now() + READY_LIMIT;
            while !peers::is_bound(transport, port, TICK) {
                check_time(until, "the server listens", server)?;
                if let Some(ended) = server.ends(Duration::ZERO) {
                    let said = last_line(server);
                    bail!("the server ended ({}) before it listened{said}", ended.status);
                }
            }
            Ok((Ipv4Addr::LOCALHOST, port).into())
        }
    }
}

/// When a program says a line with `text` in it, and the line.
pub fn wait_for(program: &mut Timed, text: &str, until: Instant) -> Result<(Instant, String)> {
    loop {
        if let Some(found) = program.has_said(text) {
            return Ok(found);
        }
        check_time(until, &format!("it said {text:?}"), program)?;
        if let Some(ended) = program.ends(TICK)
            && program.has_said(text).is_none()
        {
            bail!(
                "a program ended ({}) and never said {text:?}{}",
                ended.status,
                last_line(program)
            );
        }
    }
}

/// Waits until a program has ended, well.
pub fn finish(who: &str, program: &mut Timed, until: Instant) -> Result<Ended> {
    loop {
        if let Some(ended) = program.ends(TICK * 100) {
            ensure!(
                ended.status.success(),
                "{who} failed ({}){}",
                ended.status,
                last_line(program)
            );
            return Ok(ended);
        }
        check_time(until, &format!("{who} ended"), program)?;
    }
}

pub fn check_time(until: Instant, what: &str, program: &Timed) -> Result<()> {
    if process::is_interrupted() {
        bail!("interrupted");
    }
    let said = last_line(program);
    ensure!(Instant::now() < until, "{OUT_OF_TIME} before {what}{said}");
    Ok(())
}

/// The end of what a program has said, for an error that one can read.
fn last_line(program: &Timed) -> String {
    let said = program.said();
    said.lines()
        .rfind(|line| !line.trim().is_empty())
        .map_or(String::new(), |line| format!("; its last line: {}", line.trim()))
}

/// When the one file in the inbox has its full length.
fn wait_until_whole(cargo: Cargo<'_>, server: &Timed, until: Instant) -> Result<Instant> {
    let length = fs::metadata(cargo.file)?.len();
    loop {
        let mut files = fs::read_dir(cargo.inbox)?.flatten();
        if files.any(|file| file.metadata().is_ok_and(|file| file.len() == length)) {
            return Ok(Instant::now());
        }
        check_time(until, "the whole file had arrived", server)?;
        thread::sleep(TICK);
    }
}

/// Compares what has arrived with what was sent, and removes it.
pub fn check(Cargo { file, inbox, files }: Cargo<'_>) -> Result<()> {
    if files == 0 {
        return Ok(());
    }
    let entries = fs::read_dir(inbox)?.collect::<Result<Vec<_>, _>>()?;
    // Locks and parts of files are hidden.
    let is_file = |entry: &&fs::DirEntry| !entry.file_name().to_string_lossy().starts_with('.');
    let arrived: Vec<_> = entries.iter().filter(is_file).collect();
    ensure!(arrived.len() == files, "{files} should have arrived, not {}", arrived.len());
    for arrived in arrived {
        ensure!(is_same(file, &arrived.path())?, "another file has arrived than was sent");
        fs::remove_file(arrived.path())?;
    }
    Ok(())
}

fn is_same(one: &Path, other: &Path) -> Result<bool> {
    if fs::metadata(one)?.len() != fs::metadata(other)?.len() {
        return Ok(false);
    }
    let open = |path| Ok::<_, std::io::Error>(BufReader::with_capacity(BLOCK, File::open(path)?));
    let (mut one, mut other) = (open(one)?, open(other)?);
    let (mut left, mut right) = (vec![0; BLOCK], vec![0; BLOCK]);
    loop {
        let length = one.read(&mut left)?;
        if length == 0 {
            return Ok(true);
        }
        // The lengths are equal, so this has as many bytes.
        other.read_exact(&mut right[..length])?;
        if left[..length] != right[..length] {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changed_byte_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        let mut bytes = vec![7; 3 * BLOCK + 5];
        fs::write(&one, &bytes).unwrap();
        fs::write(&other, &bytes).unwrap();
        assert!(is_same(&one, &other).unwrap());
        bytes[3 * BLOCK] = 8;
        fs::write(&other, &bytes).unwrap();
        assert!(!is_same(&one, &other).unwrap());
        fs::write(&other, &bytes[1..]).unwrap();
        assert!(!is_same(&one, &other).unwrap());
    }
}
