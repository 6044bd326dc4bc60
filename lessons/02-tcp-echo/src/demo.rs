//! The tutorial's conversation: the client says `hello`, the server answers `你好`.

use std::time::Duration;

use anyhow::Result;
use netbasics::cli::pair::pair;
use netbasics::values::port::Endpoint;

use crate::{client, server};

/// Runs the server and the client as two threads of this process.
pub fn run(addr: Endpoint) -> Result<()> {
    let idle = Duration::from_secs(10);
    let reply = Some("你好".into());
    let answer = server::Options { reply, each_read: false, idle, events: false };
    let hello = client::Options { messages: vec!["hello".into()] };
    let outcome = pair(
        move |ready, stop| {
            let listener = server::open(&addr)?;
            ready.announce(listener.local_addr()?);
            server::serve(&listener, &answer, &stop)
        },
        move |address| client::run(&address.into(), &hello),
    );
    outcome.into_result()
}
