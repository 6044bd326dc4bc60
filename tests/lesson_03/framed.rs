//! `framed`: files with a header, many over one connection.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use graded::{Case, Client, Difference, Folder, mebibytes};
use netlab::conditions::{Conditions, Path, Stall, StreamFaults};
use netlab::record::Transport;
use rstest::rstest;

use super::wire::{self, LENGTHS_END, MAX_CONTENT, MAX_MEMORY};

/// Long enough that a server which answers too early has done so; a correct one is silent,
/// however slow the machine.
const A_MOMENT: Duration = Duration::from_millis(100);
/// Much more than fits into what a server reads at once.
const MUCH: usize = 300_000;

/// A program that stores into a folder of its own.
struct Stand {
    case: Case,
    server: SocketAddr,
    folder: Folder,
}

impl Stand {
    fn open() -> Self {
        let case = Case::of("03", "framed");
        let folder = case.folder();
        let server = case.serve_at(&["--dir", &folder.inside("in")], "127.0.0.1:0");
        Self { case, server, folder }
    }

    fn connect(&self) -> Client {
        self.case.connect(self.server)
    }

    /// A client that goes through a network with these faults, if any, on the way to the server.
    fn connect_through(&self, stream: StreamFaults) -> Client {
        if stream == StreamFaults::default() {
            return self.connect();
        }
        let to_server = Path { stream, ..Path::default() };
        let conditions = Conditions { to_server, ..Conditions::default() };
        self.case.connect(self.case.network(Transport::Tcp, self.server, conditions))
    }

    /// A client that sends `bytes` is told `refused: REASON`, and nothing remains of them.
    fn expect_refusal(&self, bytes: &[u8], reason: &str) {
        let mut client = self.connect();
        client.send(bytes);
        client.expect(&refused(reason));
        client.expect_close();
        self.folder.expect_nothing();
        self.expect_service();
    }

    /// The next client is served.
    fn expect_service(&self) {
        let mut next = self.connect();
        next.send(&wire::file(b"next.txt", b"still here?"));
        next.half_close();
        next.expect_last_words(&wire::stored("next.txt", b"still here?"));
        self.folder.expect_only(&["next.txt"]);
    }

    fn expect_no_file_yet(&self, name: &str) {
        self.case.step(format!("there must be no file {name} yet"));
        if self.folder.path().join(name).exists() {
            self.case.fail(Difference::fail(format!("{name} is there before it is complete")));
        }
    }
}

fn refused(reason: &str) -> Vec<u8> {
    format!("refused: {reason}\n").into_bytes()
}

#[rstest]
#[case::hello("hello.txt", b"hello")]
#[case::nothing("nothing", b"")]
#[case::zero_bytes("0.bin", b"\0\0\0")]
#[case::not_utf8("data.tar.gz", b"\xff\xfe \xc3\x28")]
#[case::line_ends("a b.txt", b"one\r\ntwo\n\n")]
#[case::chinese_name("你好 数据.txt", "你好".as_bytes())]
#[case::almost_a_device("console.log", b"FILE")]
#[case::longest_name(&"名".repeat(83), b"249 bytes")]
fn a_file_is_stored_byte_for_byte(#[case] name: &str, #[case] content: &[u8]) {
    let stand = Stand::open();
    let any = stand.case.random_bytes(stand.case.random_length(300, 9_000));
    for (name, content) in [(name, content), ("random.bin", &any)] {
        let mut client = stand.connect();
        client.send(&wire::file(name.as_bytes(), content));
        client.half_close();
        client.expect_last_words(&wire::stored(name, content));
        stand.folder.expect_file(name, content);
    }
    stand.folder.expect_only(&[name, "random.bin"]);
}

#[rstest]
#[case::one_byte_at_a_time(1, StreamFaults::default())]
#[case::a_few_bytes_at_a_time(7, StreamFaults::default())]
#[case::all_at_once(MUCH, StreamFaults::default())]
#[case::sliced_by_the_network(MUCH, StreamFaults { slice: Some(3), ..Default::default() })]
#[case::stalled_by_the_network(
    MUCH,
    StreamFaults { stall: Some(Stall { after: 1_000, time: A_MOMENT }), ..Default::default() }
)]
fn files_follow_each_other_in_any_pieces(#[case] piece: usize, #[case] network: StreamFaults) {
    let stand = Stand::open();
    let files: Vec<(String, Vec<u8>)> = [(700, 900), (0, 0), (1, 60), (900, 3_000)]
        .map(|(low, high)| stand.case.random_bytes(stand.case.random_length(low, high)))
        .into_iter()
        .enumerate()
        .map(|(number, content)| (format!("文件 {number}.bin"), content))
        .collect();
    let sent: Vec<_> = files.iter().map(|(name, c)| wire::file(name.as_bytes(), c)).collect();
    let answers: Vec<_> = files.iter().map(|(name, c)| wire::stored(name, c)).collect();
    let mut client = stand.connect_through(network);
    client.send_in_pieces(&sent.concat(), piece);
    client.expect(&answers.concat());
    client.expect_silence(A_MOMENT);
    client.half_close();
    client.expect_close();
    for (name, content) in &files {
        stand.folder.expect_file(name, content);
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Cut {
    HalfClose,
    Reset,
    NetworkReset,
}

#[rstest]
#[case::in_the_magic(2, Cut::HalfClose)]
#[case::in_the_lengths(LENGTHS_END - 1, Cut::HalfClose)]
#[case::in_the_name(LENGTHS_END + 3, Cut::HalfClose)]
#[case::before_the_content(LENGTHS_END + 8, Cut::HalfClose)]
#[case::in_the_content(LENGTHS_END + 8 + 2_000, Cut::HalfClose)]
#[case::before_the_digest(LENGTHS_END + 8 + 4_000, Cut::HalfClose)]
#[case::in_the_digest(LENGTHS_END + 8 + 4_000 + 31, Cut::HalfClose)]
#[case::by_a_reset_in_the_name(LENGTHS_END + 3, Cut::Reset)]
#[case::by_a_reset_in_the_content(LENGTHS_END + 8 + 2_000, Cut::Reset)]
#[case::by_a_reset_of_the_network(LENGTHS_END + 8 + 2_000, Cut::NetworkReset)]
fn what_is_cut_off_leaves_nothing(#[case] sent: usize, #[case] cut: Cut) {
    let stand = Stand::open();
    let whole = stand.case.random_bytes(stand.case.random_length(300, 9_000));
    let first = wire::file(b"whole.bin", &whole);
    let second = wire::file(b"part.bin", &stand.case.random_bytes(4_000));
    let reset_after = (cut == Cut::NetworkReset).then_some((first.len() + sent) as u64);
    let mut client = stand.connect_through(StreamFaults { reset_after, ..Default::default() });
    client.send(&first);
    client.expect(&wire::stored("whole.bin", &whole));
    client.send(&second[..sent]);
    if cut != Cut::NetworkReset {
        // By now the server has received it, and has begun a file in its own way.
        client.expect_silence(A_MOMENT);
        stand.expect_no_file_yet("part.bin");
    }
    match cut {
        Cut::HalfClose => {
            client.half_close();
            client.expect_last_words(&refused("cut off"));
        }
        Cut::Reset => client.reset(),
        Cut::NetworkReset => client.expect_end_or_reset(),
    }
    stand.folder.expect_only(&["whole.bin"]);
    stand.folder.expect_file("whole.bin", &whole);
}

#[rstest]
#[case::damaged_content(0..2_000)]
#[case::damaged_digest(2_000..2_032)]
#[case::damaged_last_byte(2_031..2_032)]
fn a_wrong_digest_is_refused(#[case] damaged: std::ops::Range<usize>) {
    let stand = Stand::open();
    let name = b"damaged.bin";
    let mut bytes = wire::file(name, &stand.case.random_bytes(2_000));
    let place = stand.case.random_length(damaged.start, damaged.end - 1);
    bytes[LENGTHS_END + name.len() + place] ^= 1 << stand.case.random_length(0, 7);
    stand.expect_refusal(&bytes, "wrong digest");
}

#[rstest]
#[case::empty(b"")]
#[case::dot(b".")]
#[case::dot_dot(b"..")]
#[case::parent(b"../x")]
#[case::absolute(b"{outside}/x")]
#[case::subfolder(b"a/b")]
#[case::ends_in_a_slash(b"a/")]
#[case::backslash(b"..\\x")]
#[case::hidden(b".profile")]
#[case::nul(b"a\0.txt")]
#[case::line_feed(b"a\nstored 1 x")]
#[case::escape(b"\x1b[2J")]
#[case::not_utf8(b"\xff\xfe")]
#[case::half_a_character(b"\xe4\xbd")]
#[case::drive(b"c:x")]
#[case::wildcard(b"*")]
#[case::ends_in_a_dot(b"x.")]
#[case::ends_in_a_blank(b"x ")]
#[case::device(b"nul.txt")]
#[case::numbered_device(b"COM1")]
#[case::too_long(&[b'x'; 250])]
fn a_hostile_name_is_refused(#[case] name: &[u8]) {
    let stand = Stand::open();
    // Beside the folder: there the case looks for files at its end.
    let outside = stand.folder.path().parent().unwrap().to_str().unwrap().to_owned();
    let name = match name {
        b"{outside}/x" => format!("{outside}/x").into_bytes(),
        name => name.to_vec(),
    };
    stand.expect_refusal(&wire::file(&name, b"gotcha"), "bad name");
}

#[rstest]
#[case::of_a_name(250, 5, "bad name")]
#[case::of_the_longest_name(u16::MAX, 5, "bad name")]
#[case::one_byte_too_many(5, MAX_CONTENT + 1, "too long")]
#[case::more_than_32_bits(5, (1 << 32) + 5, "too long")]
#[case::more_than_63_bits(5, (1 << 63) + 5, "too long")]
#[case::the_longest_content(5, u64::MAX, "too long")]
fn a_hostile_length_is_refused_at_once(
    #[case] name: u16,
    #[case] content: u64,
    #[case] reason: &str,
) {
    let stand = Stand::open();
    // Nothing follows, and no half-close.
    stand.expect_refusal(&wire::lengths(name, content), reason);
}

#[rstest]
#[case::a_question_for_a_web_server(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")]
#[case::one_byte_wrong(b"FILM\0\x01\0\0\0\0\0\0\0\0a")]
#[case::small_letters(b"file\0\x01\0\0\0\0\0\0\0\0a")]
#[case::zero_bytes(&[0; 50])]
fn what_is_no_file_is_refused(#[case] bytes: &[u8]) {
    let stand = Stand::open();
    // More content than the header says: the rest is taken for the next file.
    let mut client = stand.connect();
    client.send(&[&wire::file(b"next.txt", b"still here?"), bytes].concat());
    let answers = [wire::stored("next.txt", b"still here?"), refused("not a file")].concat();
    client.expect(&answers);
    client.expect_close();
    stand.folder.expect_only(&["next.txt"]);
    let mut other = stand.connect();
    other.send(bytes);
    other.expect(&refused("not a file"));
    other.expect_close();
    stand.folder.expect_only(&["next.txt"]);
}

#[rstest]
#[case::too_long(&[&wire::lengths(5, u64::MAX)[..], b"a.txt"].concat(), "too long")]
#[case::no_file(b"much", "not a file")]
fn a_refusal_arrives_while_the_client_sends(#[case] start: &[u8], #[case] reason: &str) {
    let stand = Stand::open();
    stand.expect_refusal(&[start, &stand.case.random_bytes(MUCH)].concat(), reason);
}

#[rstest]
#[case::with_an_ending("report.txt", ["report-1.txt", "report-2.txt", "report-3.txt"])]
#[case::without("报告", ["报告-1", "报告-2", "报告-3"])]
#[case::with_two("a.tar.gz", ["a.tar-1.gz", "a.tar-2.gz", "a.tar-3.gz"])]
fn nothing_is_overwritten(#[case] name: &str, #[case] next: [&str; 3]) {
    let stand = Stand::open();
    stand.case.step(format!("put a file {name} into the folder"));
    fs::write(stand.folder.path().join(name), "mine").unwrap();
    let contents = next.map(|_| stand.case.random_bytes(500));
    // All of them begin before the first one is complete.
    let mut clients = contents.each_ref().map(|content| {
        let mut client = stand.connect();
        client.send(&wire::header(name.as_bytes(), content));
        client
    });
    clients[0].expect_silence(A_MOMENT);
    for ((client, content), stored_as) in clients.iter_mut().zip(&contents).zip(next) {
        client.send(&[content, &wire::digest(content)[..]].concat());
        client.expect(&wire::stored(stored_as, content));
        stand.folder.expect_file(stored_as, content);
    }
    stand.folder.expect_file(name, b"mine");
    stand.folder.expect_only(&[&next[..], &[name]].concat());
}

#[rstest]
fn many_clients_are_served_at_once() {
    let stand = Stand::open();
    let mut silent = stand.connect();
    let files: Vec<(String, Vec<u8>)> =
        (0..20).map(|n| (format!("{n}.bin"), stand.case.random_bytes(3_000))).collect();
    let mut clients: Vec<Client> = files.iter().map(|_| stand.connect()).collect();
    for part in 0..3 {
        for (client, (name, content)) in clients.iter_mut().zip(&files).rev() {
            let bytes = wire::file(name.as_bytes(), content);
            client.send(bytes.chunks(bytes.len().div_ceil(3)).nth(part).unwrap());
        }
    }
    for (client, (name, content)) in clients.iter_mut().zip(&files) {
        client.expect(&wire::stored(name, content));
        stand.folder.expect_file(name, content);
    }
    silent.expect_silence(A_MOMENT);
}

/// Which client is first does not matter; that each gets a name of its own does.
#[rstest]
fn a_name_is_given_once_only() {
    let stand = Stand::open();
    let contents: Vec<Vec<u8>> = (0..8).map(|_| stand.case.random_bytes(500)).collect();
    let mut clients: Vec<Client> = contents.iter().map(|_| stand.connect()).collect();
    for (client, content) in clients.iter_mut().zip(&contents) {
        client.send(&wire::file(b"same.bin", content));
    }
    let mut names = Vec::new();
    for (client, content) in clients.iter_mut().zip(&contents) {
        let line = String::from_utf8_lossy(&client.receive_line()).into_owned();
        let name = line.rsplit(' ').next().unwrap_or_default().trim_end().to_owned();
        stand.case.expect_equal(
            "the answer",
            &String::from_utf8_lossy(&wire::stored(&name, content)),
            &line,
        );
        stand.folder.expect_file(&name, content);
        names.push(name);
    }
    let numbered = |n| if n == 0 { "same.bin".to_owned() } else { format!("same-{n}.bin") };
    let expected: Vec<String> = (0..8).map(numbered).collect();
    stand.folder.expect_only(&expected.iter().map(String::as_str).collect::<Vec<_>>());
    names.sort();
    names.dedup();
    stand.case.expect_equal("the number of different names", "8", &names.len().to_string());
}

#[rstest]
fn a_failing_disk_is_told() {
    let stand = Stand::open();
    stand.case.step("take the folder away, as a failing disk would");
    fs::remove_dir(stand.folder.path()).unwrap();
    let mut client = stand.connect();
    client.send(&wire::file(b"lost.txt", b"hello"));
    client.expect(&refused("cannot be stored"));
    client.expect_close();
}

#[rstest]
fn a_large_file_takes_little_memory() {
    let stand = Stand::open();
    let content = wire::large(&stand.case.random_bytes(1024 * 1024), MAX_CONTENT);
    let mut client = stand.connect();
    client.send(&wire::file(b"large.bin", &content));
    client.half_close();
    client.expect_last_words(&wire::stored("large.bin", &content));
    stand.folder.expect_file("large.bin", &content);
    stand.case.step(format!("your program may hold at most {} of memory", mebibytes(MAX_MEMORY)));
    if let Some(peak) = stand.case.peak_memory().filter(|peak| *peak > MAX_MEMORY) {
        let what = format!("your program has held {} of memory", mebibytes(peak));
        stand.case.fail(Difference::fail(what));
    }
}
