//! From a frame to its bytes.

use std::net::{IpAddr, SocketAddr};

use super::{Contact, Frame, Hello, MAGIC, Text, VERSION};

impl Frame {
    // listing: begin encode
    /// The frame as it goes over the wire, its length in front.
    pub fn encode(&self) -> Vec<u8> {
        // The length is known at the end; its place is at the beginning.
        let mut bytes = vec![0; 4];
        bytes.push(self.kind());
        match self {
            Self::Hello(hello) => hello.append_to(&mut bytes),
            Self::Refuse(reason) => bytes.push(*reason as u8),
            Self::Peers(contacts) => {
                for contact in contacts {
                    contact.append_to(&mut bytes);
                }
            }
            Self::Text(text) => text.append_to(&mut bytes),
            Self::Welcome | Self::Leave | Self::Alive => {}
        }
        let length = u32::try_from(bytes.len() - 4).unwrap_or(u32::MAX);
        bytes[..4].copy_from_slice(&length.to_be_bytes());
        bytes
    }
    // listing: end encode

    fn kind(&self) -> u8 {
        match self {
            Self::Hello(_) => 1,
            Self::Welcome => 2,
            Self::Refuse(_) => 3,
            Self::Peers(_) => 4,
            Self::Text(_) => 5,
            Self::Leave => 6,
            Self::Alive => 7,
        }
    }
}

impl Hello {
    fn append_to(&self, bytes: &mut Vec<u8>) {
        bytes.extend(MAGIC);
        bytes.push(VERSION);
        bytes.extend(self.id.0.to_be_bytes());
        bytes.extend(self.port.to_be_bytes());
        bytes.extend(self.name.as_bytes());
    }
}

impl Contact {
    fn append_to(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.id.0.to_be_bytes());
        bytes.extend(octets(self.address));
        bytes.extend(self.address.port().to_be_bytes());
    }
}

fn octets(address: SocketAddr) -> [u8; 16] {
    match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

impl Text {
    fn append_to(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.id.origin.0.to_be_bytes());
        bytes.extend(self.id.number.to_be_bytes());
        bytes.push(self.hops);
        // Names are at most MAX_NAME_BYTES long, wherever they come from.
        bytes.push(u8::try_from(self.name.len()).unwrap_or(u8::MAX));
        bytes.extend(self.name.as_bytes());
        bytes.extend(self.words.as_bytes());
    }
}
