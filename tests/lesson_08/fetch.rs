//! `fetch`: the client. The test is its server, mostly a hostile one.

use graded::{Case, Client, Difference, Host, Running};
use rstest::rstest;

use super::heads::Head;
use super::{A_MOMENT, MUCH};

/// The longest head, trailer, and line with the length of a chunk, in bytes.
const MAX_HEAD: usize = 16_384;
/// How much the case keeps of what a program prints, in bytes; it keeps a little more.
const MAX_PRINTED: usize = 60_000;
/// A good answer, and what is printed of it.
const GOOD: (&[u8], &[u8]) = (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ngood\n", b"good\n");

/// A server that waits for the program.
struct Stand {
    case: Case,
    host: Host,
}

impl Stand {
    fn open() -> Self {
        let case = Case::of("08", "fetch");
        let host = case.listen();
        Self { case, host }
    }

    /// The program with much patience: on a busy machine the test may be slow.
    fn start(&self, arguments: &[&str]) -> Running {
        self.start_as_it_is(&[&["--timeout", "60000"], arguments].concat())
    }

    fn start_as_it_is(&self, arguments: &[&str]) -> Running {
        self.case.start_client(self.host.address(), arguments)
    }

    /// Expects a proper request for `path`, from somebody who was told no other name.
    fn expect_request(&self, connection: &mut Client, path: &str) {
        self.expect_request_to(connection, path, &self.host.address().to_string());
    }

    fn expect_request_to(&self, connection: &mut Client, path: &str, host: &str) {
        let head = Head::receive(&self.case, connection, "a request");
        let equal = |what, expected: &str, got: &str| self.case.expect_equal(what, expected, got);
        equal("the first line of the request", &format!("GET {path} HTTP/1.1"), &head.first);
        equal("all Host fields", host, &head.values("host").join(" and "));
        let lengths = [head.values("content-length"), head.values("transfer-encoding")].concat();
        equal("what the request says of a body", "", &lengths.join(" and "));
    }

    /// The next connection, on which this is asked for, and answered so.
    fn accept(&self, path: &str, answer: &[u8]) -> Client {
        let mut connection = self.host.accept();
        self.answer(&mut connection, path, answer);
        connection
    }

    fn answer(&self, connection: &mut Client, path: &str, answer: &[u8]) {
        self.expect_request(connection, path);
        connection.send(answer);
    }

    /// The program asks for two paths over one connection, is answered so, and prints `body`.
    fn expect_body(&self, answer: &[u8], piece: usize, body: &[u8]) {
        let client = self.start(&["/", "/good"]);
        let mut connection = self.host.accept();
        self.expect_request(&mut connection, "/");
        connection.send_in_pieces(answer, piece);
        self.answer(&mut connection, "/good", GOOD.0);
        client.expect_exit_having_printed(0, &[body, GOOD.1].concat());
    }

    /// The program fails: exit code 1, one line on standard error; and of the bodies it has printed
    /// `good` and then any beginning of `partial`.
    fn expect_failure(&self, client: &Running, good: &[u8], partial: &[u8]) {
        let output = client.expect_exit(1);
        self.expect_lines(&output.stderr, 1);
        self.case.step("its standard output must be whole bodies, and a beginning of the last one");
        let printed = output.stdout.as_bytes();
        let is_allowed = printed.strip_prefix(good).is_some_and(|rest| partial.starts_with(rest));
        if !is_allowed {
            let what = "your program has printed something that is no beginning of the bodies";
            self.case.fail(Difference::fail(what).with(&[good, partial].concat(), printed));
        }
    }

    fn expect_lines(&self, stderr: &str, count: usize) {
        let lines = stderr.lines().filter(|line| !line.trim().is_empty()).count();
        let expected = count.to_string();
        self.case.expect_equal("how many lines standard error has", &expected, &lines.to_string());
        let is_harmless = !stderr.contains(|c: char| c.is_control() && c != '\n' && c != '\r');
        if !is_harmless {
            let what = format!("there are control characters on standard error: {stderr:?}");
            self.case.fail(Difference::fail(what));
        }
    }
}

fn with_length(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn chunked(chunks: &[u8]) -> Vec<u8> {
    [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunks].concat()
}

#[rstest]
#[case::of_a_page(&["/a.html"], None)]
#[case::of_the_root(&["/"], None)]
#[case::with_a_query(&["/a/b%20c?d=e&f"], None)]
#[case::to_a_named_host(&["/"], Some("example.org:8080"))]
#[case::one_after_the_other(&["/a", "/b", "/a"], None)]
fn each_path_is_asked_for_when_the_last_answer_is_complete(
    #[case] paths: &[&str],
    #[case] name: Option<&str>,
) {
    let stand = Stand::open();
    let name_argument = name.map_or(vec![], |name| vec!["--host", name]);
    let client = stand.start(&[&name_argument, paths].concat());
    let address = stand.host.address().to_string();
    let mut connection = stand.host.accept();
    for path in paths {
        stand.expect_request_to(&mut connection, path, name.unwrap_or(&address));
        connection.send(&GOOD.0[..GOOD.0.len() - 1]);
        connection.expect_silence(A_MOMENT);
        connection.send(b"\n");
    }
    client.expect_exit_having_printed(0, &GOOD.1.repeat(paths.len()));
}

#[rstest]
#[case::of_text(b"hello\n", "", MUCH)]
#[case::of_nothing(b"", "", MUCH)]
#[case::of_zero_bytes(b"\0\0\xff\r\n", "", MUCH)]
#[case::that_looks_like_an_answer(b"\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n", "", MUCH)]
#[case::one_byte_at_a_time(b"hello\n", "", 1)]
#[case::of_many_bytes(b"?", "", MUCH)]
#[case::behind_other_fields(b"hello\n", "Server: a\r\nX-Content-Length: 3\r\ndate:\r\n", MUCH)]
#[case::behind_a_long_head(b"hello\n", "?", 1_000)]
fn a_body_of_known_length_is_printed_byte_for_byte(
    #[case] body: &[u8],
    #[case] fields: &str,
    #[case] piece: usize,
) {
    let stand = Stand::open();
    let random = stand.case.random_bytes(stand.case.random_length(20_000, MAX_PRINTED));
    let body = if body == b"?" { &random } else { body };
    let head = |fields: &str| {
        let length = body.len();
        format!("HTTP/1.1 200 \r\n{fields}cONTENT-lENGTH:{length} \r\n\r\n")
    };
    let head = match fields {
        "?" => head(&format!("X: {}\r\n", "x".repeat(MAX_HEAD - head("X: \r\n").len()))),
        fields => head(fields),
    };
    stand.expect_body(&[head.as_bytes(), body].concat(), piece, body);
}

#[rstest]
#[case::of_one_chunk(b"5\r\nhello\r\n0\r\n\r\n", b"hello")]
#[case::of_nothing(b"0\r\n\r\n", b"")]
#[case::of_many_chunks(b"2\r\nhe\r\n1\r\nl\r\n2\r\nlo\r\n0\r\n\r\n", b"hello")]
#[case::with_lengths_in_hexadecimal(
    b"1a\r\nabcdefghijklmnopqrstuvwxyz\r\nA\r\n0123456789\r\n0\r\n\r\n",
    b"abcdefghijklmnopqrstuvwxyz0123456789"
)]
#[case::with_zeros_in_front(b"0005\r\nhello\r\n000\r\n\r\n", b"hello")]
#[case::with_extensions(b"5;a\r\nhello\r\n5 ; b=\"2\";c\r\nworld\r\n0;d=e\r\n\r\n", b"helloworld")]
#[case::with_a_trailer(b"5\r\nhello\r\n0\r\nX: y\r\nContent-Length: 3\r\n\r\n", b"hello")]
#[case::of_lines(b"8\r\na\r\n0\r\n\r\n\r\n2\r\n\r\n\r\n0\r\n\r\n", b"a\r\n0\r\n\r\n\r\n")]
#[case::of_any_bytes(b"?", b"")]
fn a_chunked_body_is_put_together(
    #[case] chunks: &[u8],
    #[case] body: &[u8],
    #[values(1, MUCH)] piece: usize,
) {
    let stand = Stand::open();
    if chunks != b"?" {
        return stand.expect_body(&chunked(chunks), piece, body);
    }
    let (mut chunks, mut body) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let chunk = stand.case.random_bytes(
            stand.case.random_length(1, if piece == 1 { 40 } else { MAX_PRINTED / 20 }),
        );
        chunks.extend([format!("{:X}\r\n", chunk.len()).as_bytes(), &chunk, b"\r\n"].concat());
        body.extend(chunk);
    }
    chunks.extend(b"0\r\n\r\n");
    stand.expect_body(&chunked(&chunks), piece, &body);
}

#[rstest]
#[case::no_content("204 No Content\r\n\r\n", b"")]
#[case::not_modified("304 Not Modified\r\n\r\n", b"")]
#[case::not_modified_with_a_length("304 Not Modified\r\nContent-Length: 5\r\n\r\n", b"")]
#[case::not_modified_but_chunked("304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", b"")]
#[case::continue_("100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", b"a")]
#[case::early_hints(
    "103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
    b"a"
)]
#[case::several(
    "100 \r\n\r\nHTTP/1.1 103 \r\nX: y\r\n\r\nHTTP/1.1 103 \r\n\r\nHTTP/1.1 204 \r\n\r\n",
    b""
)]
fn what_has_no_body_is_not_waited_for(#[case] answer: &str, #[case] body: &[u8]) {
    let stand = Stand::open();
    let answer = format!("HTTP/1.1 {answer}");
    stand.expect_body(answer.as_bytes(), MUCH, body);
}

#[rstest]
#[case::as_it_says("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", false)]
#[case::as_it_says_in_a_list(
    "HTTP/1.1 200 OK\r\nconnection: x, Close\r\nContent-Length: 5\r\n\r\nhello",
    false
)]
#[case::as_it_is_of_another_time("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", false)]
#[case::as_only_that_ends_the_body("HTTP/1.1 200 OK\r\n\r\nhello", true)]
#[case::as_only_that_ended_bodies_once("HTTP/1.0 200 OK\r\nServer: a\r\n\r\nhello", true)]
fn a_connection_that_the_server_closes_is_used_no_more(#[case] answer: &str, #[case] ends: bool) {
    let stand = Stand::open();
    let client = stand.start(&["/", "/good"]);
    let mut first = stand.accept("/", answer.as_bytes());
    if ends {
        client.expect_still_running(A_MOMENT);
        first.half_close();
    }
    // Nobody but the client closes the first one, if it was told that it is the last.
    let second = stand.accept("/good", GOOD.0);
    first.expect_end_or_reset();
    client.expect_exit_having_printed(0, &[b"hello", GOOD.1].concat());
    drop(second);
}

/// What the server does in place of its second answer.
#[derive(Clone, Copy)]
enum Leave {
    AtOnce,
    WhenAsked,
    ByAReset,
}

#[rstest]
#[case::at_once(Leave::AtOnce)]
#[case::when_it_is_asked(Leave::WhenAsked)]
#[case::by_a_reset(Leave::ByAReset)]
fn a_connection_that_has_closed_is_replaced_once(
    #[case] leave: Leave,
    #[values(true, false)] once: bool,
) {
    let stand = Stand::open();
    let client = stand.start(if once { &["/", "/again"] } else { &["/", "/again", "/never"] });
    let mut connection = stand.accept("/", GOOD.0);
    if !matches!(leave, Leave::AtOnce) {
        stand.expect_request(&mut connection, "/again");
    }
    match leave {
        Leave::ByAReset => connection.reset(),
        Leave::AtOnce | Leave::WhenAsked => connection.vanish(),
    }
    if once {
        let _open = stand.accept("/again", &with_length(b"again"));
        client.expect_exit_having_printed(0, &[GOOD.1, b"again"].concat());
    } else {
        let mut connection = stand.host.accept();
        stand.expect_request(&mut connection, "/again");
        connection.vanish();
        stand.expect_failure(&client, GOOD.1, b"");
        stand.host.expect_nobody(A_MOMENT);
    }
}

#[rstest]
#[case::not_found("404 Not Found\r\nContent-Length: 6\r\n\r\nsorry\n", "404")]
#[case::with_no_body("400 Bad Request\r\nContent-Length: 0\r\n\r\n", "400")]
#[case::with_chunks("500 \r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsorry\n\r\n0\r\n\r\n", "500")]
#[case::that_is_none("399 X\r\nContent-Length: 5\r\n\r\ngood\n", "none")]
#[case::that_nobody_knows(
    "599 X\r\nContent-Length: 40\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n\r\n",
    "599"
)]
fn an_error_is_told_and_the_next_path_is_asked_for(#[case] answer: &str, #[case] status: &str) {
    let stand = Stand::open();
    let answer = format!("HTTP/1.1 {answer}");
    if status == "none" {
        return stand.expect_body(answer.as_bytes(), MUCH, GOOD.1);
    }
    let client = stand.start(&["/bad", "/good", "/worse"]);
    let mut connection = stand.accept("/bad", answer.as_bytes());
    stand.answer(&mut connection, "/good", GOOD.0);
    stand.answer(&mut connection, "/worse", answer.as_bytes());
    let output = client.expect_exit_having_printed(1, GOOD.1);
    stand.expect_lines(&output.stderr, 2);
    for (path, line) in ["/bad", "/worse"].into_iter().zip(output.stderr.lines()) {
        let is_told = line.contains(path) && line.contains(status);
        let told = if is_told { "yes" } else { line };
        stand.case.expect_equal(&format!("whether a line names {path} and {status}"), "yes", told);
    }
}

/// How the server ends in the middle of something.
#[derive(Clone, Copy)]
enum Break {
    Close,
    Reset,
    /// It stays, and says nothing.
    Silence,
}

#[rstest]
#[case::before_an_answer("", "", Break::Close)]
#[case::before_an_answer_by_silence("", "", Break::Silence)]
#[case::in_the_first_line("HTTP/1.1 2", "", Break::Close)]
#[case::in_the_head("{s}Content-Length: 5\r\n", "", Break::Close)]
#[case::before_the_answer_itself("HTTP/1.1 100 Continue\r\n\r\n", "", Break::Close)]
#[case::in_a_body("{s}Content-Length: 6\r\n\r\nhello", "hello", Break::Close)]
#[case::in_a_body_without_a_length_by_a_reset("{s}\r\nhello", "hello", Break::Reset)]
#[case::in_a_very_large_body("{s}Content-Length: 9000000000000000000\r\n\r\n", "", Break::Close)]
#[case::in_a_chunk("{c}5\r\nhell", "hell", Break::Close)]
#[case::in_a_very_large_chunk("{c}7FFFFFFFFFFFFFFF\r\nhello", "hello", Break::Close)]
#[case::behind_a_chunk("{c}5\r\nhello", "hello", Break::Close)]
#[case::between_chunks("{c}5\r\nhello\r\n", "hello", Break::Close)]
#[case::in_the_length_of_a_chunk("{c}5\r\nhello\r\n1", "hello", Break::Close)]
#[case::behind_the_last_chunk("{c}5\r\nhello\r\n0\r\n", "hello", Break::Close)]
#[case::in_the_trailer("{c}5\r\nhello\r\n0\r\nX: y\r\n", "hello", Break::Close)]
fn what_breaks_off_is_a_failure(#[case] answer: &str, #[case] partial: &str, #[case] how: Break) {
    let stand = Stand::open();
    let limit = if matches!(how, Break::Silence) { "300" } else { "60000" };
    // On a new connection: there nothing is tried again.
    let client = stand.start_as_it_is(&["--timeout", limit, "/"]);
    let mut connection = stand.host.accept();
    stand.expect_request(&mut connection, "/");
    if !answer.is_empty() {
        connection.send(filled(answer).as_bytes());
    }
    match how {
        Break::Close => connection.vanish(),
        Break::Reset => {
            client.expect_still_running(A_MOMENT);
            connection.reset();
        }
        // Dropped at the end only.
        Break::Silence => return stand.expect_failure(&client, b"", b""),
    }
    stand.expect_failure(&client, b"", partial.as_bytes());
    stand.host.expect_nobody(A_MOMENT);
}

/// `{s}` stands for a good first line, `{c}` for the head of a chunked answer.
fn filled(answer: &str) -> String {
    let head = "HTTP/1.1 200 OK\r\n";
    answer.replace("{s}", head).replace("{c}", &format!("{head}Transfer-Encoding: chunked\r\n\r\n"))
}

#[rstest]
#[case::of_another_protocol("SSH-2.0-OpenSSH_9.9\r\n\r\n")]
#[case::of_another_version("HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n")]
#[case::of_a_version_in_small_letters("http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]
#[case::of_a_status_of_two_digits("HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n")]
#[case::of_a_status_with_a_sign("HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n")]
#[case::of_a_status_of_letters("HTTP/1.1 OK 200\r\nContent-Length: 0\r\n\r\n")]
#[case::of_a_status_of_no_class("HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n")]
#[case::of_control_characters("HTTP/1.1 \x1b[2J\x07\r\n\r\n")]
#[case::of_a_line_without_a_colon("{s}Content-Length 0\r\n\r\n")]
#[case::of_a_blank_before_the_colon("{s}Content-Length : 0\r\n\r\n")]
#[case::of_two_lengths("{s}Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello")]
#[case::of_a_length_with_a_sign("{s}Content-Length: +5\r\n\r\nhello")]
#[case::of_a_length_below_zero("{s}Content-Length: -5\r\n\r\nhello")]
#[case::of_a_length_in_hexadecimal("{s}Content-Length: 0x5\r\n\r\nhello")]
#[case::of_an_empty_length("{s}Content-Length:\r\n\r\n")]
#[case::of_a_length_beyond_64_bits("{s}Content-Length: 18446744073709551621\r\n\r\nhello")]
#[case::of_a_length_and_chunks(
    "{s}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
)]
#[case::of_chunks_and_a_length(
    "{s}Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n"
)]
#[case::of_another_coding("{s}Transfer-Encoding: gzip\r\n\r\nhello")]
#[case::of_two_codings("{s}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")]
#[case::of_a_chunk_without_a_length("{c}\r\nhello\r\n0\r\n\r\n")]
#[case::of_a_chunk_that_is_longer("{c}3\r\nhello\r\n0\r\n\r\n")]
#[case::of_a_length_of_a_chunk_with_a_sign("{c}+5\r\nhello\r\n0\r\n\r\n")]
#[case::of_a_length_of_a_chunk_below_zero("{c}-5\r\nhello\r\n0\r\n\r\n")]
#[case::of_a_length_of_a_chunk_with_a_prefix("{c}0x5\r\nhello\r\n0\r\n\r\n")]
#[case::of_a_length_of_a_chunk_that_is_no_number("{c}5g\r\nhello\r\n0\r\n\r\n")]
#[case::of_a_length_of_a_chunk_beyond_64_bits("{c}10000000000000005\r\nhello\r\n0\r\n\r\n")]
#[case::of_a_chunk_behind_a_bare_line_feed("{c}5\nhello\r\n0\r\n\r\n")]
#[case::behind_more_than_its_length(
    "{s}Content-Length: 5\r\n\r\nhellomore{s}Content-Length: 0\r\n\r\n"
)]
#[case::of_a_head_of_16385_bytes("HTTP/1.1 204 No Content\r\nX: {x}\r\n\r\n")]
#[case::of_a_head_without_an_end("{s}X: ...")]
#[case::of_a_chunk_whose_length_has_no_end("{c}5;...")]
#[case::of_a_trailer_without_an_end("{c}0\r\nX: ...")]
fn what_is_no_answer_is_a_failure(#[case] answer: &str) {
    let stand = Stand::open();
    // Where more follows than the answer, that is only seen by asking once more.
    let more: &[&str] = if answer.contains("more") { &["/more"] } else { &[] };
    let client = stand.start(&[&["/good", "/"], more].concat());
    let mut connection = stand.accept("/good", GOOD.0);
    let is_endless = answer.ends_with("...");
    let rest = (MAX_HEAD + 1 + "{x}".len()).saturating_sub(answer.len());
    let answer = filled(&answer.replace("{x}", &"x".repeat(rest)).replace("...", ""));
    stand.answer(&mut connection, "/", answer.as_bytes());
    if is_endless {
        connection.send_until_stuck(&vec![b'x'; 10 * MUCH]);
    } else {
        // A client that reads on to find out is not left waiting.
        connection.vanish();
    }
    stand.expect_failure(&client, GOOD.1, b"hello");
}

#[rstest]
#[case::no_path(&[])]
#[case::no_slash(&["/", "page.txt"])]
#[case::a_whole_url(&["http://localhost/"])]
#[case::nothing(&[""])]
#[case::a_blank(&["/a b"])]
#[case::a_line_end(&["/ HTTP/1.1\r\nHost: a\r\n\r\nGET /b"])]
#[case::letters_beyond_ascii(&["/你好"])]
#[case::a_line_end_in_the_host(&["--host", "a\r\nX: y", "/"])]
#[case::a_time_limit_that_is_no_number(&["--timeout", "soon", "/"])]
#[case::an_unknown_option(&["--post", "/"])]
fn nobody_is_called_with_wrong_arguments(#[case] arguments: &[&str]) {
    let stand = Stand::open();
    let client = stand.start(&["/"]);
    let connection = stand.accept("/", GOOD.0);
    client.expect_exit_having_printed(0, GOOD.1);
    connection.vanish();
    // A program that connects first will find nobody, and end with another code.
    let Stand { case, host } = stand;
    let nobody = host.address();
    drop(host);
    let output = case.start_client(nobody, arguments).expect_exit(2);
    case.step("it must say why on standard error");
    if output.stderr.trim().is_empty() {
        case.fail(Difference::fail("it has said nothing"));
    }
}
