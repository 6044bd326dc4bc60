//! Exercise 09/eyeballs.

fn main() {}
