//! An acknowledgement: everything that has come so far, in one packet.
//!
//! Because each one tells the whole state, it does not matter if some of them are lost. (TCP's
//! selective acknowledgements, RFC 2018, have room for three or four ranges; a bit for each block
//! costs 125 bytes for a thousand of them and is easier to read.)

/// What the server has, as the client hears it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ack {
    /// Every block before this one has come.
    pub first_missing: u32,
    /// The highest number of a transmission that has come.
    pub newest: u32,
    /// So many blocks from `first_missing` on may be sent.
    pub window: u32,
    /// Bit `i`: block `first_missing + i` has come. Bits that are left out are 0.
    pub arrived: Vec<u8>,
}

impl Ack {
    // listing: begin encode
    /// The payload; the first two fields travel in the header.
    pub fn payload(&self) -> Vec<u8> {
        let used = self.arrived.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let mut payload = self.window.to_be_bytes().to_vec();
        payload.extend(&self.arrived[..used]);
        payload
    }

    /// The counterpart of [`payload`](Self::payload); `None` if it is too short.
    pub fn decode(first_missing: u32, newest: u32, payload: &[u8]) -> Option<Self> {
        let (window, arrived) = payload.split_first_chunk()?;
        let window = u32::from_be_bytes(*window);
        Some(Self { first_missing, newest, window, arrived: arrived.to_vec() })
    }
    // listing: end encode

    /// The blocks after `first_missing` that have come.
    pub fn blocks(&self) -> impl Iterator<Item = u32> {
        let first = self.first_missing;
        (0_u32..).zip(&self.arrived).filter(|(_, byte)| **byte != 0).flat_map(
            move |(place, byte)| {
                let of_byte = (0..8).filter(move |bit| byte & (1 << bit) != 0);
                of_byte.map(move |bit| first.saturating_add(8 * place + bit))
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_blocks_and_empty_bytes_at_the_end_are_not_sent() {
        let arrived = vec![0b0000_0110, 0, 0b1000_0000, 0, 0];
        let ack = Ack { first_missing: 100, newest: 7, window: 0x0102, arrived };
        assert_eq!(ack.payload(), [0, 0, 1, 2, 0b0000_0110, 0, 0b1000_0000]);
        let heard = Ack::decode(100, 7, &ack.payload()).unwrap();
        assert_eq!(heard.blocks().collect::<Vec<_>>(), [101, 102, 123]);
        assert_eq!(Ack::decode(100, 7, &[0, 0, 1]), None);
    }
}
