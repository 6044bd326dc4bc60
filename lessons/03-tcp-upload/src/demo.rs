//! A file goes up twice with length and receipt, and once with nothing but the end of the stream.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use netbasics::cli::log;
use netbasics::cli::pair::pair;
use netbasics::cli::program::OutputError;
use netbasics::net::socket;
use netbasics::values::port::Endpoint;

use crate::protocol::Framing;
use crate::{client, server};

/// What is uploaded, large enough for many segments.
const LINES: usize = 20_000;

pub fn run(addr: &Endpoint) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("poem.txt");
    let inbox = folder.path().join("inbox");
    fs::create_dir(&inbox)?;
    fs::write(&file, "床前明月光，疑是地上霜。\n".repeat(LINES))?;

    writeln!(log::output(), "--framing sized: the same file twice").map_err(OutputError)?;
    upload(addr, &file, &inbox, Framing::Sized, 2)?;
    writeln!(log::output(), "--framing eof: the file ends with the stream").map_err(OutputError)?;
    upload(addr, &file, &inbox, Framing::Eof, 1)?;

    for name in ["poem.txt", "poem-1.txt", "upload.bin"] {
        ensure!(fs::read(inbox.join(name))? == fs::read(&file)?, "{name} is not what was sent");
        writeln!(log::output(), "{name} is identical to what was sent").map_err(OutputError)?;
    }
    Ok(())
}

/// Runs a server and a client as two threads; the client uploads `times` times.
fn upload(addr: &Endpoint, file: &Path, inbox: &Path, framing: Framing, times: u32) -> Result<()> {
    let addr = addr.clone();
    let idle = Duration::from_secs(10);
    let receive = server::Options { dir: inbox.into(), framing, max_bytes: 1 << 30, idle };
    let send = client::Options { file: file.into(), name: None, framing, timeout: 2 * idle };
    let outcome = pair(
        move |ready, stop| {
            let server = server::Server::new(receive, stop)?;
            let listener = socket::listen_tcp(&addr)?;
            ready.announce(listener.local_addr()?);
            server.serve(&listener)
        },
        move |address| {
            for _ in 0..times {
                log!("sending {}", send.file.file_name().unwrap_or_default().display());
                client::run(&address.into(), &send)?;
            }
            Ok(())
        },
    );
    outcome.into_result()
}
