//! The graders are graded: the solution scores full points, the skeleton none, and each classic
//! mistake is caught by exactly the checks that its patch names.
//!
//! `cargo xtask grade --self-test` shows it as a table, `deep/tests/graders.rs` asserts it.

pub mod variants;

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use crate::Problem;
use crate::build::Unbuilt;
use crate::process::Cancel;
use crate::protocol::Verdict;
use crate::run::{self, FIRST_PATIENCE, Job, Tests};
use crate::score::ExerciseScore;
use crate::submission::Submission;
use course::{Exercise, Lesson};

use course::mistake::Failures;
use variants::Variant;

/// How long a variant may first take for a step: some of them hang, and are asked often. A variant
/// that is called late although its mistake is another one gets the patience that everybody has.
const VARIANTS_PATIENCE: Duration = Duration::from_secs(1);

/// One exercise whose grader is graded.
#[derive(Clone, Debug)]
pub struct Trial<'a> {
    job: Job<'a>,
    tests: Tests,
    solution: Result<Vec<String>, Unbuilt>,
}

/// How the grader of one exercise did.
#[derive(Clone, Debug, Default)]
pub struct SelfTest {
    /// The points of the solution, and the points there are.
    pub solution: (u32, u32),
    /// The points of the skeleton; there should be none.
    pub skeleton: u32,
    /// How many mistakes were caught as they should be.
    pub caught: usize,
    /// How many mistakes there are.
    pub mistakes: usize,
    /// What is wrong, in words; nothing if the grader is right.
    pub wrong: Vec<String>,
}

impl<'a> Trial<'a> {
    /// Builds the graded tests and the solution of an exercise; `jobs` of its cases will run at a time.
    ///
    /// # Errors
    /// A grader-error.
    pub fn new(
        workspace: &'a Path,
        exercise: (&'a Lesson, &'a Exercise),
        seed: u64,
        jobs: usize,
        cancel: &Cancel,
    ) -> Result<Self, Problem> {
        let job = Job::new(workspace, exercise, &Submission::Solution, seed);
        let job = Job { jobs, cancel: cancel.clone(), ..job };
        Ok(Self { tests: run::prepare(&job)?, solution: run::build(&job), job })
    }

    /// The names of all graded tests of the lesson, `EXERCISE::CHECK` or `EXERCISE::CHECK::CASE`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tests.names()
    }

    /// Everything in one: the solution once, the skeleton, and the mistakes.
    #[must_use]
    pub fn self_test(&self, variants: &[Variant]) -> SelfTest {
        let mut self_test = SelfTest::default();
        let (score, problem) = self.solution(0);
        self_test.solution = (score.points(), score.out_of());
        self_test.wrong.extend(problem);
        for variant in variants.iter().take_while(|_| !self.job.cancel.is_cancelled()) {
            let score = self.grade(variant);
            let problem = judge(variant, &score);
            if variant.mistake.is_some() {
                self_test.mistakes += 1;
                self_test.caught += usize::from(problem.is_none());
            } else {
                self_test.skeleton = score.points();
            }
            self_test.wrong.extend(problem);
        }
        self_test
    }

    /// The score of the solution in one of many runs, each with other random payloads; and what
    /// is wrong if that is not everything.
    #[must_use]
    pub fn solution(&self, number: u64) -> (ExerciseScore, Option<String>) {
        let job = Job { seed: self.job.seed + number, ..self.job.clone() };
        let score = run::grade_built(&job, &self.tests, &self.solution, &mut |_| {});
        let is_full = score.points() == score.out_of() && score.out_of() > 0;
        let problem = !(is_full && score.all_passed());
        let problem = problem.then(|| tell("the solution", &score));
        (score, problem)
    }

    /// What is wrong with how this variant is graded; `None` if nothing is.
    #[must_use]
    pub fn problem(&self, variant: &Variant) -> Option<String> {
        judge(variant, &self.grade(variant))
    }

    fn grade(&self, variant: &Variant) -> ExerciseScore {
        let hurried = self.grade_within(variant, VARIANTS_PATIENCE);
        let is_late = failures(&hurried).iter().any(|(_, how)| how.is_too_late());
        if is_late && judge(variant, &hurried).is_some() {
            return self.grade_within(variant, FIRST_PATIENCE);
        }
        hurried
    }

    fn grade_within(&self, variant: &Variant, patience: Duration) -> ExerciseScore {
        let program: Result<_, Unbuilt> = Ok(vec![variant.program.display().to_string()]);
        let job = Job { patience, ..self.job.clone() };
        run::grade_built(&job, &self.tests, &program, &mut |_| {})
    }
}

fn judge(variant: &Variant, score: &ExerciseScore) -> Option<String> {
    let is_right = match &variant.mistake {
        None => score.points() == 0,
        Some(mistake) => mistake.is_caught(&failures(score)),
    };
    if is_right && score.problems.is_empty() {
        return None;
    }
    let expected = match &variant.mistake {
        None => "no points".to_owned(),
        Some(mistake) => list(&mistake.caught_by),
    };
    Some(format!("{}\nexpected: {expected}", tell(&variant.name, score)))
}

/// The checks with a case that did not pass, and how.
fn failures(score: &ExerciseScore) -> Failures {
    let checks = score.checks.iter();
    checks
        .flat_map(|check| check.cases.iter().map(|case| (check.name.clone(), case.verdict)))
        .filter(|(_, verdict)| *verdict != Verdict::Pass)
        .collect()
}

fn list(failures: &Failures) -> String {
    let names: Vec<_> = failures.iter().map(|(check, how)| format!("{check} ({how})")).collect();
    names.join(", ")
}

/// The failures of one run, in the words of the grader.
fn tell(what: &str, score: &ExerciseScore) -> String {
    let (lesson, exercise) = (&score.lesson, &score.exercise);
    let points = format!("{} of {} points", score.points(), score.out_of());
    let mut told = format!("{lesson}/{exercise}: {what} got {points}");
    for problem in &score.problems {
        let _ = write!(told, "\ngrader error: {problem}");
    }
    let cases = score.checks.iter().flat_map(|check| &check.cases);
    for case in cases.filter(|case| case.verdict != Verdict::Pass) {
        let _ = write!(told, "\n{}: {}: {}", case.name, case.verdict, case.report);
    }
    told
}
