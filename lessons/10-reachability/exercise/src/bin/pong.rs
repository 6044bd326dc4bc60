//! Exercise 10/pong.

fn main() {}
