//! The demonstration: five classes in a table, then the loopback block at work.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
use std::process::ExitCode;

use netbasics::address::{Class, LOOPBACK_V4};
use netbasics::program::OutputError;

/// Three loopback addresses: the one everybody knows, another of the same block, and the only one
/// IPv6 has.
const LOOPBACK_ADDRESSES: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V4(Ipv4Addr::new(127, 1, 2, 3)),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
];

pub fn show() -> anyhow::Result<ExitCode> {
    let text = class_table()? + "\n" + &loopback_at_work()?;
    io::stdout().write_all(text.as_bytes()).map_err(OutputError)?;
    Ok(ExitCode::SUCCESS)
}

fn class_table() -> anyhow::Result<String> {
    let mut table = String::from("The five classes of IPv4 addresses\n\n");
    writeln!(
        table,
        "{:<6}{:<6}{:<13}{:<29}{:>11}  {:<16}Purpose",
        "Class", "Bits", "Block", "Usable addresses", "Size", "Default mask"
    )?;
    for class in Class::ALL {
        writeln!(
            table,
            "{:<6}{:<6}{:<13}{:<29}{:>11}  {:<16}{}",
            class.to_string(),
            class.first_bits(),
            class.block().to_string(),
            format!("{} - {}", class.first_usable(), class.last_usable()),
            class.addresses(),
            class.default_mask().map_or_else(|| "none".to_owned(), |mask| mask.to_string()),
            class.purpose(),
        )?;
    }
    table += "\nClasses are history since CIDR (RFC 1519 of 1993, now RFC 4632): today the prefix\n\
              length says where the network part ends, as in 192.0.2.0/24.\n";
    Ok(table)
}

/// Listens on each address in turn: whatever arrives at a loopback address has never left this
/// machine.
fn loopback_at_work() -> anyhow::Result<String> {
    let mut report = format!(
        "Loopback is all of {LOOPBACK_V4} ({} - {}), and ::1 in IPv6. Listening on:\n\n",
        LOOPBACK_V4.network(),
        LOOPBACK_V4.broadcast()
    );
    for address in LOOPBACK_ADDRESSES {
        writeln!(report, "{:<11}{}", address.to_string(), try_to_listen(address))?;
    }
    Ok(report)
}

// listing: begin try_to_listen
/// Binds port 0, which lets the system pick a free port, so that two runs never collide.
fn try_to_listen(address: IpAddr) -> String {
    let bound = TcpListener::bind((address, 0)).and_then(|listener| listener.local_addr());
    match bound {
        Ok(local) => format!("works: bound to {local}"),
        Err(error) => format!("fails: {}", why_it_failed(address, &error)),
    }
}
// listing: end try_to_listen

fn why_it_failed(address: IpAddr, error: &io::Error) -> String {
    match address {
        IpAddr::V6(_) => format!("this system has no IPv6 loopback ({error})"),
        IpAddr::V4(Ipv4Addr::LOCALHOST) => format!("the loopback interface is not up ({error})"),
        IpAddr::V4(_) if error.kind() == ErrorKind::AddrNotAvailable => format!(
            "this address is not configured here; macOS gives its loopback interface only\n\
             {:<11}127.0.0.1, and `sudo ifconfig lo0 alias {address}` would add this one",
            ""
        ),
        IpAddr::V4(_) => error.to_string(),
    }
}
