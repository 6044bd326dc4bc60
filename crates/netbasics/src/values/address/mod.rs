//! What an address *means*: no sockets and no system calls, so this also runs where there is no
//! network.
//!
//! - [`Class`]: the five classes of IPv4, A to E. They are history since CIDR (RFC 1519 of 1993,
//!   now RFC 4632): today a network is written with its prefix length, `192.0.2.0/24`, and may
//!   begin and end where it likes. The words live on in books, in default masks, and in the
//!   multicast block, which is still class D.
//! - [`Special`] and [`SpecialBlock`]: the blocks that were set aside for a purpose: loopback,
//!   private, documentation, multicast … for IPv4 and IPv6, as the IANA registries list them.
//! - [`parse_v4`], [`parse_v6`], [`parse_ip`], [`parse_net`]: they accept exactly what the
//!   standard library accepts, but their [`AddressError`] says which octet or which character is
//!   wrong, and why. [`parse_v6_zoned`] takes `fe80::1%eth0`, too.

mod class;
mod parse;
mod purpose;
mod registry;
mod special;

pub use class::Class;
pub use parse::{
    AddressError, AddressProblem, parse_ip, parse_net, parse_v4, parse_v6, parse_v6_zoned,
};
pub(crate) use parse::{position_of, printable, scan_v4, scan_zoned};
pub use purpose::{Special, SpecialBlock};
pub use registry::{IPV4_BLOCKS, IPV6_BLOCKS};
pub use special::{LOOPBACK_V4, special_block, special_block_of_net};
