//! Lesson 8's graded tests read heads of HTTP; here they are read to, good ones and bad ones.

use crate::lesson_08::heads::Head;

fn head(text: &str) -> Head {
    Head::parse(text).unwrap_or_else(|line| panic!("{line:?}"))
}

#[test]
fn what_is_free_makes_no_difference() {
    let head = head("HTTP/1.1 405 \r\nallow:HEAD , get\r\nX-Y:\r\nContent-Length: \t7 ");
    assert_eq!(head.status(), Some("405"));
    assert_eq!((head.values("x-y"), head.length()), (vec![""], Some(7)));
    assert!(head.lists("allow", "GET") && head.lists("allow", "head"));
    assert!(!head.lists("allow", "POST"));
}

#[test]
fn a_first_line_that_is_nearly_right_has_no_status() {
    for bad in ["HTTP/1.1 200", "HTTP/1.0 200 OK", "HTTP/1.1 20 OK", "http/1.1 200 OK", ""] {
        assert_eq!(head(bad).status(), None, "{bad:?}");
    }
}

#[test]
fn a_field_line_that_is_none_is_named() {
    for bad in ["Allow : GET", " folded", "no colon", ": no name", "X: bare\nY: line feed"] {
        let head = Head::parse(&format!("HTTP/1.1 200 OK\r\n{bad}"));
        assert_eq!(head.err().as_deref(), Some(bad));
    }
}

#[test]
fn only_one_plain_length_is_a_length() {
    for bad in ["X: 5", "Content-Length: 5\r\ncontent-length: 5", "Content-Length: +5"] {
        assert_eq!(head(&format!("HTTP/1.1 200 OK\r\n{bad}")).length(), None);
    }
    let both = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5";
    assert_eq!(head(both).length(), None);
}
