//! What both sides need to speak HTTP/1.1: heads, bodies, and a connection to send them on.

pub mod body;
pub mod date;
pub mod framing;
pub mod head;
pub mod stream;
pub mod tls;
