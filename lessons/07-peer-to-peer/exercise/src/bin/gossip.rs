//! Exercise 07/gossip.

fn main() {}
