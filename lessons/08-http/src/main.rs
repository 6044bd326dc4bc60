//! Lesson 8.

fn main() {}
