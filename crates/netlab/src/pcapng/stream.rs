//! One TCP connection as the segments it would have been (RFC 9293): handshake, data that the
//! receiver acknowledges at once, FIN or RST.

use std::io;

use etherparse::{TcpHeader, TcpOptionElement};

use super::{impossible, packets};
use crate::faults::Direction;
use crate::record::Connection;

/// What both sides offer, in units of 2^[`WINDOW_SHIFT`] bytes (RFC 7323, section 2): 16 MiB, so
/// that no piece the relay carried is larger than the window.
const WINDOW: u16 = u16::MAX;
const WINDOW_SHIFT: u8 = 8;

/// Where frames go.
pub(super) type Put<'a> = dyn FnMut(Vec<u8>) -> io::Result<()> + 'a;

/// An open connection.
#[derive(Debug)]
pub(super) struct Stream {
    connection: Connection,
    client: Side,
    server: Side,
}

/// What one side has sent.
#[derive(Clone, Copy, Debug)]
struct Side {
    /// The sequence number of its next byte.
    next: u32,
    has_ended: bool,
}

impl Stream {
    /// The three-way handshake (RFC 9293, section 3.5).
    pub(super) fn open(connection: &Connection, put: &mut Put<'_>) -> io::Result<Self> {
        let mut stream = Self::new(connection);
        let mut syn = stream.header(Direction::ToServer);
        (syn.syn, syn.ack) = (true, false);
        stream.put(Direction::ToServer, with_options(syn, connection)?, &[], put)?;
        let mut syn_ack = stream.header(Direction::ToClient);
        syn_ack.syn = true;
        stream.put(Direction::ToClient, with_options(syn_ack, connection)?, &[], put)?;
        stream.acknowledge(Direction::ToServer, put)?;
        Ok(stream)
    }

    /// A SYN that is answered by RST: nobody listens (RFC 9293, section 3.5.2).
    pub(super) fn refuse(connection: &Connection, put: &mut Put<'_>) -> io::Result<()> {
        let mut stream = Self::new(connection);
        let mut syn = stream.header(Direction::ToServer);
        (syn.syn, syn.ack) = (true, false);
        stream.put(Direction::ToServer, with_options(syn, connection)?, &[], put)?;
        // A server that never answered has no sequence numbers: the reset has number 0.
        stream.server.next = 0;
        stream.reset(Direction::ToClient, put)
    }

    /// Data as segments, and one acknowledgement. Nothing follows an end.
    pub(super) fn deliver(
        &mut self,
        direction: Direction,
        payload: &[u8],
        put: &mut Put<'_>,
    ) -> io::Result<()> {
        if payload.is_empty() || self.side(direction).has_ended {
            return Ok(());
        }
        let mut segments = payload.chunks(packets::max_segment(&self.connection).into()).peekable();
        while let Some(segment) = segments.next() {
            let mut header = self.header(direction);
            header.psh = segments.peek().is_none();
            self.put(direction, header, segment, put)?;
        }
        self.acknowledge(opposite(direction), put)
    }

    /// FIN, and its acknowledgement (RFC 9293, section 3.6).
    pub(super) fn end(&mut self, direction: Direction, put: &mut Put<'_>) -> io::Result<()> {
        if self.side(direction).has_ended {
            return Ok(());
        }
        let mut fin = self.header(direction);
        fin.fin = true;
        self.put(direction, fin, &[], put)?;
        self.side(direction).has_ended = true;
        self.acknowledge(opposite(direction), put)
    }

    /// RST; nothing answers it.
    pub(super) fn reset(&mut self, direction: Direction, put: &mut Put<'_>) -> io::Result<()> {
        let mut rst = self.header(direction);
        rst.rst = true;
        rst.window_size = 0;
        self.put(direction, rst, &[], put)
    }

    /// Whether both sides have ended.
    pub(super) fn is_over(&self) -> bool {
        self.client.has_ended && self.server.has_ended
    }

    /// Initial sequence numbers are to differ between connections (RFC 9293, section 3.4.1).
    fn new(connection: &Connection) -> Self {
        let next = connection.number.wrapping_mul(64_000);
        let client = Side { next: next.wrapping_add(1_000), has_ended: false };
        let server = Side { next: next.wrapping_add(5_000), has_ended: false };
        Self { connection: *connection, client, server }
    }

    fn acknowledge(&mut self, direction: Direction, put: &mut Put<'_>) -> io::Result<()> {
        let header = self.header(direction);
        self.put(direction, header, &[], put)
    }

    fn put(
        &mut self,
        direction: Direction,
        header: TcpHeader,
        payload: &[u8],
        put: &mut Put<'_>,
    ) -> io::Result<()> {
        // SYN and FIN take a sequence number each, as if they were a byte.
        let length = u32::try_from(payload.len()).map_err(impossible)?
            + u32::from(header.syn)
            + u32::from(header.fin);
        put(packets::segment(&self.connection, direction, header, payload)?)?;
        let side = self.side(direction);
        side.next = side.next.wrapping_add(length);
        Ok(())
    }

    /// The header of this side's next segment, which acknowledges all that the other side sent.
    fn header(&mut self, direction: Direction) -> TcpHeader {
        let mut header = TcpHeader::new(0, 0, self.side(direction).next, WINDOW);
        header.ack = true;
        header.acknowledgment_number = self.side(opposite(direction)).next;
        header
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::ToServer => &mut self.client,
            Direction::ToClient => &mut self.server,
        }
    }
}

fn with_options(mut syn: TcpHeader, connection: &Connection) -> io::Result<TcpHeader> {
    if !syn.ack {
        syn.acknowledgment_number = 0;
    }
    syn.set_options(&[
        TcpOptionElement::MaximumSegmentSize(packets::max_segment(connection)),
        TcpOptionElement::WindowScale(WINDOW_SHIFT),
    ])
    .map_err(impossible)?;
    Ok(syn)
}

fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::ToServer => Direction::ToClient,
        Direction::ToClient => Direction::ToServer,
    }
}
