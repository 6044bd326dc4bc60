//! The same request with a library: ureq. It does what `session.rs` does, keeps connections, and
//! knows many odd servers; and here redirects are followed.

use std::io::{self, Read};

use anyhow::{Result, anyhow, bail};
use netbasics::cli::log;
use netbasics::cli::program::OutputError;
use netbasics::net::socket;
use netbasics::net::socket_error::explain;
use netbasics::values::port::Endpoint;
use rustls::pki_types::CertificateDer;
use ureq::config::Config;
use ureq::http::{self, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body};

use super::{Destination, Options, check_length, expected, print, print_head, show};
use crate::http::body::MAX_HEAD_BYTES;
use crate::http::head::{Fields, Response, Version};
use crate::http::tls;

/// How many redirects in a row are followed.
const MAX_REDIRECTS: u32 = 5;
/// How many addresses of a name are tried; ureq has room for no more.
const MAX_ADDRESSES: usize = 16;
/// How much of a redirect's body is read, and thrown away.
const MAX_REDIRECT_BYTES: u64 = 64 * 1024;

pub struct Library(Agent);

impl Library {
    // listing: begin library
    pub fn new(
        to: &Destination,
        authorities: &[CertificateDer<'static>],
        options: &Options,
    ) -> Self {
        // ureq would bring the authorities of the web along. Here it trusts whom we name.
        let roots: Vec<_> =
            authorities.iter().map(|one| Certificate::from_der(one).to_owned()).collect();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&roots))
            .unversioned_rustls_crypto_provider(tls::provider())
            .build();
        let config = Config::builder()
            .tls_config(tls)
            .proxy(None)
            .http_status_as_error(false)
            // `follow`, below, sees where one leads.
            .max_redirects(0)
            .max_response_header_size(MAX_HEAD_BYTES)
            .timeout_connect(Some(options.timeout))
            .timeout_recv_response(Some(options.timeout))
            .timeout_per_read(Some(options.timeout))
            .build();
        let detour = Detour { host: to.host().to_owned(), to: to.connect_to.clone() };
        Self(Agent::with_parts(config, DefaultConnector::default(), detour))
    }

    pub fn fetch(&self, to: &Destination, options: &Options) -> Result<Response> {
        // An unknown name, or port 0, is told as without the library.
        socket::destinations(&to.connect_to)?;
        let (response, mut body) = self.follow(to, options)?;
        if options.verbose {
            show('<', &response.to_string());
        }
        if options.head {
            print_head(&response)?;
        } else {
            let expected = expected(to, options, &response)?;
            let mut reader = body.with_config().limit(options.max_bytes).reader();
            let length = copy(to, &mut reader, &mut log::raw_output())?;
            check_length(to, expected, length)?;
        }
        Ok(response)
    }
    // listing: end library

    /// Asks, and asks again wherever a redirect leads. (ureq 3.5 would do so by itself, but does
    /// not resolve a relative `?page=2` or `../..` as RFC 3986, section 5.2, has it.)
    fn follow(&self, to: &Destination, options: &Options) -> Result<(Response, Body)> {
        let mut url = to.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let mut request = http::Request::builder().method(options.method()).uri(url.as_str());
            if let Some(range) = &options.range {
                request = request.header("Range", range.to_string());
            }
            let answer = self.0.run(request.body(())?).map_err(|error| describe(to, &error))?;
            let (head, mut body) = answer.into_parts();
            let response = as_ours(&head);
            let next = response.fields.first("Location").and_then(|next| url.join(next).ok());
            url = match next {
                Some(next) if matches!(response.status, 301..=303 | 307 | 308) => next,
                _ => return Ok((response, body)),
            };
            // ureq would send them; see Destination.
            let _ = (url.set_username(""), url.set_password(None));
            // Only when its answer has been read does a connection carry another request.
            let _ = body.with_config().limit(MAX_REDIRECT_BYTES).read_to_vec();
        }
        bail!("the library is sent from place to place by {}: too many redirects", to.host())
    }
}

/// Copies with two kinds of errors, as only one of them is the server's.
fn copy(to: &Destination, body: &mut impl Read, output: &mut dyn io::Write) -> Result<u64> {
    let mut buffer = vec![0; 16 * 1024];
    let mut copied = 0;
    loop {
        match body.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(length) => {
                print(output, &buffer[..length]).map_err(OutputError)?;
                copied += length as u64;
            }
            Err(error) => return Err(describe(to, &error.into())),
        }
    }
}

/// The head as our own type, so that it is shown and judged in the same way.
fn as_ours(head: &http::response::Parts) -> Response {
    let mut fields = Fields::default();
    for (name, value) in &head.headers {
        fields.add(name.as_str(), String::from_utf8_lossy(value.as_bytes()));
    }
    let version =
        if head.version == http::Version::HTTP_10 { Version::Http10 } else { Version::Http11 };
    let reason = head.status.canonical_reason().unwrap_or("").to_owned();
    Response { version, status: head.status.as_u16(), reason, fields }
}

fn describe(to: &Destination, error: &ureq::Error) -> anyhow::Error {
    let reason = match error {
        ureq::Error::Rustls(error) => tls::explain(error),
        ureq::Error::Io(error) => tls::complaint(error).unwrap_or_else(|| explain(error)),
        other => other.to_string(),
    };
    anyhow!("the library got no answer from {}: {reason}", to.host())
}

/// Sends the connection for the URL's own host elsewhere, as `--addr` says. Others, to which a
/// redirect may lead, are looked up as usual.
#[derive(Debug)]
struct Detour {
    host: String,
    to: Endpoint,
}

impl Resolver for Detour {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        if uri.authority().is_none_or(|authority| authority.as_str() != self.host) {
            return DefaultResolver::default().resolve(uri, config, timeout);
        }
        let mut found = self.empty();
        // All of them: localhost may be ::1 and 127.0.0.1, and the server listen on one of the two.
        // ureq tries one after the other, each with a share of the time limit.
        let addresses = socket::resolve_all(&self.to).map_err(io::Error::other)?;
        addresses.into_iter().take(MAX_ADDRESSES).for_each(|address| found.push(address));
        if found.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(found) }
    }
}
