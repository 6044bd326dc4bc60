//! Sockets, and messages on them: opened the right way on each system, with errors that a student can
//! act on. It prints nothing: what goes wrong is returned.

pub mod frame;
mod lookup;
pub mod socket;
pub mod socket_error;
pub mod udp;
pub mod unix;
