//! The actions of a node: what it asks for is done here.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Instant;

use anyhow::Result;
use netbasics::cli::log;
use netbasics::cli::program::plain;
use netbasics::system::stop::Stop;
use socket2::SockRef;

use super::link::{self, QUEUE_FRAMES, Wire, Written};
use super::{CLOSE_WITHIN, DIAL_WITHIN, Driver, Input, MAX_CLOSING, SEND_BUFFER, start};
use crate::node::{Action, Event, LinkId, News};
use crate::wire::Frame;

impl Driver<'_, '_> {
    // listing: begin actions
    /// Tells the node what has happened, and does what it wants. What comes of that is the next
    /// event.
    pub(super) fn handle(
        &mut self,
        event: Event,
        now: Instant,
        events: &mut VecDeque<Event>,
        tell: &mut dyn FnMut(News) -> Result<()>,
    ) -> Result<()> {
        match &event {
            Event::Closed { link, .. } => self.cut(*link),
            Event::Tick => self.cut_who_is_late(now),
            _ => {}
        }
        for action in self.node.handle(event, now) {
            match action {
                Action::Dial(address) => events.extend(self.dial(address)),
                Action::Send(link, frame) => events.extend(self.send(link, frame)),
                Action::Close(link) => self.close(link, now),
                Action::Tell(news) => tell(news)?,
            }
        }
        Ok(())
    }

    /// Sends a frame, or finds that this neighbour is too slow for us.
    fn send(&mut self, link: LinkId, frame: Frame) -> Option<Event> {
        if self.wires.get(&link)?.send(frame) {
            return None;
        }
        let why = format!("it does not take what it is sent; {QUEUE_FRAMES} messages wait for it");
        Some(Event::Closed { link, end: Err(why) })
    }
    // listing: end actions

    /// Gives a connection its two threads.
    pub(super) fn connect(
        &mut self,
        stream: TcpStream,
        with: SocketAddr,
        dialled: bool,
    ) -> Option<Event> {
        let link = self.next;
        self.next += 1;
        match self.begin(stream, link) {
            Ok(wire) => _ = self.wires.insert(link, wire),
            Err(error) if dialled => return Some(Event::CannotDial { address: with, error }),
            Err(error) => {
                log!("cannot serve {with}: {}", plain(&error));
                return None;
            }
        }
        Some(Event::Opened { link, with, dialled })
    }

    fn begin(&self, stream: TcpStream, link: LinkId) -> io::Result<Wire> {
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER)?;
        let (queue, to_write) = mpsc::sync_channel(QUEUE_FRAMES);
        let (reading, writing) = (stream.try_clone()?, stream);
        let wire = Wire { cut: Stop::new(), queue: Some(queue), until: None };
        let (cut, written) = (wire.cut.clone(), Arc::new(Written::default()));
        let (stopped, noted) = (cut.clone(), Arc::clone(&written));
        start(self.threads, "writing", move || link::write(&writing, &to_write, &stopped, &noted))?;
        let orders = self.orders.clone();
        start(self.threads, "reading", move || {
            link::read(&reading, link, &orders, &cut, &written);
        })?;
        Ok(wire)
    }

    /// Connects on a thread of its own, which ends by itself: nobody waits for it.
    fn dial(&self, address: SocketAddr) -> Option<Event> {
        let orders = self.orders.clone();
        let dialling = thread::Builder::new().name(log::thread_name("dialling"));
        let started = dialling.spawn(move || match connect_to(address) {
            Ok(stream) => orders.give(Input::Connected { stream, with: address, dialled: true }),
            Err(error) => orders.tell(Event::CannotDial { address, error }),
        });
        started.err().map(|error| Event::CannotDial { address, error })
    }

    /// Lets the writing thread send what it still has. Reading ends when the other side closes.
    fn close(&mut self, link: LinkId, now: Instant) {
        if let Some(wire) = self.wires.get_mut(&link) {
            wire.queue = None;
            wire.until = Some(now + CLOSE_WITHIN);
        }
        self.cut_the_first_of_too_many();
    }

    /// Somebody who connects again and again, and never closes, must not make us keep what is over.
    fn cut_the_first_of_too_many(&mut self) {
        let closing = self.wires.iter().filter_map(|(id, wire)| Some((wire.until?, *id)));
        let (count, first) = (closing.clone().count(), closing.min());
        if let Some((_, link)) = first.filter(|_| count > MAX_CLOSING) {
            self.cut(link);
        }
    }

    fn cut(&mut self, link: LinkId) {
        if let Some(mut wire) = self.wires.remove(&link) {
            wire.cut();
        }
    }

    fn cut_who_is_late(&mut self, now: Instant) {
        let late = self.wires.extract_if(|_, wire| wire.until.is_some_and(|until| now >= until));
        late.for_each(|(_, mut wire)| wire.cut());
    }
}

fn connect_to(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, DIAL_WITHIN)?;
    // The system may pick, as the port to call from, just the one that we call: then, if nobody
    // listens there, TCP connects the socket with itself (RFC 9293, section 3.5: a simultaneous
    // open of one).
    if stream.local_addr()? == stream.peer_addr()? {
        return Err(ErrorKind::ConnectionRefused.into());
    }
    Ok(stream)
}
