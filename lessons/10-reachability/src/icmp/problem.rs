//! Error messages: why a packet did not arrive, as the router or host that gave up on it says.

use super::Family;

/// What an error message of this type and code says; `None` if it is another kind of message.
pub fn says(family: Family, kind: u8, code: u8) -> Option<&'static str> {
    match (family, kind) {
        (Family::V4, 3) => Some(unreachable_v4(code)),
        (Family::V6, 1) => Some(unreachable_v6(code)),
        (Family::V6, 2) => Some("packet too big for a link on the way"),
        (Family::V4, 11) | (Family::V6, 3) => Some(match code {
            0 => "time exceeded: it passed more routers than it was allowed to",
            _ => "time exceeded: a fragment of it was missing for too long",
        }),
        _ => None,
    }
}

/// RFC 792, "Destination Unreachable Message", for 0 to 5; RFC 1122, section 3.2.2.1, for 6 to 12;
/// RFC 1812, section 5.2.7.1, for 13 to 15.
fn unreachable_v4(code: u8) -> &'static str {
    match code {
        0 => "network unreachable",
        1 => "host unreachable",
        2 => "protocol unreachable: that host does not speak what the packet carries",
        3 => "port unreachable: no program has that port",
        4 => "too large for a link on the way, and not to be cut into fragments",
        5 => "source route failed",
        6 | 7 => "network or host unknown",
        8 => "source host isolated",
        9 | 10 | 13 => "communication administratively prohibited: a firewall forbids it",
        11 | 12 => "unreachable for this type of service",
        14 | 15 => "precedence not accepted",
        _ => "destination unreachable, for a reason without a name",
    }
}

/// RFC 4443, section 3.1.
fn unreachable_v6(code: u8) -> &'static str {
    match code {
        0 => "no route to destination",
        1 => "communication administratively prohibited: a firewall forbids it",
        2 => "beyond scope of source address",
        3 => "address unreachable",
        4 => "port unreachable: no program has that port",
        5 => "source address failed ingress/egress policy",
        6 => "reject route to destination",
        _ => "destination unreachable, for a reason without a name",
    }
}
