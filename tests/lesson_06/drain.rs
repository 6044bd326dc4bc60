//! `drain`: a pool of workers, a bounded queue, and an end in order. How long a request takes is up
//! to the test: until it says `finish`.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use graded::{Case, Client, Difference};
use rstest::rstest;

use super::{A_MOMENT, expect_refused};

/// How long to wait before something that takes its time is asked for again.
const LOOK: Duration = Duration::from_millis(20);

struct Pool {
    case: Case,
    server: SocketAddr,
    /// A client that has no requests of its own, and says what is finished.
    foreman: Client,
}

fn start(arguments: &[&str]) -> Pool {
    let case = Case::of("06", "drain");
    let server = case.serve_at(arguments, "127.0.0.1:0");
    pool(case, server)
}

/// For a test that has to do with the server's port when the server has closed it.
fn start_on_a_free_port() -> Pool {
    let case = Case::of("06", "drain");
    let server = case.serve_on_a_free_port(&[]);
    pool(case, server)
}

fn pool(case: Case, server: SocketAddr) -> Pool {
    let foreman = case.connect(server);
    Pool { case, server, foreman }
}

impl Pool {
    fn connect(&self) -> Client {
        self.case.connect(self.server)
    }

    /// A new client with a request that a worker takes at once.
    fn working(&self, name: &str) -> Client {
        let mut client = self.connect();
        say(&mut client, &format!("work {name}"));
        hear(&mut client, &format!("started {name}"));
        client
    }

    /// A new client with a request that finds a place in the queue.
    fn queued(&self, name: &str) -> Client {
        let mut client = self.connect();
        say(&mut client, &format!("work {name}"));
        expect_attention(&mut client);
        client
    }

    /// A new client whose request finds none.
    fn waiting(&self, name: &str) -> Client {
        let mut client = self.connect();
        say(&mut client, &format!("work {name}"));
        hear(&mut client, &format!("waiting {name}"));
        client
    }

    /// The running request `name` of this client is finished.
    fn finish(&mut self, name: &str, client: &mut Client) {
        self.finish_unheard(name);
        hear(client, &format!("done {name}"));
    }

    fn finish_unheard(&mut self, name: &str) {
        say(&mut self.foreman, &format!("finish {name}"));
        hear(&mut self.foreman, "ok");
    }

    /// As soon as a worker has taken it, which nobody is told: asked for soon again at first, and
    /// then less and less often, so that a report still shows what came before.
    fn finish_when_started(&mut self, name: &str) {
        let deadline = self.case.deadline();
        let mut pause = LOOK;
        loop {
            say(&mut self.foreman, &format!("finish {name}"));
            let answer = self.foreman.receive_line();
            if answer == b"ok\n" {
                return;
            }
            if answer != b"none\n" || deadline.is_over() {
                let what = format!("the request {name} is not started, although it is its turn");
                self.case.fail(Difference::fail(what).with(b"ok\n", &answer));
            }
            thread::sleep(pause.min(deadline.left()));
            pause *= 2;
        }
    }

    /// The foreman says `stop`.
    fn stop(&mut self) {
        say(&mut self.foreman, "stop");
        hear(&mut self.foreman, "stopping");
    }

    /// All is done: the client that has said `stop` is dropped, and then the program ends.
    fn expect_end(&mut self) {
        self.foreman.expect_last_words(b"bye\n");
        self.case.expect_server_exit(0);
    }
}

fn say(client: &mut Client, line: &str) {
    client.send(format!("{line}\n").as_bytes());
}

fn hear(client: &mut Client, line: &str) {
    client.expect(format!("{line}\n").as_bytes());
}

/// The lines of a client are taken one after another: when this one is answered, those before it
/// have been taken.
fn expect_attention(client: &mut Client) {
    say(client, "finish nobody");
    hear(client, "none");
}

fn hear_goodbye(client: &mut Client) {
    client.expect_last_words(b"bye\n");
}

#[rstest]
#[case::tea("tea")]
#[case::a_digit("7")]
#[case::as_long_as_may_be("a234567890123456789012345678901Z")]
fn a_request_lasts_until_somebody_finishes_it(#[case] name: &str) {
    let mut pool = start(&[]);
    let mut client = pool.working(name);
    client.expect_silence(A_MOMENT / 2);
    pool.finish(name, &mut client);
    say(&mut pool.foreman, &format!("finish {name}"));
    hear(&mut pool.foreman, "none");
    // And once more: it is another request now.
    say(&mut client, &format!("work {name}"));
    hear(&mut client, &format!("started {name}"));
    pool.finish(name, &mut client);
    client.half_close();
    client.expect_close();
}

#[rstest]
fn what_is_no_command_is_an_error() {
    let mut pool = start(&[]);
    let mut client = pool.working("tea");
    for line in ["", "work", "work ", "finish", "work two words", "WORK tea", "stop it", "work té"]
    {
        say(&mut client, line);
        hear(&mut client, "error");
    }
    say(&mut client, &format!("finish {}", "x".repeat(33)));
    hear(&mut client, "error");
    pool.finish("tea", &mut client);
}

#[rstest]
#[case::one(&["--workers", "1"], 1)]
#[case::three(&["--workers", "3"], 3)]
#[case::four_if_nothing_is_said(&[], 4)]
fn as_many_are_started_as_there_are_workers(#[case] arguments: &[&str], #[case] workers: usize) {
    let mut pool = start(arguments);
    let name = |index: usize| format!("job{index}");
    let mut running: Vec<(String, Client)> =
        (0..workers).map(|index| (name(index), pool.working(&name(index)))).collect();
    for next in (workers..workers + 3).map(name) {
        let mut queued = pool.queued(&next);
        queued.expect_silence(A_MOMENT / 2);
        // Whichever of them is finished, the next one begins.
        let (name, mut client) = running.remove(pool.case.random_length(0, workers - 1));
        pool.finish(&name, &mut client);
        hear(&mut queued, &format!("started {next}"));
        running.push((next, queued));
    }
    for (name, mut client) in running {
        pool.finish(&name, &mut client);
    }
}

#[rstest]
fn the_queue_keeps_its_order() {
    let mut pool = start(&["--workers", "1", "--queue", "5"]);
    let mut current = ("job0".to_owned(), pool.working("job0"));
    // Not in the order of their names.
    let names = (1..=5).rev().map(|index| format!("job{index}"));
    let queued: Vec<(String, Client)> =
        names.map(|name| (name.clone(), pool.queued(&name))).collect();
    for (name, mut client) in queued {
        pool.finish(&current.0, &mut current.1);
        hear(&mut client, &format!("started {name}"));
        current = (name, client);
    }
    pool.finish(&current.0, &mut current.1);
}

/// All of them are taken, or in the queue; and then the pool still hears everybody.
#[rstest]
fn a_busy_pool_still_hears_everybody() {
    let mut pool = start(&["--workers", "1", "--queue", "1"]);
    let mut running = pool.working("running");
    let mut queued = pool.queued("queued");
    let mut waiting = pool.waiting("waiting");
    for _ in 0..20 {
        expect_attention(&mut pool.connect());
    }
    for client in [&mut running, &mut queued] {
        expect_attention(client);
    }
    pool.finish("running", &mut running);
    hear(&mut queued, "started queued");
    pool.finish("queued", &mut queued);
    hear(&mut waiting, "started waiting");
    pool.finish("waiting", &mut waiting);
}

#[rstest]
#[case::one_and_two(&["--workers", "1", "--queue", "2"], 1, 2)]
#[case::two_and_one(&["--workers", "2", "--queue", "1"], 2, 1)]
#[case::four_and_eight_if_nothing_is_said(&[], 4, 8)]
fn who_finds_no_place_waits_and_is_not_read_from(
    #[case] arguments: &[&str],
    #[case] workers: usize,
    #[case] places: usize,
) {
    let mut pool = start(arguments);
    let mut running: Vec<Client> =
        (0..workers).map(|index| pool.working(&format!("job{index}"))).collect();
    let _queued: Vec<Client> =
        (0..places).map(|index| pool.queued(&format!("next{index}"))).collect();
    let mut waiting = pool.waiting("unlucky");
    // Not before there is a place for what it has said already.
    say(&mut waiting, "finish nobody");
    waiting.expect_silence(A_MOMENT);
    expect_attention(&mut pool.foreman);
    pool.finish("job0", &mut running[0]);
    hear(&mut waiting, "none");
    waiting.expect_silence(A_MOMENT / 4);
}

/// More than there is room for, in one go: the client hears all of it in the end, although it has
/// nothing more to say.
#[rstest]
fn nothing_is_lost() {
    let mut pool = start(&["--workers", "2", "--queue", "3"]);
    let names: BTreeSet<String> = (0..25).map(|index| format!("job{index}")).collect();
    let mut client = pool.connect();
    let said: Vec<String> = names.iter().map(|name| format!("work {name}\n")).collect();
    client.send(said.concat().as_bytes());
    client.half_close();
    let (mut started, mut done) = (BTreeSet::new(), BTreeSet::new());
    while done.len() < names.len() {
        let line = String::from_utf8_lossy(&client.receive_line()).trim_end().to_owned();
        let is_right = match line.split_once(' ') {
            Some(("waiting", name)) => names.contains(name) && !started.contains(name),
            Some(("started", name)) => {
                let is_new = names.contains(name) && started.insert(name.to_owned());
                // At once: it makes room for the next ones.
                pool.finish_unheard(name);
                is_new
            }
            Some(("done", name)) => started.contains(name) && done.insert(name.to_owned()),
            _ => false,
        };
        if !is_right {
            let what = format!("this came although it was not its turn: {line:?}");
            pool.case.fail(Difference::fail(what));
        }
    }
    client.expect_close();
}

/// How a client leaves that still has a request.
#[derive(Clone, Copy)]
enum Exit {
    Close,
    Reset,
}

impl Exit {
    fn take(self, client: Client) {
        match self {
            Self::Close => client.vanish(),
            Self::Reset => client.reset(),
        }
    }
}

/// What it had asked for is done all the same, and nobody is told.
#[rstest]
#[case::close(Exit::Close)]
#[case::reset(Exit::Reset)]
fn a_client_that_vanishes_holds_up_nobody(#[case] exit: Exit) {
    let mut pool = start(&["--workers", "1", "--queue", "2"]);
    let running = pool.working("running");
    let queued = pool.queued("queued");
    let mut last = pool.queued("last");
    let waiting = pool.waiting("waiting");
    for client in [running, queued, waiting] {
        exit.take(client);
    }
    pool.finish_when_started("running");
    pool.finish_when_started("queued");
    hear(&mut last, "started last");
    pool.finish("last", &mut last);
    pool.finish_when_started("waiting");
    let mut next = pool.working("next");
    pool.finish("next", &mut next);
}

#[rstest]
fn after_stop_nobody_new_is_served() {
    let mut pool = start_on_a_free_port();
    let mut client = pool.working("tea");
    pool.stop();
    pool.case.expect_refused(pool.server, b"bye\n");
    pool.finish("tea", &mut client);
    hear_goodbye(&mut client);
    pool.expect_end();
}

#[rstest]
fn what_was_begun_is_done_before_the_end() {
    let mut pool = start(&["--workers", "1", "--queue", "1"]);
    let mut running = pool.working("running");
    let mut queued = pool.queued("queued");
    let mut waiting = pool.waiting("waiting");
    pool.stop();
    for client in [&mut running, &mut queued, &mut waiting] {
        client.expect_silence(A_MOMENT / 2);
    }
    pool.finish("running", &mut running);
    hear_goodbye(&mut running);
    hear(&mut queued, "started queued");
    pool.finish("queued", &mut queued);
    hear_goodbye(&mut queued);
    hear(&mut waiting, "started waiting");
    pool.foreman.expect_silence(A_MOMENT / 2);
    pool.finish("waiting", &mut waiting);
    hear_goodbye(&mut waiting);
    pool.expect_end();
}

/// Two requests of one client that has half-closed: it is not idle before both are done.
#[rstest]
fn who_has_two_requests_is_let_go_after_both() {
    let mut pool = start(&["--workers", "2"]);
    let mut client = pool.working("tea");
    say(&mut client, "work toast");
    hear(&mut client, "started toast");
    client.half_close();
    client.expect_silence(A_MOMENT / 2);
    pool.stop();
    pool.finish("toast", &mut client);
    client.expect_silence(A_MOMENT / 2);
    pool.finish("tea", &mut client);
    hear_goodbye(&mut client);
    pool.expect_end();
}

/// Although others still work.
#[rstest]
fn idle_clients_are_told_goodbye_at_once() {
    let mut pool = start(&[]);
    let mut working = pool.working("tea");
    let mut new = pool.connect();
    expect_attention(&mut new);
    let mut done = pool.working("toast");
    pool.finish("toast", &mut done);
    pool.stop();
    hear_goodbye(&mut new);
    hear_goodbye(&mut done);
    working.expect_silence(A_MOMENT / 2);
    pool.finish("tea", &mut working);
    hear_goodbye(&mut working);
    pool.expect_end();
}

#[rstest]
fn who_has_said_stop_is_heard_until_all_is_done() {
    let mut pool = start(&[]);
    let mut client = pool.working("tea");
    pool.stop();
    expect_attention(&mut pool.foreman);
    say(&mut pool.foreman, "work toast");
    hear(&mut pool.foreman, "error");
    pool.foreman.expect_silence(A_MOMENT);
    pool.finish("tea", &mut client);
    hear_goodbye(&mut client);
    pool.expect_end();
}

/// The server closes its connections first, so TIME-WAIT is on its port.
#[rstest]
fn after_the_end_its_port_can_be_bound_again() {
    let mut pool = start_on_a_free_port();
    let mut idle = pool.connect();
    expect_attention(&mut idle);
    pool.stop();
    hear_goodbye(&mut idle);
    pool.expect_end();
    let again = pool.case.serve_at(&[], &pool.server.to_string());
    expect_attention(&mut pool.case.connect(again));
}

#[rstest]
#[case::no_workers(&["--workers", "0"])]
#[case::no_queue(&["--queue", "0"])]
#[case::some_workers(&["--workers", "some"])]
#[case::an_unknown_option(&["--loud"])]
fn wrong_arguments_are_refused(#[case] wrong: &[&str]) {
    let mut pool = start(&[]);
    expect_refused(&pool.case, &[&["server", "--addr", "127.0.0.1:0"], wrong].concat());
    expect_refused(&pool.case, &["server", "--addr", "nowhere"]);
    // The same program takes right ones.
    expect_attention(&mut pool.foreman);
    let mut client = pool.working("tea");
    pool.finish("tea", &mut client);
}
