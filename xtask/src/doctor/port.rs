//! Whether the port that the lessons use by default is free, and who has it.

use std::env::consts::OS;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::Path;

use course::Text;

use super::finding::{Finding, command, text};
use super::reason;

const PORT: u16 = 8888;
/// How often the owner of the port is looked for.
const LOOKS: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Tcp,
    Udp,
}

/// Who has the port.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Owner {
    Program {
        name: String,
        id: u32,
    },
    /// A connection that has ended: TIME-WAIT.
    TimeWait,
    /// The system does not tell us, or we do not know how to ask.
    Unknown,
}

pub fn look() -> Vec<Finding> {
    let tried = [
        (Protocol::Tcp, TcpListener::bind((Ipv4Addr::LOCALHOST, PORT)).map(drop)),
        (Protocol::Udp, UdpSocket::bind((Ipv4Addr::LOCALHOST, PORT)).map(drop)),
    ];
    let taken = tried.into_iter().filter_map(|(protocol, bound)| {
        let error = bound.err()?;
        let owner =
            if OS == "linux" { owner(protocol, Path::new("/proc")) } else { Owner::Unknown };
        Some(judge(protocol, &error, &owner, OS))
    });
    let taken: Vec<Finding> = taken.collect();
    if !taken.is_empty() {
        return taken;
    }
    vec![Finding::ok(text("free, for TCP and for UDP", "空闲，TCP 和 UDP 都可以用"))]
}

fn judge(protocol: Protocol, error: &io::Error, owner: &Owner, os: &str) -> Finding {
    let name = protocol.name();
    if error.kind() != ErrorKind::AddrInUse {
        return Finding::note(text(
            format!("the system refuses it for {name} ({})", reason(error)),
            format!("系统不让 {name} 使用它（{}）", reason(error)),
        ))
        .or_try(another_port())
        .or_try(who_has(protocol, error.kind(), os));
    }
    match owner {
        Owner::Program { name: program, id } => Finding::note(text(
            format!("{program} (process {id}) has it for {name}"),
            format!("{program}（进程 {id}）占用了它的 {name}"),
        ))
        .or_try(text("end that program, or give the lesson another port: --addr 127.0.0.1:0", "结束那个程序，或者让课程换一个端口：--addr 127.0.0.1:0")),
        Owner::TimeWait => Finding::note(text(
            "no program has it, but a connection that has ended (TIME-WAIT): it is free in a minute",
            "没有程序占用它，只有一个已结束的连接还处于 TIME-WAIT 状态：一分钟后就空闲了",
        ))
        .or_try(another_port()),
        Owner::Unknown => Finding::note(text(
            format!("another program has it for {name}"),
            format!("另一个程序占用了它的 {name}"),
        ))
        .or_try(another_port())
        .or_try(who_has(protocol, error.kind(), os)),
    }
}

fn another_port() -> Text {
    text("give the lesson another port: --addr 127.0.0.1:0", "让课程换一个端口：--addr 127.0.0.1:0")
}

/// The command that names the program.
fn who_has(protocol: Protocol, error: ErrorKind, os: &str) -> Text {
    let line = match (os, protocol) {
        // Windows keeps ranges of ports for virtual machines.
        ("windows", Protocol::Tcp) if error == ErrorKind::PermissionDenied => {
            "netsh interface ipv4 show excludedportrange protocol=tcp"
        }
        ("windows", Protocol::Udp) if error == ErrorKind::PermissionDenied => {
            "netsh interface ipv4 show excludedportrange protocol=udp"
        }
        ("windows", Protocol::Tcp) => "Get-NetTCPConnection -LocalPort 8888 (in PowerShell)",
        ("windows", Protocol::Udp) => "Get-NetUDPEndpoint -LocalPort 8888 (in PowerShell)",
        ("linux", Protocol::Tcp) => "sudo ss -ltnp 'sport = :8888'",
        ("linux", Protocol::Udp) => "sudo ss -lunp 'sport = :8888'",
        (_, Protocol::Tcp) => "lsof -nP -iTCP:8888 -sTCP:LISTEN",
        (_, Protocol::Udp) => "lsof -nP -iUDP:8888",
    };
    command(line)
}

/// Asks proc(5): which sockets have the port, and which process has one of them open. The kernel's list is
/// read socket by socket, and one that closes meanwhile (those of our other probes do) makes it skip the
/// next: an owner that is not found is looked for again.
fn owner(protocol: Protocol, proc: &Path) -> Owner {
    (0..LOOKS).find_map(|_| look_for_owner(protocol, proc)).unwrap_or(Owner::Unknown)
}

fn look_for_owner(protocol: Protocol, proc: &Path) -> Option<Owner> {
    let table = |name| fs::read_to_string(proc.join("net").join(name)).unwrap_or_default();
    let [v4, v6] = protocol.tables().map(table);
    let sockets: Vec<(u8, u64)> = [v4, v6].iter().flat_map(|table| sockets_in(table)).collect();
    let serving = |&(state, _): &(u8, u64)| state == protocol.serving();
    let inodes: Vec<u64> =
        sockets.iter().filter(|it| serving(it)).map(|&(_, inode)| inode).collect();
    if inodes.is_empty() && !sockets.is_empty() {
        return Some(Owner::TimeWait);
    }
    process_with(&inodes, proc)
}

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        }
    }

    fn tables(self) -> [&'static str; 2] {
        match self {
            Self::Tcp => ["tcp", "tcp6"],
            Self::Udp => ["udp", "udp6"],
        }
    }

    /// The state in which a socket waits for clients, in Linux' numbers (`TCP_LISTEN`; a UDP socket
    /// without a peer is in `TCP_CLOSE`).
    fn serving(self) -> u8 {
        match self {
            Self::Tcp => 0x0a,
            Self::Udp => 0x07,
        }
    }
}

/// State and inode of each socket of our port in one of the tables of `/proc/net`:
///
/// ```text
/// sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
///  0: 0100007F:22B8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 40321 …
/// ```
fn sockets_in(table: &str) -> Vec<(u8, u64)> {
    let socket = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (_, port) = words.get(1)?.rsplit_once(':')?;
        let (state, inode) = (words.get(3)?, words.get(9)?);
        let is_ours = u16::from_str_radix(port, 16) == Ok(PORT);
        is_ours.then_some((u8::from_str_radix(state, 16).ok()?, inode.parse().ok()?))
    };
    table.lines().skip(1).filter_map(socket).collect()
}

fn process_with(inodes: &[u64], proc: &Path) -> Option<Owner> {
    let links: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    let is_it = |link: &Path| links.iter().any(|wanted| Path::new(wanted) == link);
    for entry in fs::read_dir(proc).ok()?.flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // Processes of others do not show us theirs.
        let Ok(open) = fs::read_dir(entry.path().join("fd")) else { continue };
        if open.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|link| is_it(&link))) {
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            return Some(Owner::Program { name: name.trim_end().to_owned(), id });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:22B8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 40321 1 0
   1: 0100007F:22B9 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 40322 1 0
   2: 0100007F:22B8 0100007F:A1B2 06 00000000:00000000 03:00001770 00000000     0        0 0 3 0
 half a line";

    #[test]
    fn the_sockets_of_the_port_are_found_in_the_table() {
        assert_eq!(sockets_in(TABLE), [(0x0a, 40321), (0x06, 0)]);
    }

    /// A folder that looks as `/proc` does.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_is_named_that_has_a_socket_open() {
        let proc = tempfile::tempdir().unwrap();
        let at = |path: &str| proc.path().join(path);
        for folder in ["net", "self", "7/fd", "77/fd"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        fs::write(at("net/tcp"), TABLE).unwrap();
        assert_eq!(owner(Protocol::Tcp, proc.path()), Owner::Unknown);
        std::os::unix::fs::symlink("socket:[40322]", at("7/fd/3")).unwrap();
        std::os::unix::fs::symlink("socket:[40321]", at("77/fd/3")).unwrap();
        fs::write(at("77/comm"), "lesson-02\n").unwrap();
        let expected = Owner::Program { name: "lesson-02".to_owned(), id: 77 };
        assert_eq!(owner(Protocol::Tcp, proc.path()), expected);
        let ended =
            TABLE.lines().filter(|line| !line.contains(" 0A ")).collect::<Vec<_>>().join("\n");
        fs::write(at("net/tcp"), ended).unwrap();
        assert_eq!(owner(Protocol::Tcp, proc.path()), Owner::TimeWait);
    }

    #[rstest]
    #[case("linux", ErrorKind::AddrInUse, "sudo ss -ltnp")]
    #[case("macos", ErrorKind::AddrInUse, "lsof -nP -iTCP:8888")]
    #[case("windows", ErrorKind::AddrInUse, "Get-NetTCPConnection")]
    #[case("windows", ErrorKind::PermissionDenied, "excludedportrange")]
    fn each_system_has_a_command_that_names_the_program(
        #[case] os: &str,
        #[case] error: ErrorKind,
        #[case] command: &str,
    ) {
        let finding = judge(Protocol::Tcp, &error.into(), &Owner::Unknown, os);
        let tries: Vec<&str> = finding.tries.iter().map(|advice| advice.en.as_str()).collect();
        assert!(tries[0].contains("--addr 127.0.0.1:0"), "{tries:?}");
        assert!(tries[1].contains(command), "{tries:?}");
    }
}
