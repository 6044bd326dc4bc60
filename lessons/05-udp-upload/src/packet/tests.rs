use super::*;
use proptest::prelude::*;

#[test]
fn every_field_stands_where_it_is_drawn() {
    let packet = Packet {
        kind: Kind::Data,
        transfer: 0x0102_0304,
        token: 0x05,
        block: 0x06,
        number: 0x07,
        payload: b"xy",
    };
    let expected = b"NU\x02\x00\x01\x02\x03\x04\0\0\0\0\0\0\0\x05\0\0\0\x06\0\0\0\x07xy";
    assert_eq!(packet.encode(), expected);
}

proptest! {
    #[test]
    fn what_decodes_encodes_to_the_same_bytes(
        mut bytes in prop::collection::vec(any::<u8>(), 0..64),
        kind in 0..9_u8,
    ) {
        if bytes.len() > ZERO_AT {
            bytes[..4].copy_from_slice(&[b'N', b'U', kind, 0]);
        }
        let ours = bytes.len() >= HEADER_BYTES && (1..=7).contains(&kind);
        let decoded = Packet::decode(&bytes);
        prop_assert_eq!(decoded.is_some(), ours);
        if let Some(packet) = decoded {
            prop_assert_eq!(packet.encode(), bytes);
        }
    }

    #[test]
    fn a_datagram_that_is_not_ours_is_none(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assume!(!bytes.starts_with(b"NU"));
        prop_assert_eq!(Packet::decode(&bytes), None);
    }
}
