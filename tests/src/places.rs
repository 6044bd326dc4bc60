//! Where on this machine the program under test, or the test itself, can be reached: by either family,
//! or not at all, or not yet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use crate::case::Case;
use crate::host::{Host, Reserved};

impl Case {
    /// Whether this machine has the IPv6 loopback address. Where it has not, the test passes over
    /// what needs it, and says so: that is no failure of the program.
    #[must_use]
    pub fn has_ipv6(&self) -> bool {
        let has = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
        if !has {
            self.step("this machine has no address ::1, so what needs it is passed over");
        }
        has
    }

    /// As [`listen`](Self::listen), at the loopback address `ip`.
    ///
    /// # Panics
    /// When the system has no socket for it; that is no failure of the program.
    #[must_use]
    pub fn listen_at(&self, ip: IpAddr) -> Host {
        Host::listen_at(self.0.clone(), ip)
            .unwrap_or_else(|error| panic!("the test's server cannot listen: {error}"))
    }

    /// An address of the test's at which nobody listens, until the test does.
    ///
    /// # Panics
    /// When the system has no socket for it; that is no failure of the program.
    #[must_use]
    pub fn reserve(&self) -> Reserved {
        self.reserve_at(Ipv4Addr::LOCALHOST.into())
    }

    /// As [`reserve`](Self::reserve), at the loopback address `ip`.
    ///
    /// # Panics
    /// When the system has no socket for it; that is no failure of the program.
    #[must_use]
    pub fn reserve_at(&self, ip: IpAddr) -> Reserved {
        Reserved::bind(self.0.clone(), ip)
            .unwrap_or_else(|error| panic!("no address for the test: {error}"))
    }

    /// From now on a port that did not answer ([`filtered`](Self::filtered)) does: the test listens
    /// there. A client whose handshake was dropped is heard when its system tries again, which on
    /// most takes a second.
    ///
    /// # Panics
    /// When there is no such port, or the system does not let it go; that is no failure of the
    /// program.
    #[must_use]
    pub fn lift(&self, filtered: SocketAddr) -> Host {
        let mut state = self.0.state();
        let place = state.filtered.iter().position(|port| port.address() == filtered);
        let place = place.unwrap_or_else(|| panic!("no port {filtered} that does not answer"));
        let port = state.filtered.swap_remove(place);
        drop(state);
        self.step(format!("{filtered} answers from now on"));
        let host = port.lift().and_then(|listener| Host::of(self.0.clone(), listener));
        host.unwrap_or_else(|error| panic!("{filtered} still does not answer: {error}"))
    }
}
