//! `bench udp`: one large file over UDP, directly and through networks that delay and lose.
//!
//! The network is our own relay, which every client finds at one address in place of its server.
//! Servers of TFTP answer from a new port, which the relay does not know: they run only directly.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use netlab::conditions::{Conditions, Path as Way};
use netlab::faults::DatagramFaults;
use netlab::shape::Shape;

use super::comparison::{self, Candidate, MIB_PER_SECOND, Sample};
use super::fair;
use super::payload::{self, Size};
use super::peers::{ATFTP, ATFTPD, CURL, CXX, Peer, TFTPD, UDT, UFTP, UFTPD};
use super::report::{Kind, Report};
use super::setup::{self, Setup};
use super::transfer::{Cargo, transfer};
use super::udp_pairs::{Pair, QuinnSetting, build_udt};

/// One way through the network.
const DELAY: Duration = Duration::from_millis(10);
/// The same datagrams are lost for everybody, as far as everybody sends the same number.
const SEED: u64 = 7;
/// A payload that passes every network with packets of 1,500 bytes.
const INTERNET: u32 = 1400;
const JUMBO: u32 = 65_000;
/// What CUBIC and UDT make of random loss takes minutes for a file as large as the others'.
const PART: u64 = 64;
const A_PART: &str = "a 64th of the file";
const CUBIC: &str = "CUBIC; with loss, a 64th of the file";
const NO_QUINN: &str = "left out by --quick: it takes a minute to build";

/// One large file over UDP: lesson 5, tftp, uftp, UDT and QUIC, on good and bad networks
#[derive(clap::Args)]
pub struct Options {
    /// How large the file is; with --quick 2 MiB
    #[arg(long, default_value = "256MiB")]
    size: Size,
    /// Which networks; all of them without it, and with --quick only `clean`
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAME")]
    scenario: Vec<NetworkPath>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum NetworkPath {
    /// Client and server talk directly
    Clean,
    /// 10 ms each way
    Delay,
    /// 10 ms each way, and 1 % is lost each way
    Loss1,
    /// 10 ms each way, and 5 % is lost each way
    Loss5,
    /// Two uploads at once through 100 Mbit/s
    Fair,
}

impl NetworkPath {
    const ALL: [Self; 5] = [Self::Clean, Self::Delay, Self::Loss1, Self::Loss5, Self::Fair];

    fn title(self) -> &'static str {
        match self {
            Self::Clean => "loopback, direct",
            Self::Delay => "10 ms each way",
            Self::Loss1 => "10 ms and 1 % loss each way",
            Self::Loss5 => "10 ms and 5 % loss each way",
            Self::Fair => "two uploads share 100 Mbit/s",
        }
    }

    fn network(self) -> Option<Conditions> {
        let lose = match self {
            Self::Clean => return None,
            Self::Delay | Self::Fair => 0.0,
            Self::Loss1 => 0.01,
            Self::Loss5 => 0.05,
        };
        let datagrams = DatagramFaults { lose, ..DatagramFaults::default() };
        let shape = Shape { delay: DELAY, ..Shape::default() };
        let way = Way { shape, datagrams, ..Way::default() };
        Some(Conditions::both_ways(SEED, way))
    }

    fn loses(self) -> bool {
        matches!(self, Self::Loss1 | Self::Loss5)
    }
}

/// What all turns share.
pub struct UdpWorkload<'a> {
    pub setup: &'a Setup,
    pub lesson: PathBuf,
    /// Not with `--quick`.
    quinn: Option<PathBuf>,
    file: PathBuf,
    small: PathBuf,
    bytes: u64,
    /// Whether lesson 5 can be told how large its datagrams may be.
    has_datagram: bool,
}

pub fn run(setup: &Setup, options: &Options) -> Result<Report> {
    let bytes = if setup.quick { 2 << 20 } else { options.size.bytes };
    let room = setup::room(&setup.path(""));
    ensure!(room.is_none_or(|room| room > bytes * 3), "too little room: try a smaller --size");
    let lesson = setup.build("lesson-05")?;
    let help = Command::new(&lesson).args(["client", "--help"]).output()?.stdout;
    let workload = UdpWorkload {
        setup,
        quinn: (!setup.quick).then(|| setup.build("quinn-upload")).transpose()?,
        has_datagram: String::from_utf8_lossy(&help).contains("--datagram"),
        lesson,
        file: setup.path("file"),
        small: setup.path("small"),
        bytes,
    };
    payload::write(&workload.file, bytes)?;
    payload::write(&workload.small, (bytes / PART).max(1))?;
    let mut report = Report {
        name: "udp",
        timed: payload::TIMED.to_owned(),
        groups: Vec::new(),
        missing: Vec::new(),
    };
    for path in wanted(setup, options) {
        let (groups, missing) = match path {
            NetworkPath::Fair => fair::run(&workload)?,
            _ => workload.compare(path)?,
        };
        report.groups.extend(groups);
        report.missing.extend(missing);
    }
    // Most are missing on every network.
    let mut named = HashSet::new();
    report.missing.retain(|missing| named.insert(missing.name.clone()));
    Ok(report)
}

fn wanted(setup: &Setup, options: &Options) -> Vec<NetworkPath> {
    match (&options.scenario[..], setup.quick) {
        ([], true) => vec![NetworkPath::Clean],
        ([], false) => NetworkPath::ALL.to_vec(),
        (some, _) => some.to_vec(),
    }
}

impl UdpWorkload<'_> {
    fn compare(&self, path: NetworkPath) -> Result<comparison::Comparison> {
        let size = payload::describe(self.bytes);
        let title = format!("{size} over UDP, {}", path.title());
        let mut candidates = self.everywhere(path);
        if path == NetworkPath::Clean {
            candidates.extend(self.only_direct());
        }
        comparison::run_rounds(self.setup, &title, &[MIB_PER_SECOND], &candidates)
    }

    /// Who can go through a relay.
    fn everywhere(&self, path: NetworkPath) -> Vec<Candidate<'_>> {
        let mut all = vec![self.lesson(path, self.has_datagram.then_some(INTERNET))];
        if path == NetworkPath::Clean && self.has_datagram {
            all.push(self.lesson(path, Some(JUMBO)));
        }
        all.extend(self.quinn(move |workload, pair, setting| {
            // It is as slow as this whatever its windows are.
            let is_slow = !setting.is_bbr && path.loses();
            workload.send(path, pair, if is_slow { &workload.small } else { &workload.file })
        }));
        all.push(self.udt(path, "UDT", 1428));
        // Nothing that delays or loses has room for more than 1,500 bytes.
        if path == NetworkPath::Clean {
            all.push(self.udt(path, "UDT, jumbo", 65_000));
        }
        all.push(self.uftp(path));
        all
    }

    fn lesson(&self, path: NetworkPath, datagram: Option<u32>) -> Candidate<'_> {
        let name = match datagram {
            Some(bytes) => format!("lesson 5, {bytes} bytes"),
            None => "lesson 5".to_owned(),
        };
        let pair = Pair::Lesson { program: &self.lesson, datagram };
        Candidate::new(&name, Kind::Ours, &[], move |_| self.send(path, &pair, &self.file))
    }

    /// quinn in each of its settings, with what makes a turn of a pair.
    pub fn quinn<'b>(
        &'b self,
        turn: impl Fn(&Self, &Pair<'_>, QuinnSetting) -> Result<Sample> + Copy + 'b,
    ) -> [Candidate<'b>; 4] {
        QuinnSetting::ALL.map(|setting| {
            let quinn = move |_: &[PathBuf]| {
                let program = self.quinn.as_deref().context(NO_QUINN)?;
                let certificate = self.setup.path("certificate.der");
                turn(self, &Pair::Quinn { program, certificate, setting }, setting)
            };
            let candidate = Candidate::new(setting.name, Kind::Peer, &[], quinn);
            let left_out = self.quinn.is_none().then_some(NO_QUINN);
            Candidate { left_out, note: if setting.is_bbr { "" } else { CUBIC }, ..candidate }
        })
    }

    fn udt(&self, path: NetworkPath, name: &str, mss: u32) -> Candidate<'_> {
        Candidate::new(name, Kind::Peer, &[CXX, UDT], move |found| {
            let pair = Pair::Udt { program: build_udt(self.setup, &found[0])?, mss };
            self.send(path, &pair, if path.loses() { &self.small } else { &self.file })
        })
        .noted(if path.loses() { A_PART } else { "" })
    }

    /// The rates are those at which it was fastest when they were chosen.
    fn uftp(&self, path: NetworkPath) -> Candidate<'_> {
        let (rate, round_trip, note) = match path {
            NetworkPath::Clean => (3_000_000, "0.01:0.01:0.5", "told to send 3 Gbit/s"),
            _ => (1_500_000, "0.03:0.02:0.5", "told to send 1.5 Gbit/s"),
        };
        let turn = move |found: &[PathBuf]| {
            let (uftp, uftpd) = (&found[0], &found[1]);
            self.send(path, &Pair::Uftp { uftp, uftpd, rate, round_trip }, &self.file)
        };
        Candidate::new("uftp", Kind::Peer, &[UFTP, UFTPD], turn).noted(note)
    }

    fn only_direct(&self) -> [Candidate<'_>; 2] {
        let peer = |name, needs: &'static [Peer], pair: fn(&[PathBuf]) -> Pair<'_>| {
            let turn =
                move |found: &[PathBuf]| self.send(NetworkPath::Clean, &pair(found), &self.file);
            Candidate::new(name, Kind::Peer, needs, turn)
        };
        [
            peer("curl tftp", &[CURL, TFTPD], |found| Pair::Curl {
                curl: &found[0],
                tftpd: &found[1],
            })
            .noted("blocks of 65,464 bytes; only direct: TFTP answers from a new port"),
            peer("atftp", &[ATFTP, ATFTPD], |found| Pair::Atftp {
                atftp: &found[0],
                atftpd: &found[1],
            })
            .noted("blocks of 1,428 bytes, window of 64; only direct, as curl"),
        ]
    }

    fn send(&self, path: NetworkPath, pair: &Pair<'_>, file: &Path) -> Result<Sample> {
        let inbox = self.setup.empty_folder("inbox")?;
        let cargo = Cargo { file, inbox: &inbox, files: 1 };
        let receiver = pair.receiver(&inbox)?;
        transfer(cargo, receiver, path.network(), |server| Ok(pair.client(server, file, &inbox)))
    }
}
