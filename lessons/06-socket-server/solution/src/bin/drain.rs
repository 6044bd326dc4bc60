//! Exercise 06/drain.

fn main() {}
