//! Lesson 1 (being written).

fn main() {}
