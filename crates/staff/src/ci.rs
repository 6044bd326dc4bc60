//! `cargo xtask ci`: every check that a change has to pass.
//!
//! `.ci/run` is this and nothing else, once it has installed what the checks need.
//!
//! What tests runs one check after the other, as many keep all processors busy or disturb the machine on
//! purpose. A browser and the programs under Wine mostly wait, and run side by side. What only compiles
//! (the lints of other systems, the documentation) runs behind all of that, in a folder of its own and
//! at the lowest priority: it takes the time for which tests wait. What measures has the machine for
//! itself. The output of what does not run alone is shown when it is over.

mod need;

use std::fs;
use std::io::{self, Seek};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use self::need::Need;
use course::Course;
use grader::cargo;

/// The oldest Rust that the course promises to work with.
const OLDEST_RUST: &str = concat!(env!("CARGO_PKG_RUST_VERSION"), ".0");
/// Systems whose lints are looked for from here, and what Rust calls them.
const OTHER_SYSTEMS: [(&str, &str); 3] = [
    ("Windows", "x86_64-pc-windows-gnu"),
    ("macOS", "aarch64-apple-darwin"),
    ("a Raspberry Pi", "armv7-unknown-linux-gnueabihf"),
];
const LINTS: &str = "cargo clippy --workspace --all-targets --all-features --locked";
/// What other systems have no lines of their own for: exercises (those of the solutions), and what tests
/// on Linux only.
const NOT_FOR_OTHERS: [&str; 4] = ["exercise-*", "deep", "systems", "quinn-upload"];
const TESTS: &str = "cargo test --locked";
const BROWSER: &str = "crates/coursebook/browser";
/// The one among the tests of `deep` that takes longer than all others together.
const GRADERS: &str = "graders";

/// How often a check that runs behind the others is asked whether it is over.
const POLL: Duration = Duration::from_millis(100);

/// When a check runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// After the one before, while others may run behind it.
    InTurn,
    /// Together with its neighbours of this kind.
    SideBySide,
    /// From the beginning, behind all others.
    Behind,
    /// In turn, and when nothing runs behind any more.
    Undisturbed,
}

/// Run every check that a change has to pass; stop at the first that fails
#[derive(clap::Args)]
pub struct Options {
    /// Show the checks as commands and run none of them
    #[arg(long)]
    list: bool,
    /// Only format, lints and `cargo test`: for every commit
    #[arg(long)]
    quick: bool,
    /// Show in the end how long each check took, the longest first
    #[arg(long)]
    timings: bool,
}

/// One check: its name, and the command that runs it.
struct Step {
    name: String,
    command: Vec<String>,
    /// Where it runs, below the course's folder.
    folder: &'static str,
    /// Set for this step alone.
    variables: Vec<(String, String)>,
    needs: Vec<Need>,
    place: Place,
    /// What is run where a need is not met, if anything is.
    otherwise: Option<Box<Step>>,
}

/// The checks for every commit, quick ones first. A new check is a new line.
fn quick() -> Vec<Step> {
    vec![
        step("format", "cargo fmt --all --check"),
        step("lints", &format!("{LINTS} -- -D warnings")),
        step("tests", TESTS),
    ]
}

/// All checks, quick ones first. A new check is a new line.
fn all(course: &Course) -> Result<Vec<Step>> {
    let mut steps = vec![
        step("format", "cargo fmt --all --check"),
        step("lints", &format!("{LINTS} -- -D warnings")).behind(course),
        // The exercises have their comments from the solutions.
        step("documentation", "cargo doc --workspace --exclude exercise-* --no-deps --locked")
            .with("RUSTDOCFLAGS", "-D warnings")
            .behind(course),
    ];
    steps.extend(OTHER_SYSTEMS.map(|(system, target)| lints_of(system, target).behind(course)));
    steps.extend([
        step(
            "addresses need no sockets",
            "cargo build -p netbasics --no-default-features --locked",
        ),
        step("skeletons", "cargo xtask skeleton --check"),
        tests(course),
        // Among the others are those that disturb the machine on purpose.
        step("the graders graded", &format!("cargo test -p deep --test {GRADERS} --locked")),
        step("tests that take minutes", &other_deep_tests(course)?),
        step("the first command of the README", "cargo run -p lesson-02"),
        step("book", "cargo xtask book"),
        step("what looks at the book", "npm ci --no-audit --no-fund --loglevel=error").in_browser(),
        step("the book in a browser", "node --test").in_browser().at(Place::SideBySide),
        step("Windows under Wine", "cargo run -p systems --locked")
            .at(Place::SideBySide)
            .needing(Need::Target("x86_64-pc-windows-gnu"))
            .needing(Need::Program("x86_64-w64-mingw32-gcc-posix", "gcc-mingw-w64-x86-64"))
            .needing(Need::Program("wine", "wine wine64")),
        step("the oldest Rust of every dependency", "cargo test -p systems --locked"),
        step("tests of the book", "cargo test -p coursebook -p explorer --locked"),
        step("tests of the contributors' commands", "cargo test -p staff --locked"),
        step("how long the solutions are waited for", "cargo xtask grade --waits check -j 6")
            .at(Place::Undisturbed),
        // Its programs print how long they waited.
        step("what the book shows of programs", "cargo xtask record --check")
            .at(Place::Undisturbed),
    ]);
    for lesson in &course.lessons {
        let (number, topic) = (&lesson.number, &lesson.topic);
        steps.push(step(&format!("lesson {topic}"), &format!("cargo xtask run {number}")));
    }
    Ok(steps)
}

/// All tests of `deep` but the graders'.
fn other_deep_tests(course: &Course) -> Result<String> {
    let folder = course.root.join("deep/tests");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let name = entry?.file_name();
        names.extend(name.to_str().and_then(|name| name.strip_suffix(".rs")).map(String::from));
    }
    names.retain(|name| name != GRADERS);
    names.sort();
    let tests: Vec<String> = names.iter().map(|name| format!("--test {name}")).collect();
    Ok(format!("cargo test -p deep {} --locked", tests.join(" ")))
}

/// The lints of another system. C is compiled by a compiler that does nothing, which is enough as
/// long as nothing is linked.
fn lints_of(system: &str, target: &'static str) -> Step {
    let suffix = target.replace('-', "_");
    let excluded = NOT_FOR_OTHERS.map(|package| format!(" --exclude {package}")).concat();
    let command = format!("{LINTS}{excluded} --target {target} -- -D warnings");
    step(&format!("lints for {system}"), &command)
        .with(&format!("CC_{suffix}"), "true")
        .with(&format!("AR_{suffix}"), "true")
        .needing(Need::Target(target))
}

/// `cargo test` as students run it, with the oldest Rust that they may have. Newer ones build all
/// of it for the lints.
fn tests(course: &Course) -> Step {
    let folder = course.root.join("target").join(OLDEST_RUST);
    step(&format!("tests with Rust {OLDEST_RUST}"), &format!("rustup run {OLDEST_RUST} {TESTS}"))
        // As an option, it would not reach what the tests build themselves.
        .with("CARGO_TARGET_DIR", &folder.to_string_lossy())
        .needing(Need::Toolchain(OLDEST_RUST))
        .otherwise(step("tests", TESTS))
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let course = Course::find()?;
    let steps = if options.quick { quick() } else { all(&course)? };
    if options.list {
        for step in &steps {
            println!("{}", step.replay());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (steps, left_out) = need::sort_out(steps, need::all_required())?;
    cargo::step_aside(&["xtask"]);
    let started = Instant::now();
    let mut times = Vec::new();
    let outcome = run_all(&steps, &course, &mut times);
    let total = started.elapsed();
    if options.timings {
        show(&mut times);
    }
    outcome?;
    eprintln!("[ci] all {} checks passed in {} s", steps.len(), total.as_secs());
    for line in left_out {
        eprintln!("[ci] left out: {line}");
    }
    Ok(ExitCode::SUCCESS)
}

/// How long a check has taken.
struct Time<'a> {
    step: &'a Step,
    took: Duration,
}

/// Notes how long each check has taken, and says which one has failed.
fn run_all<'a>(steps: &'a [Step], course: &Course, times: &mut Vec<Time<'a>>) -> Result<()> {
    let run = Run {
        course,
        count: steps.len(),
        over: Mutex::new((times, None)),
        stops: AtomicBool::new(false),
    };
    let numbered: Vec<_> = steps.iter().zip(1..).collect();
    let (behind, in_turn): (Vec<_>, Vec<_>) =
        numbered.into_iter().partition(|(step, _)| step.place == Place::Behind);
    thread::scope(|scope| {
        let mut behind = Some(scope.spawn(|| run.behind(&behind)));
        for together in in_turn.chunk_by(|one, next| one.0.is_beside(next.0)) {
            if together[0].0.place == Place::Undisturbed {
                // A check that panics has failed, and says so when the scope ends.
                let _ = behind.take().map(thread::ScopedJoinHandle::join);
            }
            if run.stops.load(Ordering::SeqCst) {
                break;
            }
            match together {
                [(step, number)] => run.alone(step, *number),
                _ => run.side_by_side(together),
            }
        }
    });
    match run.over.into_inner().unwrap_or_else(PoisonError::into_inner).1 {
        None => Ok(()),
        Some(step) => bail!("{} failed; to run this check again: {}", step.name, step.replay()),
    }
}

/// The checks that run now, and what came of those that are over.
struct Run<'a, 'b> {
    course: &'b Course,
    count: usize,
    /// How long each took, and the first that failed.
    over: Mutex<(&'b mut Vec<Time<'a>>, Option<&'a Step>)>,
    /// Set when one has failed: nothing else begins, and what runs behind is ended.
    stops: AtomicBool,
}

impl<'a> Run<'a, '_> {
    fn begins(&self, step: &Step, number: usize) {
        let how = if step.place == Place::Behind { " (behind the others)" } else { "" };
        eprintln!("[ci] {number}/{}: {}{how}: {}", self.count, step.name, step.replay());
    }

    fn alone(&self, step: &'a Step, number: usize) {
        self.begins(step, number);
        let started = Instant::now();
        let outcome = step.run(self.course);
        self.is_over(step, started, outcome.map(|passed| (passed, None)));
    }

    /// All of them to their ends, whether one has failed or not.
    fn side_by_side(&self, steps: &[(&'a Step, usize)]) {
        for (step, number) in steps {
            self.begins(step, *number);
        }
        thread::scope(|scope| {
            for (step, _) in steps {
                scope.spawn(|| {
                    let started = Instant::now();
                    self.is_over(step, started, step.run_unseen(self.course, None));
                });
            }
        });
    }

    /// One after the other.
    fn behind(&self, steps: &[(&'a Step, usize)]) {
        for (step, number) in steps {
            if self.stops.load(Ordering::SeqCst) {
                return;
            }
            self.begins(step, *number);
            let started = Instant::now();
            let outcome = step.run_unseen(self.course, Some(&self.stops));
            if !self.stops.load(Ordering::SeqCst) {
                self.is_over(step, started, outcome);
            }
        }
    }

    /// Says how it went, with what it has said if nobody has seen that yet; an error is a check that failed.
    fn is_over(&self, step: &'a Step, started: Instant, outcome: Result<(bool, Option<fs::File>)>) {
        let took = started.elapsed();
        // Under the lock: what two of them have said is not mixed.
        let mut over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        over.0.push(Time { step, took });
        let passed = outcome.and_then(|(passed, said)| {
            if let Some(mut said) = said {
                eprintln!("[ci] {} says:", step.name);
                said.rewind()?;
                io::copy(&mut said, &mut io::stderr())?;
            }
            Ok(passed)
        });
        let passed = passed.unwrap_or_else(|error| {
            eprintln!("{error:#}");
            false
        });
        if passed {
            eprintln!("[ci] {}: passed in {:.1} s", step.name, took.as_secs_f64());
        } else {
            over.1.get_or_insert(step);
            self.stops.store(true, Ordering::SeqCst);
        }
    }
}

/// Where the time goes.
fn show(times: &mut [Time]) {
    times.sort_by_key(|time| std::cmp::Reverse(time.took));
    for Time { step, took } in times {
        let how = match step.place {
            Place::InTurn | Place::Undisturbed => "",
            Place::SideBySide => " (side by side with others)",
            Place::Behind => " (behind the others)",
        };
        eprintln!("[ci] {:>7.1} s  {}{how}", took.as_secs_f64(), step.name);
    }
}

fn step(name: &str, command: &str) -> Step {
    Step {
        name: name.to_owned(),
        command: command.split(' ').map(String::from).collect(),
        folder: "",
        variables: Vec::new(),
        needs: Vec::new(),
        place: Place::InTurn,
        otherwise: None,
    }
}

impl Step {
    fn with(mut self, variable: &str, value: &str) -> Self {
        self.variables.push((variable.to_owned(), value.to_owned()));
        self
    }

    fn needing(mut self, need: Need) -> Self {
        self.needs.push(need);
        self
    }

    fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// Compiles behind the others, where it takes no lock that they wait for.
    fn behind(self, course: &Course) -> Self {
        let folder = course.root.join("target/behind");
        self.at(Place::Behind).with("CARGO_TARGET_DIR", &folder.to_string_lossy())
    }

    fn otherwise(mut self, other: Self) -> Self {
        self.otherwise = Some(Box::new(other));
        self
    }

    /// The book is looked at in a browser, which a script of Node's drives.
    fn in_browser(mut self) -> Self {
        self.folder = BROWSER;
        self.needing(Need::Program("npm", "npm")).needing(Need::Program("chromium", "chromium"))
    }

    /// What to type to run this check alone.
    fn replay(&self) -> String {
        let folder = match self.folder {
            "" => String::new(),
            folder => format!("cd {folder}; "),
        };
        let variables = self.variables.iter().map(|(name, value)| format!("{name}=\"{value}\" "));
        folder + &variables.collect::<String>() + &self.command.join(" ")
    }

    /// Whether it runs together with the next one.
    fn is_beside(&self, next: &Self) -> bool {
        self.place == Place::SideBySide && next.place == Place::SideBySide
    }

    fn run(&self, course: &Course) -> Result<bool> {
        let status = self.process(course)?.status();
        Ok(status.with_context(|| self.cannot_start())?.success())
    }

    /// As [`run`](Self::run), and returns what it has said. When `stops` is set it is ended.
    fn run_unseen(
        &self,
        course: &Course,
        stops: Option<&AtomicBool>,
    ) -> Result<(bool, Option<fs::File>)> {
        let said = tempfile::tempfile().context("cannot keep what the check says")?;
        let mut command = self.process(course)?;
        command.stdout(said.try_clone()?).stderr(said.try_clone()?);
        let mut child = command.spawn().with_context(|| self.cannot_start())?;
        let Some(stops) = stops else { return Ok((child.wait()?.success(), Some(said))) };
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok((status.success(), Some(said)));
            }
            if stops.load(Ordering::SeqCst) {
                child.kill()?;
            }
            thread::sleep(POLL);
        }
    }

    fn cannot_start(&self) -> String {
        format!("cannot start {}", self.command[0])
    }

    fn process(&self, course: &Course) -> Result<Command> {
        let words = self.command.iter().map(String::as_str).collect::<Vec<_>>();
        let (mut command, arguments) = match words[..] {
            ["cargo", ref arguments @ ..] => (cargo::command(&course.root), arguments),
            [program, ref arguments @ ..] => {
                let mut command = Command::new(program);
                command.current_dir(course.root.join(Path::new(self.folder)));
                // What this cargo tells of itself must not reach another one.
                command.env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
                (command, arguments)
            }
            [] => bail!("a check without a command"),
        };
        let variables = self.variables.iter().map(|(name, value)| (name, value));
        command.args(arguments).envs(variables);
        Ok(if self.place == Place::Behind && cfg!(unix) {
            at_low_priority(&command)
        } else {
            command
        })
    }
}

/// The same command, which gets a processor that nobody else wants: nice(1).
fn at_low_priority(command: &Command) -> Command {
    let mut nice = Command::new("nice");
    nice.args(["-n", "19"]).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        nice.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => nice.env(name, value),
            None => nice.env_remove(name),
        };
    }
    nice
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the checks that were over, in any order, and what was said of a failure.
    fn tried(steps: &[Step]) -> (Vec<String>, Option<String>) {
        let course = Course::find().unwrap();
        let mut times = Vec::new();
        let failure = run_all(steps, &course, &mut times).err().map(|error| error.to_string());
        let mut names: Vec<_> = times.iter().map(|time| time.step.name.clone()).collect();
        names.sort_unstable();
        (names, failure)
    }

    const BAD: &str = "cargo no-such-command";

    #[test]
    fn of_checks_side_by_side_the_one_that_failed_is_named_and_all_others_end() {
        let beside = |name, command| step(name, command).at(Place::SideBySide);
        let (names, failure) = tried(&[
            step("before", "cargo --version"),
            beside("good", "cargo --version"),
            beside("bad", BAD),
            beside("good too", "cargo --version"),
            step("never", "cargo --version"),
        ]);
        let failure = failure.unwrap();
        assert_eq!(failure, "bad failed; to run this check again: cargo no-such-command");
        assert_eq!(names, ["bad", "before", "good", "good too"]);
    }

    #[test]
    fn what_measures_begins_when_nothing_runs_behind_any_more() {
        let behind = |name| step(name, "cargo --version").at(Place::Behind);
        let course = Course::find().unwrap();
        let steps = [
            behind("first"),
            step("in turn", "cargo --version"),
            step("measures", "cargo --version").at(Place::Undisturbed),
            behind("second"),
        ];
        let mut times = Vec::new();
        run_all(&steps, &course, &mut times).unwrap();
        assert_eq!((times.len(), times.last().unwrap().step.name.as_str()), (4, "measures"));
    }

    #[test]
    fn what_fails_behind_the_others_is_named_and_nothing_that_measures_begins() {
        let (names, failure) = tried(&[
            step("bad", BAD).at(Place::Behind),
            step("never", "cargo --version").at(Place::Behind),
            step("measures", "cargo --version").at(Place::Undisturbed),
        ]);
        assert!(failure.unwrap().starts_with("bad failed;"));
        assert_eq!(names, ["bad"]);
    }

    #[cfg(unix)]
    #[test]
    fn what_runs_behind_the_others_is_ended_when_one_of_them_has_failed() {
        let (names, failure) =
            tried(&[step("long", "sleep 1000").at(Place::Behind), step("bad", BAD)]);
        assert!(failure.unwrap().starts_with("bad failed;"));
        assert_eq!(names, ["bad"]);
    }

    #[test]
    fn what_a_check_says_is_kept_for_when_it_is_over() {
        let course = Course::find().unwrap();
        let (passed, said) = step("version", "cargo --version").run_unseen(&course, None).unwrap();
        let mut said = said.unwrap();
        said.rewind().unwrap();
        assert!(passed && io::read_to_string(said).unwrap().starts_with("cargo "));
    }

    #[test]
    fn the_two_steps_with_the_tests_of_deep_have_all_of_them() {
        let course = Course::find().unwrap();
        let commands: String = all(&course).unwrap().iter().map(Step::replay).collect();
        for entry in fs::read_dir(course.root.join("deep/tests")).unwrap() {
            let file = entry.unwrap().file_name().into_string().unwrap();
            let test = format!(" --test {} ", file.strip_suffix(".rs").unwrap());
            assert_eq!(commands.matches(&test).count(), 1, "{test}");
        }
    }
}
