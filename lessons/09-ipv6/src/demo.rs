//! Everything at once: an address in its texts, a server for both families, and a client whose first
//! address does not answer.

mod silent;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::thread;

use anyhow::{Result, anyhow};
use netbasics::cli::log;
use netbasics::cli::pair::pair;
use netbasics::values::port::Endpoint;

use crate::client::eyeballs::Settings;
use crate::family::missing_ipv6;
use crate::{address, client, server};
use silent::Silent;

/// An address as somebody might have written it.
const ADDRESS: &str = "2001:DB8:0:0:8:0800:200C:417A";

const LOOPBACK_V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const LOOPBACK_V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// Runs all parts as threads of this process. On a machine without IPv6 it says so, and shows what
/// is left.
pub fn run(addr: &Endpoint) -> Result<()> {
    labelled("[address]", || address::run(&address::Options { texts: vec![ADDRESS.into()] }))?;
    let missing = missing_ipv6();
    if let Some(missing) = &missing {
        labelled("[client]", || {
            log!("{missing}; what follows is the half that needs only IPv4");
            Ok(())
        })?;
    }
    let has_ipv6 = missing.is_none();
    let port = addr.port;
    let outcome = pair(
        move |ready, stop| {
            let wildcard = if has_ipv6 { Ipv6Addr::UNSPECIFIED.into() } else { LOOPBACK_V4 };
            let address = Endpoint::from(SocketAddr::new(wildcard, port));
            let options = server::Options { dual: has_ipv6, two: false };
            let listeners = server::open(&address, &options)?;
            ready.announce(listeners[0].local_addr()?);
            server::serve(&listeners, &stop)
        },
        move |server| visit(server.port(), has_ipv6),
    );
    outcome.into_result()
}

/// One client after the other: over IPv6, over IPv4, and by whichever address answers.
fn visit(port: u16, has_ipv6: bool) -> Result<()> {
    let (v4, v6) = (SocketAddr::new(LOOPBACK_V4, port), SocketAddr::new(LOOPBACK_V6, port));
    if has_ipv6 {
        meet("the server", &[v6], "hello over IPv6")?;
    }
    meet("the server", &[v4], "hello over IPv4")?;
    let silent = Silent::open(if has_ipv6 { LOOPBACK_V6 } else { LOOPBACK_V4 })?;
    log!("now a name with two addresses, of which the first does not answer");
    meet("the name", &[silent.address(), v4], "hello by happy eyeballs")
}

fn meet(name: &str, addresses: &[SocketAddr], message: &str) -> Result<()> {
    let Settings { attempt_delay, give_up: timeout, .. } = Settings::default();
    let (messages, candidates) = (vec![message.to_owned()], Vec::new());
    let options = client::Options { messages, candidates, attempt_delay, timeout };
    client::meet(name, addresses, &options)
}

/// Does `work` on a thread of that name, whose lines then carry it as their label.
fn labelled(label: &str, work: impl FnOnce() -> Result<()> + Send) -> Result<()> {
    thread::scope(|threads| {
        let thread = thread::Builder::new().name(label.to_owned()).spawn_scoped(threads, work)?;
        thread.join().map_err(|_| anyhow!("the thread {label} panicked"))?
    })
}
