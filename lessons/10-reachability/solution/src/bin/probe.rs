//! Exercise 10/probe.

fn main() {}
