//! How it went, as a table.

use std::fmt::Write;
use std::time::Duration;

const COLUMNS: [&str; 5] = ["demo", "talk", "upload", "stop", "graded"];

/// One check of one lesson.
pub enum Cell {
    /// The lesson has nothing of the kind.
    Nothing,
    Passed(Duration),
    Failed(String),
}

/// One lesson; a cell for each column.
pub struct Row {
    pub name: String,
    pub cells: Vec<Cell>,
    /// What was graded.
    pub exercise: Option<String>,
}

impl Row {
    pub fn of(name: String) -> Self {
        Self { name, cells: Vec::new(), exercise: None }
    }

    pub fn is_passed(&self) -> bool {
        !self.cells.iter().any(|cell| matches!(cell, Cell::Failed(_)))
    }
}

/// The table, and below it why something failed.
pub fn shown(rows: &[Row]) -> String {
    let mut text = format!("{:<10}", "");
    for column in COLUMNS {
        let _ = write!(text, " {column:>8}");
    }
    text.push('\n');
    for row in rows {
        let _ = write!(text, "{:<10}", row.name);
        for cell in &row.cells {
            let word = match cell {
                Cell::Nothing => "-".to_owned(),
                Cell::Passed(time) => format!("{:.1} s", time.as_secs_f64()),
                Cell::Failed(_) => "FAILED".to_owned(),
            };
            let _ = write!(text, " {word:>8}");
        }
        let _ = writeln!(text, "  {}", row.exercise.as_deref().unwrap_or_default());
    }
    for row in rows {
        for (cell, column) in row.cells.iter().zip(COLUMNS) {
            if let Cell::Failed(why) = cell {
                let _ = writeln!(text, "\n{} {column}: {why}", row.name);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_seen_in_the_table_and_told_below_it() {
        let mut row = Row::of("lesson-02".to_owned());
        row.cells = vec![
            Cell::Passed(Duration::from_millis(1234)),
            Cell::Nothing,
            Cell::Failed("it hangs".to_owned()),
        ];
        assert!(!row.is_passed());
        let expected = "               demo     talk   upload     stop   graded\n\
                        lesson-02     1.2 s        -   FAILED  \n\nlesson-02 upload: it hangs\n";
        assert_eq!(shown(&[row]), expected);
    }
}
