use super::*;
use crate::net::socket::{bind_udp, connect_udp};
use proptest::prelude::*;
use rstest::rstest;

const SOON: Duration = Duration::from_secs(60);

/// One side of every test in both ways of sending and receiving.
#[derive(Clone, Copy, Debug)]
enum Way {
    Batches,
    OneByOne,
    /// With the plain calls alone, as in a container that forbids the others.
    Plain,
}

impl Way {
    fn take(self, socket: UdpSocket) -> Datagrams {
        match self {
            Self::Batches => Datagrams::new(socket).unwrap(),
            Self::OneByOne => Datagrams::new(socket).unwrap().one_by_one(),
            Self::Plain => Datagrams::plain(socket).unwrap(),
        }
    }

    fn bind(self, at: &str) -> Datagrams {
        self.take(bind_udp(at).unwrap())
    }
}

fn address(of: &Datagrams) -> SocketAddr {
    of.socket().local_addr().unwrap()
}

/// The next `count` datagrams with their senders; fewer when no more come.
fn next(from: &mut Datagrams, count: usize) -> Vec<(Vec<u8>, SocketAddr)> {
    let mut all = Vec::new();
    while all.len() < count {
        let came = from.receive(SOON, |bytes, sender| all.push((bytes.to_vec(), sender))).unwrap();
        if came == 0 {
            break;
        }
    }
    all
}

/// `length` bytes in which no two datagrams look alike.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at * 7 + at / 251) % 256).unwrap()).collect()
}

#[rstest]
fn a_batch_arrives_as_its_datagrams_in_order(
    #[values("127.0.0.1:0", "[::1]:0")] at: &str,
    #[values(Way::Batches, Way::OneByOne, Way::Plain)] way: Way,
    #[values(1, 2, 700, 1_200, 1_472, 8_000)] size: usize,
    #[values(false, true)] connected: bool,
) {
    let mut receiver = way.bind(at);
    let to = address(&receiver);
    let sender = if connected { way.take(connect_udp(to).unwrap()) } else { way.bind(at) };
    let bytes = pattern(size * 10 + size / 2);
    sender.send(&bytes, size, to).unwrap();
    let expected: Vec<_> = bytes.chunks(size).map(|it| (it.to_vec(), address(&sender))).collect();
    assert_eq!(next(&mut receiver, expected.len()), expected);
}

#[test]
fn more_datagrams_than_one_batch_holds_all_arrive() {
    let mut receiver = Way::Batches.bind("127.0.0.1:0");
    let sender = Way::Batches.bind("127.0.0.1:0");
    let bytes = pattern(150 * 100 + 1);
    sender.send(&bytes, 100, address(&receiver)).unwrap();
    let came: Vec<_> = next(&mut receiver, 151).into_iter().map(|(bytes, _)| bytes).collect();
    assert_eq!(came, bytes.chunks(100).map(<[u8]>::to_vec).collect::<Vec<_>>());
}

#[cfg(target_os = "linux")] // Others cap a datagram at 9,216 bytes, or loopback's MTU at 16 KiB.
#[rstest]
#[case::ipv4("127.0.0.1:0", 65_507)]
#[case::ipv6_on_a_link_of_65_536_bytes("[::1]:0", 65_536 - 40 - 8)]
fn the_largest_datagram_arrives_and_one_byte_more_is_too_large(
    #[case] at: &str,
    #[case] size: usize,
) {
    let mut receiver = Way::Batches.bind(at);
    let sender = Way::Batches.bind(at);
    let bytes = pattern(size * 3);
    sender.send(&bytes, size, address(&receiver)).unwrap();
    let came: Vec<_> = next(&mut receiver, 3).into_iter().map(|(bytes, _)| bytes).collect();
    assert!(came.iter().eq(bytes.chunks(size)), "{} datagrams", came.len());
    let error = sender.send(&bytes[..=size], size + 1, address(&receiver)).unwrap_err();
    assert!(is_too_large(&error), "{error}");
}

#[rstest]
fn an_empty_datagram_is_a_datagram(#[values(Way::Batches, Way::OneByOne, Way::Plain)] way: Way) {
    let mut receiver = way.bind("127.0.0.1:0");
    let sender = way.bind("127.0.0.1:0");
    sender.send(&[], 1_200, address(&receiver)).unwrap();
    sender.send(&[], 0, address(&receiver)).unwrap();
    assert_eq!(next(&mut receiver, 2), vec![(Vec::new(), address(&sender)); 2]);
}

#[test]
fn datagrams_of_no_bytes_and_port_0_are_wrong_arguments() {
    let sender = Way::Batches.bind("127.0.0.1:0");
    let most = sender.max_batch(100);
    let error = sender.send(&[1], 0, address(&sender)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    let error = sender.send(&[1; 300], 100, "127.0.0.1:0".parse().unwrap()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert_eq!(sender.max_batch(100), most);
}

#[cfg(target_os = "linux")] // Its answer to port 0 is the one of an interface without batches.
#[test]
fn a_socket_whose_batch_was_refused_sends_one_by_one() {
    let mut receiver = Way::Batches.bind("127.0.0.1:0");
    let sender = Way::Batches.bind("127.0.0.1:0");
    assert!(sender.max_batch(100) > 1);
    sender.send_batches(&[1; 300], 100, "127.0.0.1:0".parse().unwrap()).unwrap_err();
    assert_eq!(sender.max_batch(100), 1);
    sender.send(&[2; 250], 100, address(&receiver)).unwrap();
    let lengths: Vec<_> = next(&mut receiver, 3).iter().map(|(bytes, _)| bytes.len()).collect();
    assert_eq!(lengths, [100, 100, 50]);
}

#[test]
fn sending_goes_on_when_there_is_room_again() {
    let sender = Way::Batches.bind("127.0.0.1:0");
    let mut answers = vec![
        Ok(()),
        Err(io::ErrorKind::WouldBlock.into()),
        Err(io::ErrorKind::Interrupted.into()),
        Err(io::Error::from(Errno::NOBUFS)),
        Err(io::ErrorKind::WouldBlock.into()),
    ];
    sender.when_there_is_room(|| answers.pop().unwrap()).unwrap();
    assert!(answers.is_empty());
}

#[rstest]
#[case::full_buffer(io::ErrorKind::WouldBlock.into())]
#[case::full_queue(Errno::NOBUFS.into())]
fn no_room_for_too_long_is_an_error(#[case] full: io::Error) {
    let sender = Way::Batches.bind("127.0.0.1:0");
    let begin = Instant::now();
    let again = || match full.raw_os_error() {
        Some(code) => Err(io::Error::from_raw_os_error(code)),
        None => Err(full.kind().into()),
    };
    let error = sender.when_there_is_room(again).unwrap_err();
    assert_eq!((error.kind(), error.raw_os_error()), (full.kind(), full.raw_os_error()));
    assert!(begin.elapsed() >= SEND_WAIT && begin.elapsed() < SOON);
}

#[test]
fn another_error_is_not_waited_out() {
    let sender = Way::Batches.bind("127.0.0.1:0");
    let mut answers = vec![Err(io::ErrorKind::PermissionDenied.into())];
    let error = sender.when_there_is_room(|| answers.pop().unwrap()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
}

#[rstest]
fn datagrams_of_many_senders_are_kept_apart(
    #[values(Way::Batches, Way::OneByOne, Way::Plain)] way: Way,
) {
    let mut receiver = way.bind("127.0.0.1:0");
    let senders: Vec<_> = (0..8).map(|_| way.bind("127.0.0.1:0")).collect();
    for round in 0..3 {
        for (number, sender) in senders.iter().enumerate() {
            let mark = u8::try_from(number * 10 + round).unwrap();
            sender.send(&[mark; 500], 100, address(&receiver)).unwrap();
        }
    }
    let came = next(&mut receiver, 8 * 3 * 5);
    for (number, sender) in senders.iter().enumerate() {
        let theirs: Vec<_> = came.iter().filter(|(_, from)| *from == address(sender)).collect();
        let marks: Vec<_> = theirs.iter().map(|(bytes, _)| usize::from(bytes[0])).collect();
        let expected: Vec<_> = (0..3).flat_map(|round| [number * 10 + round; 5]).collect();
        assert_eq!(marks, expected);
        assert!(theirs.iter().all(|(bytes, _)| *bytes == [bytes[0]; 100]));
    }
}

#[rstest]
#[case::a_look(Duration::ZERO)]
#[case::sub_millisecond(Duration::from_micros(300))]
#[case::milliseconds(Duration::from_millis(20))]
fn silence_ends_a_wait_in_time_and_not_before(#[case] wait: Duration) {
    let mut receiver = Way::Batches.bind("127.0.0.1:0");
    let begin = Instant::now();
    assert_eq!(receiver.receive(wait, |_, _| panic!("nobody sent anything")).unwrap(), 0);
    assert!(begin.elapsed() >= wait && begin.elapsed() < SOON);
    let begin = Instant::now();
    assert!(!receiver.wait_readable(wait).unwrap());
    assert!(begin.elapsed() >= wait && begin.elapsed() < SOON);
}

#[test]
fn the_longest_wait_of_all_ends_when_a_datagram_comes() {
    let mut receiver = Way::Batches.bind("127.0.0.1:0");
    let to = address(&receiver);
    let sending = thread::spawn(move || {
        Way::Batches.bind("127.0.0.1:0").send(b"hello", 5, to).unwrap();
    });
    assert!(receiver.wait_readable(Duration::MAX).unwrap());
    let take = |bytes: &[u8], _| assert_eq!(bytes, b"hello");
    assert_eq!(receiver.receive(Duration::MAX, take).unwrap(), 1);
    sending.join().unwrap();
}

/// A socket that refuses what comes as if it were closed: it is connected to itself, and so hears
/// nobody else. (Closed, its port could be given to another test.)
fn deaf() -> (UdpSocket, SocketAddr) {
    let socket = bind_udp("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    socket.connect(address).unwrap();
    (socket, address)
}

#[cfg(target_os = "linux")] // The others do not promise to tell of every refusal.
#[test]
fn a_refusal_is_reported_by_the_next_send_which_sends_all_the_same() {
    let (server, to) = deaf();
    let client = Way::Batches.take(connect_udp(to).unwrap());
    client.send(b"to nobody", 9, to).unwrap();
    assert!(client.wait_readable(SOON).unwrap());
    server.connect(address(&client)).unwrap();
    let mut late = Way::Batches.take(server);
    let error = client.send(&[7; 250], 100, to).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    let lengths: Vec<_> = next(&mut late, 3).iter().map(|(bytes, _)| bytes.len()).collect();
    assert_eq!(lengths, [100, 100, 50]);
    client.send(b"and on it goes", 14, to).unwrap();
    assert_eq!(next(&mut late, 1).len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_refusal_is_reported_by_the_next_receive_once() {
    let (_server, to) = deaf();
    let mut client = Way::Batches.take(connect_udp(to).unwrap());
    client.send(b"to nobody", 9, to).unwrap();
    let error = client.receive(SOON, |_, _| panic!("nobody answers")).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(client.receive(Duration::ZERO, |_, _| panic!("nobody answers")).unwrap(), 0);
}

#[test]
fn a_server_does_not_hear_of_a_client_that_is_gone() {
    let mut server = Way::Batches.bind("127.0.0.1:0");
    let (_held, gone) = deaf();
    server.send(&[1; 300], 100, gone).unwrap();
    server.send(&[1; 300], 100, gone).unwrap();
    assert_eq!(server.receive(Duration::from_millis(20), |_, _| ()).unwrap(), 0);
}

#[test]
fn a_batch_is_bounded_by_segments_and_by_its_bytes() {
    let batches = Way::Batches.bind("127.0.0.1:0");
    assert_eq!(batches.max_batch(65_507), 1);
    assert_eq!(batches.max_batch(100_000), 1);
    assert_eq!(Way::OneByOne.bind("127.0.0.1:0").max_batch(100), 1);
    if batches.max_batch(100) > 1 {
        assert_eq!(batches.max_batch(1_200), 54);
        assert_eq!(batches.max_batch(32_700), 2);
        assert_eq!(batches.max_batch(32_701), 1);
        assert!(batches.max_batch(0) >= batches.max_batch(100));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn linux_sends_batches() {
    assert_eq!(Way::Batches.bind("127.0.0.1:0").max_batch(1_000), 64);
    let peer = bind_udp("[::1]:0").unwrap();
    let connected = connect_udp(peer.local_addr().unwrap()).unwrap();
    assert_eq!(Way::Batches.take(connected).max_batch(1_000), 64);
}

#[test]
fn the_system_keeps_some_datagrams_for_us() {
    let receiver = Way::Batches.bind("127.0.0.1:0");
    assert!(receiver.receive_buffer().unwrap() >= BUFFER_BYTES);
}

#[rstest]
#[case::nothing(0, 0, &[0])]
#[case::one(5, 5, &[5])]
#[case::whole(6, 3, &[3, 3])]
#[case::short_last(7, 3, &[3, 3, 1])]
fn a_buffer_is_cut_into_its_datagrams(
    #[case] length: usize,
    #[case] stride: usize,
    #[case] expected: &[usize],
) {
    let bytes = pattern(length);
    let lengths: Vec<_> = split(&bytes, stride).map(<[u8]>::len).collect();
    assert_eq!(lengths, expected);
}

#[test]
fn a_system_that_refuses_a_large_buffer_is_asked_for_less() {
    let given = std::cell::Cell::new(0);
    enlarge(|bytes| {
        given.set(bytes);
        if bytes > 1_000_000 { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
    });
    assert_eq!(given.get(), SYSTEM_BUFFER / 8);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// At most 20 sends of 4,000 bytes: less than the smallest receive buffer of any system.
    #[test]
    fn any_sends_arrive_as_their_datagrams_in_order(
        sends in prop::collection::vec((0..4_000_usize, 50..2_000_usize), 1..20),
        batch_out: bool,
        batch_in: bool,
    ) {
        let way = |batches| if batches { Way::Batches } else { Way::OneByOne };
        let mut receiver = way(batch_in).bind("127.0.0.1:0");
        let sender = way(batch_out).bind("127.0.0.1:0");
        let mut expected = Vec::new();
        for (length, size) in sends {
            let bytes = pattern(length);
            sender.send(&bytes, size, address(&receiver)).unwrap();
            expected.extend(split(&bytes, size).map(<[u8]>::to_vec));
        }
        let came = next(&mut receiver, expected.len());
        prop_assert!(came.iter().all(|(_, from)| *from == address(&sender)));
        prop_assert_eq!(came.into_iter().map(|(bytes, _)| bytes).collect::<Vec<_>>(), expected);
        prop_assert!(!receiver.wait_readable(Duration::ZERO).unwrap());
    }
}
