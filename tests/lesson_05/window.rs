//! `window`: many blocks on their way at once.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use graded::{Case, Difference};
use grader::punctuality::Stopwatch;
use netlab::conditions::{Conditions, Path};
use netlab::faults::Fate;
use netlab::program::poll_while;
use netlab::record::Transport;
use netlab::shape::Shape;
use rstest::rstest;

use super::blocks::{
    A_WHILE, BLOCK, LONG, SHORT, Store, Upload, ack, data, deliver,
    expect_patience_with_a_late_server, expect_usage_error, expect_whole_through, faults, header,
    one, payloads, random_file, retry,
};

const NAME: &str = "window";
/// How many blocks a server takes, from the first missing one on.
const MOST: u32 = 256;

fn case() -> Case {
    Case::of("05", NAME)
}

#[rstest]
#[case::in_order(6 * BLOCK + 10, |last| (0..=last).collect())]
#[case::backwards(6 * BLOCK + 10, |last| (0..=last).rev().collect())]
#[case::the_last_first(6 * BLOCK + 10, |last| [last].into_iter().chain(0..last).collect())]
#[case::odd_before_even(9 * BLOCK + 1, odd_before_even)]
#[case::of_full_blocks_backwards(6 * BLOCK, |last| (0..=last).rev().collect())]
#[case::of_no_bytes(0, |_| vec![0])]
#[case::of_one_byte(1, |_| vec![0])]
fn a_file_is_stored_in_whatever_order(#[case] length: usize, #[case] order: fn(u32) -> Vec<u32>) {
    let store = Store::open(NAME);
    let sender = store.sender();
    let special = b"\0\xff\xfe\r\nEND\n".repeat(length.div_ceil(9));
    for (k, content) in (1..).zip([store.case.random_bytes(length), special[..length].to_vec()]) {
        let (upload, payloads) = (store.number(), payloads(&content));
        for block in order(u32::try_from(payloads.len()).unwrap_or(0) - 1) {
            store.expect_stored(k - 1);
            deliver(&sender, upload, block, &payloads[block as usize]);
        }
        store.expect_stored(k);
        store.folder.expect_file(&format!("{k}.bin"), &content);
    }
}

fn odd_before_even(last: u32) -> Vec<u32> {
    let (odd, even): (Vec<u32>, Vec<u32>) = (0..=last).partition(|block| block % 2 == 1);
    [odd, even].concat()
}

/// The blocks come in this order, and after each of them one that has come before: it is
/// acknowledged again. That another upload's is, too, shows that the server has not just been slow.
#[rstest]
#[case::each_block_at_once([0, 1, 2, 3], [0, 1, 2, 3])]
#[case::a_block_behind_a_missing_one([2, 1, 3, 0], [2, 2, 1, 3])]
#[case::the_last_block([3, 2, 1, 0], [3, 3, 3, 3])]
fn a_repeated_block_is_acknowledged_but_not_stored_again(
    #[case] order: [u32; 4],
    #[case] repeated: [u32; 4],
) {
    let store = Store::open(NAME);
    let (sender, upload) = (store.sender(), store.number());
    let content = random_file(&store.case, 4);
    let payloads = payloads(&content);
    for (block, known) in order.into_iter().zip(repeated) {
        deliver(&sender, upload, block, &payloads[block as usize]);
        sender.send(&data(upload, known, &payloads[known as usize]));
        let other = upload.wrapping_add(1 + block);
        sender.send(&data(other, 1, &payloads[0]));
        sender.expect(&ack(upload, known));
        sender.expect(&ack(other, 1));
    }
    store.expect_stored(1);
    store.folder.expect_file("1.bin", &content);
}

#[rstest]
fn a_server_takes_256_blocks_and_none_beyond() {
    let store = Store::open(NAME);
    let (sender, upload) = (store.sender(), store.number());
    let content = random_file(&store.case, 260);
    let payloads = payloads(&content);
    let send = |block: u32| sender.send(&data(upload, block, &payloads[block as usize]));
    // What is beyond is not answered: the next answer is the one to the next block.
    for (beyond, within) in [(MOST, MOST - 1), (MOST + 1, 0), (MOST + 1, MOST), (MOST + 2, 1)] {
        send(beyond);
        deliver(&sender, upload, within, &payloads[within as usize]);
    }
    for block in (2..=259).filter(|block| ![MOST - 1, MOST].contains(block)) {
        store.expect_stored(0);
        deliver(&sender, upload, block, &payloads[block as usize]);
    }
    store.expect_stored(1);
    store.folder.expect_file("1.bin", &content);
}

#[rstest]
#[case::of_a_far_block(|upload| data(upload, 0x0100_0001, b"far"))]
#[case::that_is_an_acknowledgement(|upload| ack(upload, 1))]
#[case::of_another_kind(|upload| [&header(b'd', upload, 1), b"kind".as_slice()].concat())]
#[case::without_any_byte(|_| Vec::new())]
#[case::with_half_a_header(|upload| header(b'D', upload, 1)[..8].to_vec())]
#[case::that_is_too_long(|upload| data(upload, 1, &[7; BLOCK + 1]))]
#[case::behind_the_last_block(|upload| data(upload, 3, b"behind"))]
fn a_datagram_is_not_answered(#[case] wrong: fn(u32) -> Vec<u8>) {
    let store = Store::open(NAME);
    let (sender, upload) = (store.sender(), store.number());
    let content = random_file(&store.case, 3);
    let payloads = payloads(&content);
    deliver(&sender, upload, 2, &payloads[2]);
    sender.send(&wrong(upload));
    // The next answer must be the one to this block.
    deliver(&sender, upload, 1, &payloads[1]);
    store.expect_stored(0);
    deliver(&sender, upload, 0, &payloads[0]);
    // After the last block there is nothing. The next answer is that of another upload.
    sender.send(&data(upload, 3, b"after the end"));
    deliver(&sender, upload ^ 2, 0, &payloads[0]);
    store.expect_stored(1);
    store.folder.expect_file("1.bin", &content);
}

/// Which sender and which number each of three uploads has.
#[rstest]
#[case::of_three_senders_with_one_number([(0, 7), (1, 7), (2, 7)])]
#[case::of_one_sender_with_three_numbers([(0, 7), (0, 8), (0, 0x0700_0000)])]
fn uploads_do_not_mix(#[case] uploads: [(usize, u32); 3]) {
    let store = Store::open(NAME);
    let senders = [store.sender(), store.sender(), store.sender()];
    let files: Vec<_> = uploads.iter().map(|_| random_file(&store.case, 3)).collect();
    let all: Vec<_> = files.iter().map(|content| payloads(content)).collect();
    for block in [2, 0] {
        for ((sender, upload), payloads) in uploads.iter().zip(&all) {
            deliver(&senders[*sender], *upload, block, &payloads[block as usize]);
        }
    }
    // The last one ends first: numbers follow the ends.
    let of_last = uploads.iter().zip(all.iter().zip(&files)).rev();
    for (k, ((sender, upload), (payloads, content))) in (1..).zip(of_last) {
        store.expect_stored(k - 1);
        deliver(&senders[*sender], *upload, 1, &payloads[1]);
        store.folder.expect_file(&format!("{k}.bin"), content);
    }
    store.expect_stored(3);
}

#[rstest]
fn a_large_file_takes_little_memory() {
    Store::open(NAME).expect_little_memory(32);
}

#[rstest]
#[case::of_1(1, &["--window", "1"])]
#[case::of_2(2, &["--window", "2"])]
#[case::of_7(7, &["--window", "7"])]
#[case::of_50(50, &["--window", "50"])]
#[case::of_32_if_nothing_is_said(32, &[])]
fn as_many_blocks_as_the_window_holds_are_sent(#[case] window: u32, #[case] options: &[&str]) {
    let case = case();
    let content = random_file(&case, window as usize + 5);
    let mut upload = Upload::start(case, &content, &[&["--timeout", LONG], options].concat());
    for block in 0..window {
        upload.expect_block(block);
    }
    upload.host.expect_silence(A_WHILE);
    if window > 1 {
        // The window begins at the first block not acknowledged: it has not moved.
        upload.acknowledge(1);
        upload.host.expect_silence(A_WHILE / 2);
    }
    upload.acknowledge(0);
    let moved = if window > 1 { 2 } else { 1 };
    for block in window..window + moved {
        upload.expect_block(block);
    }
    upload.host.expect_silence(A_WHILE / 2);
    for block in moved..=upload.last() {
        upload.acknowledge(block);
        if block + window <= upload.last() {
            upload.expect_block(block + window);
        }
    }
    upload.client.expect_exit(0);
}

#[rstest]
#[case::of_no_bytes(0)]
#[case::of_one_byte_less_than_a_block(BLOCK - 1)]
#[case::of_exactly_one_block(BLOCK)]
#[case::of_full_blocks(5 * BLOCK)]
fn each_block_is_sent_once_if_all_goes_well(#[case] length: usize) {
    let case = case();
    let content = case.random_bytes(length);
    let mut upload = Upload::start(case, &content, &["--timeout", LONG]);
    for block in 0..=upload.last() {
        upload.expect_block(block);
        upload.client.expect_still_running(Duration::ZERO);
    }
    for block in (0..=upload.last()).rev() {
        upload.client.expect_still_running(A_WHILE / 10);
        upload.acknowledge(block);
    }
    upload.client.expect_exit(0);
    upload.host.expect_silence(A_WHILE / 10);
}

/// Of eight blocks all are acknowledged but these. The timeout is long, so that on a busy machine,
/// too, the acknowledgements come in time.
#[rstest]
#[case::of_the_first_block(&[0])]
#[case::of_one_in_the_middle(&[3])]
#[case::of_the_last_block(&[7])]
#[case::of_two_blocks(&[2, 5])]
fn only_what_is_lost_is_sent_again(#[case] lost: &[u32]) {
    let case = case();
    let content = random_file(&case, 8);
    case.tells_to_wait(Duration::from_secs(1));
    let timed = case.must_act_within(Duration::from_secs(1));
    let mut upload = Upload::start(case, &content, &["--timeout", "1000", "--window", "8"]);
    for block in 0..8 {
        upload.expect_block(block);
    }
    for block in (0..8).filter(|block| !lost.contains(block)) {
        upload.acknowledge(block);
    }
    drop(timed);
    for block in lost {
        upload.expect_block(*block);
    }
    upload.host.expect_silence(A_WHILE / 2);
    for block in lost {
        upload.acknowledge(*block);
    }
    upload.client.expect_exit(0);
}

/// Each block has its timer, not only the first one or the last one.
#[rstest]
#[case::after_a_short_timeout(&["--timeout", SHORT])]
#[case::after_the_usual_timeout(&[])]
fn every_block_is_sent_until_it_is_acknowledged(#[case] options: &[&str]) {
    let case = case();
    let content = random_file(&case, 4);
    let mut upload = Upload::start(case, &content, options);
    let mut times = [0; 4];
    while times.iter().any(|times| *times < 3) {
        times[upload.expect_any_block() as usize] += 1;
        if times.iter().any(|times| *times > 6) {
            let what = format!("how often blocks 0 to 3 were sent, none acknowledged: {times:?}");
            upload.case.fail(Difference::fail(what));
        }
    }
    for block in 0..4 {
        upload.acknowledge(block);
    }
    upload.client.expect_exit(0);
}

#[rstest]
#[case::of_a_block_not_sent_yet(|upload| ack(upload, 2))]
#[case::of_the_block_after_the_file(|upload| ack(upload, 4))]
#[case::of_another_upload(|upload| ack(upload ^ 1, 0))]
#[case::of_another_kind(|upload| header(b'D', upload, 0))]
#[case::with_a_byte_too_many(|upload| [ack(upload, 0), vec![0]].concat())]
#[case::with_a_byte_too_few(|upload| ack(upload, 0)[..8].to_vec())]
#[case::without_any_byte(|_| Vec::new())]
fn a_wrong_acknowledgement_changes_nothing(#[case] wrong: fn(u32) -> Vec<u8>) {
    let case = case();
    let content = random_file(&case, 4);
    let mut upload = Upload::start(case, &content, &["--timeout", LONG, "--window", "2"]);
    upload.expect_block(0);
    upload.expect_block(1);
    for _ in 0..3 {
        upload.send(&wrong(upload.peer().1));
    }
    // Neither new blocks nor these once more.
    upload.host.expect_silence(A_WHILE / 2);
    for block in 0..4 {
        upload.acknowledge(block);
        if block < 2 {
            upload.expect_block(block + 2);
        }
    }
    upload.client.expect_exit(0);
}

#[rstest]
fn a_repeated_acknowledgement_opens_no_room() {
    let case = case();
    let content = random_file(&case, 9);
    let mut upload = Upload::start(case, &content, &["--timeout", LONG, "--window", "3"]);
    for block in 0..3 {
        upload.expect_block(block);
    }
    for _ in 0..4 {
        upload.acknowledge(0);
    }
    upload.expect_block(3);
    upload.host.expect_silence(A_WHILE / 2);
    for block in 1..9 {
        upload.acknowledge(block);
        if block < 6 {
            upload.expect_block(block + 3);
        }
    }
    upload.client.expect_exit(0);
}

#[rstest]
fn an_acknowledgement_from_another_port_changes_nothing() {
    let case = case();
    let content = random_file(&case, 2);
    let mut upload = Upload::start(case, &content, &["--timeout", LONG, "--window", "1"]);
    upload.expect_block(0);
    let stranger = upload.case.listen_udp();
    let (peer, number) = upload.peer();
    stranger.send_to(peer, &ack(number, 0));
    upload.host.expect_silence(A_WHILE / 2);
    upload.acknowledge(0);
    upload.expect_block(1);
    upload.acknowledge(1);
    upload.client.expect_exit(0);
}

/// Whatever else comes must not make the client wait for longer than its timeout.
#[rstest]
fn stray_datagrams_do_not_delay_the_timer() {
    let mut upload = Upload::start(case(), b"short", &["--timeout", "300"]);
    upload.expect_block(0);
    upload.expect_block_despite(b"\xffstray\0", 0);
    upload.acknowledge(0);
    upload.client.expect_exit(0);
}

/// Block 2 of four is never acknowledged, or nothing is.
#[rstest]
#[case::of_the_only_block_in_the_window(1)]
#[case::of_one_block_among_others(4)]
fn the_client_gives_up_after_ten_tries(#[case] window: u32) {
    let case = case();
    let content = random_file(&case, 4);
    let options = ["--timeout", SHORT, "--window", &window.to_string()];
    let mut upload = Upload::start(case, &content, &options);
    let mut tries = 0;
    while tries < 10 {
        match upload.expect_any_block() {
            2 => tries += 1,
            other => upload.acknowledge(other),
        }
    }
    upload.expect_no_more_of(2);
    upload.expect_failure();
}

#[rstest]
fn a_server_may_start_later_than_its_client() {
    expect_patience_with_a_late_server(&case(), 3);
}

#[rstest]
#[case::for_a_window_of_0(&["--window", "0", "Cargo.toml"])]
#[case::for_a_window_that_is_too_large(&["--window", "257", "Cargo.toml"])]
#[case::for_a_window_in_words(&["--window", "large", "Cargo.toml"])]
#[case::for_a_timeout_of_0(&["--timeout", "0", "Cargo.toml"])]
#[case::for_a_file_that_is_not_there(&["no-such-file.bin"])]
fn the_exit_code_is_2(#[case] wrong: &[&str]) {
    let wrong = [&["client", "--addr", "127.0.0.1:9"], wrong].concat();
    expect_usage_error(case(), &wrong, &["--timeout", LONG, "--window", "256"]);
}

#[rstest]
#[case::that_is_perfect(Path::default(), Path::default())]
#[case::that_loses(faults(0.1, 0.0, 0.0), faults(0.1, 0.0, 0.0))]
#[case::that_repeats(faults(0.0, 0.3, 0.0), faults(0.0, 0.3, 0.0))]
#[case::that_reorders(faults(0.0, 0.0, 0.3), faults(0.0, 0.0, 0.3))]
#[case::that_does_all_of_it(faults(0.08, 0.1, 0.2), faults(0.08, 0.1, 0.2))]
#[case::that_loses_one_block(one(2, Fate::Lose), Path::default())]
#[case::that_loses_the_last_acknowledgement(Path::default(), one(79, Fate::Lose))]
fn a_file_arrives_whole_through_a_network(#[case] to_server: Path, #[case] to_client: Path) {
    let conditions = Conditions { to_server, to_client, ..Conditions::default() };
    expect_whole_through(NAME, conditions, &["--timeout", "150", "--window", "16"], 80);
}

/// What the task asks for: this many times the goodput of stop-and-wait.
const TIMES: u32 = 5;
/// One way, in the network between.
const DELAY: Duration = Duration::from_millis(10);

/// Stop-and-wait is played by the test on both sides of the same kind of network, so that no
/// submission can make it slow. With a round trip of 20 ms, starting a program and every
/// scheduler's delays are small beside the time that 1,000 blocks may take.
#[rstest]
fn it_is_five_times_as_fast_as_stop_and_wait() {
    let store = Store::open(NAME);
    let blocks = 1000;
    let a_block = time_of_a_block_in_stop_and_wait(&store.case, 25);
    let limit = a_block * blocks / TIMES;
    let network = slow_network(&store.case, store.server);
    let content = random_file(&store.case, blocks as usize);
    let file = store.folder.file("to-send.bin", &content);
    let watch = Stopwatch::start();
    let client = store.case.start_client(network, &[&file]);
    store.case.step(format!(
        "{blocks} blocks must be stored within {limit:?}: stop-and-wait needs {a_block:?} for each"
    ));
    let stored = store.folder.path().join("1.bin");
    let before = store.case.queued();
    let mut queued = Duration::ZERO;
    let is_stored = || fs::metadata(&stored).is_ok_and(|about| about.len() == content.len() as u64);
    // On a busy machine 1,000 blocks wait for a processor more often than the 25 have done. (With all of
    // this, stop-and-wait is still too slow.)
    let there_is_time = || {
        queued = queued.max(store.case.queued().saturating_sub(before));
        watch.punctual() < limit + queued.min(2 * limit)
    };
    if poll_while(there_is_time, || is_stored().then_some(())).is_none() {
        let what = format!(
            "the file is not stored after {limit:?}: that is not {TIMES} times as fast as \
             stop-and-wait"
        );
        store.case.fail(Difference::fail(what));
    }
    client.expect_exit(0);
    store.folder.expect_file("1.bin", &content);
}

fn slow_network(case: &Case, server: SocketAddr) -> SocketAddr {
    let shape = Shape { delay: DELAY, ..Shape::default() };
    case.network(
        Transport::Udp,
        server,
        Conditions::both_ways(0, Path { shape, ..Path::default() }),
    )
}

/// Block after block through a slow network, acknowledged at its other end.
fn time_of_a_block_in_stop_and_wait(case: &Case, blocks: u32) -> Duration {
    case.step(format!("the test itself sends {blocks} blocks by stop-and-wait"));
    let open = || -> std::io::Result<UdpSocket> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(socket)
    };
    let measure = || -> std::io::Result<Duration> {
        let (client, server) = (open()?, open()?);
        client.connect(slow_network(case, server.local_addr()?))?;
        let mut buffer = [0; 2 * BLOCK];
        let mut times = Vec::new();
        for block in 0..blocks {
            let began = Instant::now();
            client.send(&data(1, block, &[0; BLOCK]))?;
            let (_, peer) = retry(|| server.recv_from(&mut buffer))?;
            server.send_to(&ack(1, block), peer)?;
            retry(|| client.recv(&mut buffer))?;
            times.push(began.elapsed());
        }
        // Of all of them the one in the middle: a pause of the machine prolongs few.
        times.sort();
        Ok(times[times.len() / 2])
    };
    measure().unwrap_or_else(|error| panic!("the test's own stop-and-wait failed: {error}"))
}
