//! The file that the candidates send.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result};

/// What is timed wherever a file goes from a client to a server.
pub const TIMED: &str = "from the start of the client (the server listens already) until the \
    client has ended well and the server's side has the whole file: it says so, or ends, or (tftp) has a file of the full length; then every \
    byte is compared, untimed";

const MIB: u64 = 1 << 20;

/// A number of bytes, written as `256MiB`, `1GiB` or `1000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub bytes: u64,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let units = [("GiB", 1 << 30), ("MiB", MIB), ("KiB", 1 << 10), ("", 1)];
        let found =
            units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
        let bytes =
            found.and_then(|(number, factor)| number.parse::<u64>().ok()?.checked_mul(*factor));
        let bytes = bytes.filter(|&bytes| bytes > 0);
        bytes.map(|bytes| Self { bytes }).ok_or("a size is written as 256MiB or 1GiB".to_owned())
    }
}

pub fn describe(bytes: u64) -> String {
    match bytes {
        bytes if bytes % (1 << 30) == 0 => format!("{} GiB", bytes >> 30),
        bytes if bytes % MIB == 0 => format!("{} MiB", bytes / MIB),
        bytes => format!("{bytes} bytes"),
    }
}

/// Writes a file that does not repeat itself, so that a lost or doubled part cannot be missed:
/// Marsaglia's xorshift from a fixed seed.
pub fn write(file: &Path, bytes: u64) -> Result<()> {
    let generate = || -> std::io::Result<()> {
        let mut file = BufWriter::with_capacity(1 << 16, File::create(file)?);
        let (mut state, mut left) = (0x9E37_79B9_7F4A_7C15_u64, bytes);
        while left > 0 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let word = state.to_le_bytes();
            let length = usize::try_from(left).map_or(word.len(), |left| left.min(word.len()));
            file.write_all(&word[..length])?;
            left -= length as u64;
        }
        file.flush()
    };
    generate().with_context(|| format!("cannot write the file to send, {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        let bytes = |text: &str| text.parse().map(|Size { bytes }| bytes).ok();
        assert_eq!(bytes("1GiB"), Some(1 << 30));
        assert_eq!(bytes("256MiB"), Some(256 << 20));
        assert_eq!(bytes("17"), Some(17));
        assert_eq!(["", "0", "x", "1GB", "99999999999GiB"].map(bytes), [None; 5]);
    }

    #[test]
    fn the_file_has_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        write(&file, 1003).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().len(), 1003);
    }
}
