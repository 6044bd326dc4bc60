//! The server's connections: how long they live, how many there are, and how they end.

use std::process::Stdio;

use rstest::rstest;

use super::*;

#[test]
fn the_demo_shows_all_of_it() {
    let output = lesson().args(["--addr", "127.0.0.1:0"]).assert().success().get_output().clone();
    let text = String::from_utf8(output.stdout).unwrap();
    for expected in [
        "fragment   line-3",
        "[client] > GET /poem.txt HTTP/1.1\n",
        "[client] < HTTP/1.1 200 OK\n",
        "[client] 静夜思\n",
        " GET /poem.txt → 206, 9 bytes\n",
        "[client] 3 of 3: ",
        "[client] * TLS 1.3: the server has proved to be localhost\n",
        "this is somebody else: ",
        "signed by an authority that we do not trust",
    ] {
        assert!(text.contains(expected), "{expected} in:\n{text}");
    }
    assert!(!text.contains("[client] \n"), "{text}");
}

#[test]
fn the_demo_succeeds_twice_in_a_row_on_one_port() {
    let addr = free_address(Transport::Tcp).to_string();
    for run in 1..=2 {
        let output = lesson().args(["--addr", &addr]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "run {run} of 2: {said}");
    }
}

#[test]
fn without_a_folder_it_serves_its_own_pages_and_takes_them_away_again() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lesson-08"));
    let folder = tempfile::tempdir().unwrap();
    command.args(["server", "--addr", "127.0.0.1:0"]);
    // Where a system keeps temporary files: TMPDIR, on Windows TMP.
    command.env("TMPDIR", folder.path()).env("TMP", folder.path());
    let server = Server::start(&mut command, LIMIT).unwrap();
    let mut site = Site { server, folder };
    assert!(site.get("/poem.txt", "").contains("床前明月光"));
    assert_eq!(status(&site.get("/pictures/moon.svg", "")), 200);
    assert_eq!(fs::read_dir(site.folder.path()).unwrap().count(), 1);
    if netlab::program::CAN_INTERRUPT {
        site.server.interrupt(LIMIT).unwrap();
        assert_eq!(fs::read_dir(site.folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn requests_in_one_piece_are_answered_in_their_order() {
    let all = get("/numbers.txt", "") + &get("/sub/", "") + &get("/", "Connection: close\r\n");
    let answers = site(&[]).exchange(all.as_bytes());
    let bodies: Vec<&str> = answers.split("HTTP/1.1 200 OK\r\n").skip(1).collect();
    assert_eq!(bodies.len(), 3, "{answers}");
    assert!(bodies[0].ends_with(NUMBERS) && bodies[1].ends_with("sub"), "{answers}");
    assert!(bodies[2].ends_with(PAGE), "{answers}");
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let site = site(&[]);
    let mut stream = site.connect();
    stream.set_nodelay(true).unwrap();
    for byte in get("/numbers.txt", "Connection: close\r\n").bytes() {
        stream.write_all(&[byte]).unwrap();
    }
    assert!(rest(&mut stream).ends_with(NUMBERS));
}

#[rstest]
#[case::none("")]
#[case::an_empty_line_in_front("\r\n")]
fn a_head_is_answered_with_a_head_and_the_next_request_follows_at_once(#[case] before: &str) {
    let head = "HEAD /numbers.txt HTTP/1.1\r\nHost: a\r\n\r\n";
    let both = before.to_owned() + head + &get("/sub/", "Connection: close\r\n");
    let answers = site(&[]).exchange(both.as_bytes());
    let (first, second) = answers.split_once("\r\n\r\n").unwrap();
    assert!(first.contains("\r\nContent-Length: 10"), "{answers}");
    assert!(second.starts_with("HTTP/1.1 200 OK\r\n"), "{answers}");
}

#[test]
fn a_request_with_a_body_is_answered_and_the_next_one_begins_behind_it() {
    let chunked = get("/sub/", "Transfer-Encoding: chunked\r\n");
    let both =
        chunked + "5;a=b\r\nhello\r\n0\r\nX-A: b\r\n\r\n" + &get("/", "Connection: close\r\n");
    let answers = site(&[]).exchange(both.as_bytes());
    assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), 2, "{answers}");
    assert!(answers.ends_with(PAGE), "{answers}");
}

#[test]
fn what_has_no_length_comes_in_chunks_or_to_an_old_client_until_the_end() {
    let site = site(&[]);
    let chunked = site.get("/time", "");
    let (head, body) = chunked.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("\r\nTransfer-Encoding: chunked"), "{chunked}");
    assert!(!head.contains("Content-Length"), "{chunked}");
    assert!(body.starts_with("26\r\n1 of 3: ") && body.ends_with("\n\r\n0\r\n\r\n"), "{chunked}");

    let plain = site.exchange(b"GET /time HTTP/1.0\r\n\r\n");
    let (head, body) = plain.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("\r\nConnection: close"), "{plain}");
    assert!(!head.contains("Transfer-Encoding"), "{plain}");
    assert!(body.starts_with("1 of 3: ") && body.lines().count() == 3, "{plain}");
}

#[test]
fn one_client_too_many_is_told_to_come_again_and_finds_room_later() {
    let site = site(&["--max-connections", "2"]);
    let mut places: Vec<TcpStream> = (0..2).map(|_| site.connect()).collect();
    for place in &mut places {
        place.write_all(get("/numbers.txt", "").as_bytes()).unwrap();
        head(place);
    }
    let refusal = rest(&mut site.connect());
    assert_eq!(status(&refusal), 503, "{refusal}");
    assert!(refusal.contains("\r\nRetry-After: 1\r\n"), "{refusal}");
    places.pop();
    // The server notices that one has gone in its own time.
    let found = netlab::program::poll(LIMIT, || {
        let answer = site.exchange(get("/numbers.txt", "Connection: close\r\n").as_bytes());
        (status(&answer) == 200).then_some(())
    });
    assert!(found.is_some(), "{}", site.server.stderr());
}

#[test]
fn two_hundred_clients_are_served_at_once() {
    let site = site(&[]);
    let mut clients: Vec<TcpStream> = (0..200).map(|_| site.connect()).collect();
    for client in &mut clients {
        client.write_all(b"GET /numbers.txt HTTP/1.1\r\n").unwrap();
    }
    // All are in the middle of a request at this point; the last is answered first.
    for client in clients.iter_mut().rev() {
        client.write_all(b"Host: a\r\nConnection: close\r\n\r\n").unwrap();
        assert!(rest(client).ends_with(NUMBERS));
    }
}

#[test]
fn a_client_that_vanishes_ends_only_itself() {
    let site = site(&[]);
    let large = site.folder.path().join("site/large");
    fs::write(large, vec![0; 16_000_000]).unwrap();
    let mut stream = site.connect();
    stream.write_all(get("/large", "").as_bytes()).unwrap();
    head(&mut stream);
    // Closing with unread bytes is a reset.
    drop(stream);
    assert!(site.server.says("GET /large → 200: ", LIMIT), "{}", site.server.stderr());
    site.still_serves();
}

#[test]
fn a_client_that_never_reads_is_let_go() {
    let site = site(&["--request-time", "0.3"]);
    fs::write(site.folder.path().join("site/large"), vec![0; 16_000_000]).unwrap();
    let mut deaf = site.connect();
    deaf.write_all(get("/large", "").as_bytes()).unwrap();
    assert!(site.server.says("GET /large → 200: timed out", LIMIT), "{}", site.server.stderr());
}

#[test]
fn ctrl_c_ends_the_server_and_its_port_is_free_at_once() {
    let addr = free_address(Transport::Tcp).to_string();
    let mut first = site_at(&addr, &[]);
    let (mut silent, mut between) = (first.connect(), first.connect());
    silent.write_all(b"GET / HT").unwrap();
    between.write_all(get("/numbers.txt", "").as_bytes()).unwrap();
    head(&mut between);
    let status = first.server.interrupt(LIMIT).expect("it ends although clients are connected");
    if netlab::program::CAN_INTERRUPT {
        assert_eq!(status.code(), Some(0));
    }
    site_at(&addr, &[]).still_serves();
}

/// A client that reads has a moment to take the rest; one that does not is not waited for.
#[test]
fn ctrl_c_does_not_wait_for_a_client_that_does_not_take_its_answer() {
    let mut site = site(&["--request-time", "1"]);
    fs::write(site.folder.path().join("site/large"), vec![0; 16_000_000]).unwrap();
    let mut deaf = site.connect();
    deaf.write_all(get("/large", "").as_bytes()).unwrap();
    head(&mut deaf);
    assert!(site.server.interrupt(LIMIT).is_some());
}

#[test]
fn an_answer_that_is_being_sent_when_ctrl_c_comes_is_finished() {
    let mut site = site(&[]);
    let mut stream = site.connect();
    stream.write_all(get("/time", "").as_bytes()).unwrap();
    head(&mut stream);
    let status = site.server.interrupt(LIMIT).unwrap();
    if netlab::program::CAN_INTERRUPT {
        assert_eq!(status.code(), Some(0));
        assert!(rest(&mut stream).ends_with("\r\n0\r\n\r\n"));
    }
}

#[test]
fn a_server_prints_exactly_one_line_on_standard_output() {
    let mut site = site(&[]);
    site.still_serves();
    let expected = format!("listening on {}\n", site.addr());
    site.server.interrupt(LIMIT).unwrap();
    assert_eq!(site.server.stdout(), expected);
}

#[test]
fn control_characters_of_a_client_do_not_reach_the_servers_terminal() {
    let site = site(&[]);
    site.exchange(b"GET /\x1b[31m HTTP/1.1\r\nHost: a\r\n\r\n");
    site.get("/%1b[31m", "");
    assert!(site.server.says("GET /%1b[31m → 404", LIMIT), "{}", site.server.stderr());
    assert!(!site.server.stderr().contains('\x1b'));
}

#[test]
fn a_port_in_use_is_one_clear_line_and_code_1() {
    let taken = site(&[]);
    let addr = taken.addr();
    let expected = format!(
        "cannot listen on {addr}: address already in use; another program has it: try --addr \
         127.0.0.1:0 (cargo xtask doctor tells more)\n"
    );
    lesson().args(["server", "--addr", &addr]).assert().code(1).stderr(expected.clone());
    lesson().args(["--addr", &addr]).assert().code(1).stderr(expected);
}

#[rstest]
#[case::bad_port(&["server", "--addr", "127.0.0.1:99999"], "a port is at most 65535")]
#[case::port_0(&["client", "--addr", "127.0.0.1:0", "/"], "port 0 is no port to connect to")]
#[case::library_port_0(
    &["client", "--library", "--addr", "127.0.0.1:0", "/"],
    "port 0 is no port to connect to"
)]
#[case::no_folder(
    &["server", "--dir", "nowhere/at/all"],
    "cannot open --dir nowhere/at/all: there is no such folder; create it first: mkdir"
)]
#[case::cacert_is_a_device(
    &["client", "--cacert", "/dev/null", "https://localhost/"],
    "cannot read --cacert /dev/null: it is a device"
)]
#[case::no_time(&["server", "--idle", "0"], "more than zero seconds")]
#[case::unknown_flag(&["server", "--loud"], "--loud")]
#[case::another_scheme(&["client", "ftp://a/b"], "has the scheme ftp, and this client speaks http")]
#[case::no_scheme(&["client", "localhost:8888/a"], "write http://HOST/PATH")]
#[case::no_url(&["client", "a.txt"], "a.txt is no URL: write http://HOST/PATH, or /PATH")]
#[case::a_port_too_large(&["client", "http://a:99999/"], "http://a:99999/ is no URL: invalid port")]
#[case::no_range(&["client", "--range", "all", "/"], "write FIRST-LAST, FIRST- or -COUNT")]
#[case::no_cacert(&["client", "--cacert", "nowhere.pem", "/"], "cannot read --cacert nowhere.pem: ")]
#[case::cacert_without_tls(&["client", "--cacert", "a.pem", "http://a/"], "--cacert is for https")]
#[case::half_a_url(&["url", "//a/b"], "//a/b is no URL")]
fn wrong_arguments_are_code_2(#[case] args: &[&str], #[case] reason: &str) {
    let output = lesson().args(args).assert().code(2).get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(reason), "{said}");
}

#[test]
fn a_url_is_taken_apart() {
    let output = lesson()
        .args(["url", "HTTP://anna:geheim@Example.COM:80/a%20b/%E4%BD%A0?q=1&q=%1b[2J#part"])
        .assert()
        .success()
        .get_output()
        .clone();
    let text = String::from_utf8(output.stdout).unwrap();
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = text.lines().map(words).collect();
    for expected in [
        "scheme http how to get there",
        "host example.com looked up; also sent, as Host",
        "port 80 the scheme's own; not sent",
        "segment a b",
        "segment 你",
        "q 1",
        "q \\u{1b}[2J",
        "GET /a%20b/%E4%BD%A0?q=1&q=%1b[2J HTTP/1.1",
        "Host: example.com",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{expected} in:\n{text}");
    }
    lesson().args(["url", "mailto:anna@example.com"]).assert().success();
}

#[test]
fn the_reader_of_standard_output_may_have_seen_enough() {
    let site = site(&[]);
    fs::write(site.folder.path().join("site/large"), vec![b'a'; 4_000_000]).unwrap();
    let mut client = Command::new(env!("CARGO_BIN_EXE_lesson-08"))
        .args(["client", "--addr", &site.addr(), "/large"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = client.stdout.take().unwrap();
    output.read_exact(&mut [0; 10]).unwrap();
    drop(output);
    let output = client.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
