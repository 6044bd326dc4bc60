//! Exercise 09/dual.

fn main() {}
