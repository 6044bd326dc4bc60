//! The client, by hand and with the library, against servers that answer as they like.

use rstest::rstest;

use super::*;

fn fetch(address: SocketAddr, args: &[&str]) -> assert_cmd::Command {
    let mut client = lesson();
    client.args(["client", "--addr", &address.to_string(), "/page"]).args(args);
    client
}

#[rstest]
#[case::a_length("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")]
#[case::and_what_is_behind_it_is_not_ours(
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, world"
)]
#[case::chunks(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
)]
#[case::chunks_with_a_trailer(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-A: b\r\n\r\n"
)]
#[case::until_the_end("HTTP/1.1 200 OK\r\n\r\nhello")]
#[case::an_old_server("HTTP/1.0 200 OK\r\n\r\nhello")]
#[case::an_answer_before_the_answer(
    "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
)]
#[case::no_reason("HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello")]
fn a_body_is_printed_to_its_end(#[case] answer: &str, #[values(false, true)] library: bool) {
    let (address, serving) = answers(answer);
    let args: &[&str] = if library { &["--library"] } else { &[] };
    fetch(address, args).assert().success().stdout("hello");
    let request = serving.join().unwrap().to_ascii_lowercase();
    assert!(request.starts_with("get /page http/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("\r\nhost: {address}\r\n")), "{request}");
}

/// What RFC 9112 allows in a reason (section 4) and between the lines of an answer (section 5.2).
#[rstest]
#[case::a_tab(b"HTTP/1.1 200 O\tK\r\nContent-Length: 5\r\n\r\nhello", true)]
#[case::latin_1(b"HTTP/1.1 200 d\xe9j\xe0 vu\r\nContent-Length: 5\r\n\r\nhello", true)]
#[case::a_folded_line(b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\t5\r\n\r\nhello, world", false)]
#[case::blanks_before_an_extension(
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5 \t;a\r\nhello\r\n0\r\n\r\n",
    false
)]
fn what_is_odd_and_allowed_is_understood(#[case] answer: &[u8], #[case] also_by_library: bool) {
    for library in [false, true] {
        // What the library takes is not ours to decide.
        if library && !also_by_library {
            continue;
        }
        let (address, serving) = answers(answer);
        let args: &[&str] = if library { &["--library"] } else { &[] };
        fetch(address, args).assert().success().stdout("hello");
        serving.join().unwrap();
    }
}

/// A server may send what it likes; what was not asked for is not printed as if it had been.
#[rstest]
#[case::another_part("206 X\r\nContent-Range: bytes 5-7/10\r\n", "another part: bytes 5-7/10")]
#[case::half_of_it("206 X\r\nContent-Range: bytes 2-3/10\r\n", "another part: bytes 2-3/10")]
#[case::an_unknown_part("206 X\r\n", "does not say which")]
#[case::a_broken_range("206 X\r\nContent-Range: bytes 4-2/10\r\n", "does not say which")]
#[case::several(
    "206 X\r\nContent-Type: multipart/byteranges; boundary=a\r\n",
    "several parts, although one was asked for"
)]
#[case::all("200 OK\r\n", "try it without --range")]
fn another_part_than_was_asked_for_is_told(
    #[case] head: &str,
    #[case] reason: &str,
    #[values(false, true)] library: bool,
) {
    let (address, serving) = answers(format!("HTTP/1.1 {head}Content-Length: 3\r\n\r\nabc"));
    let args: &[&str] = if library { &["--library"] } else { &[] };
    let assert = fetch(address, &[&["--range", "2-4"], args].concat()).assert().code(1).stdout("");
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(said.contains(reason) && said.lines().count() == 1, "{said}");
    assert!(said.contains(&format!("GET http://{address}/page: 20")), "{said}");
    assert!(serving.join().unwrap().to_ascii_lowercase().contains("\r\nrange: bytes=2-4\r\n"));
}

#[rstest]
#[case::less("Content-Length: 2\r\n\r\nab", "ab")]
#[case::more_in_chunks("Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n", "abcd")]
#[case::less_until_the_end("\r\nab", "ab")]
fn a_part_has_as_many_bytes_as_its_range(
    #[case] answer: &str,
    #[case] printed: &'static str,
    #[values(false, true)] library: bool,
) {
    let head = "HTTP/1.1 206 X\r\nContent-Range: bytes 2-4/10\r\n";
    let (address, serving) = answers(format!("{head}{answer}"));
    let args: &[&str] = if library { &["--library"] } else { &[] };
    let assert = fetch(address, &[&["--range", "2-4"], args].concat()).assert().code(1);
    let said = String::from_utf8(assert.stdout(printed).get_output().stderr.clone()).unwrap();
    assert!(said.contains("bytes for a part of 3"), "{said}");
    serving.join().unwrap();
}

#[rstest]
fn a_part_that_nobody_asked_for_is_told(#[values(false, true)] library: bool) {
    let part = "HTTP/1.1 206 X\r\nContent-Range: bytes 0-1/2\r\nContent-Length: 2\r\n\r\nab";
    let (address, serving) = answers(part);
    let args: &[&str] = if library { &["--library"] } else { &[] };
    let assert = fetch(address, args).assert().code(1).stdout("");
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(said.contains("a part, although all was asked for"), "{said}");
    serving.join().unwrap();
}

#[rstest]
#[case::backwards("4-2", "in front of the first")]
#[case::several("0-1,3-4", "write FIRST-LAST")]
fn what_is_no_range_is_code_2(#[case] range: &str, #[case] reason: &str) {
    let assert = lesson().args(["client", "/", "--range", range]).assert().code(2);
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(said.contains(reason), "{said}");
}

#[rstest]
#[case::too_short("Content-Length: 6\r\n\r\nhello", "hello", "in the middle of its answer")]
#[case::nothing_at_all("", "", "in the middle of its answer")]
#[case::chunks_without_an_end(
    "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "hello",
    "in the middle of its answer"
)]
#[case::half_a_chunk(
    "Transfer-Encoding: chunked\r\n\r\n6\r\nhello",
    "hello",
    "in the middle of its answer"
)]
#[case::no_chunk_size("Transfer-Encoding: chunked\r\n\r\nhello\r\n", "", "chunk size is not")]
#[case::both_lengths(
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
    "",
    "Content-Length and Transfer-Encoding together"
)]
#[case::two_lengths(
    "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "",
    "more than one Content-Length"
)]
#[case::no_length("Content-Length: five\r\n\r\nhello", "", "Content-Length is not a number")]
#[case::an_unknown_coding(
    "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "",
    "transfer coding"
)]
#[case::no_field("nonsense\r\n\r\nhello", "", "a field without ':'")]
#[case::a_bare_line_feed("X-A: a\n\nhello", "", "a line feed without its CR")]
fn a_body_that_is_not_whole_is_code_1_and_says_so(
    #[case] answer: &str,
    #[case] printed: &'static str,
    #[case] reason: &str,
) {
    let (address, serving) = answers(format!("HTTP/1.1 200 OK\r\n{answer}"));
    let assert = fetch(address, &[]).assert().code(1).stdout(printed);
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(said.contains(reason) && said.lines().count() == 1, "{said}");
    assert!(said.contains(&address.to_string()), "{said}");
    serving.join().unwrap();
}

#[rstest]
#[case::another_protocol("SSH-2.0-OpenSSH_9.2\r\n\r\n", "does not answer as HTTP/1.1 should")]
#[case::http_2("HTTP/2.0 200 OK\r\n\r\n", "only HTTP/1.0 and HTTP/1.1 are spoken here")]
#[case::closed_without_a_word("", "in the middle of its answer")]
#[case::tls("\x15\x03\x03\x00\x02\x02\x46", "it answers in TLS: try https://")]
#[case::an_endless_line(&"a".repeat(100_000), "too long")]
#[case::endless_fields(&("HTTP/1.1 200 OK\r\n".to_owned() + &"X-A: aaaaaaa\r\n".repeat(10_000)), "more than 100|too long")]
#[case::answers_before_the_answer(&"HTTP/1.1 100 Continue\r\n\r\n".repeat(50), "1xx again and again")]
fn what_is_no_answer_is_code_1_and_one_line(#[case] answer: &str, #[case] reason: &str) {
    let (address, serving) = answers(answer);
    let assert = fetch(address, &[]).assert().code(1).stdout("");
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(reason.split('|').any(|reason| said.contains(reason)), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    serving.join().unwrap();
}

#[rstest]
#[case::by_its_length("Content-Length: 1000000000\r\n\r\n")]
#[case::by_its_chunks("Transfer-Encoding: chunked\r\n\r\nfffffff\r\n")]
#[case::without_an_end("\r\n")]
fn a_body_beyond_the_limit_is_not_taken(
    #[case] answer: &str,
    #[values(false, true)] library: bool,
) {
    let answer = format!("HTTP/1.1 200 OK\r\n{answer}{}", "a".repeat(100_000));
    let (address, serving) = answers(answer);
    let mut client = fetch(address, &["--max-bytes", "1000"]);
    if library {
        client.arg("--library");
    }
    let output = client.assert().code(1).get_output().clone();
    assert!(output.stdout.len() <= 100_000, "{} bytes", output.stdout.len());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("more than --max-bytes") || said.contains("larger than"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    serving.join().unwrap();
}

#[rstest]
#[case::not_a_byte("")]
#[case::half_a_head("HTTP/1.1 200 OK\r\nContent-")]
#[case::half_a_body("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")]
fn a_server_that_falls_silent_is_given_up(
    #[case] answer: &'static str,
    #[values(false, true)] library: bool,
) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        // Until the client gives up.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let mut client = fetch(address, &["--timeout", "0.3"]);
    if library {
        client.arg("--library");
    }
    let output = client.assert().code(1).get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("timed out") || said.contains("timeout"), "{said}");
    serving.join().unwrap();
}

#[test]
fn nothing_of_a_url_is_sent_that_is_nobodys_business() {
    for library in [false, true] {
        let (address, serving) = answers("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let url = format!("http://anna:geheim@{address}/a/../b%20c?d=e#f");
        let mut client = lesson();
        client.args(["client", &url]);
        if library {
            client.arg("--library");
        }
        client.assert().success().stderr("the user name and password in the URL are not sent\n");
        let request = serving.join().unwrap();
        assert!(request.starts_with("GET /b%20c?d=e HTTP/1.1\r\n"), "{request}");
        let lower = request.to_ascii_lowercase();
        assert!(!lower.contains("authorization") && !lower.contains("anna"), "{request}");
        assert!(!lower.contains("referer") && !request.contains('#'), "{request}");
    }
}

/// As curl's --connect-to: what is said comes from the URL.
#[rstest]
fn an_address_beside_a_url_is_where_the_connection_goes(#[values(false, true)] library: bool) {
    let (address, serving) = answers("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    let mut client = lesson();
    client.args(["client", "--addr", &address.to_string(), "http://example.com/a"]);
    if library {
        client.arg("--library");
    }
    client.assert().success().stdout("hello");
    let request = serving.join().unwrap().to_ascii_lowercase();
    assert!(request.contains("\r\nhost: example.com\r\n"), "{request}");
}

#[rstest]
#[case::by_hand(&[])]
#[case::by_the_library(&["--library"])]
fn the_client_gets_what_the_server_has(#[case] args: &[&str]) {
    let site = site(&[]);
    let run = |more: &[&str]| site.client(more).args(args).assert();
    run(&[]).success().stdout(PAGE);
    run(&["/numbers.txt"]).success().stdout(NUMBERS);
    run(&["/numbers.txt", "--range", "2-4"]).success().stdout("234");
    run(&["/numbers.txt", "--range", "-3"]).success().stdout("789");
    run(&["/nothing"]).success().stdout("");
    let time = run(&["/time"]).success().get_output().stdout.clone();
    assert_eq!(String::from_utf8(time).unwrap().lines().count(), 3);
    let head = run(&["/numbers.txt", "--head"]).success().get_output().stdout.clone();
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    assert!(
        head.starts_with("http/1.1 200 ok\n") && head.contains("content-length: 10\n"),
        "{head}"
    );
    let url = format!("http://{}/nowhere", site.addr());
    run(&["/nowhere"])
        .code(1)
        .stdout("404 Not Found: there is no such file\n")
        .stderr(format!("GET {url}: 404 Not Found\n"));
    let assert = run(&["/numbers.txt", "--range", "10-"]).code(1);
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(said.ends_with(": 416 Range Not Satisfiable; it has 10 bytes\n"), "{said}");
}

#[test]
fn verbose_shows_both_heads_and_what_comes_behind_the_body() {
    let (address, serving) = answers(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-A: b\r\n\r\n",
    );
    let expected = format!(
        "> GET /page HTTP/1.1\n> Host: {address}\n> User-Agent: lesson-08\n> Connection: close\n\
         < HTTP/1.1 200 OK\n< Transfer-Encoding: chunked\n< X-A: b\n"
    );
    fetch(address, &["--verbose"]).assert().success().stdout("hello").stderr(expected);
    serving.join().unwrap();
}

#[test]
fn a_redirect_is_shown_by_hand_and_followed_by_the_library() {
    let site = site(&[]);
    let url = format!("http://{}/sub", site.addr());
    site.client(&["/sub"])
        .assert()
        .code(1)
        .stderr(format!("GET {url}: 301 Moved Permanently; it is now at {url}/\n"));
    site.client(&["/sub", "--library"]).assert().success().stdout("sub");
    site.client(&["/sub?x=1#y"])
        .assert()
        .code(1)
        .stderr(format!("GET {url}?x=1: 301 Moved Permanently; it is now at {url}/?x=1#y\n"));
    site.client(&["/sub?x=1#y", "--library"]).assert().success().stdout("sub");
}

/// Wherever a redirect leads, it is resolved as RFC 3986, section 5.4, shows; also by the library.
#[rstest]
#[case::a_query("?y", "/b/c/d;p?y")]
#[case::a_name("g", "/b/c/g")]
#[case::a_folder("../..", "/")]
#[case::above_the_root("../../../g", "/g")]
#[case::a_path("/./g", "/g")]
#[case::a_fragment_is_not_sent("g?y#s", "/b/c/g?y")]
#[case::another_host("http://{address}", "/")]
#[case::a_user_is_not_sent("//anna:geheim@{address}/g", "/g")]
fn the_library_follows_relative_redirects(#[case] location: &str, #[case] expected: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let location = location.replace("{address}", &address.to_string());
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        head(&mut stream);
        let moved =
            format!("HTTP/1.1 302 X\r\nLocation: {location}\r\nContent-Length: 3\r\n\r\nabc");
        stream.write_all(moved.as_bytes()).unwrap();
        // On the same connection, as the body of the first answer has been read.
        let second = head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
        second
    });
    let addr = address.to_string();
    let args = ["client", "--addr", &addr, "--library", "/b/c/d;p?q#f"];
    lesson().args(args).assert().success().stdout("ok");
    let second = serving.join().unwrap();
    assert!(second.starts_with(&format!("GET {expected} HTTP/1.1\r\n")), "{second}");
    assert!(!second.to_ascii_lowercase().contains("authorization"), "{second}");
}

/// A zone says which interface of this machine: it is needed to connect, and nobody else is told.
#[rstest]
#[case::by_number("1")]
#[case::by_name("lo")]
fn an_address_with_a_zone_is_connected_to(
    #[case] zone: &str,
    #[values(false, true)] library: bool,
) {
    if !cfg!(target_os = "linux") {
        return; // Elsewhere the interface has another name.
    }
    let listener = TcpListener::bind("[::1]:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let head = head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").unwrap();
        head
    });
    let addr = format!("[::1%{zone}]:{}", address.port());
    let mut client = lesson();
    client.args(["client", "--addr", &addr, "/"]);
    if library {
        client.arg("--library");
    }
    client.assert().success().stdout("hello");
    let request = serving.join().unwrap().to_ascii_lowercase();
    assert!(request.contains(&format!("\r\nhost: {address}\r\n")), "{request}");
}

#[test]
fn a_url_with_a_zone_is_code_2_and_says_how_to_write_it() {
    for zone in ["%lo", "%25lo"] {
        let url = format!("http://[fe80::1{zone}]:8888/");
        let assert = lesson().args(["client", &url]).assert().code(2);
        let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
        assert!(said.contains("none has a zone") && said.contains("--addr"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn a_redirect_that_goes_in_circles_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            head(&mut stream);
            let answer = "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\
                          Connection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let assert = fetch(address, &["--library"]).assert().code(1);
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(said.contains("too many redirects"), "{said}");
}

#[rstest]
#[case::by_hand(&[])]
#[case::by_the_library(&["--library"])]
fn no_server_is_one_clear_line_and_code_1(#[case] args: &[&str]) {
    let addr = free_address(Transport::Tcp).to_string();
    let assert = lesson().args(["client", "--addr", &addr]).args(args).assert().code(1);
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    let reason = ": connection refused; no program listens there: start the server first, or check \
                  --addr\n";
    assert!(said.contains(&addr) && said.ends_with(reason), "{said}");
}

/// What HTTP allows in a field and in a reason: no control characters, but all others.
const IN_A_FIELD: &str = "你好 forged gpj.exe שלום \u{202e}\u{2066}\u{200b}\u{feff}\u{2028}";

#[rstest]
fn fields_and_reasons_cannot_play_with_the_terminal(#[values(false, true)] library: bool) {
    let (address, serving) = answers(format!(
        "HTTP/1.1 404 Not {IN_A_FIELD}\r\nLocation: /{IN_A_FIELD}\r\nContent-Length: 0\r\n\r\n"
    ));
    let args: &[&str] = if library { &["--library", "-v"] } else { &["-v"] };
    let assert = fetch(address, args).assert().code(1);
    serving.join().unwrap();
    assert_eq!(hostile::complaint(&assert.get_output().stderr), None);
}

#[test]
fn the_head_that_is_printed_cannot_play_with_the_terminal() {
    let (address, serving) =
        answers(format!("HTTP/1.1 200 OK\r\nX-A: {IN_A_FIELD}\r\nContent-Length: 0\r\n\r\n"));
    let assert = fetch(address, &["--head"]).assert().success();
    serving.join().unwrap();
    assert_eq!(hostile::complaint(&assert.get_output().stdout), None);
}

#[test]
fn a_body_reaches_a_pipe_as_it_came() {
    let body = [hostile::TEXT.as_bytes(), b"\xff\0"].concat();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let (address, serving) = answers([head.as_bytes(), &body].concat());
    fetch(address, &[]).assert().success().stdout(body);
    serving.join().unwrap();
}
