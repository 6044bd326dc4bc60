//! The demonstration: five classes in a table, then the loopback block at work.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
use std::process::ExitCode;

use netbasics::cli::program::OutputError;
use netbasics::values::address::{Class, LOOPBACK_V4};

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

/// No line is wider than 60 columns, so that no terminal breaks one inside a word.
fn class_table() -> anyhow::Result<String> {
    let mut table = String::from("The five classes of IPv4 addresses\n\n");
    writeln!(table, "{:<6}{:<6}{:<13}Usable addresses", "Class", "Bits", "Block")?;
    for class in Class::ALL {
        let (class_name, block) = (class.to_string(), class.block().to_string());
        let usable = format!("{} - {}", class.first_usable(), class.last_usable());
        writeln!(table, "{class_name:<6}{:<6}{block:<13}{usable}", class.first_bits())?;
        let mask = class
            .default_mask()
            .map_or_else(|| "no default mask".to_owned(), |mask| format!("default mask {mask}"));
        writeln!(table, "{:<6}{} addresses, {mask}", "", class.addresses())?;
        writeln!(table, "{:<6}{}", "", class.purpose())?;
    }
    table += "\nClasses are history since CIDR (RFC 1519 of 1993, now\n\
              RFC 4632): today the prefix length says where the network\n\
              part ends, as in 192.0.2.0/24.\n";
    Ok(table)
}

/// Listens on each address in turn: whatever arrives at a loopback address has never left this
/// machine.
fn loopback_at_work() -> anyhow::Result<String> {
    let mut report = format!(
        "Loopback is all of {LOOPBACK_V4}\n(from {} to {}), and ::1 in IPv6.\nListening on:\n\n",
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
            "this address is not configured here; macOS gives\n{0:<11}its loopback interface only \
             127.0.0.1, and\n{0:<11}`sudo ifconfig lo0 alias {address}` would add it",
            ""
        ),
        IpAddr::V4(_) => error.to_string(),
    }
}
