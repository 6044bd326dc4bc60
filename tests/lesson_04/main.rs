//! Lesson 4's exercises, graded over the wire. Each test is a check of its exercise's file.

mod reply;
mod retry;
mod room;

use std::collections::BTreeMap;
use std::time::Duration;

use graded::Case;
use netlab::conditions::{Conditions, Path};
use netlab::faults::{DatagramFaults, Fate};

/// Long enough that a program which sends too much has done so; a correct one is silent, however
/// slow the machine.
const A_MOMENT: Duration = Duration::from_millis(100);

/// At fixed distances, a datagram is lost, comes twice, or is overtaken by the next one.
fn bad_network() -> Conditions {
    let faults = DatagramFaults { lose: 0.25, duplicate: 0.2, reorder: 0.2, ..Default::default() };
    // The seed is the case's.
    Conditions::both_ways(0, Path { datagrams: faults, ..Default::default() })
}

/// What happens to single datagrams, counted from 0, and nothing else.
fn exactly<const N: usize>(fates: [(u64, Fate); N]) -> Path {
    let exactly = BTreeMap::from(fates);
    Path { datagrams: DatagramFaults { exactly, ..Default::default() }, ..Default::default() }
}

/// Expects that wrong arguments are refused: exit code 2, and something that says why.
fn expect_refused(case: &Case, arguments: &[&str]) {
    let output = case.run(arguments, "");
    case.expect_equal("its exit code", "2", &output.code.map_or(String::new(), |c| c.to_string()));
    case.expect_equal("nothing on standard output", "", &output.stdout);
    case.expect_equal("some words on standard error", "yes", yes_or_no(!output.stderr.is_empty()));
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}
