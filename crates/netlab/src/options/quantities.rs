//! Quantities with their units, as people type them: `5%`, `10ms`, `10mbit`, `64k`.
//!
//! A number without a unit is not guessed at: 5 may be 5 % or a probability that cannot be.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// What is wrong with a quantity, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongQuantity(String);

impl fmt::Display for WrongQuantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for WrongQuantity {}

impl<T: Into<String>> From<T> for WrongQuantity {
    fn from(sentence: T) -> Self {
        Self(sentence.into())
    }
}

/// `5%` as the probability 0.05.
pub fn percent(text: &str) -> Result<f64, WrongQuantity> {
    let Some(number) = text.strip_suffix('%') else {
        return Err(match text.parse::<f64>() {
            Ok(number) if (0.0..1.0).contains(&number) => {
                format!("is that a probability? write it as {}%", rounded(number * 100.0)).into()
            }
            Ok(number) => format!("is that {number}%? then write {number}%").into(),
            Err(_) => "write a percentage, such as 5%".into(),
        });
    };
    match number.trim().parse::<f64>() {
        Ok(number) if (0.0..=100.0).contains(&number) => Ok(number / 100.0),
        Ok(number) => Err(format!("{number}% is not between 0% and 100%").into()),
        Err(_) => Err("write a percentage, such as 5% or 0.5%".into()),
    }
}

/// Without the dust of binary fractions: 0.07 * 100 is 7.000000000000001.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

/// `10ms`, `2s`, `500us`.
pub fn time(text: &str) -> Result<Duration, WrongQuantity> {
    let example = "write a time with its unit, such as 10ms, 2s or 500us";
    let (number, unit) = split(text);
    let seconds = match unit {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "" if !number.is_empty() => return Err(format!("{number} of what? {example}").into()),
        _ => return Err(example.into()),
    };
    let number: f64 = number.parse().map_err(|_| example.to_owned())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| example.into())
}

/// `10mbit` as bits a second.
pub fn rate(text: &str) -> Result<u64, WrongQuantity> {
    let example = "write a rate with its unit, such as 10mbit (ten million bits a second)";
    let (number, unit) = split(text);
    let bits = match unit.to_lowercase().as_str() {
        "bit" => 1.0,
        "kbit" => 1e3,
        "mbit" => 1e6,
        "gbit" => 1e9,
        "" if !number.is_empty() => return Err(format!("{number} of what? {example}").into()),
        _ => return Err(format!("{example}; the units are bit, kbit, mbit and gbit").into()),
    };
    whole(number, bits).ok_or_else(|| example.into())
}

/// `4096`, `64k` (64 times 1024 bytes) or `1M`.
pub fn size(text: &str) -> Result<u64, WrongQuantity> {
    let example = "write a number of bytes, such as 4096 or 64k (64 times 1024)";
    let (number, unit) = split(text);
    let bytes = match unit.to_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kib" => 1024.0,
        "m" | "mib" => 1024.0 * 1024.0,
        _ => return Err(example.into()),
    };
    whole(number, bytes).ok_or_else(|| example.into())
}

/// A size that is at least 1.
pub fn some_bytes(text: &str) -> Result<usize, WrongQuantity> {
    let size = size(text)?;
    if size == 0 {
        return Err("that must be at least 1 byte".into());
    }
    usize::try_from(size).map_err(|error| error.to_string().into())
}

/// `4096:2s`: after how many bytes, for how long.
pub fn size_and_time(text: &str) -> Result<(u64, Duration), WrongQuantity> {
    let (bytes, pause) = text
        .split_once(':')
        .ok_or("write BYTES:TIME, such as 4096:2s (after 4,096 bytes, for two seconds)")?;
    Ok((size(bytes)?, time(pause)?))
}

/// `1000` or `1000:50ms`: how many bytes, and how long they may wait for each other.
pub fn size_and_wait(text: &str) -> Result<(usize, Duration), WrongQuantity> {
    match text.split_once(':') {
        Some((bytes, wait)) => Ok((some_bytes(bytes)?, time(wait)?)),
        None => Ok((some_bytes(text)?, Duration::from_millis(50))),
    }
}

/// `3` or `3:20%`: by how many, and how often; one in ten if nothing is said.
pub fn depth_and_percent(text: &str) -> Result<(u32, f64), WrongQuantity> {
    let (depth, chance) = match text.split_once(':') {
        Some((depth, chance)) => (depth, percent(chance)?),
        None => (text, 0.1),
    };
    let example = "write by how many later ones a datagram is overtaken, such as 3 (one in ten \
                   is) or 3:50% (every other one is)";
    match depth.parse() {
        Ok(depth @ 1..) => Ok((depth, chance)),
        _ => Err(example.into()),
    }
}

/// `7`: a number that counts or identifies something.
pub fn whole_number(text: &str) -> Result<u64, WrongQuantity> {
    let largest = u64::MAX;
    let number = text.trim().parse();
    number.map_err(|_| format!("write a whole number from 0 to {largest}, such as 7").into())
}

/// The number at the beginning, and what follows it.
fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    (&text[..end], text[end..].trim())
}

/// The number of units, if that is a whole number that fits.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked before
fn whole(number: &str, unit: f64) -> Option<u64> {
    let all = number.parse::<f64>().ok()? * unit;
    (all.fract() == 0.0 && all < 9e15).then_some(all as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_units() {
        assert_eq!(percent("5%"), Ok(0.05));
        assert_eq!(percent("100%"), Ok(1.0));
        assert_eq!(time("10ms"), Ok(Duration::from_millis(10)));
        assert_eq!(time("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(time("500us"), Ok(Duration::from_micros(500)));
        assert_eq!(rate("10mbit"), Ok(10_000_000));
        assert_eq!(rate("1.5Gbit"), Ok(1_500_000_000));
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("64k"), Ok(65_536));
        assert_eq!(size_and_time("4096:2s"), Ok((4096, Duration::from_secs(2))));
        assert_eq!(size_and_wait("9:1s"), Ok((9, Duration::from_secs(1))));
        assert_eq!(depth_and_percent("3"), Ok((3, 0.1)));
        assert_eq!(depth_and_percent("2:50%"), Ok((2, 0.5)));
    }

    #[test]
    fn what_may_be_meant_is_asked() {
        assert_eq!(percent("5").unwrap_err().0, "is that 5%? then write 5%");
        assert_eq!(percent("0.07").unwrap_err().0, "is that a probability? write it as 7%");
        assert!(percent("105%").unwrap_err().0.contains("between 0% and 100%"));
        assert!(percent("five").is_err() && percent("%").is_err() && percent("-1%").is_err());
        assert!(percent("nan%").is_err());
        assert!(time("10").unwrap_err().0.starts_with("10 of what? "));
        assert!(time("").is_err() && time("ms").is_err() && time("1e99s").is_err());
        assert!(rate("10").unwrap_err().0.starts_with("10 of what? "));
        assert!(rate("10MB").is_err() && rate("0.5bit").is_err());
        assert!(size("1.5").is_err() && size("64q").is_err());
        assert!(some_bytes("0").is_err());
        assert!(size_and_time("4096").unwrap_err().0.contains("BYTES:TIME"));
        assert_eq!(whole_number("7"), Ok(7));
        assert!(whole_number("seven").unwrap_err().0.contains("such as 7"));
        assert!(depth_and_percent("0").is_err() && depth_and_percent("3:5").is_err());
    }
}
