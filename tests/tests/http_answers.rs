//! Lesson 8's graded tests read answers of HTTP; here they are read to, good ones and bad ones.

#[allow(dead_code)] // Receiving is for the graded tests.
#[path = "lesson_08/answers.rs"]
mod answers;

use answers::Head;

#[test]
fn a_head_is_read_strictly_but_for_what_is_free() {
    let head = Head::parse("HTTP/1.1 405 \r\nallow:HEAD , get\r\nX-Y:\r\nConnection: Close");
    let head = head.unwrap_or_else(|line| panic!("{line:?}"));
    assert_eq!((head.status, head.values("x-y")), (405, vec![""]));
    assert!(head.lists("allow", "GET") && head.lists("connection", "close"));
    for bad in ["HTTP/1.1 200", "HTTP/1.0 200 OK", "HTTP/1.1 20 OK", "http/1.1 200 OK", ""] {
        assert_eq!(Head::parse(bad).err().as_deref(), Some(bad));
    }
    for bad in ["Allow : GET", " folded", "no colon", ": no name", "X: bare\nY: line feed"] {
        let head = Head::parse(&format!("HTTP/1.1 200 OK\r\n{bad}"));
        assert_eq!(head.err().as_deref(), Some(bad));
    }
}
