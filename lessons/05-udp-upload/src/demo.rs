//! The keyword at work, the keyword broken twice, and what works in its place.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use netbasics::duet::duet;
use netbasics::port::Endpoint;
use netbasics::socket;

use crate::link::Link;
use crate::server::Mode;
use crate::{client, server};

/// One upload to show: what is sent how, what the network loses, and whether it arrives whole.
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
    let scene = |title, mode, content: &[u8], lost_datagram, lost_answer, arrives| Scene {
        title,
        content: content.to_vec(),
        mode,
        lost_datagram,
        lost_answer,
        arrives,
    };
    for scene in [
        scene("the keyword works", Mode::Keyword, &poem, None, None, true),
        scene("a file that contains the keyword", Mode::Keyword, &tricky, None, None, false),
        scene("one datagram is lost", Mode::Keyword, &poem, Some(1), None, false),
        scene("reliable: the same file", Mode::Reliable, &tricky, None, None, true),
        scene("reliable: a datagram is lost", Mode::Reliable, &poem, Some(2), None, true),
        // Answers: ack of open, of five data packets, and then the one that says `stored`.
        scene("reliable: the last answer is lost", Mode::Reliable, &poem, None, Some(6), true),
    ] {
        show(addr, &scene)?;
    }
    Ok(())
}

fn show(addr: &Endpoint, scene: &Scene) -> Result<()> {
    println!("--- {}", scene.title);
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("upload.bin");
    let inbox = folder.path().join("inbox");
    fs::create_dir(&inbox)?;
    fs::write(&file, &scene.content)?;
    upload(addr, &file, &inbox, scene)?;
    let stored = fs::read(inbox.join("upload.bin"))?;
    let arrived = stored == scene.content;
    let verdict = if arrived { "identical" } else { "NOT what was sent, and nobody noticed" };
    println!("sent {} bytes, stored {}: {verdict}", scene.content.len(), stored.len());
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
    let send = client::Options { file, name: None, mode, timeout, retries: 8, lose: lost_datagram };
    let outcome = duet(
        move |ready, stop| {
            let mut receiver = server::receiver(&receive)?;
            let socket = socket::bind_udp(&addr)?;
            ready.announce(socket.local_addr()?);
            server::serve(&Link::new(socket, receive.lose), receiver.as_mut(), idle, &stop)
        },
        move |address| client::run(&address.into(), &send),
    );
    outcome.server.and(outcome.client)
}
