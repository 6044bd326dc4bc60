//! Made-up networks: nodes without sockets, a clock that is a number, and a scheduler that delivers
//! what is on its way in any order that TCP allows (each connection keeps its own).

use std::io;

use netlab::rounds::few_or_all;

use super::*;
use crate::wire::{Contact, MessageId, Reason, Text};

const SILENCE: Duration = Duration::from_secs(15);
/// How long, in made-up time, a network has to come to rest.
const LONG: Duration = Duration::from_secs(40);
const TICK: Duration = Duration::from_millis(100);

/// Numbers that look random and are the same for the same seed (Knuth's MMIX generator).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// Something on its way to one end of a connection.
enum Item {
    Opened { with: SocketAddr, dialled: bool },
    Frame(Frame),
    End,
}

/// One end of a connection: whose it is, what is on its way to it, whether it has closed.
struct End {
    node: usize,
    items: Vec<Item>,
    has_closed: bool,
}

struct World {
    random: Random,
    now: Instant,
    /// The nodes that run, by their places.
    nodes: Vec<Option<Node>>,
    /// Connection `n` has the ends `2 n` and `2 n + 1`, and its number is theirs for the nodes.
    ends: Vec<End>,
    /// Dials that find nobody.
    refusals: Vec<(usize, SocketAddr)>,
    told: Vec<(usize, News)>,
}

fn address(place: usize) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 1000 + u16::try_from(place).unwrap()))
}

fn id_of(place: usize) -> NodeId {
    // Neither rising nor falling with the places.
    NodeId((place as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

impl World {
    fn new(seed: u64) -> Self {
        let (nodes, ends, refusals, told) = (vec![], vec![], vec![], vec![]);
        Self { random: Random(seed), now: Instant::now(), nodes, ends, refusals, told }
    }

    fn enter(&mut self, named: &[usize], follow: bool) -> usize {
        let place = self.nodes.len();
        self.nodes.push(None);
        self.start(place, id_of(place), named, follow);
        place
    }

    fn start(&mut self, place: usize, id: NodeId, named: &[usize], follow: bool) {
        let named = named.iter().copied().map(address).collect();
        let name = format!("n{place}");
        let port = address(place).port();
        let setup = Setup { id, name, port, silence: SILENCE, follow, named };
        self.nodes[place] = Some(Node::new(setup, self.now));
        self.event(place, Event::Tick);
    }

    fn event(&mut self, place: usize, event: Event) {
        let Some(node) = &mut self.nodes[place] else { return };
        for action in node.handle(event, self.now) {
            match action {
                Action::Dial(to) => self.dial(place, to),
                Action::Send(link, frame) => self.send(link, Item::Frame(frame)),
                Action::Close(link) => self.close(link),
                Action::Tell(news) => self.told.push((place, news)),
            }
        }
    }

    fn dial(&mut self, from: usize, to: SocketAddr) {
        let listening = (0..self.nodes.len()).find(|place| address(*place) == to);
        let Some(there) = listening.filter(|place| self.nodes[*place].is_some()) else {
            return self.refusals.push((from, to));
        };
        let caller = SocketAddr::from(([127, 0, 0, 1], 50_000));
        for (node, with, dialled) in [(from, to, true), (there, caller, false)] {
            self.ends.push(End {
                node,
                items: vec![Item::Opened { with, dialled }],
                has_closed: false,
            });
        }
    }

    fn other(link: LinkId) -> usize {
        usize::try_from(link ^ 1).unwrap()
    }

    fn send(&mut self, link: LinkId, item: Item) {
        assert!(!self.ends[Self::other(link ^ 1)].has_closed, "nothing is sent after the end");
        self.ends[Self::other(link)].items.push(item);
    }

    fn close(&mut self, link: LinkId) {
        let end = &mut self.ends[Self::other(link ^ 1)];
        if !std::mem::replace(&mut end.has_closed, true) {
            self.ends[Self::other(link)].items.push(Item::End);
        }
    }

    /// Delivers one thing that is on its way; `false` if nothing is.
    fn step(&mut self) -> bool {
        let waiting: Vec<usize> =
            (0..self.ends.len()).filter(|end| !self.ends[*end].items.is_empty()).collect();
        let count = waiting.len() + self.refusals.len();
        if count == 0 {
            return false;
        }
        let choice = self.random.below(count);
        if choice >= waiting.len() {
            let (place, address) = self.refusals.remove(choice - waiting.len());
            let error = io::ErrorKind::ConnectionRefused.into();
            self.event(place, Event::CannotDial { address, error });
            return true;
        }
        let end = waiting[choice];
        let (place, link) = (self.ends[end].node, end as LinkId);
        match self.ends[end].items.remove(0) {
            Item::Opened { with, dialled } => {
                self.event(place, Event::Opened { link, with, dialled });
            }
            Item::Frame(frame) => {
                // What is written is read: every frame of every made-up network goes over the wire.
                let frame = Frame::decode(&frame.encode()[4..]).unwrap();
                self.event(place, Event::Heard { link, frame });
            }
            Item::End => {
                self.event(place, Event::Closed { link, end: Ok(()) });
                self.close(link);
            }
        }
        true
    }

    /// Delivers everything that is on its way, and lets time pass.
    fn rest(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            while self.step() {}
            self.now += TICK;
            (0..self.nodes.len()).for_each(|place| self.event(place, Event::Tick));
        }
        while self.step() {}
    }

    fn crash(&mut self, place: usize) {
        self.nodes[place] = None;
        for end in 0..self.ends.len() {
            if self.ends[end].node == place {
                self.ends[end].items.clear();
                self.close(end as LinkId);
            }
        }
    }

    fn say(&mut self, place: usize, text: &str) {
        self.event(place, Event::Say(text.into()));
    }

    fn announce(&mut self, from: usize, to: usize) {
        self.event(to, Event::Announced(Contact { id: id_of(from), address: address(from) }));
    }

    /// With whom `place` is connected; and that both know it, of the same connection.
    fn neighbours(&self, place: usize) -> Vec<usize> {
        let mut neighbours = Vec::new();
        for (id, link) in self.nodes[place].as_ref().unwrap().table() {
            let there = &self.ends[Self::other(link)];
            let theirs = self.nodes[there.node].as_ref().expect("a neighbour that runs").table();
            assert!(theirs.contains(&(id_of(place), link ^ 1)), "both keep the same connection");
            assert_eq!(id, id_of(there.node));
            neighbours.push(there.node);
        }
        neighbours.sort_unstable();
        neighbours
    }

    /// No connection is open that is not one between neighbours.
    fn assert_nothing_else_is_open(&self) {
        let open = self.ends.iter().filter(|end| !end.has_closed).count();
        let used: usize = self.nodes.iter().flatten().map(|node| node.table().len()).sum();
        assert_eq!(open, used);
    }

    fn assert_everybody_knows_everybody(&self) {
        let running: Vec<usize> =
            (0..self.nodes.len()).filter(|place| self.nodes[*place].is_some()).collect();
        for place in &running {
            let others: Vec<usize> =
                running.iter().copied().filter(|other| other != place).collect();
            assert_eq!(self.neighbours(*place), others);
        }
        self.assert_nothing_else_is_open();
    }

    fn assert_nobody_was_lost(&self) {
        let lost = self.told.iter().find(|(_, news)| {
            matches!(news, News::Gone { .. } | News::NotJoined { .. } | News::Stranger { .. })
        });
        assert!(lost.is_none(), "{lost:?}");
    }

    fn times_heard(&self, place: usize, words: &str) -> usize {
        let heard = self.told.iter().filter(|(who, news)| {
            *who == place && matches!(news, News::Heard { text, .. } if text == words)
        });
        heard.count()
    }

    /// Lets `place` speak, and asserts that everybody else shows it once.
    fn assert_heard_once_by_all(&mut self, place: usize, words: &str) {
        self.say(place, words);
        while self.step() {}
        for other in 0..self.nodes.len() {
            let times = usize::from(other != place && self.nodes[other].is_some());
            assert_eq!(self.times_heard(other, words), times, "{words} at {other}");
        }
    }

    fn lines(&self, place: usize) -> Vec<String> {
        self.told.iter().filter(|(who, _)| *who == place).map(|(_, n)| n.to_string()).collect()
    }
}

// One connection

#[test]
fn two_that_connect_at_once_keep_one_connection_and_lose_no_message_in_any_order() {
    let mut collisions = 0_u64;
    let networks: u64 = few_or_all(100, 3_000);
    for seed in 0..networks {
        let mut world = World::new(seed);
        world.enter(&[], true);
        world.enter(&[], true);
        // Each hears of the other at some moment; what is on its way then goes on.
        let (mut unaware, mut said, mut number) = (vec![0, 1], vec![], 0);
        loop {
            let (choice, place) = (world.random.below(4), world.random.below(2));
            if choice == 0 && unaware.contains(&place) {
                unaware.retain(|other| *other != place);
                world.announce(1 - place, place);
            } else if choice == 1 && number < 12 {
                let words = format!("{number}");
                world.say(place, &words);
                let Some((_, News::Said { to, .. })) = world.told.last() else { panic!() };
                said.push((1 - place, words, *to));
                number += 1;
            } else if !world.step() && unaware.is_empty() {
                break;
            }
        }
        world.rest(Duration::from_secs(3));
        world.assert_everybody_knows_everybody();
        world.assert_nobody_was_lost();
        collisions += u64::from(world.ends.len() > 2);
        for (listener, words, to) in said {
            assert_eq!(world.times_heard(listener, &words), to, "seed {seed}: {words}");
        }
    }
    assert!(collisions > networks / 3, "{collisions} of {networks} had two connections or more");
}

#[test]
fn both_orders_of_the_ids_and_both_diallers_lead_to_one_connection() {
    for (dialler, other) in [(0, 1), (1, 0)] {
        let mut world = World::new(1);
        world.enter(&[], true);
        world.enter(&[], true);
        world.announce(other, dialler);
        world.rest(LONG);
        world.assert_everybody_knows_everybody();
        assert_eq!(world.ends.len(), 2, "one connection was made, and it is kept");
    }
}

#[test]
fn many_that_announce_themselves_at_once_become_a_full_net() {
    for seed in 0..40 {
        let mut world = World::new(seed);
        (0..6).for_each(|_| _ = world.enter(&[], true));
        let mut announcements: Vec<_> = (0..36).map(|n| (n / 6, n % 6)).collect();
        while !announcements.is_empty() {
            let next = world.random.below(announcements.len());
            let (from, to) = announcements.swap_remove(next);
            world.announce(from, to);
            (0..world.random.below(9)).for_each(|_| _ = world.step());
        }
        world.rest(SILENCE);
        world.assert_everybody_knows_everybody();
        world.assert_nobody_was_lost();
        (0..6).for_each(|place| world.assert_heard_once_by_all(place, &format!("from {place}")));
    }
}

#[test]
fn a_node_that_is_named_itself_notices_and_stops_trying() {
    let mut world = World::new(1);
    world.enter(&[0], true);
    world.rest(LONG);
    assert_eq!(world.lines(0), ["127.0.0.1:1000 is this node itself"]);
    assert_eq!(world.ends.len(), 2, "it has tried once");
    world.assert_nothing_else_is_open();
}

#[test]
fn somebody_who_uses_the_id_of_a_neighbour_does_not_take_its_place() {
    let mut world = World::new(1);
    let (small, large) = if id_of(0) < id_of(1) { (0, 1) } else { (1, 0) };
    world.enter(&[], true);
    world.enter(&[0], true);
    world.rest(LONG);
    for (victim, impersonated) in [(small, large), (large, small)] {
        let hello = Hello { id: id_of(impersonated), port: 9, name: "eve".into() };
        let link = 1_000_000 + victim as LinkId;
        let node = world.nodes[victim].as_mut().unwrap();
        node.handle(Event::Opened { link, with: address(9), dialled: false }, world.now);
        node.handle(Event::Heard { link, frame: Frame::Hello(hello) }, world.now);
        let actions = node.handle(Event::Heard { link, frame: Frame::Welcome }, world.now);
        assert!(!actions.iter().any(|action| matches!(action, Action::Tell(News::Here { .. }))));
    }
    world.assert_everybody_knows_everybody();
}

// Gossip

#[test]
fn in_a_ring_a_line_and_a_star_each_message_is_shown_once_by_everybody() {
    let ring = |place: usize| vec![(place + 1) % 7];
    let line = |place: usize| if place == 0 { vec![] } else { vec![place - 1] };
    let star = |place: usize| if place == 0 { vec![] } else { vec![0] };
    for (seed, named) in [ring, line, star].iter().cycle().take(12).enumerate() {
        let mut world = World::new(seed as u64);
        (0..7).for_each(|place| _ = world.enter(&named(place), false));
        world.rest(LONG);
        (0..7).for_each(|place| world.assert_heard_once_by_all(place, &format!("from {place}")));
    }
}

#[test]
fn what_has_no_hops_left_is_shown_and_not_passed_on() {
    let mut world = World::new(1);
    world.enter(&[], false);
    world.enter(&[0], false);
    world.enter(&[0], false);
    world.rest(LONG);
    let (_, link) = world.nodes[0].as_ref().unwrap().table()[0];
    for (number, hops) in [(1, 0), (2, 1)] {
        let id = MessageId { origin: NodeId(5), number };
        let text = Text { id, hops, name: "eve".into(), words: format!("{hops} hops") };
        world.event(0, Event::Heard { link, frame: Frame::Text(text) });
    }
    while world.step() {}
    assert_eq!([world.times_heard(0, "0 hops"), world.times_heard(0, "1 hops")], [1, 1]);
    assert_eq!([1, 2].map(|place| world.times_heard(place, "0 hops")), [0, 0]);
    assert_eq!([1, 2].map(|place| world.times_heard(place, "1 hops")).iter().sum::<usize>(), 1);
}

#[test]
fn a_repetition_and_our_own_words_in_our_neighbours_mouth_are_not_shown() {
    let mut world = World::new(1);
    world.enter(&[], true);
    world.enter(&[0], true);
    world.rest(LONG);
    let (_, link) = world.nodes[0].as_ref().unwrap().table()[0];
    let text = |origin, text: &str| {
        let id = MessageId { origin, number: 1 };
        let frame = Frame::Text(Text { id, hops: 9, name: "n".into(), words: text.into() });
        Event::Heard { link, frame }
    };
    for _ in 0..3 {
        world.event(0, text(id_of(1), "again"));
        world.event(0, text(id_of(0), "mine"));
    }
    assert_eq!(world.times_heard(0, "again"), 1);
    assert_eq!(world.times_heard(0, "mine"), 0);
}

// Who is there

#[test]
fn a_newcomer_that_knows_one_learns_of_all_and_only_if_it_follows() {
    let mut world = World::new(7);
    (0..5).for_each(|place| _ = world.enter(if place == 0 { &[] } else { &[0] }, true));
    world.rest(LONG);
    world.assert_everybody_knows_everybody();
    let loner = world.enter(&[2], false);
    world.rest(LONG);
    assert_eq!(world.neighbours(loner), [2], "the others have not been told of it, nor it of them");
}

#[test]
fn two_nets_that_meet_become_one() {
    for seed in 0..20 {
        let mut world = World::new(seed);
        for named in [&[][..], &[0], &[0], &[], &[3], &[3]] {
            world.enter(named, true);
        }
        world.rest(LONG);
        world.announce(1, 4);
        world.rest(LONG);
        world.assert_everybody_knows_everybody();
    }
}

#[test]
fn a_crash_is_noticed_by_all_and_the_next_program_on_its_port_is_a_new_node() {
    for seed in 0..20 {
        let mut world = World::new(seed);
        (0..4).for_each(|place| _ = world.enter(if place == 0 { &[] } else { &[0] }, true));
        world.rest(LONG);
        world.crash(0);
        world.assert_heard_once_by_all(1, "what was that?");
        world.rest(LONG);
        for place in 1..4 {
            let gone = "n0 is gone: its connection ended without a farewell";
            assert_eq!(world.lines(place).iter().filter(|line| *line == gone).count(), 1);
        }
        world.assert_everybody_knows_everybody();
        // The others have named it: they find it again, though nobody tells it of them.
        world.nodes[0] = None;
        world.start(0, id_of(0), &[], true);
        world.rest(LONG);
        world.assert_everybody_knows_everybody();
    }
}

#[test]
fn who_leaves_has_been_heard_and_is_not_looked_for() {
    let mut world = World::new(3);
    (0..4).for_each(|place| _ = world.enter(if place == 3 { &[] } else { &[3] }, true));
    world.rest(LONG);
    world.say(0, "last words");
    world.event(0, Event::Leave);
    while world.step() {}
    let node = world.nodes[0].take().unwrap();
    assert!(node.has_left());
    assert_eq!(node.farewells_taken(), 3);
    let connections = world.ends.len();
    world.rest(LONG);
    for place in 1..4 {
        assert_eq!(world.times_heard(place, "last words"), 1);
        assert_eq!(world.lines(place).last().unwrap(), "n0 has left");
    }
    assert_eq!(world.ends.len(), connections, "nobody has connected to anybody since");
}

#[test]
fn silence_is_a_crash_and_who_has_nothing_to_say_says_so() {
    let mut world = World::new(1);
    world.enter(&[], true);
    world.enter(&[0], true);
    world.rest(SILENCE * 10);
    world.assert_everybody_knows_everybody();
    // The machine of the second loses its power: nothing is closed, and nothing comes any more.
    world.nodes[1] = None;
    world.rest(SILENCE * 2);
    assert_eq!(world.lines(0).last().unwrap(), "n1 is gone: it has been silent for 15s");
}

#[test]
fn a_named_node_that_comes_late_is_found_and_its_absence_told_once() {
    let mut world = World::new(1);
    world.enter(&[1], true);
    world.rest(LONG);
    assert_eq!(
        world.lines(0),
        ["not connected to 127.0.0.1:1001: connection refused; trying again"]
    );
    world.enter(&[], true);
    world.rest(LONG);
    world.assert_everybody_knows_everybody();
}

// Limits, and those who keep to nothing

#[test]
fn a_node_has_so_many_neighbours_and_no_more_and_the_others_hear_it_all_the_same() {
    let mut world = World::new(11);
    (0..22).for_each(|place| _ = world.enter(if place == 0 { &[] } else { &[0] }, true));
    world.rest(LONG);
    let counts: Vec<usize> = (0..22).map(|place| world.neighbours(place).len()).collect();
    assert!(counts.iter().all(|count| (1..=MAX_LINKS).contains(count)), "{counts:?}");
    assert!(counts.contains(&MAX_LINKS));
    world.assert_heard_once_by_all(21, "from the last");
    world.assert_heard_once_by_all(0, "from the first");
}

#[test]
fn a_crowd_that_says_nothing_leaves_room_for_a_node() {
    let mut world = World::new(1);
    world.enter(&[], true);
    let mut open = 0_usize;
    for link in 1000..2000 {
        let event = Event::Opened { link, with: address(500), dialled: false };
        let actions = world.nodes[0].as_mut().unwrap().handle(event, world.now);
        let closed = actions.iter().filter(|action| matches!(action, Action::Close(_))).count();
        open = open + 1 - closed;
        assert!(open <= MAX_STRANGERS);
    }
    // The ends of the crowd are not in this world, and neither is the node that comes now.
    let hello = Frame::Hello(Hello { id: NodeId(u64::MAX), port: 9, name: "late".into() });
    let node = world.nodes[0].as_mut().unwrap();
    node.handle(Event::Opened { link: 3000, with: address(501), dialled: false }, world.now);
    node.handle(Event::Heard { link: 3000, frame: hello }, world.now);
    let actions = node.handle(Event::Heard { link: 3000, frame: Frame::Welcome }, world.now);
    assert!(actions.iter().any(|action| matches!(action, Action::Tell(News::Here { .. }))));
    // A peer that never greets is dropped when the time for it is over.
    let actions = node.handle(Event::Tick, world.now + SILENCE);
    let closed = actions.iter().filter(|action| matches!(action, Action::Close(_))).count();
    assert!(closed >= MAX_STRANGERS, "{closed}");
}

#[test]
fn a_frame_at_the_wrong_time_ends_its_connection_and_no_other() {
    let greeting = || Frame::Hello(Hello { id: NodeId(u64::MAX), port: 9, name: "eve".into() });
    let text = || {
        let id = MessageId { origin: NodeId(3), number: 1 };
        Frame::Text(Text { id, hops: 1, name: "eve".into(), words: "boo".into() })
    };
    for wrong in [
        vec![text()],
        vec![Frame::Welcome],
        vec![Frame::Leave],
        vec![Frame::Alive],
        vec![greeting(), greeting()],
        vec![greeting(), text()],
        vec![greeting(), Frame::Welcome, Frame::Welcome],
    ] {
        let mut world = World::new(1);
        world.enter(&[], true);
        world.enter(&[0], true);
        world.rest(LONG);
        let node = world.nodes[0].as_mut().unwrap();
        node.handle(Event::Opened { link: 99, with: address(9), dialled: false }, world.now);
        let mut actions = Vec::new();
        for frame in wrong.clone() {
            actions = node.handle(Event::Heard { link: 99, frame }, world.now);
        }
        let is_closed = actions.iter().any(|action| matches!(action, Action::Close(99)));
        assert!(is_closed, "{wrong:?}");
        world.assert_everybody_knows_everybody();
        assert_eq!(world.times_heard(0, "boo"), 0);
    }
}

#[test]
fn a_neighbour_cannot_make_us_call_where_it_likes_nor_without_end() {
    let mut world = World::new(1);
    world.enter(&[], true);
    world.enter(&[0], true);
    world.rest(LONG);
    let (_, link) = world.nodes[0].as_ref().unwrap().table()[0];
    let mut dialled = Vec::new();
    let mut tell = |world: &mut World, address: SocketAddr, id: u64| {
        let contacts = vec![Contact { id: NodeId(id), address }];
        let event = Event::Heard { link, frame: Frame::Peers(contacts) };
        let actions = world.nodes[0].as_mut().unwrap().handle(event, world.now);
        let new = actions.into_iter().filter_map(|action| match action {
            Action::Dial(address) => Some(address),
            _ => None,
        });
        dialled.extend(new);
        dialled.len()
    };
    assert_eq!(tell(&mut world, "192.0.2.1:80".parse().unwrap(), 1), 0, "out of the machine");
    assert_eq!(tell(&mut world, address(0), id_of(0).0), 0, "to ourselves");
    for port in 2000..4000 {
        tell(&mut world, SocketAddr::from(([127, 0, 0, 1], port)), u64::from(port));
    }
    assert!(dialled.len() <= 8, "at one moment: {dialled:?}");
}

#[test]
fn who_has_no_place_says_where_else_to_ask() {
    let mut world = World::new(1);
    (0..=MAX_LINKS).for_each(|place| _ = world.enter(if place == 0 { &[] } else { &[0] }, false));
    world.rest(LONG);
    assert_eq!(world.neighbours(0).len(), MAX_LINKS);
    let node = world.nodes[0].as_mut().unwrap();
    let hello = Hello { id: NodeId(u64::MAX), port: 9, name: "late".into() };
    node.handle(Event::Opened { link: 999, with: address(99), dialled: false }, world.now);
    let event = Event::Heard { link: 999, frame: Frame::Hello(hello) };
    let actions = node.handle(event, world.now);
    let [told, refused, closed] = &actions[..] else { panic!("{actions:?}") };
    assert!(matches!(told, Action::Send(999, Frame::Peers(p)) if p.len() == MAX_LINKS));
    assert!(matches!(refused, Action::Send(999, Frame::Refuse(Reason::NoPlace))));
    assert!(matches!(closed, Action::Close(999)));
}
