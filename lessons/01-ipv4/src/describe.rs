//! From a text to what can be said about it.

use std::fmt;
use std::net::IpAddr;

use netbasics::values::address::{parse_ip, parse_net};
use netbasics::values::port::{Endpoint, Host};
use serde::Serialize;

use crate::facts::{AddressFacts, PortFacts, SpecialFacts};
use crate::network::NetworkFacts;

/// Everything there is to say about one input.
///
/// `Display` is the line for people; serialized it is the JSON object, where what does not apply
/// is left out.
#[derive(Serialize)]
pub struct Description {
    input: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(flatten)]
    address: Option<AddressFacts>,
    #[serde(flatten)]
    network: Option<NetworkFacts>,
    #[serde(flatten)]
    special: Option<SpecialFacts>,
    #[serde(flatten)]
    port: Option<PortFacts>,
}

/// Describes an address, a network or an endpoint; its punctuation tells which of them is meant.
///
/// A slash makes it a network, a bracket or a single colon an endpoint (an IPv6 address has two
/// colons at least), and everything else is an address.
pub fn describe(input: &str) -> anyhow::Result<Description> {
    if input.contains('/') {
        describe_network(input)
    } else if input.starts_with('[') || input.matches(':').count() == 1 {
        describe_endpoint(input)
    } else {
        Ok(describe_address(input, parse_ip(input)?))
    }
}

fn describe_network(input: &str) -> anyhow::Result<Description> {
    let net = parse_net(input)?;
    Ok(Description {
        input: input.to_owned(),
        name: None,
        address: Some(AddressFacts::of_network(net)),
        network: Some(NetworkFacts::of(net)),
        special: SpecialFacts::of_network(net),
        port: None,
    })
}

fn describe_address(input: &str, address: IpAddr) -> Description {
    Description {
        input: input.to_owned(),
        name: None,
        address: Some(AddressFacts::of(address)),
        network: NetworkFacts::by_class(address),
        special: SpecialFacts::of(address),
        port: None,
    }
}

fn describe_endpoint(input: &str) -> anyhow::Result<Description> {
    let Endpoint { host, port } = input.parse()?;
    let description = match host {
        Host::V4(address) => describe_address(input, IpAddr::V4(address)),
        Host::V6(address) | Host::V6Zone(address, _) => {
            describe_address(input, IpAddr::V6(address))
        }
        Host::Name(name) => Description {
            input: input.to_owned(),
            name: Some(name),
            address: None,
            network: None,
            special: None,
            port: None,
        },
    };
    Ok(Description { port: Some(PortFacts::of(port)), ..description })
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.input)?;
        if let Some(name) = &self.name {
            write!(f, "the name {name}, not looked up")?;
        }
        if let Some(address) = &self.address {
            write!(f, "{address}")?;
            if let Some(network) = &self.network {
                write!(f, ", {network}")?;
            }
            match &self.special {
                Some(special) => write!(f, ", {special}")?,
                None => write!(f, ", no special purpose")?,
            }
        }
        if let Some(port) = &self.port {
            write!(f, ", {port}")?;
        }
        Ok(())
    }
}
