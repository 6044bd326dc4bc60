//! `stopwait`: one block at a time.

use graded::{Case, Difference};
use netlab::conditions::{Conditions, Path};
use netlab::faults::Fate;
use rstest::rstest;

use super::blocks::{
    A_WHILE, BLOCK, LONG, SHORT, Store, Upload, ack, data, deliver,
    expect_patience_with_a_late_server, expect_usage_error, expect_whole_through, faults, header,
    one, payloads, random_file,
};

const NAME: &str = "stopwait";

fn case() -> Case {
    Case::of("05", NAME)
}

#[rstest]
#[case::of_no_bytes(0)]
#[case::of_one_byte(1)]
#[case::of_one_byte_less_than_a_block(BLOCK - 1)]
#[case::of_exactly_one_block(BLOCK)]
#[case::of_one_byte_more(BLOCK + 1)]
#[case::of_many_blocks(20 * BLOCK + 77)]
fn a_file_is_stored_block_by_block(#[case] length: usize) {
    let store = Store::open(NAME);
    let sender = store.sender();
    let special = b"\0\xff\xfe\r\nEND\n".repeat(length.div_ceil(9));
    let files = [store.case.random_bytes(length), special[..length].to_vec()];
    for (k, content) in (1..).zip(&files) {
        store.deliver_file(&sender, store.number(), content, k);
    }
}

/// Each block of a file of four arrives, and then one that has come before: it is acknowledged
/// again. That the next one is acknowledged, too, shows that the server has not just been slow.
#[rstest]
#[case::each_block_at_once([0, 1, 2, 3])]
#[case::the_first_block_later([0, 0, 0, 0])]
#[case::the_last_block_and_a_middle_one([0, 1, 1, 3])]
fn a_repeated_block_is_acknowledged_but_not_stored_again(#[case] repeated: [u32; 4]) {
    let store = Store::open(NAME);
    let (sender, upload) = (store.sender(), store.number());
    let content = random_file(&store.case, 4);
    let payloads = payloads(&content);
    for (block, payload) in (0..).zip(&payloads) {
        deliver(&sender, upload, block, payload);
        let known = repeated[block as usize];
        sender.send(&data(upload, known, &payloads[known as usize]));
        // Another upload, so that there is an answer in any case.
        sender.send(&data(upload.wrapping_add(1 + block), 0, &payloads[0]));
        sender.expect(&ack(upload, known));
        sender.expect(&ack(upload.wrapping_add(1 + block), 0));
    }
    store.expect_stored(1);
    store.folder.expect_file("1.bin", &content);
}

#[rstest]
#[case::of_the_block_after_the_next(|upload| data(upload, 2, &[7; BLOCK]))]
#[case::of_a_far_block(|upload| data(upload, 0x0100_0001, b"far"))]
#[case::of_an_upload_that_has_not_begun(|upload| data(upload ^ 1, 1, b"unknown"))]
#[case::that_is_an_acknowledgement(|upload| ack(upload, 1))]
#[case::of_another_kind(|upload| [&header(b'd', upload, 1), b"kind".as_slice()].concat())]
#[case::without_any_byte(|_| Vec::new())]
#[case::with_half_a_header(|upload| header(b'D', upload, 1)[..8].to_vec())]
#[case::that_is_too_long(|upload| data(upload, 1, &[7; BLOCK + 1]))]
fn a_datagram_is_not_answered(#[case] wrong: fn(u32) -> Vec<u8>) {
    let store = Store::open(NAME);
    let (sender, upload) = (store.sender(), store.number());
    let content = random_file(&store.case, 3);
    let payloads = payloads(&content);
    deliver(&sender, upload, 0, &payloads[0]);
    sender.send(&wrong(upload));
    // The next answer must be the one to this block.
    deliver(&sender, upload, 1, &payloads[1]);
    store.expect_stored(0);
    deliver(&sender, upload, 2, &payloads[2]);
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
    for block in 0..2 {
        for ((sender, upload), payloads) in uploads.iter().zip(&all) {
            deliver(&senders[*sender], *upload, block, &payloads[block as usize]);
        }
    }
    // The last one ends first: numbers follow the ends.
    let of_last = uploads.iter().zip(all.iter().zip(&files)).rev();
    for (k, ((sender, upload), (payloads, content))) in (1..).zip(of_last) {
        store.expect_stored(k - 1);
        deliver(&senders[*sender], *upload, 2, &payloads[2]);
        store.folder.expect_file(&format!("{k}.bin"), content);
    }
    store.expect_stored(3);
}

#[rstest]
fn a_large_file_takes_little_memory() {
    Store::open(NAME).expect_little_memory(1);
}

#[rstest]
#[case::of_no_bytes(0)]
#[case::of_one_byte_less_than_a_block(BLOCK - 1)]
#[case::of_exactly_one_block(BLOCK)]
#[case::of_some_blocks(3 * BLOCK + 5)]
fn each_block_waits_for_its_acknowledgement(#[case] length: usize) {
    let case = case();
    let content = case.random_bytes(length);
    let mut upload = Upload::start(case, &content, &["--timeout", LONG]);
    for block in 0..=upload.last() {
        upload.expect_block(block);
        if [0, upload.last()].contains(&block) {
            upload.host.expect_silence(A_WHILE);
        }
        upload.acknowledge(block);
    }
    upload.client.expect_exit(0);
    upload.host.expect_silence(A_WHILE / 10);
}

#[rstest]
fn each_upload_has_a_number_of_its_own() {
    let case = case();
    let mut first = Upload::start(case, b"one", &[]);
    first.expect_block(0);
    first.acknowledge(0);
    first.client.expect_exit(0);
    let number = first.peer().1;
    let mut second = Upload::start(first.case, b"two", &[]);
    second.expect_block(0);
    if second.peer().1 == number {
        let what = "two uploads have the same number: it is not picked at random";
        second.case.fail(Difference::fail(what));
    }
}

/// How often each of four blocks is lost, or its acknowledgement.
#[rstest]
#[case::the_first(&["--timeout", SHORT], [1, 0, 0, 0])]
#[case::one_in_the_middle(&["--timeout", SHORT], [0, 0, 1, 0])]
#[case::the_last(&["--timeout", SHORT], [0, 0, 0, 1])]
#[case::each_some_times(&["--timeout", SHORT], [2, 1, 4, 3])]
#[case::with_the_usual_timeout(&[], [0, 2, 0, 0])]
fn a_block_is_sent_until_it_is_acknowledged(#[case] options: &[&str], #[case] lost: [u32; 4]) {
    let case = case();
    let content = random_file(&case, 4);
    let mut upload = Upload::start(case, &content, options);
    for (block, lost) in (0..).zip(lost) {
        let before: Vec<u32> = (0..block).collect();
        upload.expect_block_after(&before, block);
        for _ in 0..lost {
            // Nothing was acknowledged: so it is the same block again.
            upload.expect_block(block);
        }
        upload.acknowledge(block);
    }
    upload.client.expect_exit(0);
}

#[rstest]
#[case::of_the_block_before(|upload| ack(upload, 0))]
#[case::of_the_next_block(|upload| ack(upload, 2))]
#[case::of_another_upload(|upload| ack(upload ^ 1, 1))]
#[case::of_another_kind(|upload| header(b'D', upload, 1))]
#[case::with_a_byte_too_many(|upload| [ack(upload, 1), vec![0]].concat())]
#[case::with_a_byte_too_few(|upload| ack(upload, 1)[..8].to_vec())]
#[case::without_any_byte(|_| Vec::new())]
fn a_wrong_acknowledgement_changes_nothing(#[case] wrong: fn(u32) -> Vec<u8>) {
    let case = case();
    let content = random_file(&case, 3);
    let mut upload = Upload::start(case, &content, &["--timeout", LONG]);
    upload.expect_block(0);
    upload.acknowledge(0);
    upload.expect_block(1);
    for _ in 0..3 {
        upload.send(&wrong(upload.peer().1));
    }
    // Neither the next block nor this one once more.
    upload.host.expect_silence(A_WHILE);
    for block in 1..=2 {
        upload.acknowledge(block);
        if block < 2 {
            upload.expect_block(block + 1);
        }
    }
    upload.client.expect_exit(0);
}

#[rstest]
fn an_acknowledgement_from_another_port_changes_nothing() {
    let case = case();
    let content = random_file(&case, 2);
    let mut upload = Upload::start(case, &content, &["--timeout", LONG]);
    upload.expect_block(0);
    let stranger = upload.case.listen_udp();
    let (peer, number) = upload.peer();
    stranger.send_to(peer, &ack(number, 0));
    upload.host.expect_silence(A_WHILE);
    upload.acknowledge(0);
    upload.expect_block(1);
    upload.acknowledge(1);
    upload.client.expect_exit(0);
}

/// Whatever else comes must not make the client wait for longer than its timeout.
#[rstest]
fn stray_datagrams_do_not_delay_the_timer() {
    let case = case();
    let mut upload = Upload::start(case, b"short", &["--timeout", "300"]);
    upload.expect_block(0);
    upload.expect_block_despite(b"\xffstray\0", 0);
    upload.acknowledge(0);
    upload.client.expect_exit(0);
}

#[rstest]
#[case::at_the_first_block(0)]
#[case::at_a_block_in_the_middle(1)]
#[case::at_the_last_block(2)]
fn the_client_gives_up_after_ten_tries(#[case] lost: u32) {
    let case = case();
    let content = random_file(&case, 3);
    let mut upload = Upload::start(case, &content, &["--timeout", SHORT]);
    for block in 0..lost {
        let before: Vec<u32> = (0..block).collect();
        upload.expect_block_after(&before, block);
        upload.acknowledge(block);
    }
    let before: Vec<u32> = (0..lost).collect();
    upload.expect_block_after(&before, lost);
    for _ in 1..10 {
        upload.expect_block(lost);
    }
    // Longer than its timeout.
    upload.host.expect_silence(A_WHILE / 2);
    upload.expect_failure();
}

#[rstest]
fn a_server_may_start_later_than_its_client() {
    expect_patience_with_a_late_server(&case(), 1);
}

#[rstest]
#[case::for_a_file_that_is_not_there(&["client", "no-such-file.bin"])]
#[case::for_no_file(&["client"])]
#[case::for_a_timeout_of_0(&["client", "--timeout", "0", "Cargo.toml"])]
#[case::for_a_timeout_too_long(&["client", "--timeout", "60001", "Cargo.toml"])]
#[case::for_a_timeout_in_words(&["client", "--timeout", "soon", "Cargo.toml"])]
#[case::for_a_folder_that_is_not_there(&["server", "--addr", "127.0.0.1:0", "--dir", "no/such"])]
fn the_exit_code_is_2(#[case] wrong: &[&str]) {
    expect_usage_error(case(), wrong, &["--timeout", LONG]);
}

#[rstest]
#[case::that_is_perfect(Path::default(), Path::default())]
#[case::that_loses(faults(0.1, 0.0, 0.0), faults(0.1, 0.0, 0.0))]
#[case::that_repeats(faults(0.0, 0.3, 0.0), faults(0.0, 0.3, 0.0))]
#[case::that_reorders(faults(0.0, 0.0, 0.2), faults(0.0, 0.0, 0.2))]
#[case::that_does_all_of_it(faults(0.08, 0.1, 0.05), faults(0.08, 0.1, 0.05))]
#[case::that_loses_a_block_behind_a_repeated_acknowledgement(
    one(1, Fate::Lose),
    one(0, Fate::Duplicate)
)]
#[case::that_loses_the_last_acknowledgement(Path::default(), one(39, Fate::Lose))]
fn a_file_arrives_whole_through_a_network(#[case] to_server: Path, #[case] to_client: Path) {
    let conditions = Conditions { to_server, to_client, ..Conditions::default() };
    expect_whole_through(NAME, conditions, &["--timeout", "100"], 40);
}
