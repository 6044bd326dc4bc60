//! Pairs of programs that carry a file over UDP: how each side is started.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use netlab::peers::{Transport, free_port};

use super::setup::Setup;
use super::transfer::{Done, Launch, Ready, Receiver};

/// Where uftpd listens; on the loopback interface alone. uftp writes to its own address.
const GROUP: &str = "239.255.20.5";
/// What we ask the system to hold for a socket, in bytes; it gives what its limits allow.
const SOCKET_BYTES: &str = "4194304";
const UDT_SOURCE: &str = include_str!("peers/udt_upload.cpp");

/// A server that receives one file into a folder, and a client for it.
pub enum Pair<'a> {
    /// Lesson 5; with the largest payload of a datagram, where it can be told.
    Lesson {
        program: &'a Path,
        datagram: Option<u32>,
    },
    Quinn {
        program: &'a Path,
        certificate: PathBuf,
        setting: QuinnSetting,
    },
    /// `mss`: the largest packet, with its IP and UDP headers.
    Udt {
        program: PathBuf,
        mss: u32,
    },
    /// uftp is told how fast it may send, in kbit/s, and how long a round trip takes: at first,
    /// at least and at most, in seconds.
    Uftp {
        uftp: &'a Path,
        uftpd: &'a Path,
        rate: u32,
        round_trip: &'static str,
    },
    Curl {
        curl: &'a Path,
        tftpd: &'a Path,
    },
    Atftp {
        atftp: &'a Path,
        atftpd: &'a Path,
    },
}

/// quinn as it comes, and with what is known to help it: nobody can say that we tuned or crippled
/// it, when both stand in the table.
#[derive(Clone, Copy)]
pub struct QuinnSetting {
    pub name: &'static str,
    /// The congestion control is BBR; otherwise quinn's default, CUBIC.
    pub is_bbr: bool,
    /// Windows and socket buffers are large; otherwise those that its examples have.
    pub is_tuned: bool,
}

impl QuinnSetting {
    pub const ALL: [Self; 4] = [
        Self { name: "quinn, defaults", is_bbr: false, is_tuned: false },
        Self { name: "quinn, 32 MiB windows", is_bbr: false, is_tuned: true },
        Self { name: "quinn BBR, defaults", is_bbr: true, is_tuned: false },
        Self { name: "quinn BBR, 32 MiB windows", is_bbr: true, is_tuned: true },
    ];

    /// For both sides.
    fn arguments(self) -> Vec<&'static str> {
        let bbr = self.is_bbr.then_some("--bbr");
        bbr.into_iter().chain(self.is_tuned.then_some("--large-windows")).collect()
    }
}

impl Pair<'_> {
    pub fn receiver(&self, inbox: &Path) -> Result<Receiver> {
        let says = |launch, text| Receiver { launch, ready: Ready::Says, done: Done::Says(text) };
        Ok(match self {
            Self::Lesson { program, .. } => {
                let server = ["server", "--addr", "127.0.0.1:0", "--dir"];
                says(Launch::new(program).args(&server).arg(inbox), "stored ")
            }
            Self::Quinn { program, certificate, setting } => {
                let server = ["server", "--addr", "127.0.0.1:0", "--dir"];
                let launch = Launch::new(program).args(&setting.arguments()).args(&server);
                says(launch.arg(inbox).arg("--certificate").arg(certificate), "stored ")
            }
            Self::Udt { program, mss } => {
                let launch = Launch::new(program).arg("server").arg(inbox).arg(mss.to_string());
                says(launch, "stored")
            }
            Self::Uftp { uftpd, .. } => bound(Done::Says("done file close"), |port| {
                let server = ["-d", "-I", "lo", "-M", GROUP, "-B", SOCKET_BYTES, "-p", port, "-D"];
                Ok(Launch::new(uftpd).args(&server).arg(inbox))
            })?,
            Self::Curl { tftpd, .. } => bound(Done::Whole, |port| {
                let address = format!("127.0.0.1:{port}");
                let server = ["-L", "-c", "-p", "-B", "65464", "-a", &address, "-u", &user()?];
                Ok(Launch::new(tftpd).args(&server))
            })?,
            Self::Atftp { atftpd, .. } => bound(Done::Whole, |port| {
                let whose = format!("{0}.{0}", user()?);
                let server =
                    ["--daemon", "--no-fork", "--bind-address", "127.0.0.1", "--port", port];
                let launch = Launch::new(atftpd).args(&server);
                Ok(launch.args(&["--user", &whose, "--logfile", "-"]).arg(inbox))
            })?,
        })
    }

    pub fn client(&self, server: SocketAddr, file: &Path, inbox: &Path) -> Launch {
        let (host, port) = (server.ip().to_string(), server.port().to_string());
        match self {
            Self::Lesson { program, datagram } => {
                let client = ["client", "--addr", &server.to_string()];
                let launch = Launch::new(program).args(&client).arg(file);
                match datagram {
                    Some(bytes) => launch.arg("--datagram").arg(bytes.to_string()),
                    None => launch,
                }
            }
            Self::Quinn { program, certificate, setting } => {
                let client = ["client", "--addr", &server.to_string(), "--certificate"];
                let launch = Launch::new(program).args(&setting.arguments()).args(&client);
                launch.arg(certificate).arg(file)
            }
            Self::Udt { program, mss } => {
                let launch = Launch::new(program).args(&["client", &host, &port]);
                launch.arg(file).arg(mss.to_string())
            }
            Self::Uftp { uftp, rate, round_trip, .. } => {
                let to = ["-I", "lo", "-M", &host, "-P", &host, "-p", &port, "-B", SOCKET_BYTES];
                let speed = ["-R", &rate.to_string(), "-r", round_trip, "-D", "file"];
                Launch::new(uftp).args(&to).args(&speed).arg(file)
            }
            Self::Curl { curl, .. } => {
                let url = format!("tftp://{server}/{}/file", inbox.display());
                let client =
                    ["--silent", "--show-error", "--tftp-blksize", "65464", "--upload-file"];
                Launch::new(curl).args(&client).arg(file).arg(url)
            }
            Self::Atftp { atftp, .. } => {
                let options = ["--option", "blksize 1428", "--option", "windowsize 64"];
                let launch = Launch::new(atftp).args(&options).args(&["--put", "-l"]).arg(file);
                launch.args(&["-r", "file", &host, &port])
            }
        }
    }
}

/// A server that is told its port, because it cannot say which one it has.
fn bound(done: Done, launch: impl FnOnce(&str) -> Result<Launch>) -> Result<Receiver> {
    let port = free_port(Transport::Udp);
    let launch = launch(&port.to_string())?;
    Ok(Receiver { launch, ready: Ready::Bound(Transport::Udp, port), done })
}

/// Servers of TFTP become another user, who cannot write to our folder; unless it is us.
fn user() -> Result<String> {
    let output = Command::new("id").arg("-un").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Builds our program on UDT.
pub fn build_udt(setup: &Setup, compiler: &Path) -> Result<PathBuf> {
    let (source, program) = (setup.path("udt_upload.cpp"), setup.path("udt_upload"));
    if !program.exists() {
        std::fs::write(&source, UDT_SOURCE)?;
        let mut compile = Command::new(compiler);
        let compile =
            compile.args(["-O2", "-std=c++17", "-o"]).arg(&program).arg(source).arg("-ludt");
        let output = compile.output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "the program on UDT does not compile: {said}");
    }
    Ok(program)
}
