//! The tutorial's conversation, in datagrams: the client says `hello`, the server answers `你好`.

use std::time::Duration;

use anyhow::Result;
use netbasics::cli::pair::pair;
use netbasics::values::port::Endpoint;

use crate::{client, server};

/// Runs the server and the client as two threads of this process.
pub fn run(addr: Endpoint) -> Result<()> {
    let answer = server::Options {
        reply: Some("你好".into()),
        room: false,
        expire: Duration::from_secs(300),
    };
    let hello = client::Options {
        messages: vec!["hello".into()],
        timeout: Duration::from_secs(1),
        retries: 3,
    };
    let outcome = pair(
        move |ready, stop| {
            let socket = server::open(&addr)?;
            ready.announce(socket.local_addr()?);
            server::serve(&socket, &answer, &stop)
        },
        move |address| client::run(&address.into(), &hello),
    );
    outcome.into_result()
}
