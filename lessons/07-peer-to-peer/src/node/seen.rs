//! Which messages we have had: in a net of connections each of them comes on several ways.

use std::collections::{HashSet, VecDeque};

use crate::wire::MessageId;

/// How many are remembered. A node that says that many others can make us forget one, and show it
/// twice; that it does not go round forever then is the work of its hops.
pub const CAPACITY: usize = 4096;

// listing: begin seen
#[derive(Default)]
pub struct Seen {
    ids: HashSet<MessageId>,
    /// The same ids, the oldest in front.
    order: VecDeque<MessageId>,
}

impl Seen {
    /// Remembers `id`, and says whether it is new.
    pub fn is_new(&mut self, id: MessageId) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}
// listing: end seen

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::NodeId;

    fn id(number: usize) -> MessageId {
        MessageId { origin: NodeId(1), number: number.try_into().unwrap() }
    }

    #[test]
    fn a_message_is_new_once_and_another_nodes_same_number_is_another() {
        let mut seen = Seen::default();
        assert!(seen.is_new(id(1)));
        assert!(!seen.is_new(id(1)));
        assert!(seen.is_new(MessageId { origin: NodeId(2), number: 1 }));
    }

    #[test]
    fn the_oldest_is_forgotten_and_the_memory_does_not_grow() {
        let mut seen = Seen::default();
        assert!((0..=CAPACITY).all(|number| seen.is_new(id(number))));
        assert_eq!((seen.ids.len(), seen.order.len()), (CAPACITY, CAPACITY));
        assert!(!seen.is_new(id(1)), "the second is remembered");
        assert!(seen.is_new(id(0)), "the first is forgotten");
    }
}
