//! Programs on a system that differs from this one: other names, or system calls that are refused.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::Trial;

use super::trial_if;

/// `localhost` is `::1` first and 127.0.0.1 then, whatever the order of the lines (RFC 6724, section
/// 2.1: the default table prefers IPv6).
pub const LOCALHOST_IS_IPV6_FIRST: &str = "127.0.0.1 localhost\n::1 localhost\n";

/// `two.test` is 127.0.0.1 first and 127.0.0.2 then.
pub const TWO_ADDRESSES: &str = "127.0.0.1 two.test\n127.0.0.2 two.test\n";

/// A socket at 127.0.0.1 that says nothing, at the [`free_port`](crate::port::free_port) that a server
/// has at 127.0.0.2.
///
/// # Errors
/// When somebody else has it.
pub fn silent_twin(server: SocketAddr) -> io::Result<UdpSocket> {
    UdpSocket::bind(("127.0.0.1", server.port()))
}

/// A test that needs [`with_hosts`].
pub fn trial_with_hosts(name: &str, test: fn()) -> Trial {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "mount", "--bind", "/etc/hosts", "/etc/hosts"]);
    let missing = "unshare is not installed or not allowed here".to_owned();
    trial_if(succeeds(command), missing, &format!("{name} [unshare]"), test)
}

/// A command that runs `program` where `lines` are the hosts file (hosts(5)), in a mount namespace
/// of its own: nothing changes for anybody else.
#[must_use]
pub fn with_hosts(lines: &str, program: impl AsRef<Path>) -> Command {
    // Once it is mounted, the file needs no name any more.
    let script = "file=$(mktemp) && printf %s \"$0\" > \"$file\" && \
        mount --bind \"$file\" /etc/hosts && rm \"$file\" && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script, lines]).arg(program.as_ref());
    command
}

/// A test that needs [`on_terminal`].
pub fn trial_on_terminal(name: &str, test: fn()) -> Trial {
    let missing = "the script(1) of util-linux is not installed".to_owned();
    let is_there = succeeds(on_terminal(80, "true", &[]));
    trial_if(is_there, missing, &format!("{name} [script]"), test)
}

/// A command that runs `program` on a terminal with `columns` columns, and prints what comes there:
/// with `\r\n` at the end of each line. Its exit code is the program's.
#[must_use]
pub fn on_terminal(columns: u16, program: &str, args: &[&str]) -> Command {
    let quoted = |word: &&str| format!("'{}'", word.replace('\'', r"'\''"));
    let words: Vec<String> = [program].iter().chain(args).map(quoted).collect();
    let line = format!("stty rows 40 cols {columns} && {}", words.join(" "));
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    command
}

/// A test that needs [`refusing`].
pub fn trial_refusing(name: &str, test: fn()) -> Trial {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", "inject=flock:error=ENOLCK", "true"]);
    let missing = "strace is not installed, or may not trace".to_owned();
    trial_if(succeeds(command), missing, &format!("{name} [strace]"), test)
}

/// A command that runs `program` on a system that answers some calls with an error. `faults` are
/// strace's own, such as `flock:error=ENOLCK` or `fsync:error=EINVAL:when=2+` (strace(1), "inject").
#[must_use]
pub fn refusing(faults: &[&str], program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null"]);
    for fault in faults {
        command.arg("-e").arg(format!("inject={fault}"));
    }
    command.arg(program.as_ref());
    command
}

fn succeeds(mut command: Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
