//! What the book's address explorer says of an address or a network: [`explain`].
//!
//! It is netbasics itself that answers, compiled to WebAssembly; the page only shows it. The page
//! needs no bundler and no glue: it hands over the text byte by byte, asks, and takes the answer
//! byte by byte, through the three functions of [`page`].

pub mod page;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use netbasics::values::address::{
    Class, SpecialBlock, parse_ip, parse_net, special_block, special_block_of_net,
};

/// Into how many bits more a network is split at most: four parts are read at a glance.
const SPLIT_BITS: u8 = 2;

/// Everything there is to say of `input`, an address or `ADDRESS/PREFIX`: a line for each fact, its
/// key and its value with a tab between them. What is no address is a single line with the key `error`.
///
/// ```
/// assert!(explorer::explain("127.0.0.1").contains("class\tA\n"));
/// assert!(explorer::explain("1.2.3").starts_with("error\t"));
/// ```
#[must_use]
pub fn explain(input: &str) -> String {
    let facts = match facts(input.trim()) {
        Ok(facts) => facts,
        Err(error) => vec![("error", error)],
    };
    let lines = facts.into_iter().map(|(key, value)| [key, "\t", &value, "\n"].concat());
    lines.collect()
}

type Facts = Vec<(&'static str, String)>;

fn facts(input: &str) -> Result<Facts, String> {
    if input.contains('/') {
        let net = parse_net(input).map_err(|error| error.to_string())?;
        let mut facts = of_address(net.addr());
        facts.extend(purpose(special_block_of_net(net)));
        facts.extend(of_network(net));
        return Ok(facts);
    }
    let address = parse_ip(input).map_err(|error| error.to_string())?;
    let mut facts = of_address(address);
    facts.extend(purpose(special_block(address)));
    Ok(facts)
}

fn of_address(address: IpAddr) -> Facts {
    match address {
        IpAddr::V4(address) => of_v4(address),
        IpAddr::V6(address) => of_v6(address),
    }
}

fn of_v4(address: Ipv4Addr) -> Facts {
    let class = Class::of(address);
    let mut facts = vec![
        ("address", address.to_string()),
        ("bits", address.octets().map(|octet| format!("{octet:08b}")).join(" ")),
        ("class", format!("{class:?}")),
        ("class-begins", class.first_bits().to_owned()),
    ];
    facts.extend(class.network_bits().map(|bits| ("class-network", format!("/{bits}"))));
    facts
}

fn of_v6(address: Ipv6Addr) -> Facts {
    let groups = address.segments().map(|group| format!("{group:04x}")).join(":");
    let bits = address.segments().map(|group| format!("{group:016b}")).join(" ");
    vec![("address", address.to_string()), ("groups", groups), ("bits", bits)]
}

fn purpose(block: Option<&SpecialBlock>) -> Facts {
    let Some(block) = block else { return vec![("purpose", "none".to_owned())] };
    vec![
        ("purpose", block.special.name().to_owned()),
        ("purpose-name", block.name.to_owned()),
        ("purpose-block", block.net.to_string()),
        ("purpose-source", block.source.to_owned()),
    ]
}

fn of_network(net: IpNet) -> Facts {
    let mut facts = match net {
        IpNet::V4(net) => of_network_v4(net),
        IpNet::V6(net) => of_network_v6(net),
    };
    let finer = (net.prefix_len() + SPLIT_BITS).min(net.max_prefix_len());
    if finer > net.prefix_len()
        && let Ok(parts) = net.trunc().subnets(finer)
    {
        facts.extend(parts.map(|part| ("split", part.to_string())));
    }
    facts
}

fn of_network_v4(net: Ipv4Net) -> Facts {
    let host = Ipv4Addr::from(net.addr().to_bits() & net.hostmask().to_bits());
    let mut facts = vec![
        ("network", net.trunc().to_string()),
        ("host", host.to_string()),
        ("mask", net.netmask().to_string()),
    ];
    let addresses = 1_u64 << (32 - net.prefix_len());
    // A link between two routers (/31, RFC 3021) and a single address have no broadcast address.
    if addresses > 2 {
        facts.push(("broadcast", net.broadcast().to_string()));
    }
    let mut hosts = net.trunc().hosts();
    facts.extend(hosts.next().map(|first| ("first-host", first.to_string())));
    facts.extend(hosts.next_back().map(|last| ("last-host", last.to_string())));
    facts.push(("hosts", if addresses > 2 { addresses - 2 } else { addresses }.to_string()));
    facts
}

fn of_network_v6(net: Ipv6Net) -> Facts {
    let host = Ipv6Addr::from(net.addr().to_bits() & net.hostmask().to_bits());
    vec![
        ("network", net.trunc().to_string()),
        ("host", host.to_string()),
        ("last", net.broadcast().to_string()),
        ("addresses", format!("2^{}", 128 - net.prefix_len())),
    ]
}
