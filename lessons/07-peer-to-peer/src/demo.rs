//! Three nodes, ann, bob and cid, as threads of one process: they find each other, talk, one of them
//! crashes, and the others go on. (`stage` starts them and knows what has happened.)

mod stage;

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};

use anyhow::Result;
use netbasics::cli::log;
use netbasics::cli::program::plain;
use netbasics::net::socket;
use netbasics::net::socket_error::DOCTOR;
use netbasics::values::port::Endpoint;

use crate::discovery;
use stage::Stage;

/// Runs the play; whatever goes wrong in it, every thread ends.
pub fn run(addr: &Endpoint) -> Result<()> {
    let listener = socket::listen_tcp(addr)?;
    let address = listener.local_addr()?;
    let (group, named) = how_to_find(address)?;
    let mut stage = Stage::new(group);
    stage.enter("ann", listener, vec![])?;
    for name in ["bob", "cid"] {
        let listener = socket::listen_tcp(SocketAddr::new(address.ip(), 0))?;
        stage.enter(name, listener, named.clone())?;
    }
    let played = play(&mut stage);
    let ended = stage.end();
    ended.and(played)
}

/// By multicast if it works on this machine; else bob and cid are told where ann listens.
fn how_to_find(ann: SocketAddr) -> Result<(Option<SocketAddrV4>, Vec<SocketAddr>)> {
    // A group of our own: its port is one that nobody else has now, so that no other chat on this
    // machine hears us.
    let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let group = SocketAddrV4::new(Ipv4Addr::new(239, 255, 77, 7), port);
    match discovery::works(group, ann.ip()) {
        Ok(()) => Ok((Some(group), vec![])),
        Err(error) => {
            let why = plain(&error);
            log!(
                "multicast does not work here ({why}; {DOCTOR}): so bob and cid are told of ann, by --peer"
            );
            Ok((None, vec![ann]))
        }
    }
}

// listing: begin play
fn play(stage: &mut Stage) -> Result<()> {
    stage.until_all_have_met()?;
    stage.says("ann", "good evening")?;
    stage.says("bob", "hello, ann")?;
    stage.says("cid", "你好")?;
    stage.crashes("cid")?;
    stage.says("ann", "is cid still there?")?;
    stage.says("bob", "no, but we are")?;
    stage.leaves("bob")?;
    stage.leaves("ann")
}
// listing: end play
