//! A report as a chart: a bar for each median, a thin line from the least to the most.

use std::fmt::Write;

use super::report::{Group, Kind, Report, Row};
use super::table::number;

const WIDTH: f64 = 860.0;
/// Where names end and bars begin.
const NAMES: f64 = 250.0;
/// How long the longest bar is; the number stands to the right of it.
const LONGEST: f64 = 460.0;
const ROW: f64 = 24.0;
const TITLE: f64 = 40.0;
const MARGIN: f64 = 16.0;

/// Colours follow the reader's preference; landmarks are outlines.
const STYLE: &str = "\
    :root { color-scheme: light dark }\n\
    .ground { fill: #fff } text { fill: #1b1f24; font: 13px system-ui, sans-serif }\n\
    .title { font-weight: 600 } .name { text-anchor: end }\n\
    .ours { fill: #0a66c2 } .peer { fill: #8b96a3 }\n\
    .landmark { fill: none; stroke: #8b96a3; stroke-dasharray: 4 2 }\n\
    .range { stroke: #1b1f24; stroke-width: 1.5 }\n\
    @media (prefers-color-scheme: dark) {\n\
    .ground { fill: #14181d } text { fill: #e6eaef }\n\
    .ours { fill: #58a6ff } .peer { fill: #7d8896 }\n\
    .landmark { stroke: #7d8896 } .range { stroke: #e6eaef }\n\
    }";

pub fn render(report: &Report) -> String {
    let mut chart = String::new();
    let mut y = MARGIN;
    for group in &report.groups {
        y = draw_group(&mut chart, group, y);
    }
    let height = y + MARGIN;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n<title>bench {}</title>\n\
         <style>\n{STYLE}\n</style>\n\
         <rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\"/>\n{chart}</svg>\n",
        report.name
    )
}

/// Draws below `y`; returns where it ended.
fn draw_group(chart: &mut String, group: &Group, y: f64) -> f64 {
    let better = if group.measure.higher_is_better { "longer" } else { "shorter" };
    let (title, measure) = (escape(&group.title), group.measure);
    let _ = writeln!(
        chart,
        "<text class=\"title\" x=\"{MARGIN}\" y=\"{}\">{title}: {}, {} ({better} is better)</text>",
        y + 18.0,
        measure.name,
        measure.unit
    );
    let most = group.rows.iter().filter_map(Row::max).fold(f64::MIN_POSITIVE, f64::max);
    let mut y = y + TITLE;
    for row in &group.rows {
        draw_row(chart, row, y, LONGEST / most);
        y += ROW;
    }
    y + MARGIN
}

fn draw_row(chart: &mut String, row: &Row, y: f64, scale: f64) {
    let (baseline, middle) = (y + 13.0, y + 8.5);
    let name = escape(&row.name);
    let _ = writeln!(
        chart,
        "<text class=\"name\" x=\"{:.1}\" y=\"{baseline:.1}\">{name}</text>",
        NAMES - 8.0
    );
    let (Some(median), Some(min), Some(max)) = (row.median(), row.min(), row.max()) else {
        let _ = writeln!(chart, "<text x=\"{NAMES}\" y=\"{baseline:.1}\">no value</text>");
        return;
    };
    let kind = match row.kind {
        Kind::Ours => "ours",
        Kind::Peer => "peer",
        Kind::Landmark => "landmark",
    };
    let end = |value: f64| NAMES + (value * scale).max(1.0);
    let _ = writeln!(
        chart,
        "<rect class=\"{kind}\" x=\"{NAMES}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"17\"/>\n\
         <path class=\"range\" d=\"M{:.1} {middle:.1}H{:.1}\"/>\n\
         <text x=\"{:.1}\" y=\"{baseline:.1}\">{}</text>",
        end(median) - NAMES,
        end(min),
        end(max),
        end(max) + 8.0,
        number(median)
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
