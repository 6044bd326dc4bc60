//! What a case shares with all that belongs to it: clients, servers, folders.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{env, fs, thread};

use grader::outcome;
use grader::protocol::{self, Outcome, Verdict};
use grader::punctuality::{self, Limit, Stopwatch};
use netlab::faults::Direction;
use netlab::filtered::Filtered;
use netlab::program::{Running, Server, poll};
use netlab::record::{Happening, Transport};
use netlab::relay::Relay;

use crate::disturbed::Held;
use crate::exit::{attribute_client_exit, attribute_exit};
use crate::folder::WorkDir;
use crate::random::{self, Random};
use crate::step_log::{Difference, ReportContext, StepLog};
use crate::wire::{Line, Wire};

/// How long a program that is about to end may take to do so, before its failure is reported.
const LAST_BREATH: Duration = Duration::from_millis(200);

/// The state of a case, shared by everything that takes part in it.
#[derive(Clone, Debug)]
pub struct Shared(Arc<Mutex<State>>);

pub struct State {
    /// `02/answer`
    exercise: String,
    case: String,
    pub seed: u64,
    pub random: Random,
    /// How the program is started, without the arguments of the contract.
    pub program: Vec<String>,
    step_log: StepLog,
    pub wire: Arc<Mutex<Wire>>,
    pub server: Option<Server>,
    /// Whether the test has seen the server's end: then it explains no failure.
    pub server_is_over: bool,
    pub clients: Vec<Started>,
    pub folders: Vec<WorkDir>,
    pub networks: Vec<Network>,
    /// Ports that do not answer for as long as the case lasts.
    pub filtered: Vec<Filtered>,
    /// How many connections have come through a network to a server of the test.
    accepted: usize,
    longest_wait: Duration,
    /// How long the program was told to let pass before it does something.
    pub told_time: Duration,
    /// What the machine has done to the test.
    held: Held,
    /// The failure that was reported, if there was one.
    reported: Option<Outcome>,
}

/// A client under test.
#[derive(Debug)]
pub struct Started {
    pub running: Running,
    /// Whether the test has seen its end, or has killed it: then its end explains no failure.
    pub is_over: bool,
}

/// A relay, and the server behind it.
pub struct Network {
    pub relay: Relay,
    pub server: SocketAddr,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} with seed {}", self.exercise, self.case, self.seed)
    }
}

impl Shared {
    pub fn of(lesson: &str, exercise: &str, program: Vec<String>) -> Self {
        outcome::prepare();
        punctuality::watch();
        let (seed, case) = (random::seed(), case_name(exercise));
        Self(Arc::new(Mutex::new(State {
            wire: Arc::new(Mutex::new(Wire::begin(&format!("{lesson}-{exercise}-{case}")))),
            exercise: format!("{lesson}/{exercise}"),
            random: Random::of(seed, &case),
            case,
            seed,
            program,
            step_log: StepLog::default(),
            server: None,
            server_is_over: false,
            clients: Vec::new(),
            folders: Vec::new(),
            networks: Vec::new(),
            filtered: Vec::new(),
            accepted: 0,
            longest_wait: Duration::ZERO,
            told_time: Duration::ZERO,
            held: Held::begin(),
            reported: None,
        })))
    }

    /// Notes a step.
    pub fn step(&self, what: impl Into<String>) {
        self.state().step_log.step(what);
    }

    /// A new connection of a client that the test plays.
    pub fn line(&self, transport: Transport, client: SocketAddr, server: SocketAddr) -> Line {
        let state = self.state();
        let is_overheard = state.networks.iter().any(|network| network.relay.address() == server);
        let number = state.wire().new_number(transport, client);
        Line { number, transport, client, server, is_overheard }
    }

    /// A connection to a server that the test plays. Behind a relay all clients are the relay's,
    /// and only their order tells them apart.
    pub fn line_of_host(
        &self,
        transport: Transport,
        client: SocketAddr,
        server: SocketAddr,
    ) -> Line {
        let mut state = self.state();
        let is_overheard = state.networks.iter().any(|network| network.server == server);
        let number = match transport {
            _ if is_overheard => {
                state.accepted += 1;
                state.accepted
            }
            Transport::Tcp => state.wire().new_number(transport, client),
            Transport::Udp => state.wire().number_of(transport, client),
        };
        Line { number, transport, client, server, is_overheard }
    }

    /// Notes payload, unless a relay does.
    pub fn carries(&self, line: &Line, direction: Direction, payload: &[u8]) {
        if !line.is_overheard {
            self.state().wire().carries(line, direction, payload);
        }
    }

    /// Notes something else that happens to a connection, unless a relay does.
    pub fn happens(&self, line: &Line, direction: Direction, happening: Happening) {
        if !line.is_overheard {
            self.state().wire().happens(line, direction, happening);
        }
    }

    /// Notes that the test has waited for so long.
    pub fn waited(&self, time: Duration) {
        let mut state = self.state();
        state.longest_wait = state.longest_wait.max(time);
    }

    #[cfg(all(test, unix))]
    pub fn longest_wait(&self) -> Duration {
        self.state().longest_wait
    }

    pub fn told_time(&self) -> Duration {
        self.state().told_time
    }

    /// The program's own time limit begins.
    pub fn begin_timer(&self, limit: Duration) {
        self.state().held.begin_timer(limit);
    }

    /// The program's time starts again. With `decides`, it is the program's failure that it is not
    /// over by now.
    pub fn renew_timer(&self, decides: bool) {
        self.state().held.renew_timer(decides);
    }

    pub fn end_timer(&self) {
        self.state().held.end_timer();
    }

    /// Whether the program has a time limit of its own now.
    pub fn is_timed(&self) -> bool {
        self.state().held.is_timed()
    }

    /// Something has come after a silence, and nobody knows when: the test may have stood still.
    pub fn could_not_hear(&self, silence: &Stopwatch, time: Duration) {
        self.state().held.could_not_hear(silence, time);
    }

    /// Ends the test: the steps so far, and why it ends here. If the program has ended, that is
    /// why.
    pub fn fail(&self, mut difference: Difference) -> ! {
        self.state().attribute_any_exit(&mut difference);
        self.tell(&difference);
    }

    /// Ends the test with just this reason.
    pub fn tell(&self, difference: &Difference) -> ! {
        let mut state = self.state();
        let report = state.report(difference);
        let held = state.held.excuse();
        drop(state);
        panic!("{}: {report}{held}", difference.verdict);
    }

    /// Whether the program has ended by now, in whatever way, so that nothing more will come.
    pub fn program_has_ended(&self) -> bool {
        self.state().has_ended()
    }

    /// Ends the case: kills what runs, looks for what was left behind, and leaves the outcome.
    pub fn close(&self) {
        let (server, clients, networks) = {
            let mut state = self.state();
            let clients = std::mem::take(&mut state.clients);
            (state.server.take(), clients, std::mem::take(&mut state.networks))
        };
        // Not under the lock: killing takes its time, and a relay tells the wire its last events.
        drop((server, clients, networks));
        let mut state = self.state();
        let strange = if thread::panicking() { None } else { state.left_outside() };
        let report = strange.as_ref().map(|difference| state.report(difference));
        let outcome = state.outcome();
        outcome::send(&outcome);
        drop(state);
        if let (Some(difference), Some(report)) = (strange, report) {
            panic!("{}: {report}", difference.verdict);
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        // A failed expectation panics without the lock; what is noted is valid anyway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The report of a failure, which becomes the outcome.
    fn report(&mut self, difference: &Difference) -> String {
        let State { exercise, case, seed, .. } = &*self;
        let whose = env::var(protocol::WHOSE).unwrap_or_default();
        let replay = format!("cargo xtask grade {exercise}{whose} --case {case} --seed {seed}");
        let role =
            if self.server.is_none() && !self.clients.is_empty() { "client" } else { "server" };
        let context =
            ReportContext { role, wire: self.wire().transcript(), said: self.said(), replay };
        let report = self.step_log.report(difference, &context);
        if let Err(error) = self.wire().keep_artifacts() {
            eprintln!("cannot write the artifacts of {exercise} {case}: {error}");
        }
        self.reported = Some(self.outcome_with(difference.verdict, report.clone()));
        report
    }

    fn outcome(&mut self) -> Outcome {
        match (self.reported.take(), thread::panicking()) {
            (Some(reported), _) => reported,
            (None, false) => self.outcome_with(Verdict::Pass, String::new()),
            (None, true) => self.outcome_with(
                Verdict::GraderError,
                "the graded test itself has panicked; its output says where".to_owned(),
            ),
        }
    }

    fn outcome_with(&mut self, verdict: Verdict, report: String) -> Outcome {
        let longest_wait = self.longest_wait.as_secs_f64();
        let disturbance = self.held.disturbance(verdict);
        Outcome { verdict, report, output: self.said(), longest_wait, disturbance }
    }

    /// What the program has said on standard error, in whatever role.
    fn said(&self) -> String {
        let clients = self.clients.iter().map(|client| client.running.stderr());
        self.server.iter().map(Server::stderr).chain(clients).collect()
    }

    fn has_ended(&mut self) -> bool {
        let is_over = |client: &mut Started| client.is_over || client.running.ended().is_some();
        match &mut self.server {
            Some(server) => server.ended().is_some(),
            None => !self.clients.is_empty() && self.clients.iter_mut().all(is_over),
        }
    }

    /// A program that has ended, or is just about to, is the reason for whatever else was seen.
    fn attribute_any_exit(&mut self, difference: &mut Difference) {
        if let Some(server) = self.server.as_mut().filter(|_| !self.server_is_over)
            && let Some(status) = poll(LAST_BREATH, || server.ended())
        {
            let limit = Limit::begin(LAST_BREATH);
            server.drain_while(|| limit.left().is_some());
            attribute_exit(difference, status, &server.stderr());
            // A server ends when it is told to, and then in order.
            difference.verdict = if status.success() { Verdict::Fail } else { Verdict::Crash };
        }
        for client in self.clients.iter_mut().filter(|client| !client.is_over) {
            if let Some(status) = poll(LAST_BREATH, || client.running.ended()) {
                let limit = Limit::begin(LAST_BREATH);
                client.running.drain_while(|| limit.left().is_some());
                attribute_client_exit(difference, status, &client.running.stderr());
            }
        }
    }

    /// What the program has put where it was not told to write.
    fn left_outside(&mut self) -> Option<Difference> {
        let found: Vec<_> = self.folders.iter().flat_map(WorkDir::strangers).collect();
        if found.is_empty() {
            return None;
        }
        self.step_log
            .step("look whether anything lies outside the folder that your program was given");
        let what = format!("your program has written outside its folder: {}", found.join(", "));
        Some(Difference::fail(what))
    }
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
pub fn note_group(id: u32) {
    if let Some(folder) = env::var_os(protocol::GROUPS) {
        let file = Path::new(&folder).join(id.to_string());
        if let Err(error) = fs::write(&file, "") {
            panic!("cannot write {}: {error}", file.display());
        }
    }
}
