//! The blocks of a pcapng file (draft-ietf-opsawg-pcapng), as many kinds as a capture needs.
//!
//! Every block is `type, length, body, length`, each number 32 bits, all in the byte order that
//! the first block shows; here little-endian. Bodies and options are padded to 32 bits.

use std::io::{self, Write};
use std::time::Duration;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;

/// Tells a reader which byte order the file has.
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
const LENGTH_UNKNOWN: u64 = u64::MAX;
const LINKTYPE_ETHERNET: u16 = 1;
/// Of a packet, in bytes; 0 says that none is cut.
const NO_SNAP_LENGTH: u32 = 0;

const OPTION_END: u16 = 0;
const OPTION_COMMENT: u16 = 1;
const OPTION_APPLICATION: u16 = 4; // shb_userappl
const OPTION_NAME: u16 = 2; // if_name
const OPTION_RESOLUTION: u16 = 9; // if_tsresol
/// Timestamps count 10^-9 seconds.
const NANOSECONDS: u8 = 9;

/// Where a packet was seen. The number is the interface's place in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interface {
    Delivered = 0,
    Lost = 1,
}

/// What every capture begins with: the section, and both interfaces.
pub(super) fn write_beginning(output: &mut impl Write) -> io::Result<()> {
    let mut body = BYTE_ORDER_MAGIC.to_le_bytes().to_vec();
    body.extend(1_u16.to_le_bytes()); // version 1.0
    body.extend(0_u16.to_le_bytes());
    body.extend(LENGTH_UNKNOWN.to_le_bytes());
    add_option(&mut body, OPTION_APPLICATION, b"netlab");
    add_option(&mut body, OPTION_END, b"");
    write_block(output, SECTION_HEADER, &body)?;
    write_interface(output, "delivered")?;
    write_interface(output, "lost")
}

fn write_interface(output: &mut impl Write, name: &str) -> io::Result<()> {
    let mut body = LINKTYPE_ETHERNET.to_le_bytes().to_vec();
    body.extend(0_u16.to_le_bytes()); // reserved
    body.extend(NO_SNAP_LENGTH.to_le_bytes());
    add_option(&mut body, OPTION_NAME, name.as_bytes());
    add_option(&mut body, OPTION_RESOLUTION, &[NANOSECONDS]);
    add_option(&mut body, OPTION_END, b"");
    write_block(output, INTERFACE_DESCRIPTION, &body)
}

/// Writes one packet; `at` is the time since 1970.
pub(super) fn write_packet(
    output: &mut impl Write,
    interface: Interface,
    at: Duration,
    frame: &[u8],
    comment: Option<&str>,
) -> io::Result<()> {
    let mut body = (interface as u32).to_le_bytes().to_vec();
    let nanoseconds = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
    let length = u32::try_from(frame.len()).map_err(super::impossible)?;
    // The upper half comes first, whatever the byte order.
    let (upper, lower) = (nanoseconds >> 32, nanoseconds & u64::from(u32::MAX));
    body.extend_from_slice(&upper.to_le_bytes()[..4]);
    body.extend_from_slice(&lower.to_le_bytes()[..4]);
    body.extend(length.to_le_bytes()); // as captured
    body.extend(length.to_le_bytes()); // as it was
    body.extend_from_slice(frame);
    pad(&mut body);
    if let Some(comment) = comment {
        add_option(&mut body, OPTION_COMMENT, comment.as_bytes());
        add_option(&mut body, OPTION_END, b"");
    }
    write_block(output, ENHANCED_PACKET, &body)
}

fn write_block(output: &mut impl Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len() + 12).map_err(super::impossible)?;
    output.write_all(&kind.to_le_bytes())?;
    output.write_all(&length.to_le_bytes())?;
    output.write_all(body)?;
    output.write_all(&length.to_le_bytes())
}

fn add_option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    body.extend(code.to_le_bytes());
    body.extend_from_slice(&value.len().to_le_bytes()[..2]);
    body.extend_from_slice(value);
    pad(body);
}

fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}
