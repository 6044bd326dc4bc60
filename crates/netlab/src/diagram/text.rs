//! The diagram as text.
//!
//! ```text
//!  client                                      server
//!    ├── #0  5 bytes  "hello" ─────────────────▶│
//!    ├── #1  5 bytes  "world"  late ──────╮      │
//!    ├── #2  3 bytes  "and" ──────────────┼─────▶│
//!    │                                    ╰─────▶│
//!    │     ✕───────────── #0  2 bytes  "ok"  lost ┤
//! ```

use super::canvas::Canvas;
use super::layout::{End, Line, Page, Section};
use crate::faults::Direction;
use crate::payload::columns;

const MARGIN: usize = 4;
const TIME_COLUMNS: usize = 14;
const BETWEEN_CLIENTS: usize = 12;
const MIN_LABEL_COLUMNS: usize = 24;
/// The line that is seen before and after a label.
const AROUND_LABEL: usize = 3;

pub(super) fn draw(page: &Page) -> String {
    let sections: Vec<String> = page.sections.iter().map(draw_section).collect();
    let text = sections.join("\n");
    match page.more {
        0 => text,
        more => format!("{text}{:MARGIN$}{}\n", "", page.language.more(more)),
    }
}

/// Where things are, in columns: lifelines, labels, and between labels and the server the tracks
/// on which late arrows go down.
struct Plan {
    clients: Vec<usize>,
    label: usize,
    label_columns: usize,
    tracks: usize,
    server: usize,
}

fn draw_section(section: &Section) -> String {
    let (tracks, number_of_tracks) = assign_tracks(&section.lines);
    let plan = plan(section, number_of_tracks);
    let mut canvas = Canvas::default();
    for (name, column) in section.names().zip(plan.clients.iter().chain([&plan.server])) {
        canvas.write(0, column.saturating_sub(columns(name) / 2), name);
        // A row more than there are moments, so that the last one is not at the very end.
        (1..section.rows.len() + 2).for_each(|row| canvas.lifeline(row, *column));
    }
    for (row, time) in section.rows.iter().enumerate() {
        if let Some(time) = time {
            canvas.write(row + 1, 0, &format!("{:>11.1} ms", time.as_secs_f64() * 1e3));
        }
    }
    for (line, track) in section.lines.iter().zip(tracks) {
        draw_line(&mut canvas, &plan, line, plan.tracks + 2 * track);
    }
    canvas.into_text()
}

fn plan(section: &Section, tracks: usize) -> Plan {
    let has_times = section.rows.iter().any(Option::is_some);
    let margin = MARGIN + if has_times { TIME_COLUMNS } else { 0 };
    let clients: Vec<usize> =
        (0..section.clients.len()).map(|client| margin + client * BETWEEN_CLIENTS).collect();
    let label = clients.last().map_or(margin, |last| last + AROUND_LABEL);
    let label_columns = section.label_columns().max(MIN_LABEL_COLUMNS);
    let first_track = label + label_columns + AROUND_LABEL;
    let server = first_track + 2 * tracks + AROUND_LABEL;
    Plan { clients, label, label_columns, tracks: first_track, server }
}

/// A track for each line that arrives later than it leaves, no two of them on one track in one
/// row; and how many tracks there are.
fn assign_tracks(lines: &[Line]) -> (Vec<usize>, usize) {
    let mut busy_until: Vec<usize> = Vec::new();
    let mut assign = |line: &Line| {
        let End::Arrives(rows) = &line.end else { return 0 };
        let last = rows.iter().copied().max().unwrap_or(line.leaves);
        if last == line.leaves {
            return 0;
        }
        let free = busy_until.iter().position(|until| *until < line.leaves);
        let track = free.unwrap_or(busy_until.len());
        busy_until.resize(busy_until.len().max(track + 1), 0);
        busy_until[track] = last;
        track
    };
    let tracks = lines.iter().map(&mut assign).collect();
    (tracks, busy_until.len())
}

fn draw_line(canvas: &mut Canvas, plan: &Plan, line: &Line, track: usize) {
    let (client, server) = (plan.clients[line.client], plan.server);
    let (from, to) = match line.direction {
        Direction::ToServer => (client, server),
        Direction::ToClient => (server, client),
    };
    let row = line.leaves + 1;
    let mut label_row = row;
    match &line.end {
        End::BothWays => {
            canvas.horizontal(row, beside(from, to, 1), beside(to, from, 1));
            head(canvas, row, to, from);
            head(canvas, row, from, to);
        }
        End::Stopped | End::UnderWay => {
            let stop = beside(to, from, 2);
            canvas.horizontal(row, from, stop);
            canvas.write(row, stop, if matches!(line.end, End::Stopped) { "✕" } else { "┄" });
        }
        End::Arrives(rows) => {
            let last = rows.iter().copied().max().unwrap_or(line.leaves);
            let bend = if last == line.leaves { from } else { track };
            canvas.horizontal(row, from, bend);
            canvas.vertical(track, row, if bend == from { row } else { last + 1 });
            for arrival in rows {
                canvas.horizontal(arrival + 1, bend, beside(to, from, 1));
                head(canvas, arrival + 1, from, to);
            }
            // The bend is on the server's side of the labels.
            if line.direction == Direction::ToClient {
                label_row = rows.iter().copied().min().unwrap_or(line.leaves) + 1;
            }
        }
    }
    write_label(canvas, plan, line, label_row);
}

fn write_label(canvas: &mut Canvas, plan: &Plan, line: &Line, row: usize) {
    let label = format!(" {} ", line.label.in_one_line());
    let column = match line.direction {
        Direction::ToServer => plan.label,
        Direction::ToClient => plan.label + plan.label_columns + 2 - columns(&label),
    };
    canvas.write(row, column, &label);
}

/// The head of an arrow that comes from `from` and ends at the lifeline `to`.
fn head(canvas: &mut Canvas, row: usize, from: usize, to: usize) {
    canvas.write(row, beside(to, from, 1), if from < to { "▶" } else { "◀" });
}

/// The column `distance` before `to` for somebody who comes from `from`.
fn beside(to: usize, from: usize, distance: usize) -> usize {
    if from < to { to - distance } else { to + distance }
}
