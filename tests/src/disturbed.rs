//! What the machine has done to the test of one case: the test's side of `grader::disturbance`, which
//! says the rule.

use std::env;
use std::time::Duration;

use grader::disturbance::{BEARABLE, Disturbance, audible, missed};
use grader::protocol::{self, Verdict};
use grader::punctuality::{ProcessorTime, Standstill, Stopwatch};

/// What has held the test up so far.
#[derive(Debug)]
pub struct Held {
    case: Stopwatch,
    used_before: Option<ProcessorTime>,
    /// The program's own time limit, and when its time began.
    timer: Option<(Duration, Stopwatch)>,
    /// The first time limit that was missed.
    missed: Option<(Duration, Standstill)>,
    /// A standstill in which the program may have done in time what it has to, or must not, do.
    unheard: Option<Standstill>,
}

impl Held {
    pub fn begin() -> Self {
        // Without a grader there is nobody to weigh it.
        let is_graded = env::var_os(protocol::OUTCOME).is_some();
        Self {
            case: Stopwatch::start(),
            // A graded case has a process of its own, and begins with it.
            used_before: is_graded.then(ProcessorTime::before_any_child),
            timer: None,
            missed: None,
            unheard: None,
        }
    }

    pub fn is_timed(&self) -> bool {
        self.timer.is_some()
    }

    pub fn begin_timer(&mut self, limit: Duration) {
        self.timer = Some((limit, Stopwatch::start()));
    }

    pub fn renew_timer(&mut self, decides: bool) {
        self.look_at_the_timer();
        if let Some((limit, watch)) = &mut self.timer {
            if decides && missed(*limit, watch) {
                self.unheard.get_or_insert(watch.standstill());
            }
            *watch = Stopwatch::start();
        }
    }

    pub fn end_timer(&mut self) {
        self.look_at_the_timer();
        self.timer = None;
    }

    pub fn could_not_hear(&mut self, silence: &Stopwatch, time: Duration) {
        let standstill = silence.longest_standstill();
        if standstill.length >= audible(time) {
            self.unheard.get_or_insert(standstill);
        }
    }

    fn look_at_the_timer(&mut self) {
        if let Some((limit, watch)) = &self.timer
            && missed(*limit, watch)
        {
            self.missed.get_or_insert((*limit, watch.standstill()));
        }
    }

    /// Why `verdict` means nothing, if that is so.
    pub fn disturbance(&mut self, verdict: Verdict) -> Option<Disturbance> {
        self.look_at_the_timer();
        let (what, standstill) =
            if verdict == Verdict::Pass { self.of_a_pass() } else { self.of_a_failure() }?;
        let mut disturbance = Disturbance::new(what, standstill);
        let used = self.used_before.map(ProcessorTime::since).unwrap_or_default();
        disturbance.own_processor = used.children.as_secs_f64();
        disturbance.all_processors = used.everybody.as_secs_f64();
        Some(disturbance)
    }

    fn of_a_pass(&self) -> Option<(String, Standstill)> {
        let standstill = self.unheard?;
        let what =
            format!("the test stood still for {:.1?} while it had to watch", standstill.length);
        Some((what, standstill))
    }

    fn of_a_failure(&self) -> Option<(String, Standstill)> {
        let longest = self.case.longest_standstill();
        if longest.length >= BEARABLE {
            return Some((format!("the test stood still for {:.1?}", longest.length), longest));
        }
        let (limit, standstill) = self.missed?;
        let what = format!(
            "the test stood still for {:.1?} in all where your program was told to wait for {limit:?}",
            standstill.length
        );
        Some((what, standstill))
    }

    /// For a failure of a plain `cargo test`, which nobody runs again.
    pub fn excuse(&mut self) -> String {
        let disturbance = self.disturbance(Verdict::Fail);
        disturbance.map_or_else(String::new, |Disturbance { what, .. }| {
            format!("\nthis machine was paused or too busy: {what}; run the test again\n")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_was_on_time_was_not_disturbed() {
        let mut held = Held::begin();
        held.begin_timer(Duration::from_secs(60));
        held.renew_timer(true);
        held.could_not_hear(&Stopwatch::start(), Duration::ZERO);
        held.end_timer();
        assert_eq!(held.disturbance(Verdict::Fail), None);
        assert_eq!(held.disturbance(Verdict::Pass), None);
        assert_eq!(held.excuse(), "");
    }

    #[test]
    fn a_missed_limit_disturbs_a_failure_and_no_pass() {
        let standstill = Standstill { length: Duration::from_millis(900), queued: Duration::ZERO };
        let missed = Some((Duration::from_secs(1), standstill));
        let mut held = Held { missed, ..Held::begin() };
        let what = held.disturbance(Verdict::Fail).map(|it| it.what).unwrap_or_default();
        assert!(what.contains("900.0ms in all") && what.contains("wait for 1s"), "{what}");
        assert!(held.excuse().contains("paused or too busy"));
        assert_eq!(held.disturbance(Verdict::Pass), None);
    }

    #[test]
    fn what_came_after_a_standstill_in_a_silence_disturbs_a_pass() {
        let standstill = Standstill { length: 8 * BEARABLE, queued: Duration::ZERO };
        let mut held = Held { unheard: Some(standstill), ..Held::begin() };
        let disturbance = held.disturbance(Verdict::Pass).map(|it| it.stood);
        assert_eq!(disturbance, Some((8 * BEARABLE).as_secs_f64()));
    }
}
