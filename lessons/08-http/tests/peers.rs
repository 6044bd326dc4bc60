//! Our server and our client with programs that nobody here wrote: curl, Python, openssl, wrk, nc.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Output};
use std::time::Duration;

use netlab::hostile;
use netlab::peers::{
    self, LOCALHOST_IS_IPV6_FIRST, Peer, Transport, free_port, is_bound, on_terminal, trial,
    trial_if, trial_on_terminal, trial_with_hosts, with_hosts,
};
use netlab::program::Server;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_lesson-08");
/// Nothing here takes that long but on a machine that is very busy.
const LIMIT: Duration = Duration::from_secs(20);
const POEM: &str = "静夜思\n床前明月光\n";

fn main() -> ExitCode {
    peers::run(vec![
        trial("curl", "curl_gets_a_file_its_head_and_a_part", curl_gets_a_file_its_head_and_a_part),
        trial("curl", "curl_keeps_one_connection_for_two_urls", curl_keeps_one_connection),
        trial("curl", "curl_is_refused_what_it_uploads", curl_is_refused_what_it_uploads),
        trial("curl", "curl_finds_no_way_out_of_the_folder", curl_finds_no_way_out),
        trial("curl", "curl_follows_our_redirect_and_reads_chunks", curl_follows_and_reads_chunks),
        trial("curl", "curl_does_not_fetch_again_what_it_has", curl_does_not_fetch_again),
        trial("curl", "curl_does_not_fetch_again_by_tag", curl_does_not_fetch_again_by_tag),
        trial("curl", "curl_goes_on_with_what_it_has", curl_goes_on_with_what_it_has),
        trial("wget", "wget_goes_on_and_does_not_fetch_again", wget_does_not_fetch_again),
        trial("python3", "pythons_http_client_asks_for_one_version", python_asks_for_one_version),
        trial_if(
            where_a_name_has_two_addresses(&["true"]).is_ok_and(|output| output.status.success()),
            "unshare is not installed or not allowed here".to_owned(),
            "our_client_tries_every_address_of_a_name [unshare]",
            every_address_is_tried,
        ),
        trial("curl", "curl_believes_our_certificate_with_our_authority", curl_believes_us),
        trial("curl", "curl_refuses_a_wrong_name_and_an_unknown_authority", curl_refuses_us),
        trial(
            "python3",
            "pythons_urllib_and_http_client_talk_with_our_server",
            python_talks_with_us,
        ),
        trial("python3", "pythons_ssl_believes_our_server", pythons_ssl_believes_us),
        trial("python3", "our_client_talks_with_pythons_server_of_http_1_0", || {
            our_client_talks_with_python("HTTP/1.0");
        }),
        trial("python3", "our_client_talks_with_pythons_server_of_http_1_1", || {
            our_client_talks_with_python("HTTP/1.1");
        }),
        trial("openssl", "openssls_client_verifies_our_server", openssls_client_verifies_us),
        trial("openssl", "our_client_verifies_openssls_server", our_client_verifies_openssl),
        trial("wrk", "wrk_has_no_failed_request", || wrk_has_no_failed_request(false)),
        trial("wrk", "wrk_has_no_failed_request_with_tls", || wrk_has_no_failed_request(true)),
        trial_on_terminal("on_a_terminal_a_body_cannot_play_with_it", a_body_cannot_play),
        trial_on_terminal("in_sixty_columns_a_url_is_cut_behind_its_separators", narrow),
        trial("nc", "a_request_typed_into_nc_is_answered", a_request_typed_into_nc_is_answered),
        trial_with_hosts("a_server_at_the_second_address_is_found", || {
            second_address_is_tried(&[]);
        }),
        trial_with_hosts("the_library_finds_a_server_at_the_second_address_too", || {
            second_address_is_tried(&["--library"]);
        }),
    ])
}

/// A folder to be served, and beside it what must not be.
struct Site {
    server: Server,
    folder: TempDir,
}

fn site(args: &[&str]) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("site");
    fs::create_dir_all(root.join("sub")).unwrap();
    fs::write(root.join("poem.txt"), POEM).unwrap();
    fs::write(root.join("sub/index.html"), "sub").unwrap();
    fs::write(folder.path().join("secret.txt"), "secret").unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["server", "--addr", "127.0.0.1:0", "--dir"]).arg(root).args(args);
    command.current_dir(folder.path());
    Site { server: Server::start(&mut command, LIMIT).unwrap(), folder }
}

impl Site {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    fn authority(&self) -> String {
        self.folder.path().join("ca.pem").display().to_string()
    }
}

fn run(program: &str, args: &[&str]) -> assert_cmd::assert::Assert {
    assert_cmd::Command::new(program).args(args).timeout(LIMIT).assert()
}

/// What curl prints, without its progress and without looking into anybody's configuration.
fn curl(args: &[&str]) -> String {
    let assert = run("curl", &[&["-q", "-sS", "--noproxy", "*"], args].concat()).success();
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

fn curl_gets_a_file_its_head_and_a_part() {
    let site = site(&[]);
    let poem = site.url("/poem.txt");
    assert_eq!(curl(&[&poem]), POEM);
    assert_eq!(curl(&["-r", "0-8", &poem]), "静夜思");
    assert_eq!(curl(&["-o", "-", "-w", "%{http_code}", "--http1.0", &poem]), format!("{POEM}200"));
    let head = curl(&["-I", &poem]);
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", POEM.len())), "{head}");
}

fn curl_keeps_one_connection() {
    let site = site(&[]);
    let (poem, sub) = (site.url("/poem.txt"), site.url("/sub/"));
    let connects =
        curl(&["-o", "/dev/null", "-o", "/dev/null", "-w", "%{num_connects}", &poem, &sub]);
    assert_eq!(connects, "10", "one new connection for the first URL, none for the second");
    let connects = curl(&["-I", "-o", "/dev/null", "-w", "%{num_connects}", &poem, &poem]);
    assert!(connects.starts_with('1') && connects.ends_with('0'), "{connects}");
}

fn curl_is_refused_what_it_uploads() {
    let site = site(&[]);
    let url = site.url("/poem.txt");
    let large = site.folder.path().join("large");
    fs::write(&large, vec![0; 3_000_000]).unwrap();
    let (large, status) = (large.display().to_string(), ["-o", "/dev/null", "-w", "%{http_code}"]);
    let upload = |args: &[&str]| curl(&[&status, args, &[&url]].concat());
    assert_eq!(upload(&["-d", "a=b"]), "405");
    assert_eq!(upload(&["-X", "DELETE"]), "405");
    assert_eq!(upload(&["-X", "BREW"]), "501");
    // curl asks first whether it may (Expect: 100-continue), or it does not.
    assert_eq!(upload(&["-T", &large]), "405");
    assert_eq!(upload(&["-T", &large, "-H", "Expect:"]), "413");
    let chunked = ["-H", "Transfer-Encoding: chunked", "-H", "Expect:"];
    assert_eq!(upload(&[&chunked[..], &["-d", "a=b"]].concat()), "405");
    assert_eq!(upload(&[&chunked[..], &["-T", &large]].concat()), "413");
    assert_eq!(curl(&[&url]), POEM);
}

fn curl_finds_no_way_out() {
    let site = site(&[]);
    for path in
        ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/sub/../../secret.txt"]
    {
        let answer = curl(&["--path-as-is", "-w", "%{http_code}", &site.url(path)]);
        assert!(answer.ends_with("404") && !answer.contains("secret"), "{path}: {answer}");
    }
}

fn curl_follows_and_reads_chunks() {
    let site = site(&[]);
    assert_eq!(curl(&["-L", &site.url("/sub")]), "sub");
    let time = curl(&[&site.url("/time")]);
    assert_eq!(time.lines().count(), 3, "{time}");
    let raw = curl(&["--raw", &site.url("/time")]);
    assert!(raw.starts_with("26\r\n1 of 3: ") && raw.ends_with("\r\n0\r\n\r\n"), "{raw}");
    assert_eq!(curl(&["--http1.0", &site.url("/time")]).lines().count(), 3);
}

fn curl_does_not_fetch_again() {
    let site = site(&[]);
    let copy = site.folder.path().join("copy");
    let (copy, poem) = (copy.display().to_string(), site.url("/poem.txt"));
    // -R: the copy gets the date that we have sent.
    curl(&["-R", "-o", &copy, &poem]);
    assert_eq!(curl(&["-z", &copy, "-w", "%{http_code}", &poem]), "304");
}

fn curl_does_not_fetch_again_by_tag() {
    let site = site(&[]);
    let (poem, file) = (site.url("/poem.txt"), site.folder.path().join("site/poem.txt"));
    let tag = site.folder.path().join("tag").display().to_string();
    let ask = ["--etag-save", &tag, "--etag-compare", &tag, "-w", "%{http_code}", &poem];
    assert_eq!(curl(&ask), format!("{POEM}200"));
    assert_eq!(curl(&ask), "304");
    fs::write(file, "another poem\n").unwrap();
    assert_eq!(curl(&ask), "another poem\n200");
    assert_eq!(curl(&ask), "304");
    let range = ["-r", "0-6", "-w", "%{http_code}", &poem, "-H"];
    let if_range = |value: &str| curl(&[&range[..], &[&format!("If-Range: {value}")]].concat());
    assert_eq!(if_range(fs::read_to_string(&tag).unwrap().trim()), "another206");
    assert_eq!(if_range("\"a tag of ours it is not\""), "another poem\n200");
}

fn curl_goes_on_with_what_it_has() {
    let site = site(&[]);
    let copy = site.folder.path().join("copy");
    fs::write(&copy, &POEM[..9]).unwrap();
    let (shown, poem) = (copy.display().to_string(), site.url("/poem.txt"));
    assert_eq!(curl(&["-C", "-", "-o", &shown, "-w", "%{http_code}", &poem]), "206");
    assert_eq!(fs::read_to_string(&copy).unwrap(), POEM);
}

fn wget_does_not_fetch_again() {
    let site = site(&[]);
    let copy = site.folder.path().join("poem.txt");
    fs::write(&copy, &POEM[..9]).unwrap();
    let wget = |option: &str| {
        let mut wget = assert_cmd::Command::new("wget");
        // Without anybody's settings, and without a proxy.
        wget.env("WGETRC", "/dev/null").args(["--no-proxy", "--no-verbose", "--server-response"]);
        wget.args(["--no-config", option, &site.url("/poem.txt")]);
        let assert = wget.current_dir(site.folder.path()).timeout(LIMIT).assert().success();
        String::from_utf8(assert.get_output().stderr.clone()).unwrap()
    };
    let said = wget("--continue");
    assert!(said.contains(" 206 Partial Content"), "{said}");
    assert_eq!(fs::read_to_string(&copy).unwrap(), POEM);
    // -N: only what is newer than the copy, which has got the date that we have sent.
    let said = wget("--timestamping");
    assert!(said.contains(" 304 Not Modified") && !said.contains(" 200 "), "{said}");
}

const PYTHON_VERSIONS: &str = "
import http.client, sys
connection = http.client.HTTPConnection(sys.argv[1], timeout=20)
def ask(**fields):
    connection.request('GET', '/poem.txt', headers={k.replace('_', '-'): v for k, v in fields.items()})
    answer = connection.getresponse()
    return answer.status, len(answer.read()), answer.headers['ETag']
tag = ask()[2]
old = 'Sun, 06 Nov 1994 08:49:37 GMT'
for fields in [
    dict(If_Match=tag), dict(If_Match='\"x\"'), dict(If_Unmodified_Since=old),
    dict(If_None_Match=tag), dict(If_None_Match='W/' + tag), dict(If_Modified_Since=old),
    dict(Range='bytes=9-', If_Range=tag), dict(Range='bytes=9-', If_Range='\"x\"'),
    dict(Range='bytes=9-', If_Unmodified_Since=old), dict(Range='bytes=9-', If_None_Match='*'),
]:
    status, length, _ = ask(**fields)
    print(status, length if status < 400 else '-')
";

/// All on one connection, so that a body too much or too little would shift the answers behind it.
fn python_asks_for_one_version() {
    let site = site(&[]);
    let (all, rest) = (POEM.len(), POEM.len() - 9);
    let expected = format!(
        "200 {all}\n412 -\n412 -\n304 0\n304 0\n200 {all}\n206 {rest}\n200 {all}\n412 -\n304 0\n"
    );
    let address = site.server.address().to_string();
    run("python3", &["-c", PYTHON_VERSIONS, &address]).success().stdout(expected);
}

/// Runs a program where two.addresses is `::1` and 127.0.0.1: with an /etc/hosts of its own, in a
/// mount namespace.
fn where_a_name_has_two_addresses(args: &[&str]) -> std::io::Result<Output> {
    const SCRIPT: &str = "mount --bind hosts /etc/hosts && exec \"$@\"";
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("hosts"), "::1 two.addresses\n127.0.0.1 two.addresses\n")?;
    let mut unshare = assert_cmd::Command::new("unshare");
    unshare.args(["--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh"]).args(args);
    unshare.current_dir(folder.path()).timeout(LIMIT).output()
}

/// The server listens on the second one.
fn every_address_is_tried() {
    let site = site(&[]);
    let addr = format!("two.addresses:{}", site.server.address().port());
    let url = format!("http://{addr}/poem.txt");
    for args in [
        &[PROGRAM, "client", "--library", &url][..],
        &[PROGRAM, "client", "--library", "--addr", &addr, "/poem.txt"],
        &[PROGRAM, "client", &url],
    ] {
        let output = where_a_name_has_two_addresses(args).unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), POEM, "{args:?}: {output:?}");
    }
}

fn curl_believes_us() {
    let site = site(&["--tls", "ca.pem"]);
    let port = site.server.address().port();
    for host in ["localhost", "127.0.0.1"] {
        let (poem, sub) =
            (format!("https://{host}:{port}/poem.txt"), format!("https://{host}:{port}/sub/"));
        let both = curl(&["--cacert", &site.authority(), &poem, &sub]);
        assert_eq!(both, format!("{POEM}sub"));
    }
}

fn curl_refuses_us() {
    /// curl(1), EXIT CODES: the peer's certificate is not OK.
    const NOT_VERIFIED: i32 = 60;
    let (site, other) = (site(&["--tls", "ca.pem"]), site(&["--tls", "ca.pem"]));
    let address = site.server.address();
    let right = format!("https://localhost:{}/poem.txt", address.port());
    let to = format!("example.com:443:{address}");
    let quiet = ["-q", "-sS", "--noproxy", "*"];
    for args in [
        [right.as_str(), "--capath", "/nowhere", "--cacert", &other.authority()],
        ["https://example.com/", "--connect-to", &to, "--cacert", &site.authority()],
    ] {
        run("curl", &[&quiet[..], &args].concat()).code(NOT_VERIFIED).stdout("");
    }
}

const PYTHON_CLIENT: &str = "
import http.client, sys, urllib.error, urllib.request
base = sys.argv[1]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
with opener.open(base + '/poem.txt', timeout=20) as answer:
    print(answer.status, answer.headers['Content-Type'], len(answer.read()))
with opener.open(base + '/time', timeout=20) as answer:
    print(len(answer.read().splitlines()))
try:
    opener.open(base + '/../secret.txt', timeout=20)
except urllib.error.HTTPError as error:
    print(error.code)
connection = http.client.HTTPConnection(base[len('http://'):], timeout=20)
for method, path in [('HEAD', '/poem.txt'), ('POST', '/poem.txt'), ('GET', '/time'), ('GET', '/sub/')]:
    connection.request(method, path, body=b'hello' if method == 'POST' else None)
    answer = connection.getresponse()
    print(method, answer.status, len(answer.read()) > 0, answer.will_close)
";

fn python_talks_with_us() {
    let site = site(&[]);
    run("python3", &["-c", PYTHON_CLIENT, &site.url("")]).success().stdout(format!(
        "200 text/plain; charset=utf-8 {}\n3\n404\nHEAD 200 False False\nPOST 405 True False\n\
         GET 200 True False\nGET 200 True False\n",
        POEM.len()
    ));
}

/// Connects to 127.0.0.1 whatever the name is that it verifies.
const PYTHON_TLS_CLIENT: &str = "
import socket, ssl, sys
name, port, authority = sys.argv[1], int(sys.argv[2]), sys.argv[3]
context = ssl.create_default_context(cafile=authority)
with socket.create_connection(('127.0.0.1', port), timeout=20) as plain:
    try:
        with context.wrap_socket(plain, server_hostname=name) as tls:
            tls.sendall(b'GET /sub/ HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n')
            answer = b''
            while data := tls.recv(1024):
                answer += data
            print(tls.version(), answer.split(b'\\r\\n\\r\\n')[1].decode())
    except ssl.SSLCertVerificationError as error:
        print(error.verify_message)
";

fn pythons_ssl_believes_us() {
    let (site, other) = (site(&["--tls", "ca.pem"]), site(&["--tls", "ca.pem"]));
    let port = site.server.address().port().to_string();
    let run = |host: &str, authority: &str| {
        let assert = run("python3", &["-c", PYTHON_TLS_CLIENT, host, &port, authority]).success();
        String::from_utf8(assert.get_output().stdout.clone()).unwrap()
    };
    assert_eq!(run("localhost", &site.authority()), "TLSv1.3 sub\n");
    assert_eq!(run("127.0.0.1", &site.authority()), "TLSv1.3 sub\n");
    let said = run("127.0.0.2", &site.authority());
    assert!(said.contains("IP address mismatch"), "{said}");
    let said = run("localhost", &other.authority());
    assert!(said.contains("certificate"), "{said}");
}

/// Keeps the program contract, as a program in any language can. What it makes itself has no
/// length; in HTTP/1.1 it comes in chunks, in HTTP/1.0 until the end.
const PYTHON_SERVER: &str = "
import http.server, os, sys
os.chdir(sys.argv[2])
class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = sys.argv[1]
    def do_GET(self):
        if self.path != '/made':
            return super().do_GET()
        self.send_response(200)
        chunked = self.protocol_version == 'HTTP/1.1'
        if chunked:
            self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers()
        for piece in (b'hello', b', ', b'world'):
            self.wfile.write(b'%x\\r\\n%b\\r\\n' % (len(piece), piece) if chunked else piece)
        if chunked:
            self.wfile.write(b'0\\r\\n\\r\\n')
with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
    print('listening on 127.0.0.1:%d' % server.server_address[1], flush=True)
    server.serve_forever()
";

fn our_client_talks_with_python(version: &str) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("poem.txt"), POEM).unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("sub/index.html"), "sub").unwrap();
    let mut command = Command::new("python3");
    command.args(["-c", PYTHON_SERVER, version]).arg(folder.path());
    let server = Server::start(&mut command, LIMIT).unwrap();
    let addr = server.address().to_string();
    for library in [&[] as &[&str], &["--library"]] {
        let client =
            |args: &[&str]| run(PROGRAM, &[&["client", "--addr", &addr], library, args].concat());
        client(&["/poem.txt"]).success().stdout(POEM);
        client(&["/made"]).success().stdout("hello, world");
        client(&["/nowhere"]).code(1);
        let head = client(&["/poem.txt", "--head"]).success().get_output().stdout.clone();
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with(&format!("{version} 200 OK\n")), "{head}");
    }
    run(PROGRAM, &["client", "--addr", &addr, "/sub", "--library"]).success().stdout("sub");
}

fn openssls_client_verifies_us() {
    let (site, other) = (site(&["--tls", "ca.pem"]), site(&["--tls", "ca.pem"]));
    let connect = |name: &str, authority: &str| {
        let address = site.server.address().to_string();
        let mut openssl = assert_cmd::Command::new("openssl");
        openssl.args(["s_client", "-connect", &address, "-servername", name, "-CAfile", authority]);
        openssl.args(["-verify_hostname", name, "-verify_return_error", "-quiet", "-ign_eof"]);
        openssl.write_stdin("GET /sub/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        openssl.timeout(LIMIT).output().unwrap()
    };
    let answer = connect("localhost", &site.authority());
    assert!(answer.stdout.ends_with(b"\r\n\r\nsub"), "{answer:?}");
    assert!(connect("example.com", &site.authority()).stdout.is_empty());
    assert!(connect("localhost", &other.authority()).stdout.is_empty());
}

/// A certificate that signs itself, as openssl(1) makes it.
fn make_certificate(folder: &Path) {
    let mut openssl = assert_cmd::Command::new("openssl");
    openssl.current_dir(folder).timeout(LIMIT).args(["req", "-x509", "-newkey", "ec", "-nodes"]);
    openssl.args(["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=test", "-days", "1"]);
    openssl.args(["-addext", "subjectAltName=DNS:localhost"]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    openssl.args(["-keyout", "key.pem", "-out", "cert.pem"]).assert().success();
}

/// openssl's server answers in HTTP/1.0, and its files end with the connection.
fn our_client_verifies_openssl() {
    let folder = tempfile::tempdir().unwrap();
    make_certificate(folder.path());
    fs::write(folder.path().join("poem.txt"), POEM).unwrap();
    let port = free_port(Transport::Tcp);
    let at = format!("127.0.0.1:{port}");
    let mut command = Command::new("openssl");
    command.current_dir(folder.path()).args(["s_server", "-accept", &at, "-WWW"]);
    let openssl = Peer::start(command.args(["-cert", "cert.pem", "-key", "key.pem"]));
    assert!(is_bound(Transport::Tcp, port, LIMIT), "{openssl:?}");
    let authority = folder.path().join("cert.pem").display().to_string();
    for library in [&[] as &[&str], &["--library"]] {
        let client = |url: &str| {
            let args = ["client", "--addr", &at, "--cacert", &authority, url];
            run(PROGRAM, &[&args, library].concat())
        };
        client("https://localhost/poem.txt").success().stdout(POEM);
        client("https://example.com/poem.txt").code(1).stdout("");
    }
}

/// Many connections at once, each with request after request. How fast is nobody's affair here.
fn wrk_has_no_failed_request(with_tls: bool) {
    let site = site(if with_tls { &["--tls"] } else { &[] });
    let scheme = if with_tls { "https" } else { "http" };
    let url = format!("{scheme}://{}/poem.txt", site.server.address());
    // On a machine that stands still meanwhile, a second may be over before the first answer.
    for seconds in ["1", "4", "16"] {
        let args = ["-t", "1", "-c", "20", "-d", seconds, "--timeout", "60s", &url];
        let assert = run("wrk", &args).success();
        let report = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
        assert!(!report.contains("Non-2xx") && !report.contains("Socket errors"), "{report}");
        assert!(report.contains(" requests in "), "{report}");
        if !report.contains(" 0 requests in ") {
            return;
        }
    }
    panic!("no request was answered in 16 seconds");
}

fn a_request_typed_into_nc_is_answered() {
    let site = site(&[]);
    let address = site.server.address();
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    // -C: every line that is typed ends in CR LF.
    let mut nc = Peer::start(Command::new("nc").args(["-C", &host, &port]));
    nc.tell("GET /sub/ HTTP/1.1\nHost: localhost\nConnection: close\n\n");
    assert!(nc.prints("\r\n\r\nsub", LIMIT), "{nc:?}");
    nc.close_input();
    assert!(nc.ends(LIMIT).is_some(), "{nc:?}");
}

fn second_address_is_tried(args: &[&str]) {
    let site = site(&[]);
    let url = format!("http://localhost:{}/poem.txt", site.server.address().port());
    let mut client = with_hosts(LOCALHOST_IS_IPV6_FIRST, PROGRAM);
    client.arg("client").args(args).arg(url);
    let fetched = assert_cmd::Command::from_std(client).timeout(2 * LIMIT).assert().success();
    fetched.stdout(POEM);
}

/// script(1) plays the terminal: what the client prints there comes through its standard output.
/// What our program prints on a terminal with `columns` columns.
fn shown_on_terminal(columns: u16, args: &[&str]) -> Vec<u8> {
    let mut script = assert_cmd::Command::from_std(on_terminal(columns, PROGRAM, args));
    script.timeout(LIMIT).assert().success().get_output().stdout.clone()
}

fn a_body_cannot_play() {
    let site = site(&[]);
    let body = [hostile::TEXT.as_bytes(), b" \xff\n"].concat();
    fs::write(site.folder.path().join("site/hostile.txt"), &body).unwrap();
    let addr = site.server.address();
    let shown = shown_on_terminal(80, &["client", "--addr", &addr.to_string(), "/hostile.txt"]);
    assert_eq!(hostile::complaint(&shown), None);
    assert!(shown.ends_with(b" \\xff\r\n"), "{}", shown.escape_ascii());
}

fn narrow() {
    let url = "http://anna:secret@localhost:8888/moon%20poems/1.txt?lang=zh&page=2#line-3";
    let shown = String::from_utf8(shown_on_terminal(60, &["url", url])).unwrap();
    let begin = "URL        http://anna:secret@localhost:8888/moon%20poems/\r\n           \
                 1.txt?lang=zh&page=2#line-3\r\n\
                 scheme     http\r\n           how to get there\r\n";
    assert!(shown.starts_with(begin), "{shown}");
    assert_eq!(shown.lines().find(|line| line.len() > 60), None, "{shown}");
}
