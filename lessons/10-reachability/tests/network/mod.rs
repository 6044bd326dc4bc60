//! Networks of one's own: a network namespace (Linux) has its own loopback interface, routes and
//! limits, and its creator is its administrator. So ICMP sockets can be allowed and forbidden
//! there, and hosts made unreachable, without touching the machine.

use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Allows ICMP sockets to the one group there is.
pub const ALLOW: &str = "echo '0 0' > /proc/sys/net/ipv4/ping_group_range";

/// `program` inside a new network with a loopback interface; `setup` is run by a shell before.
pub fn inside(setup: &str, program: &str) -> Command {
    let script = format!("set -e\nip link set lo up\n{setup}\nexec \"$@\"");
    let mut command = Command::new("unshare");
    // -r: root in a user namespace of its own; -n: the network namespace.
    command.args(["-rn", "sh", "-c", &script, "sh", program]);
    command
}

/// Whether this system lets us make such networks (unshare and ip are there, and permitted).
pub fn can_be_made() -> bool {
    static MADE: OnceLock<bool> = OnceLock::new();
    *MADE.get_or_init(|| {
        let mut command = inside(ALLOW, "true");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}
