//! The course's own commands (being written).

fn main() {}
