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
    // exercise: begin "parse each text; print its line, or complain about it and go on with the next"
    let mut all_good = true;
    for text in texts {
        match text.parse::<Ipv4Addr>() {
            Ok(address) => {
                writeln!(output, "{address} {} {}", class_of(address), purpose_of(address))?;
            }
            Err(error) => {
                eprintln!("{text}: {error}");
                all_good = false;
            }
        }
    }
    Ok(all_good)
    // exercise: end
}

/// The class of `address`, from 'A' to 'E', told from its first bits.
fn class_of(address: Ipv4Addr) -> char {
    // exercise: begin "look at the first bits of the first octet: 0, 10, 110, 1110 or 1111"
    match address.octets()[0].leading_ones() {
        0 => 'A',
        1 => 'B',
        2 => 'C',
        3 => 'D',
        _ => 'E',
    }
    // exercise: end
}

/// What the block that `address` lies in was set aside for, or "-".
fn purpose_of(address: Ipv4Addr) -> &'static str {
    // exercise: begin "find the block of the task's table that holds the address; the smallest wins"
    match address.octets() {
        [0, ..] => "this-network",
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => "private",
        [100, 64..=127, ..] => "shared",
        [127, ..] => "loopback",
        [169, 254, ..] => "link-local",
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => "documentation",
        [198, 18..=19, ..] => "benchmarking",
        [224..=239, ..] => "multicast",
        // Before the next line, which holds it too.
        [255, 255, 255, 255] => "broadcast",
        [240..=255, ..] => "reserved",
        _ => "-",
    }
    // exercise: end
}
