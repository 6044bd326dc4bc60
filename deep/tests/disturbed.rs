//! No verdict depends on how busy the machine is: solutions and classic mistakes are graded while
//! everything that takes part in it is stopped for eight seconds, again and again, or twenty other
//! programs want each processor, or all of it together has a tenth of one processor.
//!
//! `GRADINGS=1000` grades that many programs in all; without it they are few. `DISTURBED_SEED` picks
//! them, and the moments. Both are printed when a verdict differs.

#![allow(clippy::unwrap_used, clippy::expect_used)] // Helpers of tests; a panic is a failed test.
#![cfg_attr(not(target_os = "linux"), allow(dead_code, unused_imports))] // The rest needs its /proc.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use course::mistake::patches;
use course::workspace;
use course::{Exercise, Lesson};
use grader::process::{Cancel, orphans};
use grader::selftest::{Trial, variants};
use libtest_mimic::Arguments;

/// How many programs are graded without `GRADINGS`, in all.
const FEW: usize = 6;
/// The payloads of the graded tests.
const SEED: u64 = 20_260_101;
/// How many programs are graded at a time, and how many cases of each.
const AT_A_TIME: usize = 2;
const JOBS: usize = 2;
/// How long everything is stopped.
const PAUSE: Duration = Duration::from_secs(8);
/// How many other programs want each processor.
const DEEP: usize = 20;
/// Names what a process is to grade: `02/crowd:3` for the third program made of that solution (the
/// skeleton and the mistakes), `02/crowd:0` for the solution itself. Then this is its grader and nothing
/// else.
const GRADE: &str = "DISTURBED_GRADE";
/// What a grader says when it has built everything, and what it then waits for.
const BUILT: &str = "built";

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    if let Ok(programs) = env::var(GRADE) {
        return grade_all(&programs);
    }
    let trials = vec![
        libtest_mimic::Trial::test("everything_is_stopped_for_eight_seconds", || {
            tried("pauses", pauses);
            Ok(())
        }),
        libtest_mimic::Trial::test("twenty_other_programs_want_each_processor", || {
            tried("load", load);
            Ok(())
        }),
        libtest_mimic::Trial::test("all_of_it_has_a_tenth_of_a_processor", || {
            tried("a tenth", a_tenth);
            Ok(())
        }),
    ];
    // They would disturb each other more than they mean to.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Picks programs, has them graded while `disturb` does what it does, and tells what differs.
fn tried(how: &str, disturb: fn(u32, &AtomicBool, &mut Dice)) {
    let seed = number("DISTURBED_SEED").unwrap_or_else(seed_of_the_clock);
    let count = number("GRADINGS").map_or(FEW, |count| usize::try_from(count).unwrap()) / 3;
    let mut dice = Dice(seed ^ how.len() as u64);
    let all = all_programs();
    let picked: Vec<&str> =
        (0..count.max(1)).map(|_| all[dice.below(all.len())].as_str()).collect();
    eprintln!("{how}: DISTURBED_SEED={seed}, {} gradings: {}", picked.len(), picked.join(" "));
    let (mut grader, mut lines) = built(&picked.join(" "));
    let is_over = AtomicBool::new(false);
    let differing = thread::scope(|scope| {
        let (id, is_over) = (grader.id(), &is_over);
        let disturbing = scope.spawn(move || disturb(id, is_over, &mut dice));
        writeln!(grader.stdin.take().unwrap(), "go").unwrap();
        let differing: Vec<String> = lines.by_ref().map(Result::unwrap).collect();
        is_over.store(true, Ordering::SeqCst);
        disturbing.join().unwrap();
        differing
    });
    let status = grader.wait().unwrap();
    assert!(status.success(), "{how}, DISTURBED_SEED={seed}:\n{}", differing.join("\n"));
}

/// A grader of these programs that has built everything and waits.
fn built(programs: &str) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.env(GRADE, programs).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut grader = command.spawn().unwrap();
    let mut lines = BufReader::new(grader.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), BUILT);
    (grader, lines)
}

/// Everything that runs below `grader`, and it itself, is stopped and goes on.
fn pauses(grader: u32, is_over: &AtomicBool, dice: &mut Dice) {
    // The first time soon; then a case is disturbed now and then, and none three times in a row.
    let mut longest = 3_000;
    while !is_over.load(Ordering::SeqCst) {
        wait(Duration::from_millis(500 + dice.below(longest) as u64), is_over);
        longest = 40_000;
        let stopped = stop(grader);
        wait(PAUSE, is_over);
        go_on(&stopped);
    }
}

/// Twenty loops for each processor.
fn load(_grader: u32, is_over: &AtomicBool, _dice: &mut Dice) {
    let processors = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..processors * DEEP {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
    });
}

/// Where the system has no control group for us, everything is stopped for nine tenths of the time.
fn a_tenth(grader: u32, is_over: &AtomicBool, _dice: &mut Dice) {
    if let Some(group) = Tenth::begin(grader) {
        while !is_over.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(50));
        }
        drop(group);
        return;
    }
    while !is_over.load(Ordering::SeqCst) {
        let stopped = stop(grader);
        thread::sleep(Duration::from_millis(90));
        go_on(&stopped);
        thread::sleep(Duration::from_millis(10));
    }
}

/// A control group with ten milliseconds of processor time in each hundred (cgroup v2, `cpu.max`, or
/// v1, `cpu.cfs_quota_us`).
struct Tenth(PathBuf);

impl Tenth {
    fn begin(grader: u32) -> Option<Self> {
        let name = format!("disturbed-{grader}");
        let kinds = [
            ("/sys/fs/cgroup", "cpu.max", "10000 100000"),
            ("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", "10000"),
        ];
        kinds.iter().find_map(|(parent, limit, value)| {
            let group = Self(Path::new(parent).join(&name));
            fs::create_dir(&group.0).ok()?;
            // Elsewhere this is just a folder, and has no such files.
            OpenOptions::new()
                .write(true)
                .open(group.0.join(limit))
                .ok()?
                .write_all(value.as_bytes())
                .ok()?;
            fs::write(group.0.join("cgroup.procs"), grader.to_string()).ok()?;
            Some(group)
        })
    }
}

impl Drop for Tenth {
    fn drop(&mut self) {
        // It can be removed when it is empty.
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Stops `root` and everything below it, the parents first; what is stopped starts nothing new.
fn stop(root: u32) -> BTreeSet<u32> {
    let mut stopped = BTreeSet::new();
    loop {
        let new: Vec<u32> = tree(root).into_iter().filter(|id| !stopped.contains(id)).collect();
        if new.is_empty() {
            return stopped;
        }
        for id in new {
            signal(id, "STOP");
            stopped.insert(id);
        }
    }
}

/// The children first: a parent that goes on finds them as they were.
fn go_on(stopped: &BTreeSet<u32>) {
    for id in stopped.iter().rev() {
        signal(*id, "CONT");
    }
}

#[cfg(not(unix))]
fn signal(_id: u32, _name: &str) {}

#[cfg(unix)]
fn signal(id: u32, name: &str) {
    use rustix::process::{Pid, Signal, kill_process};
    let signal = if name == "STOP" { Signal::STOP } else { Signal::CONT };
    if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        // That it is gone meanwhile is fine.
        let _ = kill_process(pid, signal);
    }
}

fn tree(root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&id) = found.get(next) {
        let tasks = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            found.extend(children.split(' ').filter_map(|id| id.parse::<u32>().ok()));
        }
        next += 1;
    }
    found
}

fn wait(time: Duration, is_over: &AtomicBool) {
    let step = Duration::from_millis(50);
    let mut waited = Duration::ZERO;
    while waited < time && !is_over.load(Ordering::SeqCst) {
        thread::sleep(step);
        waited += step;
    }
}

/// Every solution and everything that was made of it, as [`GRADE`] names them.
fn all_programs() -> Vec<String> {
    let root = root();
    let lessons = course::lessons(&root).unwrap();
    let pairs = lessons
        .iter()
        .flat_map(|lesson| lesson.about.exercises.iter().map(move |exercise| (lesson, exercise)));
    pairs
        .flat_map(|(lesson, exercise)| {
            let (number, name) = (lesson.number.clone(), exercise.name.clone());
            // The solution, the skeleton, and the mistakes. Solutions are to be a third of all.
            let variants = 1..=patches(lesson, exercise).len() + 1;
            let solutions = std::iter::repeat_n(0, variants.clone().count() / 2);
            solutions.chain(variants).map(move |variant| format!("{number}/{name}:{variant}"))
        })
        .collect()
}

fn root() -> PathBuf {
    workspace::root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Grades these programs and prints a paragraph for each whose verdict is not what it should be.
fn grade_all(programs: &str) -> ExitCode {
    orphans::adopt();
    let root = root();
    let lessons = course::lessons(&root).unwrap();
    let programs: Vec<(&str, usize)> = programs
        .split(' ')
        .map(|program| program.split_once(':').unwrap())
        .map(|(exercise, variant)| (exercise, variant.parse().unwrap()))
        .collect();
    let names: BTreeSet<&str> = programs.iter().map(|(exercise, _)| *exercise).collect();
    let exercises: Vec<(&Lesson, &Exercise)> =
        names.iter().map(|name| exercise(&lessons, name)).collect();
    let built = variants::build(&root, &exercises, &Cancel::default()).unwrap();
    let new = |&exercise| Trial::new(&root, exercise, SEED, JOBS, &Cancel::default()).unwrap();
    let trials: Vec<Trial> = exercises.iter().map(new).collect();
    println!("{BUILT}");
    std::io::stdin().lock().lines().next().unwrap().unwrap();

    let left = Mutex::new(programs.into_iter());
    let all_right = AtomicBool::new(true);
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                let next = || left.lock().unwrap().next();
                while let Some((name, variant)) = next() {
                    let place = names.iter().position(|other| *other == name).unwrap();
                    let problem = match variant {
                        0 => trials[place].solution(0).1,
                        variant => trials[place].problem(&built[place][variant - 1]),
                    };
                    if let Some(problem) = problem {
                        all_right.store(false, Ordering::SeqCst);
                        println!("{name}:{variant}: {problem}\n");
                    }
                }
            });
        }
    });
    if all_right.into_inner() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn exercise<'a>(lessons: &'a [Lesson], name: &str) -> (&'a Lesson, &'a Exercise) {
    let (number, name) = name.split_once('/').unwrap();
    let lesson = lessons.iter().find(|lesson| lesson.number == number).unwrap();
    (lesson, lesson.about.exercises.iter().find(|exercise| exercise.name == name).unwrap())
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().unwrap())
}

fn seed_of_the_clock() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    u64::from(now.subsec_micros())
}

/// Numbers that follow from a seed (the generator is called `SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end as u64).unwrap()
    }
}
