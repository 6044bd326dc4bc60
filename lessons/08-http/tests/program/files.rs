//! Which files are handed out, and how.

use std::fs::File;

use rstest::rstest;

use super::*;

#[rstest]
#[case::the_index("/", PAGE, "text/html; charset=utf-8")]
#[case::a_file("/numbers.txt", NUMBERS, "text/plain; charset=utf-8")]
#[case::a_query_changes_nothing("/numbers.txt?a=/../b", NUMBERS, "text/plain; charset=utf-8")]
#[case::a_blank("/a%20b.bin", "blank", "application/octet-stream")]
#[case::encoded_without_need("/n%75mbers.txt", NUMBERS, "text/plain; charset=utf-8")]
#[case::nothing_in_it("/nothing", "", "application/octet-stream")]
#[case::the_index_below("/sub/", "sub", "text/html; charset=utf-8")]
#[case::a_whole_url("http://any.host/numbers.txt", NUMBERS, "text/plain; charset=utf-8")]
fn a_file_comes_with_its_length_and_its_type(
    #[case] path: &str,
    #[case] content: &str,
    #[case] media_type: &str,
) {
    let answer = site(&[]).get(path, "");
    assert_eq!(status(&answer), 200, "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, content);
    assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", content.len())), "{head}");
    assert!(head.contains(&format!("\r\nContent-Type: {media_type}\r\n")), "{head}");
    assert!(head.contains("\r\nDate: ") && head.contains(" GMT\r\n"), "{head}");
}

#[rstest]
fn what_is_not_there_or_not_ours_is_404(
    #[values(
        "/nowhere",
        "/sub/nowhere",
        "/numbers.txt/",
        "/numbers.txt/a",
        "/sub/empty/",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/sub/../../secret.txt",
        "/..%5csecret.txt",
        "//secret.txt",
        "/.git/config",
        "/C:/secret.txt",
        "/NUL",
        "/a%2Fb"
    )]
    path: &str,
) {
    let answer = site(&[]).get(path, "");
    assert_eq!(status(&answer), 404, "{answer}");
    assert!(!answer.contains("secret"), "{answer}");
}

#[test]
fn a_name_of_more_bytes_than_the_system_has_room_for_is_404() {
    assert_eq!(status(&site(&[]).get(&format!("/{}", "a".repeat(5000)), "")), 404);
}

#[test]
fn a_folder_without_its_slash_is_elsewhere() {
    let answer = site(&[]).get("/sub", "");
    assert_eq!(status(&answer), 301, "{answer}");
    assert!(answer.contains("\r\nLocation: /sub/\r\n"), "{answer}");
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_inside_the_folder_and_not_out_of_it() {
    use std::os::unix::fs::symlink;
    let site = site(&[]);
    let (folder, root) = (site.folder.path(), site.folder.path().join("site"));
    symlink("numbers.txt", root.join("inside")).unwrap();
    symlink(folder.join("secret.txt"), root.join("file")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink("/", root.join("everything")).unwrap();
    symlink(".git", root.join("git")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    assert!(site.get("/inside", "").ends_with(NUMBERS));
    for path in
        ["/file", "/up/secret.txt", "/up/", "/everything/etc/passwd", "/git/config", "/loop"]
    {
        assert_eq!(status(&site.get(path, "")), 404, "{path}");
    }
}

/// Whoever opens a named pipe waits until somebody writes into it.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_opened() {
    let site = site(&[]);
    let pipe = site.folder.path().join("site/pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(status(&site.get("/pipe", "")), 404);
}

#[rstest]
#[case::the_middle("bytes=2-4", 206, "bytes 2-4/10", "234")]
#[case::the_end("bytes=8-", 206, "bytes 8-9/10", "89")]
#[case::the_last_three("bytes=-3", 206, "bytes 7-9/10", "789")]
#[case::more_than_there_is("bytes=5-500", 206, "bytes 5-9/10", "56789")]
#[case::behind_the_end("bytes=10-", 416, "bytes */10", "")]
fn a_part_is_sent_with_its_place(
    #[case] range: &str,
    #[case] expected: u16,
    #[case] place: &str,
    #[case] content: &str,
) {
    let answer = site(&[]).get("/numbers.txt", &format!("Range: {range}\r\n"));
    assert_eq!(status(&answer), expected, "{answer}");
    assert!(answer.contains(&format!("\r\nContent-Range: {place}\r\n")), "{answer}");
    if expected == 206 {
        assert_eq!(answer.split_once("\r\n\r\n").unwrap().1, content);
    }
}

#[rstest]
#[case::several("Range: bytes=0-1,3-4\r\n")]
#[case::backwards("Range: bytes=4-2\r\n")]
#[case::if_range("Range: bytes=0-1\r\nIf-Range: \"a\"\r\n")]
fn a_range_that_is_not_understood_gets_the_whole(#[case] fields: &str) {
    let answer = site(&[]).get("/numbers.txt", fields);
    assert_eq!(status(&answer), 200, "{answer}");
    assert!(answer.ends_with(NUMBERS), "{answer}");
}

#[test]
fn a_file_that_the_client_has_already_is_not_sent_again() {
    let site = site(&[]);
    let answer = site.get("/numbers.txt", "");
    let date = answer.split("Last-Modified: ").nth(1).unwrap().split("\r\n").next().unwrap();
    let known = site.get("/numbers.txt", &format!("If-Modified-Since: {date}\r\n"));
    assert_eq!(status(&known), 304, "{known}");
    assert!(known.ends_with("\r\n\r\n"), "a 304 has no body: {known}");
    for fields in [
        "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n".to_owned(),
        "If-Modified-Since: yesterday\r\n".to_owned(),
        format!("If-Modified-Since: {date}\r\nIf-None-Match: \"a\"\r\n"),
    ] {
        assert_eq!(status(&site.get("/numbers.txt", &fields)), 200, "{fields}");
    }
}

/// 64 MiB, most of which is not even on the disk.
const LARGE: u64 = 64 * 1024 * 1024;

fn large_file(site: &Site) -> File {
    let file = File::create(site.folder.path().join("site/large")).unwrap();
    file.set_len(LARGE).unwrap();
    file
}

#[test]
fn a_large_file_comes_whole_and_is_never_in_memory_whole() {
    let site = site(&[]);
    large_file(&site);
    let mut stream = site.connect();
    stream.write_all(get("/large", "Connection: close\r\n").as_bytes()).unwrap();
    assert!(head(&mut stream).contains(&format!("\r\nContent-Length: {LARGE}\r\n")));
    let length = std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
    assert_eq!(length, LARGE);
    if let Some(peak) = site.server.peak_memory() {
        assert!(peak < LARGE / 2, "{peak} bytes");
    }
}

/// The head has promised a length. What comes is never longer, and if it is shorter, the
/// connection ends, so that nobody takes the next answer for the rest.
#[rstest]
#[case::shorter(1000)]
#[case::longer(LARGE + 1_000_000)]
fn a_file_that_changes_its_length_meanwhile_never_has_a_wrong_one(#[case] length: u64) {
    let site = site(&[]);
    let file = large_file(&site);
    let mut stream = site.connect();
    stream.write_all(get("/large", "").as_bytes()).unwrap();
    head(&mut stream);
    // Nobody reads yet, and the buffers between us hold less than all of it.
    file.set_len(length).unwrap();
    if length < LARGE {
        let came = std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
        assert!(came < LARGE, "{came}");
        assert!(site.server.says("became shorter", LIMIT), "{}", site.server.stderr());
    } else {
        let came = std::io::copy(&mut (&stream).take(LARGE), &mut std::io::sink()).unwrap();
        assert_eq!(came, LARGE);
        stream.write_all(get("/numbers.txt", "Connection: close\r\n").as_bytes()).unwrap();
        assert!(rest(&mut stream).starts_with("HTTP/1.1 200 OK\r\n"));
    }
}
