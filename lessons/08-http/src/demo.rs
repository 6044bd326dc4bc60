//! A URL is taken apart, fetched by hand and with a library; and then once more under TLS.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use netbasics::cli::log;
use netbasics::cli::pair::pair;
use netbasics::cli::program::OutputError;
use netbasics::net::socket;
use netbasics::values::port::Endpoint;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;

use crate::client::{self, Destination, Library, Range, Session};
use crate::http::tls;
use crate::server::folder::Folder;
use crate::server::{self, Server, site};
use crate::url_parts;

const LIMIT: Duration = Duration::from_secs(10);
/// The title of the poem.
const TITLE: Range = Range::Between(0, 8);

pub fn run(addr: Option<Endpoint>) -> Result<()> {
    let addr = addr.unwrap_or_else(server::default_addr);
    let site = site::lay_out()?;

    title("A URL")?;
    let url = "http://anna:secret@localhost:8888/moon%20poems/1.txt?lang=zh&page=2#line-3";
    url_parts::run(&url_parts::Options { url: url.to_owned() })?;

    title("HTTP/1.1 by hand, four requests on one connection; then with a library")?;
    serve(&addr, site.path(), None, plain)?;

    title("HTTPS: the same in a tunnel, whose other end proves who it is")?;
    let identity = tls::make_identity()?;
    let authority = identity.authority;
    serve(&addr, site.path(), Some(identity.config), move |address| secure(address, authority))
}

fn title(text: &str) -> Result<(), OutputError> {
    writeln!(log::output(), "--- {text}").map_err(OutputError)
}

/// A server and `client` as two threads.
fn serve(
    addr: &Endpoint,
    dir: &Path,
    tls: Option<Arc<ServerConfig>>,
    client: impl FnOnce(SocketAddr) -> Result<()> + Send + 'static,
) -> Result<()> {
    let (addr, folder) = (addr.clone(), Folder::open(dir)?);
    let limits = server::Limits { max_connections: 8, idle: LIMIT, request_time: LIMIT };
    let outcome = pair(
        move |ready, stop| {
            let listener = socket::listen_tcp(&addr)?;
            ready.announce(listener.local_addr()?);
            Server::new(limits, folder, tls, stop).serve(&listener)
        },
        client,
    );
    outcome.into_result()
}

/// What a person would have typed.
fn options(head: bool, range: Option<Range>, verbose: bool) -> client::Options {
    let (url, cacert, library) = (String::new(), None, false);
    let (timeout, max_bytes) = (LIMIT, 1 << 20);
    client::Options { url, head, range, cacert, library, verbose, timeout, max_bytes }
}

fn plain(address: SocketAddr) -> Result<()> {
    let at = |path| Destination::new(Some(address.into()), path, false);
    let (poem, time) = (at("/poem.txt")?, at("/time")?);
    let whole = options(false, None, true);
    let mut session = Session::open(&poem, &tls::trust(&[])?, &whole)?;
    session.fetch(&poem, &whole, false)?;
    log!("only the head:");
    session.fetch(&poem, &options(true, None, false), false)?;
    log!("only the first nine bytes:");
    session.fetch(&poem, &options(false, Some(TITLE), false), false)?;
    log!("something whose length nobody knows beforehand, in chunks:");
    session.fetch(&time, &options(false, None, false), true)?;
    session.close();

    log!("the poem once more, by the library ureq:");
    let options = options(false, None, false);
    Library::new(&poem, &[], &options).fetch(&poem, &options)?;
    Ok(())
}

fn secure(address: SocketAddr, authority: CertificateDer<'static>) -> Result<()> {
    let authorities = [authority];
    let localhost = format!("https://localhost:{}/poem.txt", address.port());
    let right = Destination::new(Some(address.into()), &localhost, true)?;
    // The connection goes to our server, as if somebody on the way had turned it.
    let wrong = Destination::new(Some(address.into()), "https://example.com/poem.txt", true)?;

    let options = options(false, Some(TITLE), true);
    let mut session = Session::open(&right, &tls::trust(&authorities)?, &options)?;
    session.fetch(&right, &options, true)?;
    session.close();
    for (to, authorities) in [(&wrong, authorities.as_slice()), (&right, &[])] {
        match Session::open(to, &tls::trust(authorities)?, &options) {
            Ok(_) => bail!("{} was believed to be our server", to.url),
            Err(error) => log!("{error:#}"),
        }
    }
    Ok(())
}
