//! `send`: the client. The test is its server, mostly a hostile one.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use graded::{Case, Client, Difference, Folder, Host, Output, Running, mebibytes};
use netlab::conditions::{Conditions, Path, Stall, StreamFaults};
use netlab::record::Transport;
use rstest::rstest;

use super::wire::{self, LENGTHS_END, MAX_CONTENT, MAX_MEMORY};

/// Long enough that a client which does something too early has done it; a correct one waits,
/// however slow the machine.
const A_MOMENT: Duration = Duration::from_millis(100);
/// Several times what the buffers between two programs hold, in bytes.
const MUCH: u64 = 24 * 1024 * 1024;
/// A small receive buffer of the server, in bytes.
const SMALL_BUFFER: usize = 64 * 1024;

/// A file, and a server that waits for it.
struct Stand {
    case: Case,
    folder: Folder,
    host: Host,
    name: &'static str,
    content: Vec<u8>,
    path: String,
}

impl Stand {
    fn with(name: &'static str, content: impl FnOnce(&Case) -> Vec<u8>) -> Self {
        let case = Case::of("03", "send");
        let folder = case.folder();
        let host = case.listen_with_buffer(SMALL_BUFFER);
        let content = content(&case);
        let path = folder.file(name, &content);
        Self { case, folder, host, name, content, path }
    }

    /// A file of a few thousand bytes.
    fn open() -> Self {
        Self::with("数据.bin", |case| case.random_bytes(case.random_length(3_000, 9_000)))
    }

    /// A file that does not fit into the buffers.
    fn open_large(length: u64) -> Self {
        Self::with("large.bin", |case| wire::large(&case.random_bytes(1024 * 1024), length))
    }

    fn start(&self, arguments: &[&str]) -> Running {
        self.start_at(self.host.address(), arguments)
    }

    fn start_at(&self, server: SocketAddr, arguments: &[&str]) -> Running {
        self.case.start_client(server, &[arguments, &[&self.path]].concat())
    }

    /// The client, connected through a network with these faults.
    fn start_through(&self, to_server: StreamFaults, to_client: StreamFaults) -> Running {
        let path = |stream| Path { stream, ..Path::default() };
        let conditions = Conditions {
            to_server: path(to_server),
            to_client: path(to_client),
            ..Conditions::default()
        };
        self.start_at(self.case.network(Transport::Tcp, self.host.address(), conditions), &[])
    }

    fn file(&self) -> Vec<u8> {
        wire::file(self.name.as_bytes(), &self.content)
    }

    fn stored(&self) -> Vec<u8> {
        wire::stored(self.name, &self.content)
    }

    /// The client's connection, with the whole file received.
    fn receive(&self) -> Client {
        let mut client = self.host.accept();
        client.expect(&self.file());
        client
    }

    /// A transfer without any trouble: a program that fails at everything has not understood that
    /// something is wrong.
    fn expect_success_first(&self) {
        let client = self.start(&[]);
        self.receive().send(&self.stored());
        client.expect_exit(0);
    }

    /// The client fails with exit code 1, and says so as the task asks.
    fn expect_failure(&self, client: &Running) -> Output {
        let output = client.expect_exit(1);
        self.case
            .step("it must print exactly one line on standard error, without control characters");
        let line = output.stderr.strip_suffix("\r\n").or_else(|| output.stderr.strip_suffix('\n'));
        let is_one_line = |line: &str| !line.trim().is_empty() && !line.contains(char::is_control);
        if !line.is_some_and(is_one_line) {
            let what = format!("your program has printed {:?} on standard error", output.stderr);
            self.case.fail(Difference::fail(what));
        }
        output
    }

    fn expect_reason(&self, client: &Running, reason: &str) {
        let output = self.expect_failure(client);
        self.case.step(format!("the line must contain the server's reason, {reason:?}"));
        if !output.stderr.contains(reason) {
            self.case
                .fail(Difference::fail(format!("the reason is missing in {:?}", output.stderr)));
        }
    }
}

#[rstest]
#[case::hello("a.txt", b"hello")]
#[case::nothing("nothing", b"")]
#[case::zero_bytes("0.bin", b"\0\0\0")]
#[case::not_utf8("data.tar.gz", b"\xff\xfe \xc3\x28")]
#[case::line_ends("a b.txt", b"one\r\ntwo\n\n")]
#[case::chinese_name("你好 数据.txt", "你好".as_bytes())]
#[case::random("random.bin", b"?")]
fn the_file_arrives_byte_for_byte(#[case] name: &'static str, #[case] content: &[u8]) {
    let stand = Stand::with(name, |case| match content {
        b"?" => case.random_bytes(case.random_length(100_000, 300_000)),
        content => content.to_vec(),
    });
    let client = stand.start(&[]);
    stand.receive().send(&stand.stored());
    client.expect_exit(0);
}

#[rstest]
fn the_half_close_follows_the_digest() {
    let stand = Stand::open();
    let client = stand.start(&[]);
    let mut connection = stand.receive();
    connection.expect_close();
    connection.send(&stand.stored());
    client.expect_exit(0);
}

#[rstest]
#[case::that_slices(StreamFaults { slice: Some(30), ..Default::default() })]
#[case::that_stalls(
    StreamFaults { stall: Some(Stall { after: 50, time: A_MOMENT }), ..Default::default() }
)]
fn a_bad_network_changes_nothing(#[case] faults: StreamFaults) {
    let stand = Stand::open();
    let client = stand.start_through(faults.clone(), faults);
    stand.receive().send(&stand.stored());
    client.expect_exit(0);
}

/// The whole takes several times as long as the limit, but the client gets on all the time. What
/// it gives to the system in one call must not be more than is taken within the limit.
#[rstest]
fn a_slow_server_gets_every_byte() {
    let stand = Stand::open_large(MUCH);
    let _timed = stand.case.must_act_within(Duration::from_millis(1500));
    let client = stand.start(&["--timeout", "1500"]);
    let mut connection = stand.host.accept();
    let bytes = stand.file();
    connection.expect_slowly(&bytes, bytes.len().div_ceil(60), Duration::from_millis(50));
    connection.send(&stand.stored());
    client.expect_exit(0);
}

#[rstest]
#[case::of_another_digest("stored {m} {other} a.txt\n")]
#[case::of_another_length("stored 6 {digest} a.txt\n")]
#[case::of_ten_times_the_length("stored {m}0 {digest} a.txt\n")]
#[case::of_half_a_digest("stored {m} 2cf24dba a.txt\n")]
#[case::without_a_digest("stored {m} a.txt\n")]
#[case::cut_off_before_its_end("stored {m} {digest} a.txt")]
#[case::cut_off_in_the_digest("stored {m} 2cf24d")]
#[case::of_no_words("")]
#[case::of_an_empty_line("\n")]
#[case::of_other_words("OK\n")]
#[case::of_another_protocol("HTTP/1.1 200 OK\r\n\r\n")]
#[case::behind_another_line("welcome\nstored {m} {digest} a.txt\n")]
#[case::that_never_ends("stored {m} {digest} {long}")]
fn only_the_right_receipt_is_success(#[case] receipt: &str) {
    let stand = Stand::with("a.txt", |_| b"hello".to_vec());
    let client = stand.start(&["--timeout", "60000"]);
    let mut connection = stand.receive();
    let is_endless = receipt.contains("{long}");
    let receipt = receipt
        .replace("{m}", "5")
        .replace("{long}", &"!".repeat(4_000))
        .replace("{digest}", &wire::hex(&wire::digest(b"hello")))
        .replace("{other}", &wire::hex(&wire::digest(b"hellO")));
    connection.send(receipt.as_bytes());
    if !is_endless {
        connection.half_close();
    }
    stand.expect_failure(&client);
}

#[rstest]
#[case::under_the_same_name("数据.bin", StreamFaults::default())]
#[case::under_another_name("另一个 name-1.bin", StreamFaults::default())]
#[case::through_a_network("数据.bin", StreamFaults { slice: Some(1), ..Default::default() })]
#[case::of_the_longest_kind(&"x".repeat(1024 - 7 - 5 - 65 - 1), StreamFaults::default())]
fn a_right_receipt_may_come_in_pieces(#[case] name: &str, #[case] to_client: StreamFaults) {
    let stand = Stand::with("数据.bin", |case| case.random_bytes(1234));
    let client = stand.start_through(StreamFaults::default(), to_client);
    let mut connection = stand.receive();
    let line = wire::stored(name, &stand.content);
    let (beginning, rest) = line.split_at(30);
    connection.send(beginning);
    client.expect_still_running(A_MOMENT);
    connection.send_in_pieces(rest, 1);
    client.expect_exit(0);
}

#[derive(Clone, Copy, PartialEq)]
enum Refusal {
    AtTheEnd,
    EarlyReadsOn,
    EarlyReadsNoMore,
}

#[rstest]
#[case::at_the_end(Refusal::AtTheEnd)]
#[case::early_by_a_server_that_reads_on(Refusal::EarlyReadsOn)]
#[case::early_by_a_server_that_reads_no_more(Refusal::EarlyReadsNoMore)]
fn a_refusal_is_passed_on(#[case] refusal: Refusal) {
    let is_early = refusal != Refusal::AtTheEnd;
    let stand = if is_early { Stand::open_large(MUCH) } else { Stand::open() };
    // Where the server does not read on, the client has to give up sending first.
    let limit = if refusal == Refusal::EarlyReadsNoMore { "500" } else { "60000" };
    stand.case.tells_to_wait(5 * A_MOMENT);
    let client = stand.start(&["--timeout", limit]);
    let mut connection = stand.host.accept();
    let bytes = stand.file();
    connection.expect(if is_early { &bytes[..LENGTHS_END] } else { &bytes });
    connection.send("refused: 磁盘 is full\n".as_bytes());
    connection.half_close();
    if refusal == Refusal::EarlyReadsOn {
        connection.receive_to_the_end();
    }
    stand.expect_reason(&client, "磁盘 is full");
}

#[rstest]
#[case::clears_the_screen("refused: \x1b[2J\x07no\n")]
#[case::returns("refused: no\rstored\n")]
#[case::has_a_nul("refused: \0no\n")]
#[case::is_no_receipt("stored \x1b[2J\n")]
fn a_hostile_answer_does_nothing_to_the_terminal(#[case] answer: &str) {
    let stand = Stand::open();
    let client = stand.start(&[]);
    let mut connection = stand.receive();
    connection.send(answer.as_bytes());
    connection.half_close();
    stand.expect_failure(&client);
}

#[rstest]
#[case::in_the_content(false)]
#[case::before_the_receipt(true)]
fn a_reset_is_no_success(#[case] after_all: bool) {
    let stand = if after_all { Stand::open() } else { Stand::open_large(MUCH) };
    let client = stand.start(&[]);
    let mut connection = stand.host.accept();
    let all = stand.file();
    connection.expect(if after_all { &all } else { &all[..LENGTHS_END] });
    connection.reset();
    stand.expect_failure(&client);
}

/// After this many bytes of the file, or of the receipt.
#[rstest]
#[case::in_the_content(Some(2_000), None)]
#[case::in_the_receipt(None, Some(40))]
fn a_network_that_resets_is_no_success(
    #[case] in_the_file: Option<u64>,
    #[case] in_the_receipt: Option<u64>,
) {
    let stand = Stand::open();
    let faults = |reset_after| StreamFaults { reset_after, ..Default::default() };
    let client = stand.start_through(faults(in_the_file), faults(in_the_receipt));
    if in_the_receipt.is_some() {
        stand.receive().send(&stand.stored());
    }
    stand.expect_failure(&client);
}

#[rstest]
#[case::that_never_reads(MUCH)]
#[case::that_never_answers(5)]
#[case::that_answers_half_a_line(6)]
fn a_silent_server_is_given_up(#[case] length: u64) {
    let stand = Stand::open_large(length);
    stand.case.tells_to_wait(3 * A_MOMENT);
    let client = stand.start(&["--timeout", "300"]);
    let mut connection = stand.host.accept();
    if length < MUCH {
        connection.expect(&stand.file());
    }
    if length == 6 {
        connection.send(b"stored");
    }
    stand.expect_failure(&client);
    connection.vanish();
}

#[rstest]
#[case::as_long_as_it_is_told(&["--timeout", "60000"])]
#[case::if_it_is_told_nothing(&[])]
fn a_patient_client_waits(#[case] arguments: &[&str]) {
    let stand = Stand::open();
    let client = stand.start(arguments);
    let mut connection = stand.receive();
    client.expect_still_running(10 * A_MOMENT);
    connection.send(&stand.stored());
    client.expect_exit(0);
}

#[rstest]
#[case::a_file_that_is_not_there(&["{file}.gone"])]
#[case::a_folder(&["{folder}"])]
#[case::no_file(&[])]
#[case::two_files(&["{file}", "{file}"])]
#[case::a_time_limit_that_is_no_number(&["{file}", "--timeout", "soon"])]
#[case::an_unknown_option(&["{file}", "--fast"])]
fn nobody_is_called_with_wrong_arguments(#[case] arguments: &[&str]) {
    let stand = Stand::open();
    stand.expect_success_first();
    let folder = stand.folder.path();
    let told = |argument: &&str| {
        argument.replace("{file}", &stand.path).replace("{folder}", folder.to_str().unwrap())
    };
    let arguments: Vec<String> = arguments.iter().map(told).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let client = stand.case.start_client(stand.host.address(), &arguments);
    let output = client.expect_exit(2);
    stand.case.step("it must say why on standard error");
    if output.stderr.trim().is_empty() {
        stand.case.fail(Difference::fail("it has said nothing"));
    }
    stand.host.expect_nobody(A_MOMENT);
}

#[rstest]
fn a_server_that_is_not_there_is_told() {
    let stand = Stand::open();
    stand.expect_success_first();
    let gone = stand.case.listen();
    let nobody = gone.address();
    drop(gone);
    let client = stand.start_at(nobody, &[]);
    stand.expect_failure(&client);
}

#[rstest]
fn a_file_that_grows_is_sent_as_announced() {
    let stand = Stand::open_large(MUCH);
    // Its own patience must not end before the test's, however slow the machine is.
    let client = stand.start(&["--timeout", "60000"]);
    let mut connection = stand.host.accept();
    let bytes = stand.file();
    connection.expect(&bytes[..LENGTHS_END]);
    stand.case.step("the file grows by 1,000 bytes while it is sent");
    let mut file = OpenOptions::new().append(true).open(&stand.path).unwrap();
    file.write_all(&[b'+'; 1_000]).unwrap();
    connection.expect(&bytes[LENGTHS_END..]);
    connection.expect_close();
    connection.send(&stand.stored());
    client.expect_exit(0);
}

#[rstest]
fn a_file_that_shrinks_does_not_look_complete() {
    let stand = Stand::open_large(MUCH);
    let client = stand.start(&["--timeout", "60000"]);
    let mut connection = stand.host.accept();
    let bytes = stand.file();
    connection.expect(&bytes[..LENGTHS_END]);
    stand.case.step("the file becomes shorter while it is sent");
    File::options().write(true).open(&stand.path).unwrap().set_len(MUCH / 2).unwrap();
    let came = LENGTHS_END + connection.receive_to_the_end().len();
    stand.case.step("less must have come than was announced");
    if came >= bytes.len() {
        let what = format!("{came} bytes came, as for a complete file");
        stand.case.fail(Difference::fail(what));
    }
    connection.vanish();
    stand.expect_failure(&client);
}

#[rstest]
fn a_large_file_takes_little_memory() {
    let stand = Stand::open_large(MAX_CONTENT);
    let client = stand.start(&[]);
    let mut connection = stand.receive();
    stand.case.step(format!("your program may hold at most {} of memory", mebibytes(MAX_MEMORY)));
    if let Some(peak) = client.peak_memory().filter(|peak| *peak > MAX_MEMORY) {
        let what = format!("your program has held {} of memory", mebibytes(peak));
        stand.case.fail(Difference::fail(what));
    }
    connection.send(&stand.stored());
    client.expect_exit(0);
}
