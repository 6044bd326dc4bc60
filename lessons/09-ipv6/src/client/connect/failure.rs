//! What to say when no address has worked.

use std::net::SocketAddr;

use anyhow::{Error, anyhow};

use crate::client::eyeballs::{Eyeballs, Settings};
use crate::family::text;

/// The first half of what `netbasics::net::socket_error::explain` says: the reason without the advice.
pub fn reason(why: &str) -> &str {
    why.split(';').next().unwrap_or(why)
}

/// One line: each address and its reason.
pub fn why(name: &str, addresses: &[SocketAddr], eyeballs: &Eyeballs, settings: Settings) -> Error {
    let silence = format!(
        "no answer within {} s; a firewall may drop what comes, or the machine is off",
        settings.give_up.as_secs_f64()
    );
    let why = |address: &SocketAddr| {
        let attempt = eyeballs.attempts().iter().find(|attempt| attempt.address == *address);
        match attempt.map(|attempt| attempt.failure.as_deref()) {
            Some(Some(failure)) => failure.to_owned(),
            Some(None) => silence.clone(),
            None => "not tried in that time".to_owned(),
        }
    };
    match addresses {
        [] => anyhow!("cannot connect to {name}: it has no address"),
        [only] => anyhow!("cannot connect to {}: {}", text(*only), why(only)),
        _ => {
            let each = addresses.iter().map(|one| format!("{}: {}", text(*one), reason(&why(one))));
            let each = each.collect::<Vec<_>>().join("; ");
            anyhow!("cannot connect to {name} ({each}): is the server running, and --addr right?")
        }
    }
}
