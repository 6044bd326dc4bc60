//! From bytes to a frame, or to the reason why they are none.
//!
//! Their sender may be anybody: a length is compared before anything is taken, and what is
//! left over at the end is as wrong as what is missing.

use std::net::{Ipv6Addr, SocketAddr};

use super::{
    Contact, Frame, Hello, MAGIC, MAX_CONTACTS, MAX_TEXT_BYTES, Malformed, MessageId, NodeId,
    Reason, Text, VERSION, is_name,
};

/// What of a payload has not been read yet.
struct Rest<'a>(&'a [u8]);

impl Frame {
    // listing: begin decode
    /// A payload, without its length, as a frame.
    pub fn decode(payload: &[u8]) -> Result<Self, Malformed> {
        let (&kind, content) = payload.split_first().ok_or(Malformed::Kind(0))?;
        let mut rest = Rest(content);
        let frame = match kind {
            1 => return hello(rest),
            2 => Some(Self::Welcome),
            3 => rest.reason().map(Self::Refuse),
            4 => rest.contacts().map(Self::Peers),
            5 => rest.text().map(Self::Text),
            6 => Some(Self::Leave),
            7 => Some(Self::Alive),
            _ => return Err(Malformed::Kind(kind)),
        };
        frame.filter(|_| rest.0.is_empty()).ok_or(Malformed::Content(kind))
    }
    // listing: end decode
}

/// A greeting tells apart what is no node at all and what is one of another time.
fn hello(mut rest: Rest) -> Result<Frame, Malformed> {
    let magic: [u8; 4] = rest.bytes().ok_or(Malformed::NoGreeting)?;
    if magic != MAGIC {
        return Err(Malformed::NoGreeting);
    }
    let [version] = rest.bytes().ok_or(Malformed::NoGreeting)?;
    if version != VERSION {
        return Err(Malformed::Version(version));
    }
    rest.greeting().map(Frame::Hello).ok_or(Malformed::Content(1))
}

impl Rest<'_> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    /// The next `length` bytes as text.
    fn string(&mut self, length: usize) -> Option<String> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        String::from_utf8(bytes.to_vec()).ok()
    }

    fn id(&mut self) -> Option<NodeId> {
        Some(NodeId(u64::from_be_bytes(self.bytes()?)))
    }

    fn port(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.bytes()?)).filter(|port| *port != 0)
    }

    fn greeting(&mut self) -> Option<Hello> {
        let (id, port) = (self.id()?, self.port()?);
        let name = self.string(self.0.len()).filter(|name| is_name(name))?;
        Some(Hello { id, port, name })
    }

    fn reason(&mut self) -> Option<Reason> {
        match self.bytes()? {
            [1] => Some(Reason::Second),
            [2] => Some(Reason::NoPlace),
            _ => None,
        }
    }

    fn contacts(&mut self) -> Option<Vec<Contact>> {
        let mut contacts = Vec::new();
        while !self.0.is_empty() && contacts.len() < MAX_CONTACTS {
            contacts.push(self.contact()?);
        }
        Some(contacts)
    }

    fn contact(&mut self) -> Option<Contact> {
        let (id, octets) = (self.id()?, self.bytes::<16>()?);
        let ip = Ipv6Addr::from(octets).to_canonical();
        Some(Contact { id, address: SocketAddr::new(ip, self.port()?) })
    }

    fn text(&mut self) -> Option<Text> {
        let id = MessageId { origin: self.id()?, number: u32::from_be_bytes(self.bytes()?) };
        let [hops, length] = self.bytes()?;
        let name = self.string(length.into()).filter(|name| is_name(name))?;
        let words = self.string(self.0.len()).filter(|words| words.len() <= MAX_TEXT_BYTES)?;
        Some(Text { id, hops, name, words })
    }
}
