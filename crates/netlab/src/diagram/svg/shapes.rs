//! Lines, heads of arrows and crosses.

use std::fmt::Write;

/// From the left, and from the top.
pub(super) type Point = (f64, f64);

/// Writing to a String does not fail.
pub(super) fn add(text: &mut String, line: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{line}");
}

pub(super) fn draw_arrow(svg: &mut String, from: Point, to: Point) {
    draw_path(svg, from, to);
    draw_head(svg, from, to);
}

pub(super) fn draw_path(svg: &mut String, from: Point, to: Point) {
    add(
        svg,
        format_args!(
            "<path class='line' d='M{:.1} {:.1}L{:.1} {:.1}'/>",
            from.0, from.1, to.0, to.1
        ),
    );
}

/// A triangle whose tip is at `to` and that points away from `from`.
pub(super) fn draw_head(svg: &mut String, from: Point, to: Point) {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy).max(1.0);
    let (dx, dy) = (dx / length, dy / length);
    let (back, aside) = (9.0, 3.6);
    let base = (to.0 - back * dx, to.1 - back * dy);
    add(
        svg,
        format_args!(
            "<path class='head' d='M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}Z'/>",
            to.0,
            to.1,
            base.0 - aside * dy,
            base.1 + aside * dx,
            base.0 + aside * dy,
            base.1 - aside * dx
        ),
    );
}

pub(super) fn draw_cross(svg: &mut String, at: Point) {
    let (x, y, arm) = (at.0, at.1, 5.5);
    let (left, right, top, bottom) = (x - arm, x + arm, y - arm, y + arm);
    add(
        svg,
        format_args!(
            "<path class='line cross' d='M{left:.1} {top:.1}L{right:.1} {bottom:.1}\
             M{left:.1} {bottom:.1}L{right:.1} {top:.1}'/>"
        ),
    );
}

/// Text as XML has it (XML 1.0, section 2.4). Control characters do not occur in labels.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            other => escaped.push(other),
        }
    }
    escaped
}
