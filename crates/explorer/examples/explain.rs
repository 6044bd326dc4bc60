//! Explains each line of standard input, and puts an empty line behind each answer: what the book's
//! page says is held against this.

use std::io;

fn main() -> io::Result<()> {
    for line in io::stdin().lines() {
        println!("{}", explorer::explain(&line?));
    }
    Ok(())
}
