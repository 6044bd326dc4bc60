//! `bench upload`: one large file over TCP on the loopback interface.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, ensure};
use netlab::peers::{Transport, free_port};

use super::comparison::{self, Candidate, MIB_PER_SECOND, Sample};
use super::payload::{self, Size};
use super::peers::{CP, IPERF3, NC, PYTHON, SOCAT};
use super::report::{Kind, Memory, Report};
use super::setup::{self, Setup};
use super::transfer::{self, Cargo, Done, LIMIT, Launch, Ready, Receiver, transfer};

/// The uploader that beginners write: whole files in memory, 1024 bytes at a time.
const PLAIN: &str = include_str!("peers/plain_upload.py");
/// What the same language can do when asked.
const SENDFILE: &str = include_str!("peers/sendfile_upload.py");

/// One large file over TCP: lesson 3, nc, socat, Python, and cp as a landmark
#[derive(clap::Args)]
pub struct Options {
    /// How large the file is, as in 64MiB; with --quick 4 MiB
    #[arg(long, default_value = "1GiB")]
    size: Size,
}

/// What all turns share.
struct TcpWorkload<'a> {
    setup: &'a Setup,
    file: PathBuf,
    bytes: u64,
}

pub fn run(setup: &Setup, options: &Options) -> Result<Report> {
    let lesson = setup.build("lesson-03")?;
    let bytes = if setup.quick { 4 << 20 } else { options.size.bytes };
    let file = setup.path("file");
    ensure!(
        setup::room(&setup.path("")).is_none_or(|room| room > bytes * 3),
        "too little room for a file of {bytes} bytes, sent and received: try a smaller --size"
    );
    payload::write(&file, bytes)?;
    let workload = TcpWorkload { setup, file, bytes };
    // The first use of this much memory costs extra, and the first candidate should not pay for
    // it.
    std::fs::copy(&workload.file, setup.path("warm"))?;
    std::fs::remove_file(setup.path("warm"))?;
    let title = format!("{} over TCP, loopback", payload::describe(bytes));
    let candidates = candidates(&workload, &lesson);
    let (groups, missing) = comparison::run_rounds(setup, &title, &[MIB_PER_SECOND], &candidates)?;
    Ok(Report { name: "upload", timed: payload::TIMED.to_owned(), groups, missing })
}

fn candidates<'a>(workload: &'a TcpWorkload<'a>, lesson: &'a Path) -> Vec<Candidate<'a>> {
    let ours = |framing: &'static str| {
        let name = format!("lesson 3, {framing}");
        Candidate::new(&name, Kind::Ours, &[], move |_| workload.lesson(lesson, framing))
    };
    let python = |name, script: &'static str| {
        let turn = move |found: &[PathBuf]| workload.python(&found[0], script);
        Candidate::new(name, Kind::Peer, &[PYTHON], turn)
    };
    vec![
        ours("eof"),
        ours("sized").noted("hashed and compared on both sides"),
        Candidate::new("nc", Kind::Peer, &[NC], |found| workload.nc(&found[0])),
        Candidate::new("socat", Kind::Peer, &[SOCAT], |found| workload.socat(&found[0]))
            .noted("-b 262144"),
        python("Python, plain", PLAIN).noted("recv(1024), the whole file in memory"),
        python("Python, sendfile", SENDFILE),
        Candidate::new("cp", Kind::Landmark, &[CP], |found| workload.cp(&found[0]))
            .noted("no network"),
        Candidate::new("iperf3", Kind::Landmark, &[IPERF3], |found| workload.iperf3(&found[0]))
            .noted("no file: the ceiling"),
    ]
}

impl TcpWorkload<'_> {
    fn cargo<'b>(&'b self, inbox: &'b Path) -> Cargo<'b> {
        Cargo { file: &self.file, inbox, files: 1 }
    }

    fn lesson(&self, program: &Path, framing: &str) -> Result<Sample> {
        let inbox = self.setup.empty_folder("inbox")?;
        let server = ["server", "--addr", "127.0.0.1:0", "--framing", framing, "--dir"];
        let launch = Launch::new(program).args(&server).arg(&inbox);
        // Said after the file has got its name.
        let receiver = Receiver { launch, ready: Ready::Says, done: Done::Says("stored ") };
        transfer(self.cargo(&inbox), receiver, None, |server| {
            let client = ["client", "--addr", &server.to_string(), "--framing", framing];
            Ok(Launch::new(program).args(&client).arg(&self.file))
        })
    }

    fn nc(&self, nc: &Path) -> Result<Sample> {
        let inbox = self.setup.empty_folder("inbox")?;
        let port = free_port(Transport::Tcp);
        let launch = Launch::new(nc).args(&["-l", "127.0.0.1", &port.to_string()]);
        let receiver = serves_one(launch.writing(inbox.join("file")), port);
        transfer(self.cargo(&inbox), receiver, None, |_| {
            let client = Launch::new(nc).args(&["-N", "127.0.0.1", &port.to_string()]);
            Ok(client.reading(&self.file))
        })
    }

    fn socat(&self, socat: &Path) -> Result<Sample> {
        let inbox = self.setup.empty_folder("inbox")?;
        let port = free_port(Transport::Tcp);
        let from = format!("TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr");
        let to = format!("CREATE:{}", inbox.join("file").display());
        let launch = Launch::new(socat).args(&["-u", "-b", "262144", &from, &to]);
        transfer(self.cargo(&inbox), serves_one(launch, port), None, |server| {
            let from = format!("OPEN:{},rdonly", self.file.display());
            let to = format!("TCP:{server}");
            Ok(Launch::new(socat).args(&["-u", "-b", "262144", &from, &to]))
        })
    }

    fn python(&self, python: &Path, script: &str) -> Result<Sample> {
        let inbox = self.setup.empty_folder("inbox")?;
        let port = free_port(Transport::Tcp).to_string();
        let launch = Launch::new(python).args(&["-c", script, "server", &port]);
        let receiver = serves_one(launch.arg(inbox.join("file")), port.parse()?);
        transfer(self.cargo(&inbox), receiver, None, |_| {
            Ok(Launch::new(python).args(&["-c", script, "client", &port]).arg(&self.file))
        })
    }

    fn iperf3(&self, iperf3: &Path) -> Result<Sample> {
        let port = free_port(Transport::Tcp);
        let server = ["-s", "-1", "-B", "127.0.0.1", "-p", &port.to_string()];
        let receiver = serves_one(Launch::new(iperf3).args(&server), port);
        let cargo = Cargo { files: 0, ..self.cargo(&self.file) };
        transfer(cargo, receiver, None, |_| {
            let (port, bytes) = (port.to_string(), self.bytes.to_string());
            Ok(Launch::new(iperf3).args(&["-c", "127.0.0.1", "-p", &port, "-n", &bytes]))
        })
    }

    fn cp(&self, cp: &Path) -> Result<Sample> {
        let inbox = self.setup.empty_folder("inbox")?;
        let mut copy = Launch::new(cp).arg(&self.file).arg(inbox.join("file")).start()?;
        let ended = transfer::finish("cp", &mut copy, Instant::now() + LIMIT)?;
        let speed = transfer::mib_per_second(self.bytes, ended.at - copy.started());
        transfer::check(self.cargo(&inbox))?;
        let memory = Memory { server: None, client: Some(ended.peak_memory) };
        Ok(Sample { values: vec![speed], memory })
    }
}

fn serves_one(launch: Launch, port: u16) -> Receiver {
    Receiver { launch, ready: Ready::Bound(Transport::Tcp, port), done: Done::Ends }
}
