//! How a program of the course talks to a person: what it prints, where, and with which code it ends.
//! No other storey prints.

pub mod log;
pub mod pair;
pub mod program;
pub mod ready;
pub mod serve;

// So that `use netbasics::cli::log` brings the module and the macro.
pub use crate::{log, log_limited};
