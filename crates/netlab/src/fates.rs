//! What is remembered of datagrams with an unusual fate until they arrive, so that their arrival
//! can be told from any other.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::faults::{Direction, Fate};

/// How many are remembered at most; the oldest is forgotten first, and then arrives uncommented.
const CAPACITY: usize = 4096;

type Key = (Direction, u64);

/// Datagrams that are under way and will arrive twice, late or damaged.
#[derive(Debug, Default)]
pub(crate) struct Fates {
    under_way: HashMap<Key, Traveller>,
    in_order: VecDeque<Key>,
}

#[derive(Debug)]
struct Traveller {
    fate: Fate,
    /// Kept to see what was changed.
    sent: Option<Arc<[u8]>>,
    arrivals: u32,
}

/// What is unusual about an arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The second of two.
    Again,
    /// After datagrams that were sent after it, or nearly.
    Late,
    /// Byte number `.0` was `.1` and has become `.2`.
    Changed(usize, u8, u8),
}

impl Fates {
    /// Notes what is going to happen to a datagram, if it is worth it.
    pub(crate) fn note(
        &mut self,
        direction: Direction,
        index: u64,
        fate: Fate,
        payload: &Arc<[u8]>,
    ) {
        if !matches!(fate, Fate::Duplicate | Fate::Reorder(_) | Fate::Corrupt) {
            return;
        }
        let sent = (fate == Fate::Corrupt).then(|| Arc::clone(payload));
        let key = (direction, index);
        self.under_way.insert(key, Traveller { fate, sent, arrivals: 0 });
        self.in_order.push_back(key);
        while self.in_order.len() > CAPACITY {
            let oldest = self.in_order.pop_front();
            oldest.map(|key| self.under_way.remove(&key));
        }
    }

    /// What is unusual about this arrival, if anything.
    pub(crate) fn arrive(
        &mut self,
        direction: Direction,
        index: u64,
        payload: &[u8],
    ) -> Option<Arrival> {
        let traveller = self.under_way.get_mut(&(direction, index))?;
        traveller.arrivals += 1;
        let arrival = match traveller.fate {
            // The first of two is like any other.
            Fate::Duplicate if traveller.arrivals == 1 => return None,
            Fate::Duplicate => Some(Arrival::Again),
            Fate::Reorder(_) => Some(Arrival::Late),
            Fate::Corrupt => traveller.sent.as_ref().and_then(|sent| changed(sent, payload)),
            _ => None,
        };
        self.under_way.remove(&(direction, index));
        arrival
    }
}

/// The first byte that differs.
pub(crate) fn changed(sent: &[u8], arrived: &[u8]) -> Option<Arrival> {
    let both = sent.iter().zip(arrived).enumerate();
    let (at, (old, new)) = both.into_iter().find(|(_, (old, new))| old != new)?;
    Some(Arrival::Changed(at, *old, *new))
}

/// An arrival in words.
pub(crate) fn arrival(arrival: &Arrival) -> String {
    match arrival {
        Arrival::Again => "arrives again".to_owned(),
        Arrival::Late => "arrives late".to_owned(),
        Arrival::Changed(at, old, new) => {
            format!("arrives damaged: byte {at} was {old:02x} and is {new:02x}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_arrives_is_forgotten_in_the_end() {
        let mut fates = Fates::default();
        for index in 0..3 * CAPACITY as u64 {
            fates.note(Direction::ToServer, index, Fate::Corrupt, &Arc::from([0_u8; 9]));
        }
        assert_eq!(fates.under_way.len(), CAPACITY);
        assert_eq!(fates.in_order.len(), CAPACITY);
    }

    #[test]
    fn the_changed_byte_is_found() {
        assert_eq!(changed(b"hello", b"hexlo"), Some(Arrival::Changed(2, b'l', b'x')));
        assert_eq!(changed(b"hello", b"hello"), None);
    }
}
