//! Exercise `classify`: the class and the purpose of IPv4 addresses, one line each.
//!
//! `classify ADDRESS…` takes them from the command line, `classify -` from standard input, one a
//! line. Use the standard library only: the point is to look at the bits yourself.

use std::io::{self, BufRead, Write};
use std::net::Ipv4Addr;
use std::process::ExitCode;

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.is_empty() {
        eprintln!("usage: classify ADDRESS… or classify - to read them from standard input");
        return Ok(ExitCode::from(2));
    }
    let texts = if arguments == ["-"] { read_lines()? } else { arguments };
    let all_good = classify_all(&texts, &mut io::stdout().lock())?;
    Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// The lines of standard input, without the blanks around them and without empty lines.
fn read_lines() -> io::Result<Vec<String>> {
    let mut texts = Vec::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        if !line.trim().is_empty() {
            texts.push(line.trim().to_owned());
        }
    }
    Ok(texts)
}

/// Writes `ADDRESS CLASS PURPOSE` for each good address to `output` and one line that names it for
/// each bad one to standard error; returns whether all were good.
fn classify_all(texts: &[String], output: &mut impl Write) -> io::Result<bool> {
    todo!("parse each text; print its line, or complain about it and go on with the next")
}

/// The class of `address`, from 'A' to 'E', told from its first bits.
fn class_of(address: Ipv4Addr) -> char {
    todo!("look at the first bits of the first octet: 0, 10, 110, 1110 or 1111")
}

/// What the block that `address` lies in was set aside for, or "-".
fn purpose_of(address: Ipv4Addr) -> &'static str {
    todo!("find the block of the task's table that holds the address; the smallest wins")
}
