//! A sequence diagram of a run: one model of it, drawn as text or as SVG.
//!
//! Time flows down. An arrow leaves at the moment of sending and ends at the moment of arrival, so
//! that a datagram that is overtaken crosses the others; a lost one ends in a cross, and one that
//! arrives twice forks.
//!
//! Without times, two runs of the same conversation are the same diagram, byte for byte. For that,
//! everything that is chance is left out: ports; how a TCP stream falls into pieces (what a side
//! sends before anything else happens is one arrow); and, where nothing depends on it, whether the
//! relay saw a datagram arrive before or after the next was sent.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::fates::{Arrival, changed};
use crate::faults::{Direction, Fate};
use crate::record::{Connection, Event, Happening, Recorder, Transport};

mod canvas;
mod layout;
mod svg;
mod text;
mod words;

pub use words::Language;

/// More arrows than these are counted, not drawn: nobody reads a longer diagram.
pub const MAX_ARROWS: usize = 400;
/// How much of an arrow's payload is kept.
const KEPT_BYTES: usize = 256;
/// With times, an arrow falls if what it carries was under way at least this long.
const SEEN_DELAY: Duration = Duration::from_millis(1);

/// Records a run for a diagram; its memory is bounded by the number of arrows.
#[derive(Clone, Debug)]
pub struct Diagram {
    max_arrows: usize,
    times: bool,
    language: Language,
    arrows: Vec<Arrow>,
    /// Arrows that were not drawn.
    more: u64,
    lanes: HashMap<u32, Lane>,
    /// Arrows of what was sent and may still arrive.
    under_way: HashMap<(Direction, u64), usize>,
    /// Counts moments.
    clock: u64,
}

/// A moment in the order of things. What is recorded late but belongs right after an earlier
/// moment has that moment's `major`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Moment {
    major: u64,
    minor: u64,
}

#[derive(Clone, Debug)]
struct Arrow {
    connection: Connection,
    direction: Direction,
    kind: Kind,
    sent: Moment,
    at: Duration,
    arrivals: Vec<(Moment, Duration)>,
}

#[derive(Clone, Debug)]
enum Kind {
    Open,
    Refused,
    End,
    Reset,
    Data {
        /// Of a datagram.
        number: Option<u64>,
        length: u64,
        beginning: Vec<u8>,
        fate: Fate,
        /// The whole payload of a datagram that will be damaged, until it arrives.
        whole: Option<Arc<[u8]>>,
        change: Option<Arrival>,
    },
}

/// What was last seen of a connection.
#[derive(Clone, Debug, Default)]
struct Lane {
    /// The last arrow, if it is one that more bytes of this direction and fate can be added to;
    /// with its place in the list, if it is drawn.
    growing: Option<(Direction, Fate, Option<usize>)>,
    /// The last sending or arrival, to the server and to the client.
    last: [Moment; 2],
    /// The last arrival.
    last_arrival: [Moment; 2],
    ends: u8,
}

impl Default for Diagram {
    fn default() -> Self {
        Self::new()
    }
}

impl Diagram {
    /// A diagram of at most [`MAX_ARROWS`] arrows, without times.
    #[must_use]
    pub fn new() -> Self {
        Self {
            max_arrows: MAX_ARROWS,
            times: false,
            language: Language::default(),
            arrows: Vec::new(),
            more: 0,
            lanes: HashMap::new(),
            under_way: HashMap::new(),
            clock: 0,
        }
    }

    /// With the time since the start of the relay beside each arrow.
    #[must_use]
    pub fn with_times(mut self) -> Self {
        self.times = true;
        self
    }

    /// With words of another language than English.
    #[must_use]
    pub fn in_language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }

    /// With another number of arrows.
    #[must_use]
    pub fn with_max_arrows(mut self, max_arrows: usize) -> Self {
        self.max_arrows = max_arrows;
        self
    }

    /// The diagram as text, with Unicode's box-drawing characters.
    #[must_use]
    pub fn to_text(&self) -> String {
        text::draw(&layout::lay_out(self))
    }

    /// The diagram as an SVG image that stands alone.
    #[must_use]
    pub fn to_svg(&self) -> String {
        svg::draw(&layout::lay_out(self))
    }

    fn now(&mut self) -> Moment {
        self.clock += 1;
        Moment { major: self.clock, minor: 0 }
    }

    /// Adds an arrow if there is room for it; its place in the list.
    fn add(&mut self, event: &Event, kind: Kind) -> Option<usize> {
        let sent = self.now();
        let lane = self.lanes.entry(event.connection.number).or_default();
        lane.last[side(event.direction)] = sent;
        lane.growing = None;
        if self.arrows.len() >= self.max_arrows {
            self.more += 1;
            return None;
        }
        self.arrows.push(Arrow {
            connection: event.connection,
            direction: event.direction,
            kind,
            sent,
            at: event.at,
            arrivals: Vec::new(),
        });
        Some(self.arrows.len() - 1)
    }

    /// Adds an arrow for something that is known to both sides when it is recorded.
    fn add_arrived(&mut self, event: &Event, kind: Kind) {
        if let Some(arrow) = self.add(event, kind).and_then(|place| self.arrows.get_mut(place)) {
            arrow.arrivals.push((arrow.sent, arrow.at));
        }
    }

    fn send(&mut self, event: &Event, index: u64, fate: Fate, payload: &Arc<[u8]>) {
        let is_stream = event.connection.transport == Transport::Tcp;
        if !is_stream && self.arrows.len() >= self.max_arrows {
            // Not even the client is remembered: there may be many.
            self.more += 1;
            return;
        }
        let lane = self.lanes.entry(event.connection.number).or_default();
        if is_stream
            && let Some((direction, same, place)) = lane.growing
            && (direction, same) == (event.direction, fate)
        {
            if let Some(arrow) = place.and_then(|place| self.arrows.get_mut(place)) {
                arrow.grow(payload);
            }
            return;
        }
        let kept = payload.len().min(KEPT_BYTES);
        let kind = Kind::Data {
            number: (!is_stream).then_some(index),
            length: payload.len() as u64,
            beginning: payload[..kept].to_vec(),
            fate,
            whole: (fate == Fate::Corrupt).then(|| Arc::clone(payload)),
            change: None,
        };
        let place = self.add(event, kind);
        if let Some(place) = place {
            self.under_way.insert((event.direction, index), place);
        }
        if is_stream && let Some(lane) = self.lanes.get_mut(&event.connection.number) {
            lane.growing = Some((event.direction, fate, place));
        }
    }

    fn deliver(&mut self, event: &Event, index: u64, payload: &[u8]) {
        let Some(&place) = self.under_way.get(&(event.direction, index)) else { return };
        let (Some(lane), Some(arrow)) =
            (self.lanes.get_mut(&event.connection.number), self.arrows.get_mut(place))
        else {
            return;
        };
        // Of a stream's bytes, the first ones say when they arrived.
        if event.connection.transport == Transport::Tcp {
            self.under_way.remove(&(event.direction, index));
        }
        let (here, there) = (side(event.direction), 1 - side(event.direction));
        let is_slow = self.times && event.at.saturating_sub(arrow.at) >= SEEN_DELAY;
        let before = if is_slow {
            Moment { major: self.clock, minor: 0 }.max(lane.last[here])
        } else {
            lane.last_arrival[here].max(lane.last[there])
        };
        let is_flat = !is_slow && arrow.arrivals.is_empty() && before <= arrow.sent;
        self.clock += 1;
        let moment =
            if is_flat { arrow.sent } else { Moment { major: before.major, minor: self.clock } };
        lane.last_arrival[here] = moment;
        lane.last[here] = lane.last[here].max(moment);
        arrow.arrive(moment, event.at, payload);
    }

    /// A connection that is over and has no arrow is forgotten.
    fn forget_if_over(&mut self, event: &Event, is_reset: bool) {
        let number = event.connection.number;
        let Some(lane) = self.lanes.get_mut(&number) else { return };
        lane.ends += 1;
        if (is_reset || lane.ends == 2) && self.arrows.len() >= self.max_arrows {
            self.lanes.remove(&number);
        }
    }
}

impl Recorder for Diagram {
    fn record(&mut self, event: &Event) {
        match &event.happening {
            // A client's first datagram opens nothing.
            Happening::Opened if event.connection.transport == Transport::Udp => {}
            Happening::Opened => self.add_arrived(event, Kind::Open),
            Happening::Refused => _ = self.add(event, Kind::Refused),
            Happening::Sent { index, fate, payload } => self.send(event, *index, *fate, payload),
            Happening::Delivered { index, payload } => self.deliver(event, *index, payload),
            Happening::Ended => {
                self.add_arrived(event, Kind::End);
                self.forget_if_over(event, false);
            }
            Happening::Reset => {
                self.add_arrived(event, Kind::Reset);
                self.forget_if_over(event, true);
            }
        }
    }
}

impl Arrow {
    fn grow(&mut self, payload: &[u8]) {
        if let Kind::Data { length, beginning, .. } = &mut self.kind {
            *length += payload.len() as u64;
            let room = KEPT_BYTES.saturating_sub(beginning.len());
            beginning.extend_from_slice(&payload[..payload.len().min(room)]);
        }
    }

    fn arrive(&mut self, moment: Moment, at: Duration, payload: &[u8]) {
        self.arrivals.push((moment, at));
        if let Kind::Data { whole, change, .. } = &mut self.kind
            && let Some(sent) = whole.take()
        {
            *change = changed(&sent, payload);
        }
    }
}

fn side(direction: Direction) -> usize {
    match direction {
        Direction::ToServer => 0,
        Direction::ToClient => 1,
    }
}
