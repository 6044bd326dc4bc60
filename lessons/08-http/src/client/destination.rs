//! Where a request goes: what the URL says, and where the connection is really made.

use std::net::SocketAddr;

use netbasics::cli::log;
use netbasics::cli::program::Usage;
use netbasics::values::port::{Endpoint, Host};
use rustls::pki_types::ServerName;
use url::{ParseError, Position, Url};

use crate::server::default_addr;

pub struct Destination {
    /// Without what is never sent: user name, password, fragment.
    pub url: Url,
    fragment: Option<String>,
    /// The URL's host and port, or another place that answers for them, such as a test server.
    pub connect_to: Endpoint,
}

impl Destination {
    /// Reads a URL, or a path that is meant for `addr` (by default the course's address). Given a
    /// URL *and* an address, the connection goes to the address, and everything that is said on it
    /// (Host, the name that TLS verifies) comes from the URL.
    ///
    /// # Errors
    /// What is wrong with the URL, and what to write instead.
    pub fn new(addr: Option<Endpoint>, text: &str, is_tls: bool) -> Result<Self, Usage> {
        let mut url = if text.starts_with('/') {
            let scheme = if is_tls { "https" } else { "http" };
            let addr = without_zone(addr.clone().unwrap_or_else(default_addr));
            parse(&format!("{scheme}://{addr}{text}"))?
        } else {
            parse(text)?
        };
        if !url.username().is_empty() || url.password().is_some() {
            // RFC 9110, section 4.2.4: never part of a request. A person who wants to log in says
            // so.
            log!("the user name and password in the URL are not sent");
        }
        let fragment = url.fragment().map(str::to_owned);
        url.set_fragment(None);
        let _ = (url.set_username(""), url.set_password(None));
        let connect_to = addr.map_or_else(|| endpoint(&url), Ok)?;
        Ok(Self { url, fragment, connect_to })
    }

    /// Where a redirect leads: `location` may be relative to our URL (RFC 3986, section 5), and
    /// without a fragment of its own it keeps ours (RFC 9110, section 10.2.2). What is no URL is
    /// returned as it came.
    pub fn redirect(&self, location: &str) -> String {
        let Ok(mut url) = self.url.join(location) else { return location.to_owned() };
        if url.fragment().is_none() {
            url.set_fragment(self.fragment.as_deref());
        }
        url.into()
    }

    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// What is sent as the target: the path and the query (RFC 9112, section 3.2.1).
    pub fn target(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }

    /// What is sent as Host: with the port, unless it is the scheme's own.
    pub fn host(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }

    /// The host alone.
    pub fn name(&self) -> &str {
        self.url.host_str().unwrap_or("")
    }

    /// Whom a certificate must be for: what the person has asked for, never what the network says.
    pub fn server_name(&self) -> Result<ServerName<'static>, Usage> {
        match self.url.host() {
            Some(url::Host::Domain(name)) => ServerName::try_from(name.to_owned())
                .map_err(|_| Usage(format!("{name} is no name that a certificate can be for"))),
            Some(url::Host::Ipv4(address)) => Ok(ServerName::IpAddress(address.into())),
            Some(url::Host::Ipv6(address)) => Ok(ServerName::IpAddress(address.into())),
            None => Err(Usage("the URL has no host".to_owned())),
        }
    }
}

/// A zone says on which interface of *this* machine an address is. It is for connecting only, and no
/// part of a URL (RFC 9844).
fn without_zone(addr: Endpoint) -> Endpoint {
    match addr.host {
        Host::V6Zone(address, _) => Endpoint { host: Host::V6(address), port: addr.port },
        host => Endpoint { host, port: addr.port },
    }
}

fn parse(text: &str) -> Result<Url, Usage> {
    let url = Url::parse(text).map_err(|problem| match problem {
        ParseError::InvalidIpv6Address if text.contains('%') => Usage(format!(
            "{text} is no URL: none has a zone (RFC 9844): write --addr '[ADDRESS%ZONE]:PORT', and \
             the URL without %ZONE"
        )),
        ParseError::RelativeUrlWithoutBase => {
            Usage(format!("{text} is no URL: write http://HOST/PATH, or /PATH and --addr"))
        }
        problem => Usage(format!("{text} is no URL: {problem}")),
    })?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(Usage(format!(
            "{text} has the scheme {other}, and this client speaks http and https: write \
             http://HOST/PATH"
        ))),
    }
}

fn endpoint(url: &Url) -> Result<Endpoint, Usage> {
    let port = url.port_or_known_default().unwrap_or(80);
    match url.host() {
        Some(url::Host::Domain(name)) => Ok(Endpoint { host: Host::Name(name.to_owned()), port }),
        Some(url::Host::Ipv4(address)) => Ok(SocketAddr::from((address, port)).into()),
        Some(url::Host::Ipv6(address)) => Ok(SocketAddr::from((address, port)).into()),
        None => Err(Usage(format!("{url} has no host"))),
    }
}

#[cfg(test)]
mod tests;
