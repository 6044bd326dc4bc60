//! One graded case from its first step to its outcome.

use std::io::{self, Seek, Write};
use std::net::SocketAddr;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{env, fs, thread};

use grader::process::{self, Ended};
use grader::protocol::{self, Outcome, Verdict};
use netlab::program::{Server, StartError, poll};

use crate::client::Client;
use crate::program;
use crate::random::{self, Random};
use crate::sender::Sender;
use crate::story::{Difference, Story};

/// How long a program may take for one step: to get ready, to answer, to close. A thousand times
/// what the solutions need, so that a slow or busy machine fails nobody.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// The exit code of a Rust program that panics.
const RUST_PANIC: i32 = 101;
/// How long a program that is about to end may take to do so, before its failure is told.
const LAST_BREATH: Duration = Duration::from_millis(200);

/// One case. It ends with the test: then the program is killed and the outcome is written.
#[derive(Debug)]
pub struct Exam(Desk);

/// What a program gave that has ended by itself.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; `None` cannot be seen, as that is a crash.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// What an exam and its clients share.
#[derive(Clone, Debug)]
pub struct Desk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// `02/answer`
    exercise: String,
    case: String,
    seed: u64,
    random: Random,
    /// How the program is started, without the arguments of the contract.
    program: Vec<String>,
    story: Story,
    server: Option<Server>,
    clients: usize,
    /// The failure that was told, if there was one.
    told: Option<Outcome>,
}

impl Exam {
    /// Begins a case of `exercise` in lesson number `lesson`; nothing runs yet.
    #[must_use]
    pub fn of(lesson: &str, exercise: &str) -> Self {
        let (seed, case) = (random::seed(), case_name(exercise));
        Self(Desk(Arc::new(Mutex::new(State {
            exercise: format!("{lesson}/{exercise}"),
            random: Random::of(seed, &case),
            case,
            seed,
            program: program::command_line(lesson, exercise),
            story: Story::default(),
            server: None,
            clients: 0,
            told: None,
        }))))
    }

    /// `length` bytes of any value.
    #[must_use]
    pub fn random_bytes(&self, length: usize) -> Vec<u8> {
        self.0.state().random.bytes(length)
    }

    /// A number from `low` to `high`, both included.
    #[must_use]
    pub fn random_length(&self, low: usize, high: usize) -> usize {
        let number = self.0.state().random.number();
        low + usize::try_from(number % (high - low + 1) as u64).unwrap_or(0)
    }

    /// The program with `arguments`, for a test that starts it in its own way.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        program::command(&self.0.state().program, arguments)
    }

    /// Notes a step that the test does by itself.
    pub fn step(&self, what: impl Into<String>) {
        self.0.step(what);
    }

    /// Tells a failure, and ends the test with it.
    pub fn fail(&self, difference: Difference) -> ! {
        self.0.fail(difference)
    }

    /// Runs the program with `arguments` and `input` on standard input until it ends by itself.
    ///
    /// # Panics
    /// When the input cannot be put into a temporary file; that is no failure of the program.
    #[must_use]
    pub fn run(&self, arguments: &[&str], input: &str) -> Ran {
        let fed = if input.is_empty() { String::new() } else { format!(", given {input:?}") };
        self.step(format!("run your program: {}{fed}", arguments.join(" ")));
        let stdin = fed_from_a_file(input)
            .unwrap_or_else(|error| panic!("no temporary file for standard input: {error}"));
        match process::run_fed(&mut self.command(arguments), stdin, PATIENCE, note_group) {
            Err(error) => self.fail(Difference::fail(format!("it cannot be started: {error}"))),
            Ok(ended) => match ended.status {
                None => self.fail(Difference::timeout(format!("it did not end in {PATIENCE:?}"))),
                Some(status) => self.ran(status, ended),
            },
        }
    }

    /// A program that ended by a signal or by a panic has crashed, whatever it printed.
    fn ran(&self, status: ExitStatus, ended: Ended) -> Ran {
        let Ended { stdout, stderr, .. } = ended;
        let code = status.code();
        if code.is_none() || code == Some(RUST_PANIC) {
            let mut difference = Difference::fail("");
            blame_the_end(&mut difference, status, &stderr);
            difference.what = format!("{}\n{stderr}", difference.what);
            self.fail(difference);
        }
        Ran { code, stdout, stderr }
    }

    /// Expects that what the program gave is `expected`; `what` names it in the report.
    pub fn expect_equal(&self, what: &str, expected: &str, got: &str) {
        self.step(format!("expect {what}"));
        if expected != got {
            let difference = Difference::fail(format!("{what} is not the one expected"));
            self.fail(difference.with(expected.as_bytes(), got.as_bytes()));
        }
    }

    /// Starts the program as a server on a free port and waits until it is ready.
    #[must_use]
    pub fn serve(&self) -> SocketAddr {
        self.serve_at(&[], "127.0.0.1:0")
    }

    /// Starts `PROGRAM server --addr ADDRESS` with more `arguments`, and waits until it is ready.
    /// A server that this exam has started before is killed first.
    pub fn serve_at(&self, arguments: &[&str], address: &str) -> SocketAddr {
        let is_first_start = !self.kill_server();
        let arguments = [&["server", "--addr", address], arguments].concat();
        self.step(format!("start your program: server {}", arguments[1..].join(" ")));
        let mut command = self.command(&arguments);
        // Not under the lock: it takes its time.
        match Server::start_noting(&mut command, PATIENCE, note_group) {
            Ok(server) => {
                let address = server.address();
                self.0.state().server = Some(server);
                address
            }
            Err(error) => self.fail(not_ready(&error, is_first_start)),
        }
    }

    /// Kills the server, as a power cut would; `false` if there was none.
    fn kill_server(&self) -> bool {
        // Dropping it kills it; not under the lock, as it takes its time.
        let server = self.0.state().server.take();
        let was_there = server.is_some();
        if was_there {
            self.step("kill your program");
        }
        was_there
    }

    /// The most memory the server has held so far, in bytes; `None` where the system does not tell.
    #[must_use]
    pub fn peak_memory(&self) -> Option<u64> {
        self.0.state().server.as_ref().and_then(Server::peak_memory)
    }

    /// Connects a new client.
    #[must_use]
    pub fn connect(&self, server: SocketAddr) -> Client {
        Client::connect(self.0.clone(), self.next_number(), server)
    }

    /// Opens a new UDP socket that talks with the server.
    ///
    /// # Panics
    /// When the system has no socket for it; that is no failure of the program.
    #[must_use]
    pub fn sender(&self, server: SocketAddr) -> Sender {
        Sender::open(self.0.clone(), self.next_number(), server)
            .unwrap_or_else(|error| panic!("no UDP socket for the test: {error}"))
    }

    fn next_number(&self) -> usize {
        let mut state = self.0.state();
        state.clients += 1;
        state.clients
    }
}

impl Drop for Exam {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.server = None;
        let outcome = match (state.told.take(), thread::panicking()) {
            (Some(told), _) => told,
            (None, false) => {
                Outcome { verdict: Verdict::Pass, report: String::new(), longest_wait: 0.0 }
            }
            (None, true) => Outcome {
                verdict: Verdict::GraderError,
                report: "the graded test itself has panicked; its output says where".to_owned(),
                longest_wait: 0.0,
            },
        };
        write_outcome(&outcome);
    }
}

impl Desk {
    /// Notes a step.
    pub fn step(&self, what: impl Into<String>) {
        self.state().story.step(what);
    }

    /// Lets `note` add to the story.
    pub fn note(&self, note: impl FnOnce(&mut Story)) {
        note(&mut self.state().story);
    }

    /// Ends the test: the story so far, and why it ends here.
    pub fn fail(&self, mut difference: Difference) -> ! {
        let mut state = self.state();
        let ended = state.ended();
        let said = state.server.as_ref().map(Server::stderr).unwrap_or_default();
        if let Some(status) = ended {
            blame_the_end(&mut difference, status, &said);
        }
        let State { exercise, case, seed, .. } = &*state;
        let whose = env::var(protocol::WHOSE).unwrap_or_default();
        let replay = format!("cargo xtask grade {exercise}{whose} --case {case} --seed {seed}");
        let report = state.story.report(&difference, &said, &replay);
        state.told = Some(Outcome {
            verdict: difference.verdict,
            report: report.clone(),
            longest_wait: 0.0,
        });
        drop(state);
        panic!("{}: {report}", difference.verdict);
    }

    /// Whether the server has ended by now, in whatever way.
    pub fn server_has_ended(&self) -> bool {
        self.state().server.as_mut().is_some_and(|server| server.ended().is_some())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A failed expectation panics without the lock; what is noted is valid anyway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How the server has ended, if it has, or is just about to.
    fn ended(&mut self) -> Option<ExitStatus> {
        let server = self.server.as_mut()?;
        poll(LAST_BREATH, || server.ended())
    }
}

/// A program that has ended is the reason for whatever else was seen. An orderly end in the wrong
/// place is a failure, any other is a crash.
fn blame_the_end(difference: &mut Difference, status: ExitStatus, said: &str) {
    difference.verdict = if status.success() { Verdict::Fail } else { Verdict::Crash };
    let unwritten = said.lines().find_map(|line| line.strip_prefix(protocol::UNWRITTEN));
    difference.what = match unwritten {
        Some(part) => format!("a part of your program is still to be written{part}"),
        None => format!("your program has ended ({status}) in the middle of this"),
    };
}

/// A program that could be started once but not again has failed at something.
fn not_ready(error: &StartError, is_first_start: bool) -> Difference {
    if is_first_start {
        Difference { verdict: Verdict::NotReady, what: error.to_string(), bytes: None }
    } else {
        Difference::fail(format!("your program could not be started again: {error}"))
    }
}

/// A file rather than a pipe: nobody has to feed it while the program runs.
fn fed_from_a_file(input: &str) -> io::Result<Stdio> {
    let mut file = tempfile::tempfile()?;
    file.write_all(input.as_bytes())?;
    file.rewind()?;
    Ok(file.into())
}

/// The grader says which case this is; without it, libtest names the thread after the test.
fn case_name(exercise: &str) -> String {
    env::var(protocol::CASE).unwrap_or_else(|_| {
        let thread = thread::current();
        let name = thread.name().unwrap_or("?");
        name.strip_prefix(&format!("{exercise}::")).unwrap_or(name).to_owned()
    })
}

/// Leaves the id of a new process group to the grader.
fn note_group(id: u32) {
    if let Some(folder) = env::var_os(protocol::GROUPS) {
        let file = std::path::Path::new(&folder).join(id.to_string());
        if let Err(error) = fs::write(&file, "") {
            panic!("cannot write {}: {error}", file.display());
        }
    }
}

fn write_outcome(outcome: &Outcome) {
    let Some(path) = env::var_os(protocol::OUTCOME) else { return };
    // If it cannot be written, the grader finds none and says so.
    if let Ok(json) = serde_json::to_vec(outcome) {
        let _ = fs::write(path, json);
    }
}
