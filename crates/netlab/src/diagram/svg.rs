//! The diagram as SVG: plain markup that a person can read, with a background and colours of its
//! own for light and dark, so that it fits into any page, inline or as an image.

use std::fmt::Write;

use super::layout::{End, Label, Line, Look, Page, Section};
use crate::faults::Direction;
use shapes::{Point, add, draw_arrow, draw_cross, draw_head, draw_path, escaped};

mod shapes;

/// Everything is measured in pixels.
const ROW: f64 = 38.0;
const MARGIN: f64 = 24.0;
const NAME_WIDTH: f64 = 92.0;
const NAME_HEIGHT: f64 = 30.0;
const BETWEEN_CLIENTS: f64 = 112.0;
const TIME_WIDTH: f64 = 84.0;
/// Of one column of a label; fonts differ, so this is rather too much than too little.
const COLUMN: f64 = 7.6;
const MIN_LABEL_WIDTH: f64 = 300.0;
/// Between a lifeline and a label, and between a label and its arrow.
const BESIDE: f64 = 14.0;
const ABOVE: f64 = 7.0;
/// What an arrow leaves free before the lifeline.
const GAP: f64 = 3.0;
/// How far a lost datagram gets, and where a duplicate forks, as a part of its way.
const LOST_AFTER: f64 = 0.88;
const FORK_AFTER: f64 = 0.62;

/// Colours for light and dark, with a background of its own.
const STYLE: &str = include_str!("svg/style.css");

pub(super) fn draw(page: &Page) -> String {
    let plans: Vec<Plan> = page.sections.iter().map(plan).collect();
    let width = plans.iter().map(|plan| plan.width).fold(0.0, f64::max);
    let mut body = String::new();
    let mut top = MARGIN;
    for (section, plan) in page.sections.iter().zip(&plans) {
        draw_section(&mut body, section, plan, top);
        top += plan.height + MARGIN;
    }
    if page.more > 0 {
        let text = page.language.more(page.more);
        add(&mut body, format_args!("<text x='{MARGIN}' y='{top}'>{text}</text>"));
        top += MARGIN;
    }
    frame(width, top, page.language.title(), &description(page), &body)
}

fn frame(width: f64, height: f64, title: &str, description: &str, body: &str) -> String {
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' class='netlab' role='img' \
         width='{width}' height='{height}' viewBox='0 0 {width} {height}'>\n\
         <title>{title}</title>\n\
         <desc>{description}</desc>\n\
         <style>\n{STYLE}</style>\n\
         <rect class='paper' x='.5' y='.5' width='{}' height='{}' rx='8'/>\n\
         {body}</svg>\n",
        width - 1.0,
        height - 1.0
    )
}

/// For those who do not see the image: who takes part, and how much happens. What each arrow is
/// is in its own title.
fn description(page: &Page) -> String {
    let lines = || page.sections.iter().flat_map(|section| &section.lines);
    let bad = lines().filter(|line| matches!(line.end, End::Stopped)).count();
    let clients: usize = page.sections.iter().map(|section| section.clients.len()).sum();
    let arrows = lines().count() as u64 + page.more;
    page.language.description(clients as u64, arrows, bad)
}

/// Where things are in one section.
struct Plan {
    clients: Vec<f64>,
    server: f64,
    /// Right of the last client's lifeline, where labels begin.
    label: f64,
    /// Whether an arrow may pass through the label of another.
    has_slopes: bool,
    width: f64,
    height: f64,
}

fn plan(section: &Section) -> Plan {
    let has_times = section.rows.iter().any(Option::is_some);
    let first = MARGIN + NAME_WIDTH / 2.0 + if has_times { TIME_WIDTH } else { 0.0 };
    let clients: Vec<f64> =
        (0..section.clients.len()).map(|client| first + as_f64(client) * BETWEEN_CLIENTS).collect();
    let last = clients.last().copied().unwrap_or(first);
    let label_width = as_f64(section.label_columns()) * COLUMN + BESIDE;
    // Wide enough that the cross of a lost datagram stands beside its label.
    let server = last + (label_width / LOST_AFTER).max(MIN_LABEL_WIDTH).ceil() + BESIDE;
    let width = server + NAME_WIDTH / 2.0 + MARGIN;
    let height = NAME_HEIGHT + ROW * (as_f64(section.rows.len()) + 0.6);
    let falls = |line: &Line| matches!(&line.end, End::Arrives(rows) if rows.iter().any(|row| *row > line.leaves));
    let has_slopes = section.lines.iter().any(falls);
    Plan { clients, server, label: last + BESIDE, has_slopes, width, height }
}

fn as_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn draw_section(svg: &mut String, section: &Section, plan: &Plan, top: f64) {
    let bottom = top + plan.height;
    for (name, x) in section.names().zip(plan.clients.iter().chain([&plan.server])) {
        let under = top + NAME_HEIGHT;
        add(svg, format_args!("<path class='life' d='M{x} {under}V{bottom}'/>"));
        draw_name(svg, name, *x, top);
    }
    let y = |row: usize| top + NAME_HEIGHT + ROW * (as_f64(row) + 0.8);
    for (row, time) in section.rows.iter().enumerate() {
        if let Some(time) = time {
            let (x, y) = (MARGIN + TIME_WIDTH - 20.0, y(row) + 4.0);
            let milliseconds = time.as_secs_f64() * 1e3;
            add(
                svg,
                format_args!("<text class='time' x='{x}' y='{y:.1}'>{milliseconds:.1} ms</text>"),
            );
        }
    }
    for line in &section.lines {
        draw_line(svg, section, plan, line, y);
    }
}

fn draw_name(svg: &mut String, name: &str, x: f64, top: f64) {
    let left = x - NAME_WIDTH / 2.0;
    let baseline = top + NAME_HEIGHT / 2.0 + 4.5;
    add(
        svg,
        format_args!(
            "<g class='name'><rect x='{left}' y='{top}' width='{NAME_WIDTH}' \
             height='{NAME_HEIGHT}' rx='6'/><text x='{x}' y='{baseline}'>{}</text></g>",
            escaped(name)
        ),
    );
}

fn draw_line(
    svg: &mut String,
    section: &Section,
    plan: &Plan,
    line: &Line,
    y: impl Fn(usize) -> f64,
) {
    let client = plan.clients[line.client];
    let (from, to) = match line.direction {
        Direction::ToServer => (client, plan.server - GAP),
        Direction::ToClient => (plan.server, client + GAP),
    };
    let start = (from, y(line.leaves));
    let waiting = if matches!(line.end, End::UnderWay) { " waiting" } else { "" };
    add(svg, format_args!("<g class='{}{waiting}'>", class(line.look)));
    add(svg, format_args!("<title>{}</title>", escaped(&section.sentence(line))));
    match &line.end {
        End::Arrives(rows) => draw_arrivals(svg, start, to, rows, y),
        End::BothWays => {
            let start = (from + GAP, start.1);
            draw_arrow(svg, start, (to, start.1));
            draw_head(svg, (to, start.1), start);
        }
        End::Stopped => {
            let stop = (stop(plan, line.direction, to), start.1);
            draw_path(svg, start, stop);
            draw_cross(svg, stop);
        }
        End::UnderWay => draw_path(svg, start, (stop(plan, line.direction, to), start.1)),
    }
    draw_label(svg, plan, line, start.1);
    add(svg, format_args!("</g>"));
}

/// Where an arrow ends that does not get to `to`: not before its label does.
fn stop(plan: &Plan, direction: Direction, to: f64) -> f64 {
    let from = match direction {
        Direction::ToServer => plan.label,
        Direction::ToClient => plan.server,
    };
    from + (to - from) * LOST_AFTER
}

/// The first arrival, and a branch to each later one.
fn draw_arrivals(
    svg: &mut String,
    start: Point,
    to: f64,
    rows: &[usize],
    y: impl Fn(usize) -> f64,
) {
    let Some((first, others)) = rows.split_first() else { return };
    let end = (to, y(*first));
    draw_arrow(svg, start, end);
    let part = |from: f64, to: f64| from + (to - from) * FORK_AFTER;
    let fork = (part(start.0, end.0), part(start.1, end.1));
    for row in others {
        draw_arrow(svg, fork, (to, y(*row)));
    }
}

/// The label stands above the arrow, at the sender's end.
fn draw_label(svg: &mut String, plan: &Plan, line: &Line, y: f64) {
    let (x, anchor) = match line.direction {
        Direction::ToServer => (plan.label, "start"),
        Direction::ToClient => (plan.server - BESIDE, "end"),
    };
    let Label { number, what, payload, fate } = &line.label;
    let mut parts = String::new();
    for (class, text) in [("number", number), ("what", what), ("payload", payload), ("fate", fate)]
    {
        if !text.is_empty() {
            let gap = if parts.is_empty() { "" } else { " dx='7'" };
            let text = escaped(text);
            let _ = write!(parts, "<tspan class='{class}'{gap}>{text}</tspan>");
        }
    }
    let y = y - ABOVE;
    if plan.has_slopes {
        draw_veil(svg, x, y, line);
    }
    add(
        svg,
        format_args!(
            "<text class='label' x='{x:.1}' y='{y:.1}' text-anchor='{anchor}'>{parts}</text>"
        ),
    );
}

/// Hides what passes between the words of a label; it is narrower than the label in any font.
fn draw_veil(svg: &mut String, x: f64, y: f64, line: &Line) {
    let width = as_f64(line.label.columns()) * 6.0;
    let left = if line.direction == Direction::ToServer { x } else { x - width };
    let top = y - 10.0;
    add(
        svg,
        format_args!("<rect class='veil' x='{left:.1}' y='{top:.1}' width='{width}' height='13'/>"),
    );
}

fn class(look: Look) -> &'static str {
    match look {
        Look::Data => "data",
        Look::Control => "control",
        Look::Odd => "odd",
        Look::Bad => "bad",
    }
}
