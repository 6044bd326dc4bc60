//! Peers that nobody here wrote.

fn main() {}
