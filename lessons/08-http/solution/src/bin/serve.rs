//! Exercise 08/serve.

fn main() {}
