//! What `framed` and `send` say to each other, byte by byte as the tasks describe it.

use sha2::{Digest as _, Sha256};

/// As the tasks say, in bytes.
pub const MAX_MEMORY: u64 = 32 * 1024 * 1024;
/// The largest content that `framed` takes, in bytes.
pub const MAX_CONTENT: u64 = 64 * 1024 * 1024;
/// The bytes of a header up to the lengths.
pub const LENGTHS_END: usize = 4 + 2 + 8;

/// What stands before every name, with lengths that need not be true.
pub fn lengths(name: u16, content: u64) -> Vec<u8> {
    [b"FILE", &name.to_be_bytes()[..], &content.to_be_bytes()].concat()
}

/// Magic, lengths and name.
pub fn header(name: &[u8], content: &[u8]) -> Vec<u8> {
    let name_length = u16::try_from(name.len()).unwrap();
    [&lengths(name_length, content.len() as u64), name].concat()
}

/// A whole file.
pub fn file(name: &[u8], content: &[u8]) -> Vec<u8> {
    [&header(name, content), content, &digest(content)].concat()
}

/// The line for a file that is stored.
pub fn stored(name: &str, content: &[u8]) -> Vec<u8> {
    format!("stored {} {} {name}\n", content.len(), hex(&digest(content))).into_bytes()
}

pub fn digest(content: &[u8]) -> [u8; 32] {
    Sha256::digest(content).into()
}

pub fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// `length` bytes that are cheap to make: a mebibyte again and again.
pub fn large(mebibyte: &[u8], length: u64) -> Vec<u8> {
    let length = usize::try_from(length).unwrap();
    let mut content = mebibyte.repeat(length.div_ceil(mebibyte.len()));
    content.truncate(length);
    content
}
