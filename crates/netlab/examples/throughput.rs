//! Is the relay the bottleneck? Measures TCP and UDP over loopback, straight and through a relay,
//! in turn, and prints the medians and their ratio to the straight way.
//!
//! `cargo run --release -p netlab --example throughput [ROUNDS [NAME]]`, where only what
//! has NAME in its name is measured.

#![allow(clippy::cast_precision_loss)] // rates need no more than a few digits
#![allow(clippy::unwrap_used, clippy::expect_used)] // a measurement that fails is none

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use netlab::conditions::{Conditions, Path};
use netlab::faults::DatagramFaults;
use netlab::record::Transport;
use netlab::relay::Relay;
use netlab::shape::Shape;
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::SockRef;

/// How long one round of one kind lasts.
const TIME: Duration = Duration::from_millis(700);
const DATAGRAM_BYTES: usize = 1400;
/// Datagrams that the sender gives to the system at once.
const AT_ONCE: usize = 46;
/// Bytes on their way at most: a sender that never waits measures only the receiver's losses.
const WINDOW_BYTES: u64 = 4 << 20;

fn main() {
    let rounds = std::env::args().nth(1).map_or(5, |rounds| rounds.parse().expect("a number"));
    let only = std::env::args().nth(2).unwrap_or_default();
    let mut kinds = vec![
        ("TCP straight", Transport::Tcp, None),
        ("TCP, idle relay", Transport::Tcp, Some(Path::default())),
        ("TCP, 10 ms", Transport::Tcp, Some(delayed(0.0))),
        ("UDP straight", Transport::Udp, None),
        ("UDP, idle relay", Transport::Udp, Some(Path::default())),
        ("UDP, 10 ms", Transport::Udp, Some(delayed(0.0))),
        ("UDP, 10 ms, 1 % loss", Transport::Udp, Some(delayed(0.01))),
    ];
    kinds.retain(|(name, ..)| name.contains(&only));
    let mut rates = vec![Vec::new(); kinds.len()];
    for _ in 0..rounds {
        for (rates, (_, transport, path)) in rates.iter_mut().zip(&kinds) {
            rates.push(measure(*transport, path.clone()));
        }
    }
    let mut straight = 1.0;
    println!(
        "{:<22} {:>9} {:>9} {:>9} {:>12} {:>7}",
        "MiB/s", "median", "min", "max", "datagrams/s", "ratio"
    );
    for ((name, transport, path), rates) in kinds.iter().zip(&mut rates) {
        rates.sort_by(f64::total_cmp);
        let median = rates[rates.len() / 2];
        if path.is_none() {
            straight = median;
        }
        let datagrams = match transport {
            Transport::Tcp => String::new(),
            Transport::Udp => format!("{:.0}", median / DATAGRAM_BYTES as f64),
        };
        let [low, mid, high] = [rates[0], median, rates[rates.len() - 1]].map(|r| r / 1_048_576.0);
        println!(
            "{name:<22} {mid:>9.0} {low:>9.0} {high:>9.0} {datagrams:>12} {:>7.2}",
            median / straight
        );
    }
}

fn delayed(lose: f64) -> Path {
    let shape = Shape { delay: Duration::from_millis(10), ..Shape::default() };
    let datagrams = DatagramFaults { lose, ..DatagramFaults::default() };
    Path { shape, datagrams, ..Path::default() }
}

/// Bytes a second.
fn measure(transport: Transport, path: Option<Path>) -> f64 {
    let start = |server: SocketAddr| {
        path.map(|path| {
            Relay::start(transport, server, Conditions::both_ways(1, path), None).unwrap()
        })
    };
    match transport {
        Transport::Tcp => tcp(start).unwrap(),
        Transport::Udp => udp(start).unwrap(),
    }
}

fn tcp(start: impl FnOnce(SocketAddr) -> Option<Relay>) -> io::Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let server = listener.local_addr()?;
    let relay = start(server);
    let mut client = TcpStream::connect(relay.as_ref().map_or(server, Relay::address))?;
    let (mut stream, _) = listener.accept()?;
    let sender = thread::spawn(move || {
        let (data, until) = (vec![7; 256 << 10], Instant::now() + TIME);
        while Instant::now() < until && client.write_all(&data).is_ok() {}
    });
    let (mut buffer, mut got, began) = (vec![0; 1 << 20], 0, Instant::now());
    loop {
        match stream.read(&mut buffer)? {
            0 => break,
            length => got += length,
        }
    }
    let time = began.elapsed();
    sender.join().expect("the sender works");
    Ok(got as f64 / time.as_secs_f64())
}

fn udp(start: impl FnOnce(SocketAddr) -> Option<Relay>) -> io::Result<f64> {
    let receiver = UdpSocket::bind("127.0.0.1:0")?;
    SockRef::from(&receiver).set_recv_buffer_size(4 << 20)?;
    let server = receiver.local_addr()?;
    let relay = start(server);
    let to = relay.as_ref().map_or(server, Relay::address);
    let (got, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let count = {
        let (got, ended) = (Arc::clone(&got), Arc::clone(&ended));
        thread::spawn(move || receive(&receiver, &got, &ended))
    };
    let began = Instant::now();
    send(to, &got, relay.as_ref())?;
    let time = began.elapsed();
    let all = got.load(Ordering::Relaxed);
    ended.store(true, Ordering::Relaxed);
    count.join().expect("the receiver works")?;
    Ok(all as f64 / time.as_secs_f64())
}

fn receive(socket: &UdpSocket, got: &AtomicU64, ended: &AtomicBool) -> io::Result<()> {
    let state = UdpSocketState::new(UdpSockRef::from(socket))?;
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(Duration::from_millis(20)))?;
    let mut buffers = vec![vec![0; 1 << 16]; BATCH_SIZE];
    let mut metas = [RecvMeta::default(); BATCH_SIZE];
    while !ended.load(Ordering::Relaxed) {
        // One buffer: recvmmsg(2) would wait until all are full.
        let mut slices = [io::IoSliceMut::new(&mut buffers[0])];
        if let Ok(count) = state.recv(UdpSockRef::from(socket), &mut slices, &mut metas) {
            let bytes: usize = metas[..count].iter().map(|meta| meta.len).sum();
            got.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }
    Ok(())
}

/// Sends with a fixed window. What the relay lost on purpose does not burden it; what the system
/// lost is forgiven when nothing has come for a while.
fn send(to: SocketAddr, got: &AtomicU64, relay: Option<&Relay>) -> io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
    socket.set_nonblocking(false)?;
    let contents = vec![7; DATAGRAM_BYTES * AT_ONCE];
    let (mut sent, mut forgiven, mut before, mut moved) = (0, 0, 0, Instant::now());
    let until = Instant::now() + TIME;
    while Instant::now() < until {
        let lost = relay.map_or(0, |relay| relay.counts().to_server.lost * DATAGRAM_BYTES as u64);
        let here = got.load(Ordering::Relaxed) + lost;
        if here != before {
            (before, moved) = (here, Instant::now());
        }
        if sent - forgiven < here + WINDOW_BYTES {
            let segment_size = Some(DATAGRAM_BYTES);
            let transmit = Transmit {
                destination: to,
                ecn: None,
                contents: &contents,
                segment_size,
                src_ip: None,
            };
            state.try_send(UdpSockRef::from(&socket), &transmit)?;
            sent += contents.len() as u64;
        } else if moved.elapsed() > Duration::from_millis(30) {
            forgiven = sent - here;
        } else {
            thread::sleep(Duration::from_micros(50));
        }
    }
    Ok(())
}
