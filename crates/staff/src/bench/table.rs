//! A report as text for a terminal.

use std::fmt::Write;

use super::peers::{self, Peer};
use super::report::{Absence, Group, Kind, Memory, Report, Row};
use super::setup::Setup;

const HEADINGS: [&str; 9] =
    ["", "median", "min", "max", "unit", "to best peer", "server MiB", "client MiB", ""];
/// Columns with text, which begin at the left; numbers end at the right.
const TEXT: [usize; 3] = [0, 4, 8];

pub fn render(report: &Report, setup: &Setup) -> String {
    let mut text = format!("\nbench {}: {}\n", report.name, setup.describe());
    let _ = writeln!(text, "timed: {}", report.timed);
    if setup.quick {
        let _ = writeln!(text, "--quick: little data, development builds: no measurement at all");
    }
    for group in &report.groups {
        let better = if group.measure.higher_is_better { "more" } else { "less" };
        let _ = writeln!(text, "\n{}: {}, {better} is better", group.title, group.measure.name);
        text += &table(group);
    }
    let _ = writeln!(text, "\n* ours; (a landmark, no peer).{}", about_memory(report));
    for missing in &report.missing {
        let name = &missing.name;
        let _ = match missing.why {
            Absence::NotInstalled(Peer { program, package }) => {
                writeln!(text, "missing: {name}: no {program}; package {package}")
            }
            Absence::LeftOut(reason) => writeln!(text, "missing: {name}: {reason}"),
        };
    }
    if report.missing.iter().any(|missing| matches!(missing.why, Absence::NotInstalled(_))) {
        let _ = writeln!(text, "to install the peers: {}", peers::install(peers::ALL));
    }
    text
}

/// Nothing where no memory was measured.
fn about_memory(report: &Report) -> &'static str {
    let mut rows = report.groups.iter().flat_map(|group| &group.rows);
    if rows.any(|row| row.memory.server.or(row.memory.client).is_some()) {
        " Memory: the most at any time, and never less than what this measuring program holds \
         itself, a few MiB."
    } else {
        ""
    }
}

fn table(group: &Group) -> String {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    rows.extend(group.rows.iter().map(|row| cells(group, row)));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..HEADINGS.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            // What nobody has needs no column.
            if rows[1..].iter().all(|row| row[column] == "-") {
                continue;
            }
            let _ = if TEXT.contains(&column) {
                write!(line, "  {cell:<width$}")
            } else {
                write!(line, "  {cell:>width$}")
            };
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn cells(group: &Group, row: &Row) -> [String; 9] {
    let name = match row.kind {
        Kind::Ours => format!("* {}", row.name),
        Kind::Peer => row.name.clone(),
        Kind::Landmark => format!("({})", row.name),
    };
    let number = |value: Option<f64>| value.map_or("-".to_owned(), number);
    let ratio = group.ratio(row).map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
    let Memory { server, client } = row.memory;
    let (median, min, max) = (number(row.median()), number(row.min()), number(row.max()));
    let unit = group.measure.unit.to_owned();
    [name, median, min, max, unit, ratio, mib(server), mib(client), remark(row)]
}

/// The note of a row, or what went wrong in its turns.
fn remark(row: &Row) -> String {
    match row.failures.first() {
        None => row.note.to_owned(),
        Some(why) => {
            let (failed, all) = (row.failures.len(), row.failures.len() + row.values.len());
            format!("failed {failed} of {all}: {}", why.replace('\n', " "))
        }
    }
}

/// Three digits that mean something.
pub fn number(value: f64) -> String {
    match value {
        value if value >= 1000.0 => thousands(value),
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let head = digits.len() % 3;
    let mut text = digits[..head].to_owned();
    for part in digits.as_bytes()[head..].chunks(3) {
        let comma = if text.is_empty() { "" } else { "," };
        let _ = write!(text, "{comma}{}", String::from_utf8_lossy(part));
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "memory in MiB with one decimal")]
fn mib(bytes: Option<u64>) -> String {
    bytes.map_or("-".to_owned(), |bytes| format!("{:.1}", bytes as f64 / f64::from(1 << 20)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_mean_something() {
        assert_eq!(
            [0.123, 12.34, 123.4, 1234.5, 1_234_567.0].map(number),
            ["0.12", "12.3", "123", "1,234", "1,234,567"]
        );
    }
}
