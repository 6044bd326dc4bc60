//! One graded case from its first step to its outcome.

use std::io::{self, Seek, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Command, ExitStatus, Stdio};

use grader::process::{self, Ended};
use grader::protocol::Verdict;
use netlab::conditions::Conditions;
use netlab::filtered::Filtered;
use netlab::port::free_port_for_any;
use netlab::program::{Server, StartError, Wait as Waiting};
use netlab::record::Transport;
use netlab::relay::Relay;

use crate::client::Client;
use crate::exit::{attribute_exit, is_crash};
use crate::folder::Folder;
use crate::host::Host;
use crate::patience::{Wait, patience};
use crate::program::{self, Start};
use crate::running::Running;
use crate::sender::Sender;
use crate::shared::{Network, Shared, note_group};
use crate::step_log::Difference;
use crate::udp_host::UdpHost;
use crate::wire::Wire;

/// One case. It ends with the test: then everything it has started is killed and the outcome is
/// written.
#[derive(Debug)]
pub struct Case(pub(crate) Shared);

/// What a program gave that has ended by itself.
#[derive(Debug)]
pub struct Output {
    /// The exit code; `None` cannot be seen, as that is a crash.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Case {
    /// Begins a case of `exercise` in lesson number `lesson`; nothing runs yet.
    #[must_use]
    pub fn of(lesson: &str, exercise: &str) -> Self {
        Self(Shared::of(lesson, exercise, program::command_line(lesson, exercise)))
    }

    #[cfg(test)]
    pub(crate) fn at(shared: Shared) -> Self {
        Self(shared)
    }

    #[cfg(all(test, unix))]
    pub(crate) fn longest_wait(&self) -> std::time::Duration {
        self.0.longest_wait()
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
    pub fn run(&self, arguments: &[&str], input: &str) -> Output {
        let fed = if input.is_empty() { String::new() } else { format!(", given {input:?}") };
        self.step(format!("run your program: {}{fed}", arguments.join(" ")));
        let stdin = fed_from_a_file(input)
            .unwrap_or_else(|error| panic!("no temporary file for standard input: {error}"));
        let wait = Wait::begin(&self.0);
        let ended = process::run_fed(&mut self.command(arguments), stdin, patience(), note_group);
        drop(wait);
        match ended {
            Err(error) => self.fail(Difference::fail(format!("it cannot be started: {error}"))),
            Ok(ended) => match ended.status {
                None => {
                    self.fail(Difference::timeout(format!("it did not end in {:?}", patience())))
                }
                Some(status) => self.output(status, ended),
            },
        }
    }

    /// A program that ended by a signal or by a panic has crashed, whatever it printed.
    fn output(&self, status: ExitStatus, ended: Ended) -> Output {
        let Ended { stdout, stderr, .. } = ended;
        let code = status.code();
        if is_crash(status) {
            let mut difference = Difference::fail("");
            attribute_exit(&mut difference, status, &stderr);
            difference.what = format!("{}\n{stderr}", difference.what);
            self.fail(difference);
        }
        Output { code, stdout, stderr }
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

    /// As [`serve_at`](Self::serve_at), on a port that no other program is given as long as the case
    /// lasts: for a server that closes its port, or is started again on the same one.
    #[must_use]
    pub fn serve_on_a_free_port(&self, arguments: &[&str]) -> SocketAddr {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port_for_any()));
        self.serve_at(arguments, &address.to_string())
    }

    /// Starts `PROGRAM server --addr ADDRESS` with more `arguments`, and waits until it is ready.
    /// A server that this case has started before is killed first.
    ///
    /// A submission whose command line has `{port}` or `{addr}` in it is told its port there and
    /// not by `--addr`, and it need not print a readiness line: it is ready when its port is bound.
    ///
    /// Only a program that is told a wildcard (`[::]:0`, `0.0.0.0:0`) may say that it listens there.
    /// The test then connects to that port of 127.0.0.1 and `::1`, and nowhere else.
    #[allow(clippy::must_use_candidate)] // that it is ready may be all that a test wants
    pub fn serve_at(&self, arguments: &[&str], address: &str) -> SocketAddr {
        let is_first_start = !self.kill_server();
        let asked = address.to_owned();
        let Start { mut command, shown, address } =
            program::server(&self.0.state().program, address, arguments);
        self.step(format!("start your program: {shown}"));
        // Not under the lock: it takes its time.
        let wait = Wait::begin(&self.0);
        let there_is_time = || wait.left().is_some();
        let waiting =
            Waiting { limit: patience(), there_is_time: &there_is_time, note: &note_group };
        let started = match address {
            None => Server::start_within(&mut command, &waiting),
            Some(address) => Server::start_at(&mut command, address, &waiting),
        };
        drop(wait);
        match started {
            Ok(server) => {
                let address = server.address();
                if !address.ip().is_loopback() && !is_wildcard_of(&asked, address) {
                    self.fail(elsewhere(address));
                }
                let mut state = self.0.state();
                state.server = Some(server);
                state.server_is_over = false;
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
        if was_there && !self.0.state().server_is_over {
            self.step("kill your program");
        }
        was_there
    }

    /// The most memory the server has held so far, in bytes; `None` where the system does not tell.
    #[must_use]
    pub fn peak_memory(&self) -> Option<u64> {
        self.0.state().server.as_ref().and_then(Server::peak_memory)
    }

    /// How many descriptors (open files, sockets, pipes) the server has now; `None` where the
    /// system does not tell.
    #[must_use]
    pub fn descriptors(&self) -> Option<u64> {
        self.0.state().server.as_ref().and_then(Server::descriptors)
    }

    /// How many threads the server has now; `None` where the system does not tell.
    #[must_use]
    pub fn threads(&self) -> Option<u64> {
        self.0.state().server.as_ref().and_then(Server::threads)
    }

    /// Connects a new client.
    #[must_use]
    pub fn connect(&self, server: SocketAddr) -> Client {
        Client::connect(self.0.clone(), server)
    }

    /// Opens a new UDP socket that talks with the server.
    ///
    /// # Panics
    /// When the system has no socket for it; that is no failure of the program.
    #[must_use]
    pub fn sender(&self, server: SocketAddr) -> Sender {
        Sender::open(self.0.clone(), server)
            .unwrap_or_else(|error| panic!("no UDP socket for the test: {error}"))
    }

    /// The test becomes the TCP server of a client under test.
    ///
    /// # Panics
    /// When the system has no socket for it; that is no failure of the program.
    #[must_use]
    pub fn listen(&self) -> Host {
        Host::listen(self.0.clone(), None)
            .unwrap_or_else(|error| panic!("the test's server cannot listen: {error}"))
    }

    /// As [`listen`](Self::listen), but little of what the client sends is taken before the test
    /// reads: a receive buffer of about this many bytes for each connection.
    ///
    /// # Panics
    /// When the system has no socket for it; that is no failure of the program.
    #[must_use]
    pub fn listen_with_buffer(&self, bytes: usize) -> Host {
        Host::listen(self.0.clone(), Some(bytes))
            .unwrap_or_else(|error| panic!("the test's server cannot listen: {error}"))
    }

    /// As [`listen_with_buffer`](Self::listen_with_buffer), in small segments, where the system lets a
    /// socket ask for them: then the *sender's* system has a small buffer, too.
    ///
    /// # Panics
    /// When the system has no socket for it; that is no failure of the program.
    #[must_use]
    pub fn listen_narrowly(&self, bytes: usize) -> Host {
        Host::listen_narrowly(self.0.clone(), bytes)
            .unwrap_or_else(|error| panic!("the test's server cannot listen: {error}"))
    }

    /// The test becomes the UDP server of a client under test.
    ///
    /// # Panics
    /// When the system has no socket for it; that is no failure of the program.
    #[must_use]
    pub fn listen_udp(&self) -> UdpHost {
        UdpHost::bind(self.0.clone())
            .unwrap_or_else(|error| panic!("the test's server has no UDP socket: {error}"))
    }

    /// Starts the program as a client: `PROGRAM client --addr SERVER` with more `arguments`.
    #[must_use]
    pub fn start_client(&self, server: SocketAddr, arguments: &[&str]) -> Running {
        Running::start(&self.0, server, arguments)
    }

    /// Puts a network between a server and its clients; where clients find the server from now on.
    /// What happens in it follows from the case's seed. (With `refuse`, it is an address where
    /// nobody listens for as long as the case lasts.)
    ///
    /// # Panics
    /// When the conditions cannot be; that is no failure of the program.
    #[must_use]
    pub fn network(
        &self,
        transport: Transport,
        server: SocketAddr,
        conditions: Conditions,
    ) -> SocketAddr {
        let mut state = self.0.state();
        let is_refusing = conditions.refuse && transport == Transport::Tcp;
        let conditions = Conditions { seed: state.seed, ..conditions };
        let recorder = Wire::overhear(&state.wire);
        let relay = Relay::start(transport, server, conditions, Some(recorder))
            .unwrap_or_else(|error| panic!("no network before {server}: {error}"));
        let address = relay.address();
        state.networks.push(Network { relay, server });
        drop(state);
        self.step(if is_refusing {
            format!("nobody listens on {address}")
        } else {
            format!("the network lies between {address} and the server at {server}")
        });
        address
    }

    /// A TCP port at `host`, a loopback address, that neither takes nor refuses a connection for as
    /// long as the case lasts, as behind a firewall that drops what comes. `None` on a system that
    /// has none (Windows): see [`Filtered`].
    ///
    /// # Panics
    /// When the system has no socket for it; that is no failure of the program.
    #[must_use]
    pub fn filtered(&self, host: IpAddr) -> Option<SocketAddr> {
        let filtered = Filtered::open(host)
            .unwrap_or_else(|error| panic!("no port at {host} for the test: {error}"))?;
        let address = filtered.address();
        self.0.state().filtered.push(filtered);
        self.step(format!("nobody answers at {address}"));
        Some(address)
    }

    /// A fresh folder for the program to work in.
    ///
    /// # Panics
    /// When the system has none; that is no failure of the program.
    #[must_use]
    pub fn folder(&self) -> Folder {
        Folder::new(self.0.clone()).unwrap_or_else(|error| panic!("no temporary folder: {error}"))
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A program that could be started once but not again has failed at something, and one that a
/// signal or a panic has ended has crashed.
fn not_ready(error: &StartError, is_first_start: bool) -> Difference {
    if let StartError::Ended(status, _) = error
        && is_crash(*status)
    {
        Difference { verdict: Verdict::Crash, what: error.to_string(), bytes: None }
    } else if is_first_start {
        Difference { verdict: Verdict::NotReady, what: error.to_string(), bytes: None }
    } else {
        Difference::fail(format!("your program could not be started again: {error}"))
    }
}

/// Whether the program was told to listen on the wildcard of a family, and says that it does.
fn is_wildcard_of(asked: &str, said: SocketAddr) -> bool {
    let asked = asked.parse::<SocketAddr>();
    asked.is_ok_and(|asked| asked.ip().is_unspecified() && asked.ip() == said.ip())
}

/// Whatever a program prints, the test connects to this machine only.
fn elsewhere(address: SocketAddr) -> Difference {
    let what = format!(
        "your program says that it listens on {address}, which is not an address of this machine's \
         loopback interface, as it was told to"
    );
    Difference { verdict: Verdict::NotReady, what, bytes: None }
}

/// A file rather than a pipe: nobody has to feed it while the program runs.
fn fed_from_a_file(input: &str) -> io::Result<Stdio> {
    let mut file = tempfile::tempfile()?;
    file.write_all(input.as_bytes())?;
    file.rewind()?;
    Ok(file.into())
}
