//! Exercise 08/fetch.

fn main() {}
