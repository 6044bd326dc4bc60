//! Each part of a case is tried where it succeeds and where it fails, with what it then says.

#![allow(clippy::unwrap_used)] // a failed step is a failed test

mod client;
mod end;
mod folder;
mod host;
mod network;
mod places;
mod running;
mod serving;
mod udp;

use std::net::{TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use netlab::port::free_address;
use netlab::record::Transport;

use crate::case::Case;
use crate::shared::Shared;

/// Long enough that a program that speaks too early has spoken.
const A_MOMENT: Duration = Duration::from_millis(50);

/// A case of a shell script, which sees the contract's arguments as `$1`, `$2`, …
fn case_of(script: &str) -> Case {
    let program = ["sh", "-c", script, "sh"].map(str::to_owned).to_vec();
    Case::at(Shared::of("00", "trial", program))
}

/// A case whose program is of no importance.
fn case() -> Case {
    case_of("exit 2")
}

/// The report of a test that must fail.
fn report_of(test: impl FnOnce()) -> String {
    let failure = catch_unwind(AssertUnwindSafe(test)).unwrap_err();
    *failure.downcast::<String>().unwrap()
}

/// Asserts that `report` says all of this.
#[track_caller]
fn assert_says(report: &str, words: &[&str]) {
    for word in words {
        assert!(report.contains(word), "nothing says {word:?} in:\n{report}");
    }
}

/// A server that serves one client, in place of a program under test. Nobody else is given its port
/// afterwards.
fn serving_once(
    serve: impl FnOnce(TcpStream) + Send + 'static,
) -> (std::net::SocketAddr, JoinHandle<()>) {
    let address = free_address(Transport::Tcp);
    let listener = TcpListener::bind(address).unwrap();
    (address, thread::spawn(move || serve(listener.accept().unwrap().0)))
}
