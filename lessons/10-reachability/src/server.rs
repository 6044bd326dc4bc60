//! A target for the other programs: it listens, greets each client, and closes.

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::Result;
use netbasics::cli::{log, ready, serve};
use netbasics::net::socket;
use netbasics::system::stop::Stop;
use netbasics::values::port::Endpoint;

/// How long a greeting may take. It fits into any send buffer, so this is for the worst case.
const PATIENCE: Duration = Duration::from_secs(1);

/// Be a target: listen, greet each client, and close, until Ctrl-C
#[derive(clap::Args)]
pub struct Options {
    /// Where to listen; port 0: any free one; 0.0.0.0: every interface
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8888")]
    pub addr: Endpoint,
}

/// Bind, announce, serve: a program that waits for the line finds the port open.
pub fn run(options: &Options) -> Result<()> {
    let listener = socket::listen_tcp(&options.addr)?;
    let stop = Stop::on_ctrl_c()?;
    ready::announce(listener.local_addr()?)?;
    serve(&listener, &stop)
}

// listing: begin serve
/// Greets every connection until `stop` is raised.
///
/// The system makes the handshake, before and whether or not we accept: to be *open*, a port needs
/// only a listening socket. One thread is enough, for nothing here waits for a client.
pub fn serve(listener: &TcpListener, stop: &Stop) -> Result<()> {
    for (stream, peer) in serve::connections(listener, stop)? {
        match greet(&stream, peer) {
            Ok(()) => log!("{peer} knocked and was greeted"),
            // Somebody who only checks the port does not wait for that.
            Err(_) => log!("{peer} knocked and is gone"),
        }
    }
    Ok(())
}
// listing: end serve

fn greet(mut stream: &TcpStream, peer: SocketAddr) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(format!("hello {peer}\n").as_bytes())?;
    stream.shutdown(Shutdown::Write)
}
