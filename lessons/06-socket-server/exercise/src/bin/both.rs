//! Exercise 06/both.

fn main() {}
