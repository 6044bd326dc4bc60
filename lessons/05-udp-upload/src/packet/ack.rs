//! An acknowledgement: everything that has come so far, in one packet.
//!
//! Because each one tells the whole state, it does not matter if some of them are lost. TCP's
//! selective acknowledgements (RFC 2018) are ranges, and have room for three or four; here it is a
//! bit for each block. Most of them are ones, so two bytes of ones are followed by a number that
//! says how many more of those follow:
//!
//! ```text
//! bytes      ff ff ff ff ff fb ff ff 0f 00 00
//! written    ff ff 03       fb ff ff 00 0f       zeros at the end are left out
//! ```

/// A byte that says of eight blocks that they have come.
const ONES: u8 = 0xff;
/// This many blocks share a word of the bitmap, and the first of them begins at a multiple of that.
pub const WORD_BITS: u32 = u64::BITS;

/// Most bytes of a bitmap: so far ahead of the first block that is missing nobody may send.
pub const MAX_BYTES: usize = 8 * 1024;

/// What the server has, as the client hears it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ack {
    /// Every block before this one has come.
    pub first_missing: u32,
    /// The highest number of a transmission that has come.
    pub largest_acked: u32,
    /// How many blocks from `first_missing` on may be sent.
    pub window: u32,
    /// Eight blocks a byte, the first at the lowest bit, from the last multiple of 64 that is not
    /// after `first_missing`. Where it ends, nothing has come.
    pub arrived: Vec<u8>,
}

impl Ack {
    // listing: begin encode
    /// The payload; the first two fields travel in the header.
    pub fn payload(&self) -> Vec<u8> {
        let mut payload = self.window.to_be_bytes().to_vec();
        payload.extend(pack(&self.arrived));
        payload
    }

    /// The counterpart of [`payload`](Self::payload); `None` if it is too short.
    pub fn decode(first_missing: u32, largest_acked: u32, payload: &[u8]) -> Option<Self> {
        let (window, packed) = payload.split_first_chunk()?;
        let (window, arrived) = (u32::from_be_bytes(*window), unpack(packed));
        Some(Self { first_missing, largest_acked, window, arrived })
    }
    // listing: end encode

    /// Whether a block has come.
    pub fn has(&self, block: u32) -> bool {
        let base = self.first_missing - self.first_missing % WORD_BITS;
        block < self.first_missing
            || block.checked_sub(base).is_some_and(|place| {
                let byte = self.arrived.get(place as usize / 8);
                byte.is_some_and(|byte| byte & (1 << (place % 8)) != 0)
            })
    }
}

// listing: begin pack
/// Writes a run of ones as two of them and a count of the others.
pub fn pack(bytes: &[u8]) -> Vec<u8> {
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let (mut packed, mut rest) = (Vec::new(), &bytes[..used]);
    loop {
        match rest {
            [ONES, ONES, after @ ..] => {
                let run = after.iter().take_while(|byte| **byte == ONES).count();
                let more = u8::try_from(run).unwrap_or(u8::MAX);
                packed.extend([ONES, ONES, more]);
                rest = &after[more.into()..];
            }
            [byte, after @ ..] => {
                packed.push(*byte);
                rest = after;
            }
            [] => return packed,
        }
    }
}

/// The counterpart of [`pack`]. More than [`MAX_BYTES`] nobody has to believe.
fn unpack(mut packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        match packed {
            [ONES, ONES, more, after @ ..] if bytes.len() < MAX_BYTES => {
                bytes.resize(bytes.len() + 2 + usize::from(*more), ONES);
                packed = after;
            }
            [byte, after @ ..] if bytes.len() < MAX_BYTES => {
                bytes.push(*byte);
                packed = after;
            }
            _ => return bytes,
        }
    }
}
// listing: end pack

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_is_packed_as_it_is_drawn() {
        let bytes = [0xff, 0xff, 0xff, 0xff, 0xff, 0xfb, 0xff, 0xff, 0x0f, 0, 0];
        let packed = [0xff, 0xff, 3, 0xfb, 0xff, 0xff, 0, 0x0f];
        assert_eq!(pack(&bytes), packed);
        assert_eq!(unpack(&packed), bytes[..9]);
    }

    #[test]
    fn bits_are_blocks_from_a_multiple_of_64_on() {
        let arrived = vec![0xff, 0, 0, 0, 0b0000_0110];
        let ack = Ack { first_missing: 72, largest_acked: 7, window: 0x0102, arrived };
        assert_eq!(ack.payload(), [0, 0, 1, 2, 0xff, 0, 0, 0, 0b0000_0110]);
        let heard = Ack::decode(72, 7, &ack.payload()).unwrap();
        assert_eq!(heard, ack);
        let come: Vec<u32> = (60..120).filter(|block| heard.has(*block)).collect();
        assert_eq!(come, (60..72).chain([97, 98]).collect::<Vec<_>>());
        assert_eq!(Ack::decode(72, 7, &[0, 0, 1]), None);
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked_again(
            bytes in prop::collection::vec(prop_oneof![Just(ONES), Just(0), any::<u8>()], 0..600),
        ) {
            let mut unpacked = unpack(&pack(&bytes));
            prop_assert!(unpacked.len() <= bytes.len());
            unpacked.resize(bytes.len(), 0);
            prop_assert_eq!(unpacked, bytes);
        }

        #[test]
        fn nonsense_costs_bounded_memory(packed in prop::collection::vec(Just(ONES), 0..60_000)) {
            prop_assert!(unpack(&packed).len() <= MAX_BYTES + 257);
        }
    }
}
