//! Exercise 07/single.

fn main() {}
