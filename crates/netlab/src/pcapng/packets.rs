//! Frames around payloads: Ethernet, IP, and TCP or UDP, with correct lengths and checksums.

use std::io;
use std::net::{IpAddr, SocketAddr};

use etherparse::{Ethernet2Header, IpHeaders, PacketBuilder, PacketBuilderStep, TcpHeader};

use super::{ends, impossible};
use crate::faults::Direction;
use crate::record::Connection;

/// Hardware addresses that no card has: the second bit says "locally administered" (IEEE 802c).
const CLIENT_HARDWARE: [u8; 6] = [2, 0, 0, 0, 0, 1];
const SERVER_HARDWARE: [u8; 6] = [2, 0, 0, 0, 0, 2];
/// What most systems send with; nothing is routed here that could count it down.
const HOP_LIMIT: u8 = 64;

/// A frame with one datagram.
pub(super) fn datagram(
    connection: &Connection,
    direction: Direction,
    payload: &[u8],
) -> io::Result<Vec<u8>> {
    let (from, to) = ends(connection, direction);
    let packet = ip(direction, from, to).udp(from.port(), to.port());
    let mut frame = Vec::with_capacity(packet.size(payload.len()));
    packet.write(&mut frame, payload).map_err(impossible)?;
    Ok(frame)
}

/// A frame with one segment; the header's ports and checksum are filled in.
pub(super) fn segment(
    connection: &Connection,
    direction: Direction,
    mut header: TcpHeader,
    payload: &[u8],
) -> io::Result<Vec<u8>> {
    let (from, to) = ends(connection, direction);
    (header.source_port, header.destination_port) = (from.port(), to.port());
    let packet = ip(direction, from, to).tcp_header(header);
    let mut frame = Vec::with_capacity(packet.size(payload.len()));
    packet.write(&mut frame, payload).map_err(impossible)?;
    Ok(frame)
}

/// The most bytes of a TCP segment that fit into an Ethernet frame, MTU 1500.
pub(super) fn max_segment(connection: &Connection) -> u16 {
    if connection.client.is_ipv4() && connection.server.is_ipv4() { 1460 } else { 1440 }
}

fn ip(direction: Direction, from: SocketAddr, to: SocketAddr) -> PacketBuilderStep<IpHeaders> {
    let ethernet = ethernet(direction);
    match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => ethernet.ipv4(from.octets(), to.octets(), HOP_LIMIT),
        // One side of each kind: the laboratory translates, a packet cannot. The IPv4 side is
        // written as an IPv4-mapped address (RFC 4291, section 2.5.5.2).
        (from, to) => ethernet.ipv6(as_v6(from), as_v6(to), HOP_LIMIT),
    }
}

fn as_v6(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

fn ethernet(direction: Direction) -> PacketBuilderStep<Ethernet2Header> {
    match direction {
        Direction::ToServer => PacketBuilder::ethernet2(CLIENT_HARDWARE, SERVER_HARDWARE),
        Direction::ToClient => PacketBuilder::ethernet2(SERVER_HARDWARE, CLIENT_HARDWARE),
    }
}
