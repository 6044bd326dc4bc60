//! The model of a diagram: rows and arrows between lifelines, nothing measured yet.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Arrow, Diagram, Kind, Language, Moment};
use crate::faults::{Direction, Fate};
use crate::payload::{columns, show};

/// The most clients that stand side by side; if there are more, each conversation is drawn by
/// itself.
const CLIENTS_SIDE_BY_SIDE: usize = 3;
/// How much of a payload stands at an arrow.
const PAYLOAD_COLUMNS: usize = 36;

/// A whole diagram.
pub(super) struct Page {
    pub(super) language: Language,
    pub(super) sections: Vec<Section>,
    /// Arrows that are not drawn.
    pub(super) more: u64,
}

/// Lifelines, and the arrows between them.
pub(super) struct Section {
    language: Language,
    /// The clients' names; the server stands to the right of them.
    pub(super) clients: Vec<String>,
    pub(super) lines: Vec<Line>,
    /// A row is a moment; with its time, if times are shown.
    pub(super) rows: Vec<Option<Duration>>,
}

/// One arrow.
pub(super) struct Line {
    /// Which of the clients is at its one end; the server is at the other.
    pub(super) client: usize,
    pub(super) direction: Direction,
    pub(super) label: Label,
    pub(super) look: Look,
    /// The row in which it leaves.
    pub(super) leaves: usize,
    pub(super) end: End,
}

/// What is written at an arrow, in parts that look different.
pub(super) struct Label {
    /// Of a datagram: `#3`.
    pub(super) number: String,
    /// What it is: `5 bytes`.
    pub(super) what: String,
    /// What is in it.
    pub(super) payload: String,
    /// What the laboratory did to it.
    pub(super) fate: String,
}

/// How an arrow looks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Data,
    Control,
    /// It arrives, but not as it was sent.
    Odd,
    /// It does not arrive, or it ends everything.
    Bad,
}

/// How an arrow ends.
pub(super) enum End {
    /// In these rows, the first one first.
    Arrives(Vec<usize>),
    /// At both sides at once.
    BothWays,
    /// In a cross.
    Stopped,
    /// The recording ended before it did.
    UnderWay,
}

impl Label {
    /// The parts that are there.
    pub(super) fn parts(&self) -> impl Iterator<Item = &str> {
        [&self.number, &self.what, &self.payload, &self.fate]
            .into_iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
    }

    /// All in one line.
    pub(super) fn in_one_line(&self) -> String {
        self.parts().collect::<Vec<_>>().join("  ")
    }

    pub(super) fn columns(&self) -> usize {
        columns(&self.in_one_line())
    }
}

impl Section {
    /// The names of all lifelines, from left to right.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.clients.iter().map(String::as_str).chain([self.language.server()])
    }

    /// What the widest label needs.
    pub(super) fn label_columns(&self) -> usize {
        self.lines.iter().map(|line| line.label.columns()).max().unwrap_or(0)
    }

    /// An arrow as a sentence.
    pub(super) fn sentence(&self, line: &Line) -> String {
        let client = &self.clients[line.client];
        let label = line.label.in_one_line().replace("  ", " ");
        self.language.sentence(client, line.direction, &label)
    }
}

pub(super) fn lay_out(diagram: &Diagram) -> Page {
    let clients: BTreeSet<u32> =
        diagram.arrows.iter().map(|arrow| arrow.connection.number).collect();
    let groups: Vec<BTreeSet<u32>> = if clients.len() <= CLIENTS_SIDE_BY_SIDE {
        vec![clients.clone()]
    } else {
        clients.iter().map(|client| BTreeSet::from([*client])).collect()
    };
    let name = |number: u32| diagram.language.client((clients.len() != 1).then_some(number + 1));
    let sections = groups.iter().map(|group| section(diagram, group, name)).collect();
    Page { language: diagram.language, sections, more: diagram.more }
}

fn section(diagram: &Diagram, group: &BTreeSet<u32>, name: impl Fn(u32) -> String) -> Section {
    let arrows = || diagram.arrows.iter().filter(|it| group.contains(&it.connection.number));
    let mut times: BTreeMap<Moment, Duration> = BTreeMap::new();
    for arrow in arrows() {
        times.entry(arrow.sent).or_insert(arrow.at);
        for (moment, at) in &arrow.arrivals {
            times.entry(*moment).or_insert(*at);
        }
    }
    let row = |moment: Moment| times.range(..moment).count();
    let client = |arrow: &Arrow| group.range(..arrow.connection.number).count();
    let lines = arrows().map(|arrow| line(arrow, client(arrow), row, diagram.language)).collect();
    let rows = times.values().map(|at| diagram.times.then_some(*at)).collect();
    let clients = if group.is_empty() {
        vec![diagram.language.client(None)]
    } else {
        group.iter().map(|number| name(*number)).collect()
    };
    Section { language: diagram.language, clients, lines, rows }
}

fn line(arrow: &Arrow, client: usize, row: impl Fn(Moment) -> usize, language: Language) -> Line {
    let rows = || arrow.arrivals.iter().map(|(moment, _)| row(*moment)).collect();
    let end = match &arrow.kind {
        Kind::Open => End::BothWays,
        Kind::Refused | Kind::Data { fate: Fate::Lose | Fate::TooLarge | Fate::QueueFull, .. } => {
            End::Stopped
        }
        _ if arrow.arrivals.is_empty() => End::UnderWay,
        _ => End::Arrives(rows()),
    };
    let direction =
        // It is the client whose arrow did not get through, no matter which side refused it.
        if matches!(arrow.kind, Kind::Refused | Kind::Open) { Direction::ToServer } else { arrow.direction };
    let (label, look) = (label(arrow, language), look(&arrow.kind));
    Line { client, direction, label, look, leaves: row(arrow.sent), end }
}

fn look(kind: &Kind) -> Look {
    match kind {
        Kind::Open | Kind::End => Look::Control,
        Kind::Refused | Kind::Reset => Look::Bad,
        Kind::Data { fate, .. } => match fate {
            Fate::Pass => Look::Data,
            Fate::Duplicate | Fate::Reorder(_) | Fate::Corrupt => Look::Odd,
            Fate::Lose | Fate::TooLarge | Fate::QueueFull => Look::Bad,
        },
    }
}

fn label(arrow: &Arrow, language: Language) -> Label {
    let control = |what: &str, fate: &str| Label {
        number: String::new(),
        what: what.to_owned(),
        payload: String::new(),
        fate: fate.to_owned(),
    };
    match &arrow.kind {
        Kind::Open => control(language.connect(), ""),
        Kind::Refused => control(language.connect(), language.refused()),
        Kind::End => control(language.fin(), ""),
        Kind::Reset => control("", language.reset()),
        Kind::Data { number, length, beginning, fate, change, .. } => {
            let number = number.map_or(String::new(), |number| format!("#{number}"));
            let what = language.bytes(*length);
            let payload = cut(beginning, *length);
            let has_arrived = !arrow.arrivals.is_empty();
            let fate = language.fate(*fate, change.as_ref(), has_arrived);
            Label { number, what, payload, fate }
        }
    }
}

/// The beginning may be all that was kept of the payload.
fn cut(beginning: &[u8], length: u64) -> String {
    let (text, rest) = show(beginning, PAYLOAD_COLUMNS);
    let is_shown_as_whole = rest == 0 && (beginning.len() as u64) < length;
    if is_shown_as_whole { format!("{text} …") } else { text }
}
