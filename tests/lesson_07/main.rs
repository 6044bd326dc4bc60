//! Lesson 7's exercises, graded over the wire. Each test is a check of its exercise's file.

mod gossip;
mod single;

use std::time::Duration;

/// Long enough that a node which says or does too much has done so; a correct one is silent, however
/// slow the machine.
const A_MOMENT: Duration = Duration::from_millis(100);
