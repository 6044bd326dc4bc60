//! The package's integration tests, as one program: linking a test program takes longer than most
//! tests, and tests of several files run side by side.

#[path = "../common/mod.rs"]
mod common;
#[path = "../stories/mod.rs"]
mod stories;

mod determinism;
mod golden;
mod tcp_relay;
mod udp_relay;
mod watching;
