//! The keyword at work, the keyword broken twice, and what works in its place.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use netbasics::cli::log;
use netbasics::cli::pair::pair;
use netbasics::cli::program::OutputError;
use netbasics::net::socket;
use netbasics::system::datagrams::Datagrams;
use netbasics::values::port::Endpoint;

use crate::link::Link;
use crate::packet::BLOCK_BYTES;
use crate::server::Mode;
use crate::{client, server};

/// One upload to show: what is sent how, what the network loses, and whether it arrives whole.
#[derive(Clone)]
struct Scene {
    title: &'static str,
    content: Vec<u8>,
    mode: Mode,
    lost_datagram: Option<u64>,
    lost_answer: Option<u64>,
    arrives: bool,
}

pub fn run(addr: &Endpoint) -> Result<()> {
    let poem = "白日依山尽，黄河入海流。\n".repeat(150).into_bytes();
    // The second datagram of this one is exactly the keyword.
    let tricky = [&poem[..1024], b"END"].concat();
    let keyword = Scene {
        title: "the keyword works",
        content: poem.clone(),
        mode: Mode::Keyword,
        lost_datagram: None,
        lost_answer: None,
        arrives: true,
    };
    show(addr, &keyword)?;
    let title = "a file that contains the keyword";
    show(addr, &Scene { title, content: tricky.clone(), arrives: false, ..keyword.clone() })?;
    let title = "one datagram is lost";
    show(addr, &Scene { title, lost_datagram: Some(1), arrives: false, ..keyword.clone() })?;

    let title = "reliable: the file that contains the keyword";
    let reliable = Scene { title, content: tricky, mode: Mode::Reliable, ..keyword };
    show(addr, &reliable)?;
    let title = "reliable: one datagram is lost";
    let reliable = Scene { title, content: poem, lost_datagram: Some(3), ..reliable };
    show(addr, &reliable)?;
    let title = "reliable: the last answer is lost";
    // The answers are a token, an ack of open, five acks of data, and then `stored`.
    show(addr, &Scene { title, lost_datagram: None, lost_answer: Some(7), ..reliable })
}

fn show(addr: &Endpoint, scene: &Scene) -> Result<()> {
    writeln!(log::output(), "--- {}", scene.title).map_err(OutputError)?;
    let folder = tempfile::tempdir()?;
    // With the keyword nobody says what the file is called, and the server calls it this.
    let file = folder.path().join("upload.bin");
    let inbox = folder.path().join("inbox");
    fs::create_dir(&inbox)?;
    fs::write(&file, &scene.content)?;
    upload(addr, &file, &inbox, scene)?;
    let stored = fs::read(inbox.join("upload.bin"))?;
    let arrived = stored == scene.content;
    let verdict = if arrived { "identical" } else { "NOT what was sent, and nobody noticed" };
    let (sent, stored) = (scene.content.len(), stored.len());
    writeln!(log::output(), "sent {sent} bytes, stored {stored}: {verdict}")
        .map_err(OutputError)?;
    ensure!(arrived == scene.arrives, "this was meant to go the other way");
    Ok(())
}

/// Runs a server and a client as two threads.
fn upload(addr: &Endpoint, file: &Path, inbox: &Path, scene: &Scene) -> Result<()> {
    let addr = addr.clone();
    let Scene { mode, lost_datagram, lost_answer, .. } = *scene;
    let idle = Duration::from_secs(10);
    let receive =
        server::Options { dir: inbox.into(), mode, max_bytes: 1 << 30, idle, lose: lost_answer };
    let timeout = Duration::from_millis(50);
    let file = file.into();
    // One datagram after the other, so that their numbers are the same in every run.
    let (datagram, window) = (BLOCK_BYTES, Some(1));
    let send = client::Options {
        file,
        name: None,
        mode,
        timeout,
        retries: 8,
        datagram,
        window,
        lose: lost_datagram,
    };
    let outcome = pair(
        move |ready, stop| {
            let mut receiver = server::open_receiver(&receive)?;
            let socket = socket::bind_udp(&addr)?;
            ready.announce(socket.local_addr()?);
            let mut link = Link::new(Datagrams::new(socket)?, receive.lose);
            server::serve(&mut link, receiver.as_mut(), idle, &stop)
        },
        move |address| client::run(&address.into(), &send),
    );
    outcome.into_result()
}
