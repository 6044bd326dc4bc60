//! A client under test.

use std::net::SocketAddr;
use std::process::ExitStatus;
use std::time::Duration;

use grader::punctuality::Limit;
use netlab::program::{Running as Process, poll_while};

use crate::bytes::brief;
use crate::case::Output;
use crate::exit::{attribute_exit, is_crash, wrong_end};
use crate::patience::{Silence, Wait, patience};
use crate::program::{self, Start};
use crate::shared::{Shared, Started, note_group};
use crate::step_log::Difference;

/// How long the pipes of a program that has ended may stay open: something that it has started
/// may hold them forever.
pub const LAST_WORDS: Duration = Duration::from_secs(1);

/// The program under test, while it runs as a client. It is killed when the case ends.
#[derive(Debug)]
pub struct Running {
    shared: Shared,
    /// Its place among the clients of the case.
    place: usize,
}

impl Running {
    /// Starts `PROGRAM client --addr SERVER ARGUMENTS…`.
    pub(crate) fn start(shared: &Shared, server: SocketAddr, arguments: &[&str]) -> Self {
        let Start { mut command, shown, .. } =
            program::client(&shared.state().program, server, arguments);
        shared.step(format!("start your program: {shown}"));
        match Process::start_noting(&mut command, note_group) {
            Ok(running) => {
                let clients = &mut shared.state().clients;
                clients.push(Started { running, is_over: false });
                let place = clients.len() - 1;
                Self { shared: shared.clone(), place }
            }
            Err(error) => shared.tell(&Difference::fail(error.to_string())),
        }
    }

    /// Expects that it ends by itself with this exit code; what it has printed.
    #[allow(clippy::must_use_candidate)] // what it has printed may not matter
    pub fn expect_exit(&self, code: i32) -> Output {
        self.shared.step(format!("your program ends with exit code {code}"));
        let wait = Wait::begin(&self.shared);
        let status = wait.poll(|| self.look(Process::ended));
        drop(wait);
        let Some(status) = status else {
            self.shared.tell(&Difference::timeout(format!(
                "your program still runs after {:?}",
                patience()
            )));
        };
        let output = self.output(status);
        if status.code() != Some(code) {
            let mut difference = Difference::fail(wrong_end(status, code));
            if is_crash(status) {
                attribute_exit(&mut difference, status, &output.stderr);
            }
            self.shared.tell(&difference);
        }
        output
    }

    /// Expects that it ends by itself with this exit code, and that its standard output was
    /// `printed`, byte for byte.
    #[allow(clippy::must_use_candidate)] // what it has said besides may not matter
    pub fn expect_exit_having_printed(&self, code: i32, printed: &[u8]) -> Output {
        let output = self.expect_exit(code);
        self.shared.step(format!("its standard output was {}", brief(printed)));
        let got = self.look(|running| running.stdout_bytes());
        if got != printed {
            let what = "your program has printed something else than expected";
            self.shared.fail(Difference::fail(what).with(printed, &got));
        }
        output
    }

    /// Expects that it does not end, for as long as `time`.
    pub fn expect_still_running(&self, time: Duration) {
        self.shared.step("your program must still run");
        let silence = Silence::begin(&self.shared, time);
        let ended = poll_while(|| silence.left().is_some(), || self.look(Process::ended));
        if ended.is_some() {
            self.shared.fail(Difference::fail("your program has ended too early"));
        }
    }

    /// The most memory it has held so far, in bytes; `None` where the system does not tell, or when
    /// it has ended.
    #[must_use]
    pub fn peak_memory(&self) -> Option<u64> {
        self.look(|running| running.peak_memory())
    }

    /// Kills it, as a power cut would.
    pub fn kill(&self) {
        self.shared.step("kill your program");
        self.look(Process::kill);
        self.shared.state().clients[self.place].is_over = true;
    }

    fn output(&self, status: ExitStatus) -> Output {
        let limit = Limit::begin(LAST_WORDS);
        self.look(|running| running.drain_while(|| limit.left().is_some()));
        let client = &mut self.shared.state().clients[self.place];
        client.is_over = true;
        let (stdout, stderr) = (client.running.stdout(), client.running.stderr());
        Output { code: status.code(), stdout, stderr }
    }

    fn look<T>(&self, look: impl FnOnce(&mut Process) -> T) -> T {
        look(&mut self.shared.state().clients[self.place].running)
    }
}
