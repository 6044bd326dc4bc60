//! A page of terminal cells on which lines join where they meet.

use unicode_width::UnicodeWidthChar;

const UP: u8 = 1;
const DOWN: u8 = 2;
const LEFT: u8 = 4;
const RIGHT: u8 = 8;

/// By the sum of the directions in which a line leaves the cell.
const LINES: [char; 16] =
    [' ', '│', '│', '│', '─', '╯', '╮', '┤', '─', '╰', '╭', '├', '─', '┴', '┬', '┼'];

#[derive(Clone, Copy)]
enum Cell {
    Lines(u8),
    Letter(char),
    /// The right half of a wide letter.
    Covered,
}

/// Rows of cells; it grows where something is drawn.
#[derive(Default)]
pub(super) struct Canvas {
    rows: Vec<Vec<Cell>>,
}

impl Canvas {
    /// A line from one column to another, both included.
    pub(super) fn horizontal(&mut self, row: usize, from: usize, to: usize) {
        let (left, right) = (from.min(to), from.max(to));
        for column in left..right {
            self.add(row, column, RIGHT);
            self.add(row, column + 1, LEFT);
        }
    }

    /// A line from one row down to another, both included.
    pub(super) fn vertical(&mut self, column: usize, top: usize, bottom: usize) {
        for row in top..bottom {
            self.add(row, column, DOWN);
            self.add(row + 1, column, UP);
        }
    }

    /// A lifeline passes through this cell.
    pub(super) fn lifeline(&mut self, row: usize, column: usize) {
        self.add(row, column, UP | DOWN);
    }

    /// Letters over whatever is there; wide ones take two cells.
    pub(super) fn write(&mut self, row: usize, column: usize, text: &str) {
        let mut column = column;
        for letter in text.chars() {
            *self.cell(row, column) = Cell::Letter(letter);
            column += 1;
            if letter.width() == Some(2) {
                *self.cell(row, column) = Cell::Covered;
                column += 1;
            }
        }
    }

    /// All rows, without blanks at their ends.
    pub(super) fn into_text(self) -> String {
        let mut text = String::new();
        for row in self.rows {
            let letters = row.into_iter().filter_map(|cell| match cell {
                Cell::Lines(directions) => Some(LINES[usize::from(directions)]),
                Cell::Letter(letter) => Some(letter),
                Cell::Covered => None,
            });
            text.push_str(letters.collect::<String>().trim_end());
            text.push('\n');
        }
        text
    }

    fn add(&mut self, row: usize, column: usize, direction: u8) {
        if let Cell::Lines(directions) = self.cell(row, column) {
            *directions |= direction;
        }
    }

    fn cell(&mut self, row: usize, column: usize) -> &mut Cell {
        if self.rows.len() <= row {
            self.rows.resize(row + 1, Vec::new());
        }
        let row = &mut self.rows[row];
        if row.len() <= column {
            row.resize(column + 1, Cell::Lines(0));
        }
        &mut row[column]
    }
}
