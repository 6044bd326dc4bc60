//! Whether this process itself is on time: a heartbeat on a thread of its own.
//!
//! A test that was not running could not send, and did not hear what came: a laptop slept, a
//! container was paused, twenty other programs wanted the processors. So a thread sleeps for a
//! moment again and again, and notes how much later than that it was woken. Limits are then kept in
//! *punctual time*, which stands still as long as this process does: a [`Stopwatch`] tells both
//! times. What follows for a verdict is the matter of [`crate::disturbance`].
//!
//! On Linux the thread also knows why it was late: how long it has waited for a processor
//! (its `schedstat`; proc(5)). The rest of the time somebody had stopped it.

mod processors;

#[cfg(target_os = "linux")]
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub use processors::{ProcessorTime, queued};

/// How long the heart rests between two beats.
const BEAT: Duration = Duration::from_millis(5);
/// A beat that comes this long after the one before is on time. (Some clocks tick only every 16 ms.)
const ON_TIME: Duration = Duration::from_millis(20);

/// A limit lasts at most this many times as long as it says, and one long pause.
const MOST_STRETCH: u32 = 20;
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Begins to watch. Everything here does so by itself; calling this early costs less later.
pub fn watch() {
    let _ = beats();
}

/// Tells how long something has taken, with and without the time in which this process was late.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    began: Instant,
    /// How late this process had been in all when it began.
    late_before: Duration,
}

impl Stopwatch {
    /// Starts now.
    #[must_use]
    pub fn start() -> Self {
        let began = Instant::now();
        Self { began, late_before: beats().map_or(Duration::ZERO, |beats| beats.late(began)) }
    }

    /// The time since then by the clock on the wall.
    #[must_use]
    pub fn wall(&self) -> Duration {
        self.began.elapsed()
    }

    /// The time since then in which this process was on time.
    #[must_use]
    pub fn punctual(&self) -> Duration {
        let now = Instant::now();
        let late = beats().map_or(Duration::ZERO, |beats| beats.late(now));
        (now - self.began).saturating_sub(late.saturating_sub(self.late_before))
    }

    /// The longest time since then for which this process stood still.
    #[must_use]
    pub fn longest_standstill(&self) -> Standstill {
        let standstills = self.standstills().into_iter();
        standstills.max_by_key(|standstill| standstill.length).unwrap_or_default()
    }

    /// All times since then for which this process stood still, taken together.
    #[must_use]
    pub fn standstill(&self) -> Standstill {
        let add = |a: Standstill, b: Standstill| Standstill {
            length: a.length + b.length,
            queued: a.queued + b.queued,
        };
        self.standstills().into_iter().fold(Standstill::default(), add)
    }

    fn standstills(&self) -> Vec<Standstill> {
        let now = Instant::now();
        beats().map_or_else(Vec::new, |beats| beats.standstills(self.began, now))
    }
}

/// A time limit, kept in punctual time. As a process that is hardly ever on time must end, too, it is
/// over by the clock on the wall after twenty times as long and a minute.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    watch: Stopwatch,
    time: Duration,
}

impl Limit {
    /// Begins now.
    #[must_use]
    pub fn begin(time: Duration) -> Self {
        Self { watch: Stopwatch::start(), time }
    }

    /// How much of it is left; `None` when it is over.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        let by_the_wall = self.time * MOST_STRETCH + LONGEST_PAUSE;
        let by_the_wall = by_the_wall.checked_sub(self.watch.wall())?;
        let left = self.time.checked_sub(self.watch.punctual())?.min(by_the_wall);
        (!left.is_zero()).then_some(left)
    }

    /// How long it has lasted so far.
    #[must_use]
    pub fn watch(&self) -> &Stopwatch {
        &self.watch
    }
}

/// A time for which this process stood still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standstill {
    /// How long it was.
    pub length: Duration,
    /// For how much of it the process was ready to run and waited for a processor. Nothing where
    /// the system does not tell.
    pub queued: Duration,
}

impl Standstill {
    /// For how much of it the process was not even ready to run: somebody had stopped it.
    #[must_use]
    pub fn stopped(&self) -> Duration {
        self.length.saturating_sub(self.queued)
    }
}

/// What the heart has noticed so far.
#[derive(Debug)]
struct Beats {
    last: Instant,
    /// How late all beats were, taken together.
    late: Duration,
    /// Each standstill, and when it ended.
    standstills: Vec<(Instant, Standstill)>,
}

impl Beats {
    fn new(now: Instant) -> Self {
        Self { last: now, late: Duration::ZERO, standstills: Vec::new() }
    }

    /// The heart beats now. Since the last time its thread has been `queued` for so long.
    fn beat(&mut self, now: Instant, queued: Duration) {
        let late = self.late_since_last(now);
        if !late.is_zero() {
            self.late += late;
            let length = now - self.last;
            self.standstills.push((now, Standstill { length, queued: queued.min(length) }));
        }
        self.last = now;
    }

    /// How late this process was up to `now`, the standstill from which it just wakes included.
    fn late(&self, now: Instant) -> Duration {
        self.late + self.late_since_last(now)
    }

    fn late_since_last(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last).saturating_sub(ON_TIME)
    }

    /// What of the standstills lies between `began` and `now`.
    fn standstills(&self, began: Instant, now: Instant) -> Vec<Standstill> {
        let ended = self.standstills.iter().rev().take_while(|(end, _)| *end > began);
        let mut found: Vec<Standstill> = ended
            .map(|&(end, Standstill { length, queued })| {
                let length = length.min(end - began);
                Standstill { length, queued: queued.min(length) }
            })
            .collect();
        let length = now.saturating_duration_since(self.last.max(began));
        if length > ON_TIME {
            found.push(Standstill { length, queued: Duration::ZERO });
        }
        found
    }
}

/// `None` when the system has no thread for it: then this process counts as on time.
fn beats() -> Option<MutexGuard<'static, Beats>> {
    static BEATS: OnceLock<Option<Mutex<Beats>>> = OnceLock::new();
    let beats = BEATS.get_or_init(|| {
        let heart = thread::Builder::new().name("heartbeat".to_owned()).spawn(|| {
            let queue = Queue::of_this_thread();
            let mut queued_before = queue.time();
            loop {
                thread::sleep(BEAT);
                let queued = queue.time();
                if let Some(mut beats) = beats() {
                    beats.beat(Instant::now(), queued.saturating_sub(queued_before));
                }
                queued_before = queued;
            }
        });
        heart.is_ok().then(|| Mutex::new(Beats::new(Instant::now())))
    });
    beats.as_ref().map(|beats| beats.lock().unwrap_or_else(PoisonError::into_inner))
}

/// How long a thread that could run has waited for a processor so far: the second number of its
/// `schedstat`, in nanoseconds (proc(5)). The file stays open, as opening it takes longer than the rest.
///
/// The thread is named as `/proc/TID`, not below its process: a process that ends while the kernel
/// remembers one of its threads as `/proc/PID/task/TID` is collected in milliseconds instead of
/// microseconds (seen with Linux 6.18), and a class is graded in a hundred thousand processes.
#[cfg(target_os = "linux")]
struct Queue(Option<std::fs::File>);

#[cfg(target_os = "linux")]
impl Queue {
    fn of_this_thread() -> Self {
        let open = || {
            // `PID/task/TID`
            let this_thread = std::fs::read_link("/proc/thread-self").ok()?;
            let folder = std::path::Path::new("/proc").join(this_thread.file_name()?);
            std::fs::File::open(folder.join("schedstat")).ok()
        };
        Self(open())
    }

    fn time(&self) -> Duration {
        let mut text = [0; 64];
        let length = self.0.as_ref().and_then(|file| file.read_at(&mut text, 0).ok());
        let text = str::from_utf8(&text[..length.unwrap_or(0)]).unwrap_or_default();
        let nanoseconds = text.split_whitespace().nth(1).and_then(|number| number.parse().ok());
        Duration::from_nanos(nanoseconds.unwrap_or(0))
    }
}

/// Other systems do not tell: it is always nothing.
#[cfg(not(target_os = "linux"))]
struct Queue(Duration);

#[cfg(not(target_os = "linux"))]
impl Queue {
    fn of_this_thread() -> Self {
        Self(Duration::ZERO)
    }

    fn time(&self) -> Duration {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn beats_that_are_on_time_are_not_late() {
        let start = Instant::now();
        let mut beats = Beats::new(start);
        for number in 1..100 {
            beats.beat(start + number * ON_TIME, Duration::ZERO);
        }
        let end = start + 99 * ON_TIME;
        assert_eq!(beats.late(end), Duration::ZERO);
        assert_eq!(beats.standstills(start, end), []);
    }

    #[test]
    fn a_standstill_is_late_by_all_of_its_length_but_a_moment() {
        let start = Instant::now();
        let mut beats = Beats::new(start);
        // A thread that wakes before the heart does knows it, too.
        assert_eq!(beats.late(start + 8 * SECOND) + ON_TIME, 8 * SECOND);
        assert_eq!(beats.standstills(start, start + 8 * SECOND)[0].length, 8 * SECOND);
        beats.beat(start + 8 * SECOND, SECOND);
        assert_eq!(beats.late(start + 8 * SECOND) + ON_TIME, 8 * SECOND);
        let standstill = Standstill { length: 8 * SECOND, queued: SECOND };
        assert_eq!(beats.standstills(start, start + 8 * SECOND), [standstill]);
    }

    #[test]
    fn what_was_before_does_not_count() {
        let start = Instant::now();
        let mut beats = Beats::new(start);
        beats.beat(start + SECOND, Duration::ZERO);
        let later = start + SECOND + BEAT;
        assert_eq!(beats.standstills(later, later + BEAT), []);
    }

    #[test]
    fn punctual_time_is_never_more_than_the_time_on_the_wall() {
        let stopwatch = Stopwatch::start();
        thread::sleep(10 * BEAT);
        let punctual = stopwatch.punctual();
        assert!(!punctual.is_zero() && punctual <= stopwatch.wall());
    }

    /// More threads than processors, each with work to do: this one has to wait.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_that_waits_for_a_processor_is_queued() {
        let processors = thread::available_parallelism().unwrap().get();
        let until = Instant::now() + 20 * SECOND;
        let waited = std::sync::atomic::AtomicBool::new(false);
        let spin = || {
            let queue = Queue::of_this_thread();
            let before = queue.time();
            while !waited.load(std::sync::atomic::Ordering::SeqCst) && Instant::now() < until {
                if queue.time() > before {
                    waited.store(true, std::sync::atomic::Ordering::SeqCst);
                }
            }
        };
        thread::scope(|threads| {
            for _ in 0..=processors {
                threads.spawn(spin);
            }
        });
        assert!(waited.into_inner());
    }
}
