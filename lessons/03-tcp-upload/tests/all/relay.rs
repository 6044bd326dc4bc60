//! The lesson's program through a network that slices, holds back, stalls and breaks.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use crate::common;
use std::fs;
use std::time::Duration;

use crate::common::{Host, lesson, random_bytes};
use netlab::conditions::{Coalesce, Conditions, Path, Stall, StreamFaults};
use netlab::program::poll;
use netlab::record::Transport;
use netlab::relay::Relay;
use rstest::rstest;

const LENGTH: usize = 20_000;

/// A server with a relay before it.
fn behind(stream: StreamFaults) -> (Host, Relay) {
    let host = Host::start(&[]);
    let conditions = Conditions::both_ways(3, Path { stream, ..Path::default() });
    let server = host.server.address();
    let relay = Relay::start(Transport::Tcp, server, conditions, None).unwrap();
    (host, relay)
}

/// The client uploads `LENGTH` bytes as `a.bin` through the relay.
fn upload(relay: &Relay) -> assert_cmd::assert::Assert {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.bin");
    fs::write(&file, random_bytes(3, LENGTH)).unwrap();
    lesson().args(["client", "--addr", &relay.address().to_string()]).arg(&file).assert()
}

fn slices() -> StreamFaults {
    StreamFaults { slice: Some(1), ..StreamFaults::default() }
}

fn one_piece() -> StreamFaults {
    let coalesce = Some(Coalesce { bytes: 1 << 20, wait: Duration::from_millis(20) });
    StreamFaults { coalesce, ..StreamFaults::default() }
}

fn a_stall() -> StreamFaults {
    let stall = Some(Stall { after: 10_000, time: Duration::from_millis(200) });
    StreamFaults { stall, ..StreamFaults::default() }
}

#[rstest]
#[case::single_bytes(slices())]
#[case::everything_at_once(one_piece())]
#[case::a_stall_in_the_middle(a_stall())]
fn a_file_arrives_exactly_however_its_bytes_are_cut(#[case] stream: StreamFaults) {
    let (host, relay) = behind(stream);
    upload(&relay).success();
    assert!(host.stored("a.bin") == random_bytes(3, LENGTH));
    assert_eq!(host.names(), ["a.bin"]);
}

#[rstest]
#[case::in_the_header(5)]
#[case::in_the_file(10_000)]
fn a_reset_publishes_nothing_and_the_client_says_so(#[case] bytes: u64) {
    let (host, relay) = behind(StreamFaults { reset_after: Some(bytes), ..Default::default() });
    upload(&relay).code(1);
    let cleaned = || host.names().is_empty().then_some(());
    assert!(poll(common::LIMIT, cleaned).is_some(), "{:?}", host.names());
}

#[rstest]
#[case::in_the_header(5)]
#[case::in_the_file(10_000)]
fn a_stream_that_ends_early_publishes_nothing_and_the_client_says_so(#[case] bytes: u64) {
    let host = Host::start(&[]);
    let mut conditions = Conditions::default();
    conditions.to_server.stream.close_after = Some(bytes);
    let server = host.server.address();
    let relay = Relay::start(Transport::Tcp, server, conditions, None).unwrap();
    upload(&relay).code(1);
    let cleaned = || host.names().is_empty().then_some(());
    assert!(poll(common::LIMIT, cleaned).is_some(), "{:?}", host.names());
}

#[test]
fn a_server_that_is_not_there_is_said() {
    let host = Host::start(&[]);
    let conditions = Conditions { refuse: true, ..Conditions::default() };
    let server = host.server.address();
    let relay = Relay::start(Transport::Tcp, server, conditions, None).unwrap();
    let failed = upload(&relay).code(1).get_output().clone();
    let said = String::from_utf8_lossy(&failed.stderr);
    assert!(said.contains("refused"), "{said}");
}
