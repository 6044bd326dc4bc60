//! The programs that we are measured against, and the Debian packages that have them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program that the system may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// What it is called, and what is looked for on the path.
    pub program: &'static str,
    /// The Debian package.
    pub package: &'static str,
}

const fn peer(program: &'static str, package: &'static str) -> Peer {
    Peer { program, package }
}

pub const NC: Peer = peer("nc", "netcat-openbsd");
pub const SOCAT: Peer = peer("socat", "socat");
pub const PYTHON: Peer = peer("python3", "python3");
pub const CP: Peer = peer("cp", "coreutils");
pub const IPERF3: Peer = peer("iperf3", "iperf3");
pub const CURL: Peer = peer("curl", "curl");
pub const TFTPD: Peer = peer("in.tftpd", "tftpd-hpa");
pub const ATFTP: Peer = peer("atftp", "atftp");
/// Its package cannot be installed beside [`TFTPD`]'s: it has to be unpacked onto the path.
pub const ATFTPD: Peer = peer("atftpd", "atftpd");
pub const UFTP: Peer = peer("uftp", "uftp");
pub const UFTPD: Peer = peer("uftpd", "uftp");
pub const CXX: Peer = peer("g++", "g++");
/// No program but a library, which [`CXX`] builds ours with.
pub const UDT: Peer = peer("udt/udt.h", "libudt-dev");
pub const SOCKPERF: Peer = peer("sockperf", "sockperf");

/// All of them, for the one line that installs what is missing.
pub const ALL: &[Peer] =
    &[NC, SOCAT, PYTHON, CP, IPERF3, CURL, TFTPD, ATFTP, ATFTPD, UFTP, UFTPD, CXX, UDT, SOCKPERF];

impl Peer {
    /// Where it is, if the system has it. Servers lie in folders that only root has on the path.
    pub fn find(self) -> Option<PathBuf> {
        if self == UDT {
            let places = ["/usr/include", "/usr/local/include"];
            return places
                .map(|place| Path::new(place).join(self.program))
                .into_iter()
                .find(is_file);
        }
        let path = env::var_os("PATH").unwrap_or_default();
        let system = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
        let mut places = env::split_paths(&path).chain(system);
        let found = places.find_map(|place| Some(place.join(self.program)).filter(is_file))?;
        match self {
            // Other programs of this name have neither -N nor -U.
            NC => says(Command::new(&found).arg("-h"), "OpenBSD").map(|_| found),
            // What is on the path may be a script that starts it, and not for nothing.
            PYTHON => {
                let itself = "import sys; print(sys.executable)";
                says(Command::new(&found).args(["-c", itself]), "").map(|said| said.trim().into())
            }
            _ => Some(found),
        }
    }
}

#[expect(clippy::ptr_arg, reason = "a filter is handed the PathBuf")]
fn is_file(path: &PathBuf) -> bool {
    path.is_file()
}

/// What a program prints on either stream, if `text` is in it.
fn says(command: &mut Command, text: &str) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let said = [output.stdout, output.stderr].concat();
    Some(String::from_utf8_lossy(&said).into_owned()).filter(|said| said.contains(text))
}

/// The command that installs the packages of all `peers`.
pub fn install(peers: &[Peer]) -> String {
    let mut packages: Vec<_> = peers.iter().map(|peer| peer.package).collect();
    packages.sort_unstable();
    packages.dedup();
    format!(
        "apt-get install --no-install-recommends {} (atftpd conflicts with tftpd-hpa: apt-get \
         download atftpd, unpack it with dpkg -x, and put its usr/sbin on the path)",
        packages.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_command_installs_every_package_once() {
        let command = install(ALL);
        assert_eq!(command.matches(" uftp").count(), 1, "{command}");
        assert!(ALL.iter().all(|peer| command.contains(peer.package)), "{command}");
    }
}
