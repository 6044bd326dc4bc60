//! What a command looks like, for exercise `both`: given, as this is not what it is about.

/// The longest key and the longest value, in bytes.
const MAX_KEY_BYTES: usize = 32;
const MAX_VALUE_BYTES: usize = 200;
/// How many digits a number has at most.
const MAX_DIGITS: usize = 15;
/// The largest number: all of its digits are nines.
pub const MAX_NUMBER: u64 = 999_999_999_999_999;
/// The longest command that can be right, in bytes without a newline: `set KEY VALUE`.
pub const MAX_COMMAND_BYTES: usize = 4 + MAX_KEY_BYTES + 1 + MAX_VALUE_BYTES;

/// One command. Keys and values keep to their limits.
pub enum Command<'a> {
    /// What is the value?
    Get { key: &'a [u8] },
    /// There is to be none.
    Del { key: &'a [u8] },
    /// It is to be this.
    Set { key: &'a [u8], value: &'a [u8] },
    /// It is to be this much more.
    Add { key: &'a [u8], number: u64 },
}

impl<'a> Command<'a> {
    /// Reads a command that has no newline at its end (any more); `None` if it is not a right one.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let (verb, rest) = cut(text)?;
        match verb {
            b"get" => Some(Self::Get { key: key(rest)? }),
            b"del" => Some(Self::Del { key: key(rest)? }),
            b"set" => cut(rest)
                .and_then(|(name, text)| Some(Self::Set { key: key(name)?, value: value(text)? })),
            b"add" => cut(rest).and_then(|(name, text)| {
                Some(Self::Add { key: key(name)?, number: number(text)? })
            }),
            _ => None,
        }
    }
}

/// What stands before and behind the first blank.
fn cut(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = text.iter().position(|&byte| byte == b' ')?;
    Some((&text[..blank], &text[blank + 1..]))
}

fn key(text: &[u8]) -> Option<&[u8]> {
    let is_key = matches!(text.len(), 1..=MAX_KEY_BYTES) && text.iter().all(u8::is_ascii_graphic);
    is_key.then_some(text)
}

fn value(text: &[u8]) -> Option<&[u8]> {
    (matches!(text.len(), 1..=MAX_VALUE_BYTES) && !text.contains(&b'\n')).then_some(text)
}

/// One to fifteen decimal digits, and nothing else.
pub fn number(text: &[u8]) -> Option<u64> {
    let is_number = matches!(text.len(), 1..=MAX_DIGITS) && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| is_number)?.parse().ok()
}
