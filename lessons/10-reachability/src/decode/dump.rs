//! Hexadecimal as programs print it: a packet in one line, or in rows behind offsets.
//!
//! ```text
//! 45000020e5c94000…                                      a packet in a line; also 45:00:…, 0x45, …
//! 0000   45 00 00 20 e5 c9 40 00 …   E.. ..@.            Wireshark, tshark -x
//! 00000000: 4500 0020 e5c9 4000 …  E.. ..@.              xxd
//! 00000000  45 00 00 20 e5 c9 40 00 …  |E.. ..@.|        hexdump -C
//!         0x0000:  4500 0020 e5c9 4000 …                 tcpdump -x
//! 0000000 45 00 00 20 e5 c9 40 00 …                      od -t x1, which counts in octal
//! ```

use crate::icmp::packet::length_of;

/// Puts packets together, line by line.
#[derive(Debug, Default)]
pub struct Dump {
    /// What has come of a packet.
    packet: Vec<u8>,
    /// Its last row behind an offset, and whether a `*` has come behind it: the same again, until the next offset.
    row: Vec<u8>,
    is_repeated: bool,
}

impl Dump {
    /// Takes the next line and returns the packets that are complete now. Offset 0 begins a packet;
    /// an empty line, or one of tcpdump's about the packet, ends the one before it.
    pub fn take(&mut self, line: &str) -> Result<Vec<Vec<u8>>, String> {
        let line = line.trim();
        if line.is_empty() || is_summary(line) {
            return Ok(self.end().into_iter().collect());
        }
        if line == "*" {
            self.is_repeated = !self.row.is_empty();
            return if self.is_repeated {
                Ok(vec![])
            } else {
                Err("no row is before this *".into())
            };
        }
        let Some((offset, rest)) = self.offset(line)? else { return self.take_data(line) };
        let ended = if is_zero(offset) { self.end() } else { None };
        self.go_on_at(offset)?;
        self.row = row(rest)?;
        self.packet.extend_from_slice(&self.row);
        Ok(ended.into_iter().collect())
    }

    /// A line without an offset is a packet, unless that says that it is longer (`xxd -p` breaks the
    /// line after 30 bytes).
    fn take_data(&mut self, line: &str) -> Result<Vec<Vec<u8>>, String> {
        let bytes = from_hex(line)?;
        let is_complete =
            |packet: &[u8]| length_of(packet).is_none_or(|length| packet.len() >= length);
        let goes_on = self.row.is_empty() && !is_complete(&self.packet);
        let before = if goes_on { None } else { self.end() };
        self.packet.extend(bytes);
        let packet = if is_complete(&self.packet) { self.end() } else { None };
        Ok(before.into_iter().chain(packet).collect())
    }

    /// The packet that has come so far, if there is one.
    pub fn end(&mut self) -> Option<Vec<u8>> {
        let ended = std::mem::take(self);
        (!ended.packet.is_empty()).then_some(ended.packet)
    }

    /// The offset that `line` begins with, and the rest; `None` for a line that is all data.
    fn offset<'a>(&self, line: &'a str) -> Result<Option<(&'a str, &'a str)>, String> {
        let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let digits = first.strip_suffix(':').unwrap_or(first);
        let offset = digits.strip_prefix("0x").unwrap_or(digits);
        if !(4..=8).contains(&offset.len()) || !offset.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            return Ok(None);
        }
        let group = rest.split_whitespace().next().unwrap_or("");
        if offset.len() == 7 && matches!(group.len(), 4 | 6) {
            return Err("these are words, not bytes: print them with `hexdump -C` or `xxd`".into());
        }
        // The rows of others have bytes or a wide gap behind the offset; data of four digits a group
        // has neither. The last line of hexdump and od is an offset alone.
        let (is_inside, has_gap) = (!self.row.is_empty(), rest.starts_with(' '));
        let is_row = digits.len() < first.len()
            || group.len() == 2 && (is_zero(offset) || is_inside || has_gap)
            || group.is_empty() && is_inside;
        Ok(is_row.then_some((offset, rest)))
    }

    /// Makes sure that a row at `offset` follows what has come so far.
    fn go_on_at(&mut self, offset: &str) -> Result<(), String> {
        let so_far = self.packet.len();
        // Seven digits are od's, which counts in octal.
        let radix = if offset.len() == 7 { 8 } else { 16 };
        let at = usize::from_str_radix(offset, radix).unwrap_or(usize::MAX);
        let follows = at == so_far || self.is_repeated && (so_far..=MAX_BYTES).contains(&at);
        if !follows {
            return Err(format!("it begins at offset {offset}, but {so_far} bytes came before it"));
        }
        self.packet.extend(self.row.iter().cycle().take(at - so_far));
        self.is_repeated = false;
        Ok(())
    }
}

/// The largest IPv4 packet (RFC 791, section 3.1), and more than a link's header: no `*` makes more.
const MAX_BYTES: usize = 65_535 + 64;

fn is_zero(offset: &str) -> bool {
    offset.bytes().all(|digit| digit == b'0')
}

/// tcpdump's line in front of the bytes: `03:44:55.000001 IP 127.0.0.1 > …`.
fn is_summary(line: &str) -> bool {
    let mut words = line.split_whitespace().map(|word| matches!(word, "IP" | "IP6"));
    words.next() == Some(true) || line.contains(':') && words.next() == Some(true)
}

/// The bytes of a row: what stands behind a gap of several blanks is the same as text. (In the middle
/// of a row, a gap of two is for the eye.)
fn row(text: &str) -> Result<Vec<u8>, String> {
    let (mut bytes, mut rest) = (Vec::new(), text.trim_start());
    while !rest.is_empty() {
        let (group, tail) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
        bytes.extend(from_hex(group)?);
        rest = tail.trim_start();
        let next = rest.split_whitespace().next().unwrap_or("");
        let is_middle = bytes.len() == 8 && group.len() == 2 && tail.len() == rest.len() + 2;
        let goes_on = is_middle && next.len() == 2 && from_hex(next).is_ok();
        if tail.len() > rest.len() + 1 && !goes_on {
            break;
        }
    }
    Ok(bytes)
}

/// Bytes from hexadecimal digits, in pairs; blanks, colons and commas between them do not matter, nor
/// does `0x` in front of some.
fn from_hex(line: &str) -> Result<Vec<u8>, String> {
    let separates = |c: char| c.is_whitespace() || matches!(c, ':' | ',');
    let words = line.split(separates).map(|word| word.strip_prefix("0x").unwrap_or(word));
    let text: String = words.collect();
    if let Some(other) = text.chars().find(|c| !c.is_ascii_hexdigit()) {
        return Err(format!("{other:?} is no hexadecimal digit"));
    }
    if text.len() % 2 == 1 {
        return Err("a digit is missing: a byte is two".to_owned());
    }
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).map_err(|e| e.to_string());
    (0..text.len()).step_by(2).map(byte).collect()
}
