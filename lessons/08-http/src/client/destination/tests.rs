//! Where redirects lead, and what of an address is in a URL.

use rstest::rstest;

use super::*;

/// The examples of RFC 3986, sections 5.4.1 and 5.4.2.
#[rstest]
#[case("g:h", "g:h")]
#[case("g", "http://a/b/c/g")]
#[case("./g", "http://a/b/c/g")]
#[case("g/", "http://a/b/c/g/")]
#[case("/g", "http://a/g")]
#[case("//g", "http://g/")]
#[case("?y", "http://a/b/c/d;p?y")]
#[case("g?y", "http://a/b/c/g?y")]
#[case("#s", "http://a/b/c/d;p?q#s")]
#[case("g#s", "http://a/b/c/g#s")]
#[case("g?y#s", "http://a/b/c/g?y#s")]
#[case(";x", "http://a/b/c/;x")]
#[case("g;x?y#s", "http://a/b/c/g;x?y#s")]
#[case("", "http://a/b/c/d;p?q")]
#[case(".", "http://a/b/c/")]
#[case("./", "http://a/b/c/")]
#[case("..", "http://a/b/")]
#[case("../g", "http://a/b/g")]
#[case("../..", "http://a/")]
#[case("../../g", "http://a/g")]
#[case("../../../../g", "http://a/g")]
#[case("/../g", "http://a/g")]
#[case("g.", "http://a/b/c/g.")]
#[case("..g", "http://a/b/c/..g")]
#[case("./g/.", "http://a/b/c/g/")]
#[case("g/../h", "http://a/b/c/h")]
#[case("g;x=1/../y", "http://a/b/c/y")]
#[case("g?y/../x", "http://a/b/c/g?y/../x")]
#[case("g#s/../x", "http://a/b/c/g#s/../x")]
fn a_redirect_is_relative_to_the_url(#[case] location: &str, #[case] expected: &str) {
    let to = Destination::new(None, "http://a/b/c/d;p?q", false).unwrap();
    assert_eq!(to.redirect(location), expected);
}

/// RFC 9110, section 10.2.2, has the first two as its examples.
#[rstest]
#[case("/People.html#tim", "http://a/People.html#tim")]
#[case("http://www.example.net/index.html", "http://www.example.net/index.html#larry")]
#[case("?y", "http://a/index.html?y#larry")]
#[case("g#", "http://a/g#")]
#[case("http://[", "http://[")]
fn a_redirect_without_a_fragment_keeps_ours(#[case] location: &str, #[case] expected: &str) {
    let to = Destination::new(None, "http://a/index.html#larry", false).unwrap();
    assert_eq!(to.url.as_str(), "http://a/index.html");
    assert_eq!(to.redirect(location), expected);
}

#[test]
fn a_zone_is_for_connecting_and_no_part_of_the_url() {
    let addr: Endpoint = "[fe80::1%eth0]:80".parse().unwrap();
    let to = Destination::new(Some(addr.clone()), "/a", false).unwrap();
    assert_eq!((to.connect_to, to.url.as_str()), (addr, "http://[fe80::1]/a"));
}
