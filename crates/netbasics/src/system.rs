//! What the course asks the operating system for that the standard library does not offer: to wait for
//! a socket *or* the stop, to move many datagrams or a whole file with few calls, to open a file
//! without waiting, to publish one whole or not at all. It prints nothing.

pub mod datagrams;
pub mod files;
pub mod inbox;
pub mod sendfile;
pub mod stop;
pub mod wait;
pub mod waker;
