//! The thread that grades, one exercise at a time, while the other one listens.

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant, SystemTime};

use course::{Exercise, Lesson};
use grader::Problem;
use grader::process::Cancel;
use grader::run::{self, Job, Tests};
use grader::score::{self, ExerciseScore};
use grader::submission::Submission;

use super::Event;
use crate::exercises;
use crate::grade;

/// One exercise to grade.
pub struct Order<'a> {
    pub lesson: &'a Lesson,
    pub exercise: &'a Exercise,
    /// Gradings are counted, so that what comes of an old one is known to be old.
    pub turn: u64,
    pub seed: u64,
    /// How often the graded tests have changed so far.
    pub tests: u64,
    pub cancel: Cancel,
}

/// What came of a grading.
pub struct Graded {
    pub score: ExerciseScore,
    pub times: Times,
}

/// Where the time has gone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// When the file was last written, if the system tells.
    pub saved: Option<SystemTime>,
    /// From that to the start of the grading.
    pub noticing: Duration,
    /// Building and listing the graded tests; nothing when they are as before.
    pub preparing: Duration,
    /// Cargo, and the compiler and linker that it calls.
    pub building: Duration,
    /// From the program to the score.
    pub testing: Duration,
    /// What it cost to start a process of the graded tests that has nothing to do.
    pub listing: Duration,
    /// How many cases that were, and how long their processes lived in all.
    pub cases: usize,
    pub in_cases: Duration,
}

/// Grades what is ordered until nobody can order any more.
pub fn serve(root: &Path, orders: &Receiver<Order>, events: &Sender<Event>) {
    let mut worker = Worker { root, prepared: HashMap::new(), tests: 0 };
    for order in orders {
        if order.cancel.is_cancelled() {
            continue;
        }
        let graded = worker.grade(&order, events);
        // What was cancelled is neither shown nor kept.
        if !order.cancel.is_cancelled()
            && events.send(Event::Graded(order.turn, Box::new(graded))).is_err()
        {
            return;
        }
    }
}

struct Worker<'a> {
    root: &'a Path,
    /// The graded tests of each lesson, by its number.
    prepared: HashMap<String, Tests>,
    /// How often they had changed by then.
    tests: u64,
}

impl Worker<'_> {
    fn grade(&mut self, order: &Order, events: &Sender<Event>) -> Graded {
        let Order { lesson, exercise, .. } = order;
        let mut times = Times::begin(&lesson.exercise_file(exercise));
        // Before the build: what is saved from now on has not been graded.
        let fingerprint = exercises::fingerprint(lesson, exercise);
        let mine = Submission::Exercise;
        let job = Job::new(self.root, (lesson, exercise), &mine, order.seed);
        let job = Job { cancel: order.cancel.clone(), ..job };
        if order.tests > self.tests {
            self.prepared.clear();
            self.tests = order.tests;
        }
        let score = match self.prepare(&job, &mut times) {
            Err(problem) => score::ungraded(lesson, exercise, &problem),
            Ok(tests) => {
                let mut told = 0;
                run_built(&job, &tests, &mut times, &mut |score| {
                    let late = score.late().count();
                    // Somebody who waits for the others can read meanwhile.
                    if told == 0 && late > 0 && score.pending > 0 {
                        let _ = events.send(Event::Late(order.turn, Box::new(score.clone())));
                    }
                    told = late;
                    let _ = events.send(Event::Progress(order.turn, score.pending, late));
                })
            }
        };
        if !order.cancel.is_cancelled() {
            grade::remember(self.root, &score, &fingerprint);
        }
        Graded { score, times }
    }

    fn prepare(&mut self, job: &Job, times: &mut Times) -> Result<Tests, Problem> {
        if let Some(tests) = self.prepared.get(&job.lesson.number) {
            return Ok(tests.clone());
        }
        let started = Instant::now();
        let tests = run::prepare(job)?;
        self.prepared.insert(job.lesson.number.clone(), tests.clone());
        times.preparing = started.elapsed();
        Ok(tests)
    }
}

fn run_built(
    job: &Job,
    tests: &Tests,
    times: &mut Times,
    watch: &mut dyn FnMut(&ExerciseScore),
) -> ExerciseScore {
    let started = Instant::now();
    let program = run::build(job);
    times.building = started.elapsed();
    let started = Instant::now();
    let score = run::grade_built(job, tests, &program, watch);
    times.testing = started.elapsed();
    times.listing = tests.listing();
    let cases = || score.checks.iter().flat_map(|check| &check.cases);
    times.cases = cases().count();
    times.in_cases = Duration::from_secs_f64(cases().map(|case| case.seconds).sum());
    score
}

impl Times {
    fn begin(file: &Path) -> Self {
        let saved = file.metadata().and_then(|about| about.modified()).ok();
        let noticing = saved.and_then(|saved| saved.elapsed().ok()).unwrap_or_default();
        Self { saved, noticing, ..Self::default() }
    }
}

impl std::fmt::Display for Times {
    /// Milliseconds, for `cargo xtask bench loop`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let total = self.saved.and_then(|saved| saved.elapsed().ok()).unwrap_or_default();
        write!(f, "[timings] total={:.1} noticing={:.1} ", ms(total), ms(self.noticing))?;
        write!(f, "preparing={:.1} building={:.1} ", ms(self.preparing), ms(self.building))?;
        let (testing, in_cases) = (ms(self.testing), ms(self.in_cases));
        write!(f, "testing={testing:.1} cases={} in_cases={in_cases:.1} ", self.cases)?;
        write!(f, "listing={:.1}", ms(self.listing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `cargo xtask bench loop`, which reads it, is of another package.
    #[test]
    fn times_are_one_line_of_names_and_milliseconds() {
        let times = Times {
            building: Duration::from_secs(4),
            testing: Duration::from_secs(5),
            cases: 2,
            in_cases: Duration::from_secs(3),
            listing: Duration::from_secs(1),
            ..Times::default()
        };
        let expected = "[timings] total=0.0 noticing=0.0 preparing=0.0 building=4000.0 \
                        testing=5000.0 cases=2 in_cases=3000.0 listing=1000.0";
        assert_eq!(times.to_string(), expected);
    }
}
