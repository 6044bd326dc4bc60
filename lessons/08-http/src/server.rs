//! The server: files from one folder, over HTTP/1.1, with or without TLS.
//!
//! Read this file first, then `server/connection.rs` (one client), `server/answer.rs` (what it
//! gets) and `server/target.rs` with `server/folder.rs` (which file that is, and which files
//! nobody gets).

mod answer;
mod connection;
pub mod folder;
mod permit;
mod precondition;
mod range;
mod send;
pub mod site;
mod target;

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use netbasics::cli::{log, program, ready, serve};
use netbasics::net::socket;
use netbasics::system::stop::Stop;
use netbasics::values::port::Endpoint;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::http::stream::{Stream, Timed};
use crate::http::tls;
use connection::{Connection, contain};
use folder::Folder;
use permit::Permit;

/// How many clients may be told at once that there is no room for them.
const MAX_REFUSALS: usize = 32;

/// Serve the files of a folder over HTTP until Ctrl-C
#[derive(clap::Args)]
pub struct Options {
    /// The folder; without it, a few pages that this program brings along
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Speak HTTPS, with a certificate made on the spot; the certificate of its authority goes to
    /// CERT-OUT, for a client's --cacert
    #[arg(long, value_name = "CERT-OUT", num_args = 0..=1)]
    #[allow(clippy::option_option)] // clap's form of an option whose value may be left out
    pub tls: Option<Option<PathBuf>>,
    #[command(flatten)]
    pub limits: Limits,
}

/// How much of us one client, and all of them together, may take.
#[derive(Clone, clap::Args)]
pub struct Limits {
    /// How many connections are served at once; more are answered with 503
    #[arg(long, value_name = "NUMBER", default_value_t = 256)]
    pub max_connections: usize,
    /// Close a connection on which no request begins for so long
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = program::seconds)]
    pub idle: Duration,
    /// How long a request may take to arrive, from its first byte to its last
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = program::seconds)]
    pub request_time: Duration,
}

pub fn run(addr: Option<Endpoint>, options: Options) -> Result<()> {
    // A folder of our own goes away when this is dropped, at the end.
    let site = options.dir.is_none().then(site::lay_out).transpose()?;
    let dir = options.dir.clone().or(site.as_ref().map(|site| site.path().to_owned()));
    let folder = Folder::open(&dir.unwrap_or_default())?;
    let identity = options.tls.is_some().then(tls::make_identity).transpose()?;
    let listener = socket::listen_tcp(addr.unwrap_or_else(default_addr))?;
    // Only now: a second server on a port in use must not replace the first one's certificate.
    if let (Some(identity), Some(Some(path))) = (&identity, &options.tls) {
        hand_out(path, &identity.authority_pem)?;
    }
    if site.is_some() {
        log!("serving a few pages of our own; --dir DIR serves yours");
    }
    let tls = identity.map(|identity| identity.config);
    let server = Server::new(options.limits, folder, tls, Stop::on_ctrl_c()?);
    ready::announce(listener.local_addr()?)?;
    server.serve(&listener)
}

/// Where programs of this course meet when nobody says otherwise.
pub fn default_addr() -> Endpoint {
    Endpoint::from(SocketAddr::from(([127, 0, 0, 1], 8888)))
}

fn hand_out(path: &Path, authority_pem: &str) -> Result<()> {
    fs::write(path, authority_pem)
        .with_context(|| format!("cannot write the authority's certificate {}", path.display()))?;
    log!("clients verify this server with --cacert {}", path.display());
    Ok(())
}

/// What every connection needs to know.
pub struct Server {
    limits: Limits,
    folder: Folder,
    tls: Option<Arc<ServerConfig>>,
    stop: Stop,
    /// How many connections there are at the moment.
    open: AtomicUsize,
}

impl Server {
    pub fn new(limits: Limits, folder: Folder, tls: Option<Arc<ServerConfig>>, stop: Stop) -> Self {
        Self { limits, folder, tls, stop, open: AtomicUsize::new(0) }
    }

    pub fn serve(&self, listener: &TcpListener) -> Result<()> {
        thread::scope(|connections| {
            for (tcp, peer) in serve::connections(listener, &self.stop)? {
                let permit = Permit::take(&self.open);
                if permit.number > self.limits.max_connections + MAX_REFUSALS {
                    log!("{peer} finds no room, not even for a refusal");
                    continue;
                }
                let connection = thread::Builder::new().name(log::thread_name(peer));
                let attend = move || contain(peer, || self.attend(tcp, peer, &permit));
                if let Err(error) = connection.spawn_scoped(connections, attend) {
                    log!("no thread for {peer}, so its connection is closed: {error}");
                }
            }
            Ok(())
        })
    }

    /// One client from its first byte to its last.
    fn attend(&self, tcp: TcpStream, peer: SocketAddr, permit: &Permit) {
        log!("{peer} connected");
        let outcome = self.wrap(tcp).and_then(|stream| {
            let connection = Connection::new(stream, peer, self);
            if permit.number > self.limits.max_connections {
                connection.refuse()
            } else {
                connection.serve()
            }
        });
        match outcome {
            Ok(()) => log!("{peer} is done"),
            Err(error) => log!("{peer} is gone: {error:#}"),
        }
    }

    /// Puts TLS around the connection, if that is what we speak. The handshake is made by the
    /// first read.
    fn wrap(&self, tcp: TcpStream) -> Result<Stream> {
        let timed = Timed::new(tcp, self.limits.request_time, self.stop.clone())?;
        let Some(config) = &self.tls else { return Ok(Stream::Plain(timed)) };
        let tls = ServerConnection::new(Arc::clone(config))?;
        Ok(Stream::TlsServer(StreamOwned::new(tls, timed).into()))
    }
}
