//! Many clients at once, and none of them holds up another.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use graded::{Case, Client, Difference};
use netlab::conditions::{Coalesce, Conditions, Path, Stall, StreamFaults};
use netlab::record::Transport;
use rstest::rstest;

use super::{
    A_MOMENT, expect_code_1_on_a_taken_port, expect_code_2_on_arguments, expect_little_memory,
};

const WELCOME: &[u8] = b"welcome\n";
const FULL: &[u8] = b"full\n";
const IDLE: &[u8] = b"idle\n";
/// More than all the buffers between two programs on one computer ever hold.
const FLOOD_BYTES: usize = 64 * 1024 * 1024;
/// How long to wait before the next look at something that takes its time.
const LOOK: Duration = Duration::from_millis(20);

fn case() -> Case {
    Case::of("02", "crowd")
}

/// An idle limit that is soon over, and yet so long that no busy machine makes a client look silent
/// that talks.
const IDLE_LIMIT: Duration = Duration::from_secs(1);

/// Starts the program with `arguments` and an idle limit.
fn serve_impatiently(case: &Case, arguments: &[&str], limit: Duration) -> SocketAddr {
    case.tells_to_wait(limit);
    let limit = limit.as_millis().to_string();
    case.serve_at(&[arguments, &["--idle", &limit]].concat(), "127.0.0.1:0")
}

/// Starts the program with `arguments`.
fn serve(case: &Case, arguments: &[&str]) -> SocketAddr {
    case.serve_at(arguments, "127.0.0.1:0")
}

/// A client that has found a place.
fn enter(case: &Case, server: SocketAddr) -> Client {
    let mut client = case.connect(server);
    client.expect(WELCOME);
    client
}

/// A client that tries until it has found a place: soon again at first, and then less and less
/// often, so that a report still shows what came before.
fn enter_when_free(case: &Case, server: SocketAddr) -> Client {
    let deadline = case.deadline();
    let mut pause = LOOK;
    loop {
        let mut client = case.connect(server);
        let greeting = client.receive_line();
        if greeting == WELCOME {
            return client;
        }
        if deadline.is_over() {
            let what = "the place of a client that has left is still taken";
            case.fail(Difference::fail(what).with(WELCOME, &greeting));
        }
        client.vanish();
        thread::sleep(pause.min(deadline.left()));
        pause *= 4;
    }
}

fn converse(client: &mut Client, said: &[u8]) {
    client.send(said);
    client.expect(said);
}

/// There is nothing more to come than the close.
fn leave(mut client: Client) {
    client.half_close();
    client.expect_last_words(b"");
}

/// A client that comes when there is no place.
fn expect_refusal(case: &Case, server: SocketAddr) {
    let mut client = case.connect(server);
    client.expect(FULL);
    client.expect_close();
}

/// The server still serves: a new client comes, talks and leaves.
fn expect_service(case: &Case, server: SocketAddr) {
    let mut client = enter(case, server);
    converse(&mut client, &case.random_bytes(100));
    leave(client);
}

/// More than a server can have sent back to a client that does not read.
fn flood(case: &Case) -> Vec<u8> {
    // A block whose length divides no buffer, so that a missing buffer does not go unnoticed.
    let block = case.random_bytes(65_521);
    block.repeat(FLOOD_BYTES / block.len() + 1)
}

#[rstest]
#[case::hello("hello".as_bytes())]
#[case::chinese("你好\n".as_bytes())]
#[case::zero_bytes(b"\0\0\0")]
#[case::not_utf8(b"\xff\xfe \xc3\x28")]
#[case::line_ends(b"\r\n\n\r")]
fn everything_comes_back(#[case] said: &[u8]) {
    let case = case();
    let mut client = enter(&case, case.serve());
    converse(&mut client, said);
    converse(&mut client, &case.random_bytes(case.random_length(1, 3_000)));
    converse(&mut client, said);
    client.send(said);
    client.half_close();
    client.expect_last_words(said);
}

#[rstest]
#[case::in_single_bytes(StreamFaults { slice: Some(1), ..StreamFaults::default() })]
#[case::in_pieces(StreamFaults { slice: Some(300), ..StreamFaults::default() })]
#[case::glued(StreamFaults {
    coalesce: Some(Coalesce { bytes: 3_000, wait: A_MOMENT }),
    ..StreamFaults::default()
})]
#[case::after_a_pause(StreamFaults {
    stall: Some(Stall { after: 700, time: A_MOMENT }),
    ..StreamFaults::default()
})]
fn it_comes_back_however_it_is_cut(#[case] stream: StreamFaults) {
    let case = case();
    let path = Path { stream, ..Path::default() };
    let conditions = Conditions { to_server: path, ..Conditions::default() };
    let relay = case.network(Transport::Tcp, case.serve(), conditions);
    let mut client = enter(&case, relay);
    let said = case.random_bytes(case.random_length(20_000, 30_000));
    client.send_in_pieces(&said, 1_000);
    client.half_close();
    client.expect_last_words(&said);
}

#[rstest]
fn many_clients_are_served_at_once() {
    let case = case();
    let server = case.serve();
    let mut clients: Vec<Client> = (0..50).map(|_| enter(&case, server)).collect();
    // Everybody says two things before anybody hears something.
    let said = |_| case.random_bytes(case.random_length(1, 500));
    let said: Vec<Vec<u8>> = (0..clients.len()).map(said).collect();
    for _ in 0..2 {
        for (client, said) in clients.iter_mut().zip(&said) {
            client.send(said);
        }
    }
    // The last one first, and nobody gets what another has said.
    for (client, said) in clients.iter_mut().zip(&said).rev() {
        client.expect(&said.repeat(2));
    }
    clients.into_iter().for_each(leave);
}

#[rstest]
fn who_does_not_read_holds_up_nobody() {
    let case = case();
    let server = case.serve();
    let mut early = enter(&case, server);
    let flood = flood(&case);
    let mut flooding = enter(&case, server);
    flooding.send_until_stuck(&flood);
    converse(&mut early, b"hello");
    expect_service(&case, server);
    flooding.reset();
    leave(early);
}

#[rstest]
fn who_does_not_read_is_not_read_from() {
    let case = case();
    let server = case.serve();
    let flood = flood(&case);
    let mut flooding = enter(&case, server);
    let before = case.peak_memory();
    if flooding.send_until_stuck(&flood) == flood.len() {
        case.fail(Difference::fail(format!(
            "your program took {} bytes from a client that took nothing back",
            flood.len()
        )));
    }
    expect_little_memory(&case, before);
}

#[rstest]
fn a_slow_reader_loses_no_byte() {
    let case = case();
    let mut client = enter(&case, case.serve());
    let flood = flood(&case);
    let taken = client.send_until_stuck(&flood);
    client.half_close();
    client.expect_last_words(&flood[..taken]);
}

#[rstest]
#[case::who_says_nothing(b"")]
#[case::who_has_said_something(b"hello")]
fn a_silent_client_is_told_and_closed(#[case] said: &[u8]) {
    let case = case();
    let server = serve_impatiently(&case, &[], IDLE_LIMIT);
    let timed = case.must_act_within(IDLE_LIMIT);
    let mut client = enter(&case, server);
    client.send(said);
    client.expect(said);
    client.expect_silence(IDLE_LIMIT / 5);
    drop(timed);
    client.expect_last_words(IDLE);
}

/// That the place is free again shows that the connection was closed. Reading from it would show
/// nothing: a byte that is read starts a new count.
#[rstest]
fn a_client_that_takes_nothing_is_closed() {
    let case = case();
    let server = serve_impatiently(&case, &["--max", "1"], Duration::from_millis(200));
    let flood = flood(&case);
    let mut flooding = enter(&case, server);
    flooding.send_until_stuck(&flood);
    enter_when_free(&case, server).vanish();
    flooding.expect_end_or_reset();
}

#[rstest]
fn the_idle_limit_counts_from_the_last_byte() {
    let case = case();
    let server = serve_impatiently(&case, &[], IDLE_LIMIT);
    let timed = case.must_act_within(IDLE_LIMIT);
    let mut client = enter(&case, server);
    let started = Instant::now();
    while started.elapsed() < IDLE_LIMIT * 3 / 2 {
        timed.renew();
        converse(&mut client, &case.random_bytes(1));
        client.expect_silence(A_MOMENT);
    }
    leave(client);
}

#[rstest]
#[case::one(&["--max", "1"], 1)]
#[case::three(&["--max", "3"], 3)]
#[case::a_hundred_if_nothing_is_said(&[], 100)]
fn who_finds_no_place_is_told_and_closed(#[case] arguments: &[&str], #[case] places: usize) {
    let case = case();
    let server = serve(&case, arguments);
    let mut clients: Vec<Client> = (0..places).map(|_| enter(&case, server)).collect();
    expect_refusal(&case, server);
    expect_refusal(&case, server);
    for client in &mut clients {
        converse(client, b"hello");
    }
    // One leaves and one comes: now there is no place again.
    if let Some(client) = clients.pop() {
        leave(client);
    }
    let _last = enter_when_free(&case, server);
    expect_refusal(&case, server);
}

/// How a client leaves.
#[derive(Clone, Copy)]
enum Exit {
    HalfClose,
    Close,
    CloseUnread,
    Reset,
    NetworkReset,
    Silence,
}

impl Exit {
    /// A client comes, talks and leaves in this way.
    fn take(self, case: &Case, server: SocketAddr) {
        let mut client = enter(case, self.way(case, server));
        converse(&mut client, b"hello");
        match self {
            Self::HalfClose => leave(client),
            Self::Close => client.vanish(),
            Self::CloseUnread => {
                client.send(&case.random_bytes(30_000));
                client.vanish();
            }
            Self::Reset => client.reset(),
            Self::NetworkReset => {
                client.send(&case.random_bytes(1_000));
                client.expect_end_or_reset();
            }
            Self::Silence => client.expect_end_or_reset(),
        }
    }

    /// Where the client connects: to the server, or to a network that will fail.
    fn way(self, case: &Case, server: SocketAddr) -> SocketAddr {
        if !matches!(self, Self::NetworkReset) {
            return server;
        }
        let stream = StreamFaults { reset_after: Some(500), ..StreamFaults::default() };
        let path = Path { stream, ..Path::default() };
        let conditions = Conditions { to_server: path, ..Conditions::default() };
        case.network(Transport::Tcp, server, conditions)
    }
}

#[rstest]
#[case::half_close(Exit::HalfClose)]
#[case::close(Exit::Close)]
#[case::close_without_reading(Exit::CloseUnread)]
#[case::reset(Exit::Reset)]
#[case::reset_by_the_network(Exit::NetworkReset)]
#[case::silence(Exit::Silence)]
fn a_place_is_free_again_however_its_client_left(#[case] exit: Exit) {
    let case = case();
    let server = match exit {
        Exit::Silence => serve_impatiently(&case, &["--max", "1"], IDLE_LIMIT),
        _ => serve(&case, &["--max", "1"]),
    };
    exit.take(&case, server);
    enter_when_free(&case, server).vanish();
}

/// What the server holds, named as in a report: descriptors and threads.
fn holdings(case: &Case) -> [(&'static str, Option<u64>); 2] {
    [("descriptors", case.descriptors()), ("threads", case.threads())]
}

#[rstest]
fn two_hundred_clients_leave_nothing_behind() {
    let case = case();
    let server = serve(&case, &["--max", "1000"]);
    let crowd = |size| {
        for index in 0..size {
            let mut client = enter(&case, server);
            converse(&mut client, b"hello");
            match index % 3 {
                0 => leave(client),
                1 => client.vanish(),
                _ => client.reset(),
            }
        }
    };
    // What a program prepares for its first clients once and for all is no leak.
    crowd(20);
    let before = holdings(&case);
    crowd(200);
    case.step("expect no more descriptors and threads than before these two hundred clients");
    let deadline = case.deadline();
    while let Some(what) = surplus(before, holdings(&case)) {
        if deadline.is_over() {
            case.fail(Difference::fail(what));
        }
        thread::sleep(LOOK);
    }
}

/// What there is more of after than before; `None` also where the system does not tell.
fn surplus(before: [(&str, Option<u64>); 2], after: [(&str, Option<u64>); 2]) -> Option<String> {
    let mut pairs = before.into_iter().zip(after);
    let ((what, before), (_, after)) = pairs.find(|((_, b), (_, a))| b.is_some() && a > b)?;
    Some(format!("your program has {} {what}, and had {} before", after?, before?))
}

/// The client is still connected when the server is killed, so the server's side closes first, and
/// TIME-WAIT is on the server's port.
#[rstest]
fn the_same_port_can_be_bound_again_at_once() {
    let case = case();
    let server = case.serve_on_a_free_port(&[]);
    let mut client = enter(&case, server);
    converse(&mut client, b"hello");
    let again = case.serve_at(&[], &server.to_string());
    expect_service(&case, again);
    client.vanish();
}

#[rstest]
fn it_tells_by_its_exit_code_why_it_cannot_serve() {
    let case = case();
    let server = case.serve();
    expect_service(&case, server);
    expect_code_1_on_a_taken_port(&case, server);
    expect_service(&case, server);
    let on_any_port = ["server", "--addr", "127.0.0.1:0"];
    let wrong: [&[&str]; 5] =
        [&["--loud"], &["--max", "0"], &["--max", "many"], &["--idle", "0"], &["--idle", "soon"]];
    let wrong: Vec<Vec<&str>> = wrong.map(|wrong| [&on_any_port, wrong].concat()).into();
    let mut wrong: Vec<&[&str]> = wrong.iter().map(Vec::as_slice).collect();
    wrong.push(&["server", "--addr", "nowhere"]);
    expect_code_2_on_arguments(&case, &wrong);
}
