//! How long a program may take for a step: a multiple of what the reference solution needs.
//!
//! What that is was measured once, for every case, and lies beside each lesson as `waits.toml`, so
//! that a machine that grades needs no reference solution. The file also says how long a fixed piece
//! of work took on the machine that measured: a process is started, bytes go to and fro over
//! loopback, and some are hashed. While a case is waited for, the [`Calibrator`] does that piece of
//! work again and again. A machine on which it takes three times as long, because it is slow or just
//! busy, gives every program three times as long, too.
//!
//! The file is generated (`cargo xtask grade --waits write`) and compared in CI (`--waits check`) by a
//! rule that two machines can agree on: [`Waits::differences`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Problem;
use crate::disturbance::BEARABLE;
use crate::process::{self, Bounds, Cancel};
use crate::punctuality::{Standstill, Stopwatch};
use course::Lesson;

/// The file's name, in the lesson's folder.
const FILE: &str = "waits.toml";
/// A submission may take this many times as long as the reference solution did.
const FACTOR: f64 = 20.0;
/// However slow the machine: a program that hangs is called so after this time for one step.
const MOST_PATIENCE: Duration = Duration::from_secs(60);
/// The whole of a case may last as long as this many waits that each take all of their time.
const WAITS: u32 = 12;
/// What a case is taken to need that has never been measured.
const UNKNOWN: Need = Need { wait: LEAST, whole: 1.0 };
/// What every case is taken to need at least, in seconds, so that the file changes seldom.
const LEAST: f64 = 0.05;

/// How often the calibrator works while a case is waited for.
const CALIBRATION_PAUSE: Duration = Duration::from_secs(1);
/// How long one piece of work may take before it is given up, and counts as that long.
const CALIBRATION_LIMIT: Duration = Duration::from_secs(10);
/// How often bytes go to and fro in a piece of work.
const ROUND_TRIPS: usize = 50;
/// How many bytes are hashed in it.
const HASHED_BYTES: usize = 256 * 1024;

/// What two measurements of one wait may differ by before one of them is wrong, as a factor.
const TOLERANCE: f64 = 4.0;
/// Waits shorter than this (in seconds) are the scheduler's affair: any two of them are the same.
const SHORT: f64 = 0.1;

/// How long the program may take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// For each single step that the test waits for.
    pub patience: Duration,
    /// For the whole case. Every wait inside of it has the shorter limit, so this is for the case
    /// that those fail, too.
    pub whole: Duration,
}

impl Limits {
    /// Those of a patience.
    #[must_use]
    pub fn of(patience: Duration) -> Self {
        Self { patience, whole: patience * WAITS }
    }
}

/// What the reference solution needs in one case, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// For its longest single wait.
    pub wait: f64,
    /// For the whole case.
    pub whole: f64,
}

/// The needs of all cases of a lesson.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waits {
    /// How long the calibrator's piece of work took meanwhile, in seconds.
    calibration: f64,
    /// By exercise, and then by case.
    #[serde(default)]
    exercise: BTreeMap<String, BTreeMap<String, Need>>,
}

impl Waits {
    /// The committed ones of a lesson; empty if it has none.
    ///
    /// # Errors
    /// A sentence that names the file, when it cannot be read or understood.
    pub fn of(lesson: &Lesson) -> Result<Self, Problem> {
        let file = file(lesson);
        match fs::read_to_string(&file) {
            Ok(text) => Ok(toml::from_str(&text).map_err(|e| format!("{}: {e}", file.display()))?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("cannot read {}: {error}", file.display()).into()),
        }
    }

    /// Notes how long the piece of work has taken; the shortest time counts.
    pub fn calibrate(&mut self, calibration: Duration) {
        let calibration = calibration.as_secs_f64();
        let is_first = self.calibration == 0.0;
        self.calibration = if is_first { calibration } else { self.calibration.min(calibration) };
    }

    /// Notes what a case needs.
    pub fn note(&mut self, exercise: &str, case: &str, need: Need) {
        self.exercise.entry(exercise.to_owned()).or_default().insert(case.to_owned(), need);
    }

    /// How long a program may take for this case, if it may take `first` in any case, on a machine
    /// on which a piece of work takes `calibration`.
    #[must_use]
    pub fn limits(
        &self,
        (exercise, case): (&str, &str),
        first: Duration,
        calibration: Duration,
    ) -> Limits {
        let Need { wait, whole } = self.need(exercise, case).unwrap_or(UNKNOWN);
        let factor = FACTOR * self.slowness(calibration);
        let times = |time: f64| Duration::try_from_secs_f64(time * factor).unwrap_or(MOST_PATIENCE);
        let patience = times(wait).clamp(first, first.max(MOST_PATIENCE));
        // All that it needs, and one wait that takes all of its time.
        let whole = times(whole).min(MOST_PATIENCE * WAITS) + patience;
        Limits { patience, whole: whole.max(Limits::of(first).whole) }
    }

    fn need(&self, exercise: &str, case: &str) -> Option<Need> {
        self.exercise.get(exercise)?.get(case).copied()
    }

    /// How many times as slow this machine is now; a fast one is no reason to hurry.
    fn slowness(&self, calibration: Duration) -> f64 {
        let slowness = calibration.as_secs_f64() / self.calibration;
        if slowness.is_finite() { slowness.max(1.0) } else { 1.0 }
    }

    /// What does not fit between the committed waits and `measured` ones, in words: a case that only
    /// one of them has, and a wait that is four times as long as committed, although the
    /// machine's own slowness is allowed for, or a committed one twenty times as long as needed.
    /// Waits below a tenth of a second are all the same.
    #[must_use]
    pub fn differences(&self, measured: &Self) -> Vec<String> {
        let slowness =
            self.slowness(Duration::try_from_secs_f64(measured.calibration).unwrap_or_default());
        let (old, new) = (self.names(), measured.names());
        let missing = new.difference(&old).map(|name| format!("{name} is missing"));
        let gone = old.difference(&new).map(|name| format!("{name} is no case any more"));
        let changed = old.intersection(&new).filter_map(|name| {
            let (exercise, case) = name.split_once("::")?;
            let (old, new) = (self.need(exercise, case)?.wait, measured.need(exercise, case)?.wait);
            let is_too_short = new / slowness > old.max(SHORT) * TOLERANCE;
            let is_too_long = old > new.max(SHORT) * FACTOR;
            (is_too_short || is_too_long).then(|| {
                format!("{name} is committed with a wait of {old} s, and now it was {new:.3} s")
            })
        });
        missing.chain(gone).chain(changed).collect()
    }

    /// The cases that it has, `EXERCISE::CASE`.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        let cases = |(exercise, cases): (&String, &BTreeMap<String, Need>)| {
            cases.keys().map(|case| format!("{exercise}::{case}")).collect::<Vec<_>>()
        };
        self.exercise.iter().flat_map(cases).collect()
    }

    /// Writes the file of a lesson. Times are rounded up, so that measuring again changes few lines.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, lesson: &Lesson) -> io::Result<()> {
        crate::report::write_atomically(&file(lesson), &self.text())
    }

    fn text(&self) -> String {
        let mut text = format!(
            "# How long the solutions are waited for in each case, and how long the whole case takes, \
             in seconds.\n# Generated: cargo xtask grade --waits write\n\ncalibration = {}\n",
            rounded_up(self.calibration)
        );
        for (exercise, cases) in &self.exercise {
            let _ = write!(text, "\n[exercise.{exercise}]\n");
            for (case, Need { wait, whole }) in cases {
                let (wait, whole) = (rounded_up(wait.max(LEAST)), rounded_up(whole.max(LEAST)));
                let _ = writeln!(text, "\"{case}\" = {{ wait = {wait}, whole = {whole} }}");
            }
        }
        text
    }
}

fn file(lesson: &Lesson) -> PathBuf {
    lesson.folder.join(FILE)
}

/// The next of 1, 2, 5, 10, 20, 50 … milliseconds, in seconds.
fn rounded_up(seconds: f64) -> f64 {
    let steps = (0..8).flat_map(|place| [1, 2, 5].map(|digit| digit * 10_u32.pow(place)));
    let mut steps = steps.map(|milliseconds| f64::from(milliseconds) / 1000.0);
    steps.find(|step| seconds <= *step).unwrap_or(seconds)
}

/// Measures how slow the machine is by doing a fixed piece of work.
#[derive(Clone, Debug)]
pub struct Calibrator {
    /// The program that is started.
    program: PathBuf,
}

impl Calibrator {
    /// One that starts the graded tests at `program`, which do nothing but list themselves.
    #[must_use]
    pub fn new(program: &Path) -> Self {
        Self { program: program.to_owned() }
    }

    /// How long the piece of work takes now. What goes wrong with it takes as long as it may.
    #[must_use]
    pub fn measure(&self) -> Duration {
        let watch = Stopwatch::start();
        let worked = self.start_a_process().and_then(|()| go_to_and_fro());
        std::hint::black_box(hash());
        if worked.is_err() {
            return CALIBRATION_LIMIT;
        }
        without_a_pause(watch.wall(), watch.longest_standstill())
    }

    /// Does `work`, and measures every second meanwhile: the slowest measurement, if there was time
    /// for one.
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> (T, Option<Duration>) {
        let (is_over, over) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let measuring = scope.spawn(move || {
                let mut slowest = None;
                while over.recv_timeout(CALIBRATION_PAUSE) == Err(RecvTimeoutError::Timeout) {
                    slowest = slowest.max(Some(self.measure()));
                }
                slowest
            });
            let done = work();
            drop(is_over);
            (done, measuring.join().unwrap_or_default())
        })
    }

    fn start_a_process(&self) -> io::Result<()> {
        let mut command = Command::new(&self.program);
        command.args(["--list", "--format", "terse"]);
        process::run(&mut command, &Bounds::of(CALIBRATION_LIMIT, &Cancel::default())).map(drop)
    }
}

/// A machine that was paused is not slow: patience, kept in punctual time, does not run meanwhile. One
/// that is busy is slow, so what this process waited for a processor counts.
fn without_a_pause(wall: Duration, longest: Standstill) -> Duration {
    let stopped = longest.stopped();
    if stopped < BEARABLE { wall } else { wall.saturating_sub(stopped) }
}

fn go_to_and_fro() -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut near = TcpStream::connect(listener.local_addr()?)?;
    let (mut far, _) = listener.accept()?;
    near.set_read_timeout(Some(CALIBRATION_LIMIT))?;
    far.set_read_timeout(Some(CALIBRATION_LIMIT))?;
    thread::scope(|scope| {
        let echoing = scope.spawn(move || {
            let mut byte = [0];
            (0..ROUND_TRIPS).try_for_each(|_| {
                far.read_exact(&mut byte)?;
                far.write_all(&byte)
            })
        });
        let mut byte = [0];
        let asked = (0..ROUND_TRIPS).try_for_each(|_| {
            near.write_all(&byte)?;
            near.read_exact(&mut byte)
        });
        echoing.join().unwrap_or(Ok(())).and(asked)
    })
}

fn hash() -> u64 {
    let mut hasher = DefaultHasher::new();
    let block = [7; 1024];
    (0..HASHED_BYTES / block.len()).for_each(|_| hasher.write(&block));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(5);
    const USUAL: Duration = Duration::from_millis(10);

    fn measured() -> Waits {
        let mut waits = Waits::default();
        waits.calibrate(USUAL);
        waits
    }

    fn waits(cases: &[(&str, f64)]) -> Waits {
        let mut waits = measured();
        for &(case, wait) in cases {
            waits.note("answer", case, Need { wait, whole: 2.0 * wait });
        }
        waits
    }

    fn patience(wait: f64, calibration: Duration) -> Duration {
        waits(&[("long", wait)]).limits(("answer", "long"), FIRST, calibration).patience
    }

    #[test]
    fn a_program_may_take_a_multiple_of_what_the_reference_needs_and_never_less_than_at_first() {
        assert_eq!(patience(0.5, USUAL), Duration::from_secs(10));
        assert_eq!(patience(0.001, USUAL), FIRST);
    }

    #[test]
    fn a_machine_that_is_slow_gives_more_and_a_fast_one_no_less_but_a_hang_has_its_end() {
        assert_eq!(patience(0.5, 3 * USUAL), Duration::from_secs(30));
        assert_eq!(patience(0.5, USUAL / 3), Duration::from_secs(10));
        assert_eq!(patience(0.5, 300 * USUAL), MOST_PATIENCE);
    }

    #[test]
    fn a_case_of_many_short_waits_may_last_a_multiple_of_the_whole_too() {
        let mut waits = measured();
        waits.note("answer", "long", Need { wait: 0.001, whole: 6.0 });
        let limits = waits.limits(("answer", "long"), FIRST, USUAL);
        assert_eq!(limits, Limits { patience: FIRST, whole: Duration::from_secs(120) + FIRST });
    }

    #[test]
    fn a_case_that_was_never_measured_has_its_limits_too() {
        assert_eq!(Waits::default().limits(("answer", "new"), FIRST, USUAL), Limits::of(FIRST));
    }

    #[test]
    fn the_written_file_is_read_as_it_was_but_for_the_rounding() {
        let mut written = waits(&[("short", 0.0101), ("long::case_1", 1.9)]);
        written.calibration = 0.0007;
        let read: Waits = toml::from_str(&written.text()).unwrap();
        assert_eq!(read.calibration.to_string(), "0.001");
        assert_eq!(read.need("answer", "short"), Some(Need { wait: 0.05, whole: 0.05 }));
        assert_eq!(read.need("answer", "long::case_1"), Some(Need { wait: 2.0, whole: 5.0 }));
    }

    #[test]
    fn another_machine_differs_from_the_committed_waits_only_where_the_cases_do() {
        let committed = waits(&[("short", 0.001), ("long", 1.0), ("gone", 0.1)]);
        let mut measured = waits(&[("short", 0.09), ("long", 11.0), ("new", 0.1)]);
        // Everything takes three times as long there.
        measured.calibration *= 3.0;
        assert_eq!(
            committed.differences(&measured),
            ["answer::new is missing", "answer::gone is no case any more"]
        );
    }

    #[test]
    fn a_wait_that_has_become_much_longer_or_shorter_is_named() {
        let committed = waits(&[("slower", 0.2), ("faster", 5.0), ("same", 1.0)]);
        let measured = waits(&[("slower", 1.0), ("faster", 0.1), ("same", 3.0)]);
        let differences = committed.differences(&measured).join("\n");
        assert!(differences.contains("slower") && differences.contains("faster"), "{differences}");
        assert!(!differences.contains("same"), "{differences}");
    }

    #[test]
    fn only_what_takes_longer_than_a_second_is_calibrated() {
        let calibrator = Calibrator::new(&std::env::current_exe().unwrap());
        assert_eq!(calibrator.during(|| 7), (7, None));
        let ((), measured) = calibrator.during(|| thread::sleep(CALIBRATION_PAUSE * 3 / 2));
        assert!(measured.is_some_and(|time| time < CALIBRATION_LIMIT));
    }

    #[test]
    fn a_pause_makes_no_machine_slow_and_a_queue_does() {
        let second = Duration::from_secs(1);
        let paused = Standstill { length: 8 * second, queued: Duration::ZERO };
        assert_eq!(without_a_pause(8 * second + USUAL, paused), USUAL);
        let busy = Standstill { length: 8 * second, queued: 8 * second };
        assert_eq!(without_a_pause(8 * second + USUAL, busy), 8 * second + USUAL);
    }
}
