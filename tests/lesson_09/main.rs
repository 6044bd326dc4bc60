//! Lesson 9's exercises, graded over the wire. Each test is a check of its exercise's file.

mod dual;
mod eyeballs;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// Long enough that a program which says or does too much has done so; a correct one is silent,
/// however slow the machine.
const A_MOMENT: Duration = Duration::from_millis(100);

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
