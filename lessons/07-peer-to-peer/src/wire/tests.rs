use super::*;

fn text(name: &str, text: &str) -> Frame {
    let id = MessageId { origin: NodeId(7), number: 9 };
    Frame::Text(Text { id, hops: 3, name: name.into(), words: text.into() })
}

fn contact(address: &str) -> Contact {
    Contact { id: NodeId(u64::MAX), address: address.parse().unwrap() }
}

fn all_kinds() -> Vec<Frame> {
    vec![
        Frame::Hello(Hello { id: NodeId(1), port: 8888, name: "安".into() }),
        Frame::Welcome,
        Frame::Refuse(Reason::Second),
        Frame::Refuse(Reason::NoPlace),
        Frame::Peers(vec![]),
        Frame::Peers(vec![contact("127.0.0.1:1"), contact("[::1]:65535")]),
        Frame::Peers(vec![contact("127.0.0.1:1"); MAX_CONTACTS]),
        text("ann", ""),
        text(&"n".repeat(MAX_NAME_BYTES), &"t".repeat(MAX_TEXT_BYTES)),
        Frame::Leave,
        Frame::Alive,
    ]
}

#[test]
fn what_is_written_is_read_back_and_fits_the_limit() {
    for frame in all_kinds() {
        let bytes = frame.encode();
        let payload = &bytes[4..];
        assert_eq!(bytes[..4], u32::try_from(payload.len()).unwrap().to_be_bytes());
        assert!(payload.len() <= MAX_PAYLOAD_BYTES);
        assert_eq!(Frame::decode(payload).as_ref(), Ok(&frame));
    }
}

#[test]
fn a_frame_that_ends_early_or_late_is_refused_and_nothing_panics() {
    for frame in all_kinds() {
        let mut payload = frame.encode().split_off(4);
        let reads_the_end = matches!(frame, Frame::Hello(_) | Frame::Text(_) | Frame::Peers(_));
        for end in 0..payload.len() {
            let cut = Frame::decode(&payload[..end]);
            assert!(reads_the_end || cut.is_err(), "{cut:?} of {frame:?}");
        }
        payload.push(0xff);
        assert!(Frame::decode(&payload).is_err(), "{frame:?} and a byte more");
    }
}

#[test]
fn the_table_is_kept_to_the_byte() {
    let hello = Frame::Hello(Hello { id: NodeId(0x0102), port: 0x22b8, name: "ann".into() });
    assert_eq!(hello.encode(), b"\0\0\0\x13\x01PEER\x01\0\0\0\0\0\0\x01\x02\x22\xb8ann");
    let said = text("bob", "hi").encode();
    assert_eq!(said, b"\0\0\0\x14\x05\0\0\0\0\0\0\0\x07\0\0\0\x09\x03\x03bobhi");
    let peers = Frame::Peers(vec![contact("127.0.0.1:8888")]).encode();
    assert_eq!(
        peers[5..],
        *b"\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x01\x22\xb8"
    );
}

#[test]
fn strangers_and_other_versions_are_told_apart() {
    assert_eq!(Frame::decode(b"\x01HTTP/1.1 200 OK"), Err(Malformed::NoGreeting));
    assert_eq!(Frame::decode(b"\x01PEER\x02whatever"), Err(Malformed::Version(2)));
    assert_eq!(Frame::decode(b"\x63"), Err(Malformed::Kind(99)));
    assert_eq!(Frame::decode(b"\x03\x09"), Err(Malformed::Content(3)));
}

#[test]
fn a_name_for_people_has_no_control_characters_and_an_end() {
    for name in ["", "a\nb", "\x1b[2J", &"n".repeat(MAX_NAME_BYTES + 1)] {
        let frame = Frame::Hello(Hello { id: NodeId(1), port: 1, name: name.into() });
        assert_eq!(Frame::decode(&frame.encode()[4..]), Err(Malformed::Content(1)), "{name:?}");
    }
}
