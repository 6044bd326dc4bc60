//! HTTPS: who is believed, and who is not.

use std::path::PathBuf;

use rstest::rstest;

use super::*;

/// A server that speaks TLS, and the certificate of the authority it has made.
fn tls_site() -> (Site, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("numbers.txt"), NUMBERS).unwrap();
    let authority = folder.path().join("authority.pem");
    let path = authority.to_str().unwrap();
    let server = serve(folder.path(), "127.0.0.1:0", &["--tls", path]);
    (Site { server, folder }, authority)
}

/// What the client says of `url` at the server; where it was printed decides.
fn fetch(
    site: &Site,
    url: &str,
    authority: Option<&Path>,
    args: &[&str],
) -> Result<String, String> {
    let mut client = site.client(&[url]);
    if let Some(authority) = authority {
        client.arg("--cacert").arg(authority);
    }
    let output = client.args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    match output.status.code() {
        Some(0) => Ok(text(output.stdout)),
        Some(1) if output.stdout.is_empty() => Err(text(output.stderr)),
        other => panic!("{other:?}: {}", text(output.stderr)),
    }
}

#[rstest]
fn a_server_with_the_right_name_and_authority_is_believed(
    #[values("localhost", "127.0.0.1", "[::1]")] host: &str,
    #[values(&[], &["--library"])] args: &[&str],
) {
    let (site, authority) = tls_site();
    let url = format!("https://{host}:{}/numbers.txt", site.server.address().port());
    assert_eq!(fetch(&site, &url, Some(&authority), args).unwrap(), NUMBERS);
}

#[test]
fn a_path_and_an_authority_mean_https() {
    let (site, authority) = tls_site();
    assert_eq!(fetch(&site, "/numbers.txt", Some(&authority), &[]).unwrap(), NUMBERS);
}

#[rstest]
#[case::another_name("https://example.com/numbers.txt")]
#[case::a_name_below("https://www.localhost/numbers.txt")]
#[case::another_address("https://127.0.0.2/numbers.txt")]
fn a_certificate_for_another_name_is_refused(
    #[case] url: &str,
    #[values(&[], &["--library"])] args: &[&str],
) {
    let (site, authority) = tls_site();
    let said = fetch(&site, url, Some(&authority), args).unwrap_err();
    assert!(said.contains("this is somebody else: certificate not valid for name"), "{said}");
    // (The library does not always tell the server why.)
    let expected = if args.is_empty() { "the peer ended the handshake" } else { " is " };
    assert!(site.server.says(expected, LIMIT), "{}", site.server.stderr());
    assert!(!site.server.stderr().contains("GET"), "nothing was asked for");
}

#[rstest]
#[case::nobody(false)]
#[case::somebody_else(true)]
fn an_authority_that_was_not_named_is_not_trusted(
    #[case] another: bool,
    #[values(&[], &["--library"])] args: &[&str],
) {
    let ((site, _), (_other, others_authority)) = (tls_site(), tls_site());
    let trusted = another.then_some(others_authority.as_path());
    let said = fetch(&site, "https://localhost/numbers.txt", trusted, args).unwrap_err();
    assert!(said.contains("--cacert") || said.contains("invalid peer certificate"), "{said}");
    assert!(!site.server.stderr().contains("GET"), "nothing was asked for");
}

#[test]
fn two_servers_never_have_the_same_authority() {
    let ((_a, first), (_b, second)) = (tls_site(), tls_site());
    let (first, second) = (fs::read_to_string(first).unwrap(), fs::read_to_string(second).unwrap());
    assert_ne!(first, second);
    for pem in [first, second] {
        assert_eq!(pem.matches("-----BEGIN ").count(), 1, "{pem}");
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"), "no private key: {pem}");
    }
}

#[rstest]
#[case::by_hand(&[])]
#[case::by_the_library(&["--library"])]
fn https_with_a_server_of_plain_http_is_refused_with_a_hint(#[case] args: &[&str]) {
    let plain = site(&[]);
    let said = fetch(&plain, "https://localhost/", None, args).unwrap_err();
    assert!(said.contains("is not TLS: does it speak plain http?"), "{said}");
    assert!(plain.server.says("→ 400", LIMIT), "{}", plain.server.stderr());
    plain.still_serves();
}

#[test]
fn plain_http_with_a_server_of_https_is_refused_with_a_hint() {
    let (site, authority) = tls_site();
    let said = fetch(&site, "http://localhost/", None, &[]).unwrap_err();
    assert!(said.contains("it answers in TLS: try https://"), "{said}");
    assert_eq!(fetch(&site, "/numbers.txt", Some(&authority), &[]).unwrap(), NUMBERS);
}

#[test]
fn a_client_that_is_silent_in_the_handshake_is_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "127.0.0.1:0", &["--tls", "--idle", "0.3"]);
    let site = Site { server, folder };
    for beginning in [b"".as_slice(), b"\x16\x03\x01\x02\x00"] {
        let mut stream = site.connect();
        stream.write_all(beginning).unwrap();
        // The end that TLS has of its own, and then TCP's.
        assert!(stream.read_to_end(&mut Vec::new()).unwrap() < 100);
    }
}

#[test]
fn ctrl_c_ends_a_server_of_https_with_a_client_connected() {
    let (mut site, _authority) = tls_site();
    let _silent = site.connect();
    assert!(site.server.says("connected", LIMIT));
    assert!(site.server.interrupt(LIMIT).is_some());
}

/// The connection is cut inside the tunnel's first answer; without the end that TLS has of its
/// own, nobody takes that for the whole.
#[test]
fn a_tunnel_that_is_cut_is_an_error() {
    let (site, authority) = tls_site();
    fs::write(site.folder.path().join("large"), vec![b'a'; 1_000_000]).unwrap();
    let between = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = between.local_addr().unwrap().to_string();
    let server = site.server.address();
    let cutting = thread::spawn(move || {
        let (client, _) = between.accept().unwrap();
        let server = TcpStream::connect(server).unwrap();
        let (mut up, mut down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        thread::spawn(move || std::io::copy(&mut up, &mut down));
        std::io::copy(&mut (&server).take(200_000), &mut &client).unwrap();
        client.shutdown(Shutdown::Both).unwrap();
        let _ = server.shutdown(Shutdown::Both);
    });
    let assert = lesson()
        .args(["client", "--addr", &address, "https://localhost/large", "--cacert"])
        .arg(authority)
        .assert()
        .code(1);
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(said.contains("in the middle of its answer"), "{said}");
    cutting.join().unwrap();
}

#[test]
fn a_second_server_on_the_same_port_does_not_replace_the_certificate_of_the_first() {
    let (site, authority) = tls_site();
    let before = fs::read(&authority).unwrap();
    let dir = site.folder.path().to_str().unwrap();
    let path = authority.to_str().unwrap();
    let second = ["server", "--addr", &site.addr(), "--dir", dir, "--tls", path];
    lesson().args(second).assert().code(1);
    assert_eq!(fs::read(&authority).unwrap(), before);
}

#[test]
fn a_certificate_that_cannot_be_written_is_one_clear_line_and_code_1() {
    let path = Path::new("nowhere").join("ca.pem");
    let path = path.to_str().unwrap();
    let assert = lesson().args(["server", "--addr", "127.0.0.1:0", "--tls", path]).assert().code(1);
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    let beginning = format!("cannot write the authority's certificate {path}: ");
    assert!(said.starts_with(&beginning) && said.lines().count() == 1, "{said}");
}
