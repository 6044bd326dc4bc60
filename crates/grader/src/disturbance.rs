//! When a case is judged again, because the machine held its test up: the whole rule.
//!
//! *Patience* is kept in [punctual time](crate::punctuality), so a wait is no longer for a pause, and a
//! busy machine makes every wait longer. *Silence* lasts, in punctual time, for as long as the test
//! says, and what is heard later than that by the clock on the wall is not held against the program.
//! What remains are programs with time limits of their own, which run on while the test stands still.
//! A case is **disturbed** if
//!
//! - its test stood still for [`BEARABLE`] or longer at one time, or
//! - the test had told the program a time limit, and would have acted within it had it not stood
//!   still ([`missed`]),
//!
//! and then its verdict means nothing, unless it is a pass: what a test has seen it has seen. Only a
//! pass for which the test had to be on the watch means nothing, too: something came after a silence in
//! which the test stood still ([`audible`]), and nobody knows when that was sent; or a program ended that had to end,
//! but perhaps because the test stood still.
//!
//! The grader [weighs](weigh) a disturbed case. If the submission itself used the processors, or
//! stopped its test, the verdict stands, and the report says what speaks for it: nobody may choose
//! not to be graded. Else the case is run again, without a word, at most [`TRIES`] times in all. If the
//! last try was disturbed, too, the case is a grader error.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::punctuality::{Standstill, Stopwatch};

/// A test that stands still for less than this at one time misses nothing: no program gives up earlier,
/// whether it was told a time limit or has one of its own. (On a machine on which thirty programs want
/// each processor, a test stands still for half of it.)
pub const BEARABLE: Duration = Duration::from_secs(1);
/// A test that stands still for less than this in a silence has heard everything that was said in
/// it.
const AUDIBLE: Duration = Duration::from_millis(250);
/// How often a case that is disturbed each time is run.
pub const TRIES: u32 = 3;

/// What kept a test from acting in time. All times are in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Disturbance {
    /// In words.
    pub what: String,
    /// For how long the test stood still.
    pub stood: f64,
    /// For how much of that it waited for a processor.
    pub queued: f64,
    /// The processor time that the submission used in the case.
    pub own_processor: f64,
    /// The processor time that everybody on this machine used meanwhile.
    pub all_processors: f64,
}

impl Disturbance {
    /// From what the test knows.
    #[must_use]
    pub fn new(what: String, Standstill { length, queued }: Standstill) -> Self {
        let (stood, queued) = (length.as_secs_f64(), queued.as_secs_f64());
        Self { what, stood, queued, own_processor: 0.0, all_processors: 0.0 }
    }
}

/// For how long a test may stand still in a silence that is to last for `time`, and still know that
/// nobody has spoken in it.
#[must_use]
pub fn audible(time: Duration) -> Duration {
    time.max(AUDIBLE).min(BEARABLE)
}

/// Whether a test had to act within `limit` of the start of `watch`, and has missed that only
/// because it stood still.
#[must_use]
pub fn missed(limit: Duration, watch: &Stopwatch) -> bool {
    // A part of the limit is the program's own, to notice what came.
    let mine = limit * 3 / 4;
    watch.wall() > mine && watch.punctual() <= mine
}

/// What a disturbance means for a verdict.
#[derive(Clone, Debug, PartialEq)]
pub enum Weight {
    /// The case has to be run again.
    Again,
    /// The verdict stands, for this reason.
    Stands(String),
}

/// Weighs a disturbance, while the grader itself was [stopped](Standstill::stopped) for `grader` in all.
/// That it waited for a processor says nothing about who stopped the test.
#[must_use]
pub fn weigh(disturbance: &Disturbance, grader: Duration) -> Weight {
    let Disturbance { what, stood, queued, own_processor, all_processors } = disturbance;
    if *queued >= stood / 2.0 {
        // Somebody used the processors.
        if *own_processor > all_processors / 2.0 {
            return Weight::Stands(format!(
                "{what}, as your program has used {own_processor:.1} s of the {all_processors:.1} s \
                 of processor time that were used meanwhile: the verdict stands"
            ));
        }
    } else if grader.as_secs_f64() < stood / 2.0 {
        // Somebody stopped the test; a pause of the machine stops us, too.
        return Weight::Stands(format!(
            "{what}, while the grader was not stopped: nothing but the test was stopped, so the verdict \
             stands"
        ));
    }
    Weight::Again
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test stood still for eight seconds, and waited in the queue for so long of them.
    fn disturbance(queued: f64, own_processor: f64) -> Disturbance {
        let what = "the test stood still for 8.0 s".to_owned();
        Disturbance { what, stood: 8.0, queued, own_processor, all_processors: 10.0 }
    }

    fn stands(disturbance: &Disturbance, grader: u64) -> bool {
        matches!(weigh(disturbance, Duration::from_secs(grader)), Weight::Stands(_))
    }

    #[test]
    fn a_machine_that_was_paused_or_busy_with_others_decides_nothing() {
        assert!(!stands(&disturbance(0.0, 0.0), 8));
        assert!(!stands(&disturbance(7.0, 1.0), 0));
    }

    #[test]
    fn a_submission_that_uses_the_processors_or_stops_its_test_chooses_nothing() {
        assert!(stands(&disturbance(7.0, 9.0), 8));
        assert!(stands(&disturbance(0.0, 0.0), 0));
        let Weight::Stands(why) = weigh(&disturbance(7.0, 9.0), Duration::ZERO) else {
            panic!("it does not stand")
        };
        assert!(why.contains("9.0 s of the 10.0 s"), "{why}");
    }

    #[test]
    fn a_limit_is_missed_only_by_standing_still() {
        let watch = Stopwatch::start();
        assert!(!missed(Duration::from_secs(60), &watch));
        std::thread::sleep(Duration::from_millis(20));
        // However late this very test is: it would not have been within nothing.
        assert!(!missed(Duration::ZERO, &watch));
    }
}
