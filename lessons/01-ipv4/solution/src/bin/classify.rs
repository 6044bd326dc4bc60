//! Exercise `classify` (being written).

fn main() {}
