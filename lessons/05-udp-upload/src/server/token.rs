//! Tokens: proof that a client reads what is sent to its address.
//!
//! The sender's address of a datagram can be forged. A TCP server learns that it is true when the
//! client answers its SYN-ACK, whose random number it must have read; this is the same idea in the
//! manner of SYN cookies (RFC 4987, section 3.6) and of QUIC's Retry (RFC 9000, section 8.1.2): the
//! server keeps nothing, but can compute the token again when it comes back.

use std::net::{IpAddr, SocketAddr};

use sha2::{Digest, Sha256};

/// Makes tokens that nobody else can make.
pub struct Tokens {
    secret: [u8; 32],
}

impl Tokens {
    /// With a new secret, so tokens of an earlier run are worth nothing.
    ///
    /// # Errors
    /// When the system has no random numbers to give.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        Ok(Self { secret })
    }

    /// The token for this upload of this client; never 0, which means "none".
    pub fn of(&self, client: SocketAddr, transfer: u32) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.secret);
        match client.ip() {
            IpAddr::V4(ip) => hash.update(ip.octets()),
            IpAddr::V6(ip) => hash.update(ip.octets()),
        }
        hash.update(client.port().to_be_bytes());
        hash.update(transfer.to_be_bytes());
        let digest = hash.finalize();
        // The first 8 of its 32 bytes are more than anybody can guess.
        digest.iter().take(8).fold(0, |token, byte| token << 8 | u64::from(*byte)).max(1)
    }
}
