//! The chat room: a sender is a member for a while and receives what the others say.
//!
//! UDP has no connections, so nobody tells us that a member has left: all we know of somebody is
//! an address and when it last spoke.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use netbasics::cli::log_limited;
use netbasics::net::socket::{MAX_DATAGRAM_V4, MAX_DATAGRAM_V6};

use super::send;

/// How many members a room has at most. A forged sender address makes a member of somebody who
/// never asked, and each message goes out once for each member: both need an end.
const MAX_MEMBERS: usize = 64;

/// Who is in the room, and when each of them last spoke.
pub struct Room {
    expire: Duration,
    members: HashMap<SocketAddr, Instant>,
}

impl Room {
    /// An empty room that forgets a member who has been silent for `expire`.
    pub fn new(expire: Duration) -> Self {
        Self { expire, members: HashMap::new() }
    }

    // listing: begin hear
    /// Passes on what `sender` said at `now` to all other members, and says to `sender` how many
    /// of them it was sent to. The receipt is short, and so is every refusal.
    pub fn hear(&mut self, socket: &UdpSocket, sender: SocketAddr, message: &[u8], now: Instant) {
        log_limited!("{sender} says: {}", String::from_utf8_lossy(message));
        let receipt = if !self.admit(sender, now) {
            format!("the room is full ({MAX_MEMBERS} members)")
        } else if let Some(datagram) = signed(sender, message) {
            let others = self.members.keys().filter(|member| **member != sender);
            let heard = others.filter(|member| send(socket, **member, &datagram)).count();
            format!("heard by {heard}")
        } else {
            "too long to pass on with your address in front".to_owned()
        };
        send(socket, sender, receipt.as_bytes());
    }
    // listing: end hear

    // listing: begin admit
    /// Forgets members silent for too long, then notes that `sender` has spoken. `false` if
    /// there is no place for one more.
    fn admit(&mut self, sender: SocketAddr, now: Instant) -> bool {
        self.members.retain(|_, last| now.duration_since(*last) < self.expire);
        let has_place = self.members.len() < MAX_MEMBERS || self.members.contains_key(&sender);
        if has_place {
            self.members.insert(sender, now);
        }
        has_place
    }
    // listing: end admit
}

/// `SENDER: message`, or `None` if that is too large for one datagram. It is not cut: half a
/// message that looks like a whole one is worse than none.
fn signed(sender: SocketAddr, message: &[u8]) -> Option<Vec<u8>> {
    let largest = if sender.is_ipv4() { MAX_DATAGRAM_V4 } else { MAX_DATAGRAM_V6 };
    let datagram = [format!("{sender}: ").as_bytes(), message].concat();
    (datagram.len() <= largest).then_some(datagram)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPIRE: Duration = Duration::from_secs(300);
    const HALF: Duration = Duration::from_secs(150);

    fn member(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn a_silent_member_is_forgotten_and_a_speaking_one_stays() {
        let (mut room, start) = (Room::new(EXPIRE), Instant::now());
        assert!(room.admit(member(1), start));
        assert!(room.admit(member(2), start));
        assert!(room.admit(member(2), start + HALF));
        assert!(room.admit(member(3), start + EXPIRE));
        let mut ports: Vec<u16> = room.members.keys().map(SocketAddr::port).collect();
        ports.sort_unstable();
        assert_eq!(ports, [2, 3]);
    }

    #[test]
    fn a_full_room_keeps_its_members_and_admits_again_when_they_expire() {
        let (mut room, start) = (Room::new(EXPIRE), Instant::now());
        for port in (1..).take(MAX_MEMBERS) {
            assert!(room.admit(member(port), start));
        }
        assert!(!room.admit(member(1000), start));
        assert!(room.admit(member(1), start), "a member of a full room may speak");
        assert!(room.admit(member(1000), start + EXPIRE));
    }

    #[test]
    fn a_message_fits_with_its_prefix_or_is_not_passed_on() {
        let prefix = "127.0.0.1:7: ".len();
        let largest = vec![b'x'; MAX_DATAGRAM_V4 - prefix];
        assert_eq!(signed(member(7), &largest).unwrap().len(), MAX_DATAGRAM_V4);
        assert_eq!(signed(member(7), &[largest, vec![b'x']].concat()), None);
    }
}
