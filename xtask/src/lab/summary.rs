//! What the laboratory did, in words.

use std::fmt::Write;

use netlab::conditions::Conditions;
use netlab::payload::{bytes, grouped};
use netlab::record::Transport;
use netlab::relay::{Counts, Tally};

/// One line for a terminal while the relay runs.
pub fn live(counts: &Counts) -> String {
    let way = |tally: &Tally| {
        let dropped = tally.lost + tally.too_large + tally.queue_full;
        let dropped =
            if dropped == 0 { String::new() } else { format!(" ({} lost)", grouped(dropped)) };
        format!("{}{dropped}", bytes(tally.bytes_out))
    };
    let (there, back) = (way(&counts.to_server), way(&counts.to_client));
    format!("{} open · → server {there} · → clients {back}", grouped(counts.open))
}

/// Some lines for the end.
pub fn lines(counts: &Counts, transport: Transport, conditions: &Conditions) -> Vec<String> {
    let seed = conditions.seed;
    let clients = match counts.connections {
        1 => "1 client".to_owned(),
        many => format!("{} clients", grouped(many)),
    };
    let refused = match counts.refused {
        0 => String::new(),
        refused => {
            format!(", {} refused because the server could not be reached", grouped(refused))
        }
    };
    let clients = if conditions.refuse {
        "every client was refused, by the system itself, which does not count them".to_owned()
    } else {
        format!("{clients}{refused}")
    };
    vec![
        clients,
        format!("to the server: {}", way(&counts.to_server, transport)),
        format!("to the clients: {}", way(&counts.to_client, transport)),
        format!("seed {seed}; for the same chances again: --seed {seed}"),
    ]
}

fn way(tally: &Tally, transport: Transport) -> String {
    let mut text = match transport {
        Transport::Tcp => bytes(tally.bytes_out),
        Transport::Udp => {
            let plural = if tally.pieces_out == 1 { "" } else { "s" };
            format!("{} datagram{plural}, {}", grouped(tally.pieces_out), bytes(tally.bytes_out))
        }
    };
    let fates = [
        (tally.lost, "lost"),
        (tally.too_large, "larger than the MTU"),
        (tally.queue_full, "dropped by a full queue"),
        (tally.duplicated, "sent on twice"),
        (tally.reordered, "overtaken"),
        (tally.corrupted, "damaged"),
    ];
    for (number, what) in fates.into_iter().filter(|(number, _)| *number > 0) {
        let _ = write!(text, "; {} {what}", grouped(number)); // writing to a String does not fail
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_happened_is_told() {
        let there = Tally { pieces_out: 1, bytes_out: 1200, lost: 2, ..Tally::default() };
        let counts = Counts { connections: 1, to_server: there, ..Counts::default() };
        let said = lines(&counts, Transport::Udp, &Conditions { seed: 7, ..Conditions::default() });
        assert_eq!(said[0], "1 client");
        assert_eq!(said[1], "to the server: 1 datagram, 1,200 bytes; 2 lost");
        assert_eq!(said[2], "to the clients: 0 datagrams, 0 bytes");
        assert!(said[3].contains("--seed 7"));
    }

    #[test]
    fn who_was_refused_is_told_and_why() {
        let counts = Counts { refused: 2, ..Counts::default() };
        let said = lines(&counts, Transport::Tcp, &Conditions::default());
        assert_eq!(said[0], "0 clients, 2 refused because the server could not be reached");
        let refuse = Conditions { refuse: true, ..Conditions::default() };
        let said = lines(&Counts::default(), Transport::Tcp, &refuse);
        assert!(said[0].starts_with("every client was refused"), "{said:?}");
    }
}
