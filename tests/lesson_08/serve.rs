//! `serve`: files over HTTP, for clients that nobody has reason to trust.

use std::fs;
use std::net::SocketAddr;

use graded::{Case, Client, Difference, Folder};
use netlab::conditions::{Conditions, Path, StreamFaults};
use netlab::record::Transport;
use rstest::rstest;

use super::heads::Head;
use super::{A_MOMENT, MUCH};

/// The longest head, in bytes, its empty line included.
const MAX_HEAD: usize = 8192;
/// In every folder from the beginning.
const PAGE: (&str, &[u8]) = ("page.txt", b"here I am\n");

/// A program that hands out the files of a folder.
struct Stand {
    case: Case,
    server: SocketAddr,
    folder: Folder,
}

impl Stand {
    fn open() -> Self {
        let case = Case::of("08", "serve");
        let folder = case.folder();
        let _neighbour = folder.inside("www-private");
        fs::write(folder.path().join("secret.txt"), "secret").unwrap();
        let _ = folder.file("secret.txt", b"secret");
        let server = case.serve_at(&["--dir", &folder.inside("www")], "127.0.0.1:0");
        let stand = Self { case, server, folder };
        stand.put(PAGE.0, PAGE.1);
        stand
    }

    /// Puts a file into the folder, or into a folder in it.
    fn put(&self, name: &str, content: &[u8]) {
        self.case.step(format!("put a file {name} of {} bytes into the folder", content.len()));
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn connect(&self) -> Client {
        self.case.connect(self.server)
    }

    /// The head of the next answer, which must have this status.
    fn expect_head(&self, client: &mut Client, status: u16) -> Head {
        let head = Head::receive(&self.case, client, "an answer");
        let Some(got) = head.status() else {
            let what = format!(
                "{:?} is no first line of an answer: either it is misspelt (HTTP/1.1, a blank, \
                 three digits, a blank), or the answer before it was longer than its \
                 Content-Length says",
                head.first
            );
            self.case.fail(Difference::fail(what))
        };
        self.expect(&format!("the status must be {status}"), got == status.to_string(), || {
            format!("the status is {got}, and not {status}")
        });
        head
    }

    /// An answer with the file in it, after which the connection stays.
    fn expect_file(&self, client: &mut Client, content: &[u8]) {
        let head = self.expect_head(client, 200);
        self.expect_length(&head, content.len());
        self.expect_close_told(&head, false);
        client.expect(content);
    }

    fn expect_page(&self, client: &mut Client) {
        self.expect_file(client, PAGE.1);
    }

    /// An answer with whatever body, after which the connection stays.
    fn expect_status(&self, client: &mut Client, status: u16) -> Head {
        let head = self.expect_head(client, status);
        self.expect_close_told(&head, false);
        let _ = client.receive(self.length(&head));
        head
    }

    /// An answer that says why there is no file.
    fn expect_unavailable(&self, client: &mut Client, status: u16) {
        let head = self.expect_status(client, status);
        if status == 405 {
            let lacking: Vec<_> =
                ["GET", "HEAD"].into_iter().filter(|it| !head.lists("allow", it)).collect();
            self.expect("its Allow must list GET and HEAD", lacking.is_empty(), || {
                format!("Allow is {:?}", head.values("allow"))
            });
        }
    }

    /// An answer with whatever body, after which the connection is closed.
    fn expect_refusal(&self, client: &mut Client, status: u16) {
        let head = self.expect_head(client, status);
        self.expect_close_told(&head, true);
        let _ = client.receive(self.length(&head));
        client.expect_close();
    }

    fn length(&self, head: &Head) -> usize {
        head.length().unwrap_or_else(|| {
            self.case.step("the answer must have one Content-Length, and no Transfer-Encoding");
            let lengths = head.values("content-length");
            let codings = head.values("transfer-encoding");
            let what = format!("Content-Length: {lengths:?}, Transfer-Encoding: {codings:?}");
            self.case.fail(Difference::fail(what))
        })
    }

    fn expect_length(&self, head: &Head, length: usize) {
        let got = self.length(head);
        self.expect(&format!("its Content-Length must be {length}"), got == length, || {
            format!("the Content-Length is {got}, and not {length}")
        });
    }

    fn expect_close_told(&self, head: &Head, close: bool) {
        let (whether, why) = if close {
            ("a", "the connection is closed after this answer, and a client wants to know")
        } else {
            ("no", "nothing is in doubt after this answer, and the connection stays open")
        };
        let is_told = head.lists("connection", "close");
        self.expect(&format!("it must have {whether} Connection: close"), is_told == close, || {
            format!("Connection: close is {}there; {why}", if is_told { "" } else { "not " })
        });
    }

    /// Whether something is as it must be; else `got` says how it is.
    fn expect(&self, what: &str, is_so: bool, got: impl FnOnce() -> String) {
        self.case.step(what);
        if !is_so {
            self.case.fail(Difference::fail(got()));
        }
    }

    /// The next client is served.
    fn expect_service(&self) {
        let mut next = self.connect();
        next.send(&get("/page.txt"));
        self.expect_page(&mut next);
    }

    /// A client that sends `bytes` is refused, and the next one is served.
    fn expect_refused(&self, bytes: &[u8], status: u16) {
        let mut client = self.connect();
        client.send(bytes);
        self.expect_refusal(&mut client, status);
        client.vanish();
        self.expect_service();
    }
}

fn get(target: &str) -> Vec<u8> {
    request("GET", target, "")
}

/// A request with more field lines, each with its end.
fn request(method: &str, target: &str, fields: &str) -> Vec<u8> {
    format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n").into_bytes()
}

#[rstest]
#[case::of_text("a.txt", "/a.txt", b"hello\n")]
#[case::of_nothing("nothing", "/nothing", b"")]
#[case::of_zero_bytes("0.bin", "/0.bin", b"\0\0\r\n\0")]
#[case::that_looks_like_an_answer("x", "/x", b"HTTP/1.1 404 Not Found\r\n\r\n")]
#[case::of_any_bytes("random.bin", "/random.bin", b"?")]
#[case::in_a_folder("a/b/c.txt", "/a/b/c.txt", b"c")]
#[case::with_a_query("a.txt", "/a.txt?b=/../c%zz", b"a")]
#[case::with_a_blank_in_its_name("a b.txt", "/a%20b.txt", b"a b")]
#[case::with_a_chinese_name("你好.txt", "/%E4%BD%A0%e5%a5%bd.txt", "你好".as_bytes())]
#[case::with_a_percent_sign("100%25.txt", "/100%2525.txt", b"decoded once")]
#[case::with_a_plus("1+1", "/1+1", b"2")]
fn a_file_is_answered_byte_for_byte(
    #[case] name: &str,
    #[case] target: &str,
    #[case] content: &[u8],
) {
    let stand = Stand::open();
    let random = stand.case.random_bytes(stand.case.random_length(MUCH, 2 * MUCH));
    let content = if content == b"?" { &random } else { content };
    stand.put(name, content);
    let mut client = stand.connect();
    client.send(&get(target));
    stand.expect_file(&mut client, content);
}

#[rstest]
#[case::of_a_file("/page.txt", 200)]
#[case::of_what_is_not_there("/gone.txt", 404)]
fn head_is_get_without_the_body(#[case] target: &str, #[case] status: u16) {
    let stand = Stand::open();
    let mut client = stand.connect();
    client.send(&get(target));
    let length = stand.length(&stand.expect_status(&mut client, status));
    client.send(&request("HEAD", target, ""));
    let head = stand.expect_head(&mut client, status);
    stand.expect_length(&head, length);
    // A body would stand here.
    client.send(&get("/page.txt"));
    stand.expect_page(&mut client);
}

#[rstest]
#[case::one_byte_at_a_time(1, StreamFaults::default())]
#[case::a_few_bytes_at_a_time(7, StreamFaults::default())]
#[case::all_at_once(MUCH, StreamFaults::default())]
#[case::sliced_by_the_network(MUCH, StreamFaults { slice: Some(3), ..Default::default() })]
fn requests_follow_each_other_in_any_pieces(#[case] piece: usize, #[case] network: StreamFaults) {
    let stand = Stand::open();
    let content = stand.case.random_bytes(stand.case.random_length(1_000, 5_000));
    stand.put("other.bin", &content);
    let mut client = if network == StreamFaults::default() {
        stand.connect()
    } else {
        let to_server = Path { stream: network, ..Path::default() };
        let conditions = Conditions { to_server, ..Conditions::default() };
        stand.case.connect(stand.case.network(Transport::Tcp, stand.server, conditions))
    };
    let requests = [
        get("/page.txt"),
        get("/gone.txt"),
        request("HEAD", "/other.bin", "Accept:\r\nX-Y: \t z\t \r\n"),
        get("/other.bin"),
        get("/page.txt"),
    ];
    client.send_in_pieces(&requests.concat(), piece);
    stand.expect_page(&mut client);
    stand.expect_status(&mut client, 404);
    let head = stand.expect_head(&mut client, 200);
    stand.expect_length(&head, content.len());
    stand.expect_file(&mut client, &content);
    stand.expect_page(&mut client);
    client.expect_silence(A_MOMENT);
    client.send(&get("/page.txt"));
    stand.expect_page(&mut client);
}

#[rstest]
#[case::in_small_letters("Connection: close\r\n")]
#[case::in_other_letters("cONNECTION:CLOSE\r\n")]
#[case::in_a_list("Connection: keep-alive ,\tClose\r\n")]
#[case::in_a_second_line("Connection: keep-alive\r\nConnection: close\r\n")]
fn connection_close_makes_a_request_the_last(#[case] fields: &str) {
    let stand = Stand::open();
    let mut client = stand.connect();
    // What only looks like it changes nothing.
    client.send(&request("GET", "/page.txt", "Connection: closed\r\nX-Connection: close\r\n"));
    stand.expect_page(&mut client);
    // The second request is not answered any more.
    client.send(&[request("GET", "/page.txt", fields), get("/page.txt")].concat());
    let head = stand.expect_head(&mut client, 200);
    stand.expect_length(&head, PAGE.1.len());
    stand.expect_close_told(&head, true);
    client.expect(PAGE.1);
    client.expect_close();
}

#[rstest]
#[case::a_file_that_is_not_there("GET", "/gone.txt", None, 404)]
#[case::a_folder("GET", "/sub", None, 404)]
#[case::the_folder_itself("GET", "/", None, 404)]
#[case::a_get_with_a_body("GET", "/gone.txt", Some(get("/page.txt")), 404)]
#[case::to_delete("DELETE", "/page.txt", None, 405)]
#[case::to_get_in_small_letters("get", "/page.txt", None, 405)]
#[case::what_nobody_knows("M-SEARCH", "/page.txt", None, 405)]
#[case::to_post_nothing("POST", "/page.txt", Some(Vec::new()), 405)]
#[case::to_post_a_request("POST", "/page.txt", Some(get("/page.txt")), 405)]
#[case::to_put_any_bytes("PUT", "/page.txt", Some(b"\r\n\r\n\0".to_vec()), 405)]
#[case::to_post_much("POST", "/page.txt", Some(vec![b'!'; MUCH]), 405)]
fn what_cannot_be_had_is_told_and_the_connection_stays(
    #[case] method: &str,
    #[case] target: &str,
    #[case] body: Option<Vec<u8>>,
    #[case] status: u16,
) {
    let stand = Stand::open();
    stand.put("sub/page.txt", b"");
    let fields = body.iter().map(|body| format!("Content-Length: {}\r\n", body.len()));
    let head = request(method, target, &fields.collect::<String>());
    let body = body.unwrap_or_default();
    let mut client = stand.connect();
    // Once in one piece with the next request, and once with a pause in the middle of the body.
    client.send(&[&head, &body, &get("/page.txt")[..]].concat());
    stand.expect_unavailable(&mut client, status);
    stand.expect_page(&mut client);
    let (beginning, rest) = body.split_at(body.len() / 2);
    client.send(&[&head, beginning].concat());
    client.stay(A_MOMENT);
    client.send(&[rest, &get("/page.txt")].concat());
    stand.expect_unavailable(&mut client, status);
    stand.expect_page(&mut client);
    client.expect_silence(A_MOMENT);
}

/// `{p}` stands for a good request line, `{h}` for a good Host line, `{m}` for much.
#[rstest]
#[case::a_bare_line_feed_behind_the_first_line("GET /page.txt HTTP/1.1\n{h}\r\n")]
#[case::a_bare_line_feed_behind_a_field("{p}X: y\n{h}\r\n")]
#[case::a_bare_carriage_return("{p}{h}X: y\rZ: z\r\n\r\n")]
#[case::a_zero_byte("{p}{h}X: y\0z\r\n\r\n")]
#[case::a_blank_before_the_colon("{p}Host : localhost\r\n\r\n")]
#[case::a_folded_line("{p}{h}X: y\r\n z: folded\r\n\r\n")]
#[case::a_blank_before_the_first_field("{p} X: y\r\n{h}\r\n")]
#[case::a_line_without_a_colon("{p}{h}X\r\n\r\n")]
#[case::a_field_without_a_name("{p}{h}: y\r\n\r\n")]
#[case::no_host("{p}X: y\r\n\r\n")]
#[case::two_hosts("{p}{h}Accept: a\r\nhost: other.example\r\n\r\n")]
#[case::no_version("GET /page.txt\r\n{h}\r\n")]
#[case::a_version_in_small_letters("GET /page.txt http/1.1\r\n{h}\r\n")]
#[case::no_target("GET HTTP/1.1\r\n{h}\r\n")]
#[case::two_blanks("GET  /page.txt HTTP/1.1\r\n{h}\r\n")]
#[case::a_blank_at_the_end("GET /page.txt HTTP/1.1 \r\n{h}\r\n")]
#[case::a_blank_in_the_target("GET /a page.txt HTTP/1.1\r\n{h}\r\n")]
#[case::a_tab_for_a_blank("GET\t/page.txt HTTP/1.1\r\n{h}\r\n")]
#[case::a_method_that_is_no_token("GE{T /page.txt HTTP/1.1\r\n{h}\r\n")]
#[case::a_target_without_a_slash("GET page.txt HTTP/1.1\r\n{h}\r\n")]
#[case::letters_beyond_ascii("GET /你好.txt HTTP/1.1\r\n{h}\r\n")]
#[case::half_a_percent_encoding("GET /page.txt%2 HTTP/1.1\r\n{h}\r\n")]
#[case::no_percent_encoding("GET /page%+1.txt HTTP/1.1\r\n{h}\r\n")]
#[case::another_protocol("SSH-2.0-OpenSSH_9.9\r\n\r\n")]
#[case::no_host_and_much_behind_it("{p}\r\n{m}")]
fn a_malformed_head_is_refused_and_the_connection_closed(#[case] head: &str) {
    let stand = Stand::open();
    let head = head
        .replace("{p}", "GET /page.txt HTTP/1.1\r\n")
        .replace("{h}", "Host: localhost\r\n")
        .replace("{m}", &"m".repeat(MUCH));
    // What stands behind it is not looked at any more.
    let bytes = [head.as_bytes(), &get("/page.txt")].concat();
    stand.expect_refused(&bytes, 400);
}

#[rstest]
#[case::two_lengths("Content-Length: 5\r\nContent-Length: 45\r\n", 400)]
#[case::two_lengths_in_one_line("Content-Length: 5, 45\r\n", 400)]
#[case::a_length_with_a_sign("Content-Length: +5\r\n", 400)]
#[case::a_length_below_zero("Content-Length: -5\r\n", 400)]
#[case::a_length_in_hexadecimal("Content-Length: 0x5\r\n", 400)]
#[case::an_empty_length("Content-Length:\r\n", 400)]
#[case::a_length_beyond_64_bits("Content-Length: 18446744073709551621\r\n", 400)]
#[case::a_coding("Transfer-Encoding: chunked\r\n", 501)]
#[case::two_codings("transfer-encoding: gzip, chunked\r\n", 501)]
#[case::a_length_and_a_coding("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400)]
#[case::a_coding_and_a_length("Transfer-Encoding: identity\r\nContent-Length: 5\r\n", 400)]
fn a_doubtful_length_is_refused_and_the_connection_closed(
    #[case] fields: &str,
    #[case] status: u16,
) {
    let stand = Stand::open();
    let mut bytes = request("POST", "/page.txt", fields);
    // A chunked body of nothing, or five bytes, and then what somebody tries to smuggle.
    bytes.extend(b"0\r\n\r\n");
    bytes.extend(get("/page.txt"));
    stand.expect_refused(&bytes, status);
}

/// A head of this many bytes, its empty line included.
fn head_of(length: usize) -> Vec<u8> {
    let rest = length - request("GET", "/page.txt", "X: \r\n").len();
    request("GET", "/page.txt", &format!("X: {}\r\n", "x".repeat(rest)))
}

#[rstest]
#[case::and_one_byte_more_in_one_piece(head_of(MAX_HEAD + 1), MUCH)]
#[case::and_one_byte_more_in_pieces(head_of(MAX_HEAD + 1), 1_000)]
#[case::and_a_first_line_without_an_end(get(&"/".repeat(MUCH))[..MUCH].to_vec(), MUCH)]
#[case::and_a_field_without_an_end(head_of(MUCH)[..MUCH - 4].to_vec(), MUCH)]
fn a_head_has_at_most_8192_bytes(#[case] more: Vec<u8>, #[case] piece: usize) {
    let stand = Stand::open();
    let mut client = stand.connect();
    client.send_in_pieces(&head_of(MAX_HEAD).repeat(2), piece);
    stand.expect_page(&mut client);
    stand.expect_page(&mut client);
    client.send_in_pieces(&more, piece);
    stand.expect_refusal(&mut client, 431);
    client.vanish();
    stand.expect_service();
}

#[rstest]
#[case::plain("/../secret.txt")]
#[case::through_a_folder("/sub/../../secret.txt")]
#[case::back_into_it("/sub/../page.txt")]
#[case::encoded("/%2e%2E/secret.txt")]
#[case::half_encoded("/.%2e/secret.txt")]
#[case::with_an_encoded_slash("/..%2fsecret.txt")]
#[case::with_an_encoded_slash_inside("/sub%2Fpage.txt")]
#[case::with_a_backslash("/..\\secret.txt")]
#[case::with_an_encoded_backslash("/..%5Csecret.txt")]
#[case::to_a_neighbour("/../www-private/secret.txt")]
#[case::absolute("/{outside}/secret.txt")]
#[case::absolute_and_encoded("/%2F{outside}/secret.txt")]
#[case::with_a_zero_byte("/page.txt%00.html")]
#[case::with_a_slash_at_the_end("/page.txt/")]
#[case::with_two_slashes("/sub//page.txt")]
#[case::with_a_dot("/./page.txt")]
fn no_path_leaves_the_folder(#[case] target: &str) {
    let stand = Stand::open();
    stand.put("sub/page.txt", b"deeper");
    let outside = stand
        .folder
        .path()
        .parent()
        .unwrap()
        .to_str()
        .unwrap()
        .replace('\\', "/")
        .replace(' ', "%20");
    let mut client = stand.connect();
    client.send(&get(&target.replace("{outside}", &outside)));
    stand.expect_status(&mut client, 404);
    client.send(&get("/page.txt"));
    stand.expect_page(&mut client);
}

#[derive(Clone, Copy)]
enum Next {
    ComesBack,
    HalfCloses,
    Vanishes,
    Resets,
}

#[rstest]
#[case::who_is_slow(b"GET /page.txt HTTP/1.1\r\nHo", Next::ComesBack)]
#[case::who_says_nothing(b"", Next::Vanishes)]
#[case::who_is_gone_in_a_head(b"GET /page.txt HTTP/1.1\r\nHo", Next::Vanishes)]
#[case::who_half_closes_in_a_head(b"GET /page.txt HTTP/1.1\r\n", Next::HalfCloses)]
#[case::who_resets_in_a_head(b"GET /page", Next::Resets)]
#[case::who_is_gone_in_a_body(
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
    Next::Vanishes
)]
#[case::who_resets_in_a_body(
    b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
    Next::Resets
)]
fn nobody_is_held_up_by_another(#[case] bytes: &[u8], #[case] next: Next) {
    let stand = Stand::open();
    let mut client = stand.connect();
    client.send(&get("/page.txt"));
    stand.expect_page(&mut client);
    client.send(bytes);
    stand.expect_service();
    client.stay(A_MOMENT);
    match next {
        Next::Vanishes => client.vanish(),
        Next::Resets => client.reset(),
        Next::HalfCloses => {
            client.half_close();
            client.expect_end_or_reset();
        }
        Next::ComesBack => {
            client.send(&get("/page.txt")[bytes.len()..]);
            stand.expect_page(&mut client);
        }
    }
    stand.expect_service();
}
