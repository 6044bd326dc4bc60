//! Lesson 7.

fn main() {}
