//! `bench echo`: 64 bytes go and come back, on one connection and on many.
//!
//! One client measures all servers ([`echo_load`]), so that only servers differ; sockperf's own
//! client is measured with sockperf's server besides.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use netlab::peers::{Transport, free_port};

use super::comparison::{self, Candidate, Measure, Sample};
use super::echo_load::{self, Speech};
use super::peers::{PYTHON, Peer, SOCAT, SOCKPERF};
use super::report::{Kind, Memory, Report};
use super::setup::Setup;
use super::transfer::{LIMIT, Launch, Ready, finish, wait_until_ready};

/// A thread for each connection, as textbooks have it.
const THREADED: &str = include_str!("peers/threaded_echo.py");
const TIMED: &str = "64 bytes to the server and back, compared: one message on its way at a time on \
    each connection, after a warm-up; memory is the server's";

const ONE: [Measure; 2] = [
    Measure { name: "half of the round trips take at most", unit: "µs", higher_is_better: false },
    Measure { name: "99 of 100 take at most", unit: "µs", higher_is_better: false },
];
const MANY: [Measure; 2] = [
    Measure { name: "messages a second", unit: "/s", higher_is_better: true },
    Measure {
        name: "the connection with the fewest, of the most",
        unit: "%",
        higher_is_better: true,
    },
];

/// Round trips of 64 bytes: both servers of lesson 2, socat, Python, sockperf
#[derive(clap::Args)]
pub struct Options {
    /// How many round trips on one connection; with --quick 200
    #[arg(long, value_name = "N", default_value_t = 50_000,
          value_parser = clap::value_parser!(u32).range(1..))]
    trips: u32,
    /// How many connections at once
    #[arg(long, value_name = "N", default_value_t = 64,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    connections: u32,
    /// For how long they do it; with --quick a tenth of a second
    #[arg(long, value_name = "SECONDS", default_value_t = 2,
          value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
}

/// How to start a server; it is told its port, or picks one and says so.
#[derive(Clone, Copy)]
struct Server {
    name: &'static str,
    kind: Kind,
    needs: &'static [Peer],
    speech: Speech,
    /// It is told where its program is, a port, and a folder for what it needs.
    launch: fn(&Path, &str, &Setup) -> Result<Launch>,
}

pub fn run(setup: &Setup, options: &Options) -> Result<Report> {
    let lesson = setup.build("lesson-02")?;
    let trips = if setup.quick { 200 } else { options.trips as usize };
    let quick = Duration::from_millis(100);
    let time = if setup.quick { quick } else { Duration::from_secs(options.seconds.into()) };
    let connections = options.connections as usize;
    let one = |server: SocketAddr, speech| {
        let times = echo_load::ping_pong(server, speech, trips)?;
        ensure!(times.rounds() == trips, "{} of {trips} round trips were timed", times.rounds());
        Ok([50, 99].map(|part| times.percentile(part).as_secs_f64() * 1e6).to_vec())
    };
    let many = |server: SocketAddr, speech| {
        let crowd = echo_load::crowd(server, speech, connections, time)?;
        Ok(vec![crowd.rate(), 100.0 * ratio(crowd.fewest, crowd.most)])
    };
    let mut single: Vec<_> = servers().map(|server| candidate(setup, &lesson, server, one)).into();
    single.push(sockperf(time));
    let crowd = servers().map(|server| candidate(setup, &lesson, server, many));
    // On one processor: whether the two sides happen to share one decides more than any server.
    let everywhere = pin("0")?;
    let outcome =
        comparison::run_rounds(setup, "one connection, both sides on one processor", &ONE, &single);
    pin(&everywhere)?;
    let (mut groups, mut missing) = outcome?;
    let (more, absent) =
        comparison::run_rounds(setup, &format!("{connections} connections"), &MANY, &crowd)?;
    groups.extend(more);
    missing.extend(absent);
    missing.sort_by(|one, other| one.name.cmp(&other.name));
    missing.dedup_by(|one, other| one.name == other.name);
    Ok(Report { name: "echo", timed: TIMED.to_owned(), groups, missing })
}

/// Keeps us, and whom we start from now on, on these processors; returns those of before.
fn pin(processors: &str) -> Result<String> {
    let id = std::process::id().to_string();
    let taskset = |words: &[&str]| {
        let output = Command::new("taskset").args(words).arg(&id).output();
        let output = output.context("cannot start taskset (package util-linux)")?;
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        ensure!(output.status.success(), "taskset failed: {said}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let before = taskset(&["--cpu-list", "--pid"])?;
    taskset(&["--all-tasks", "--cpu-list", "--pid", processors])?;
    let list = before.rsplit(": ").next().context("taskset names no processors")?;
    Ok(list.trim().to_owned())
}

#[expect(clippy::cast_precision_loss, reason = "a ratio with a few digits")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn servers() -> [Server; 5] {
    let ours =
        |name, launch| Server { name, kind: Kind::Ours, needs: &[], speech: Speech::Echo, launch };
    let peer = |name, needs, launch| Server {
        name,
        kind: Kind::Peer,
        needs,
        speech: Speech::Echo,
        launch,
    };
    [
        ours("lesson 2, threads", |lesson, port, _| {
            Ok(Launch::new(lesson).args(&["server", "--addr", &format!("127.0.0.1:{port}")]))
        }),
        ours("lesson 2, events", |lesson, port, _| {
            Ok(Launch::new(lesson).args(&[
                "server",
                "--addr",
                &format!("127.0.0.1:{port}"),
                "--events",
            ]))
        }),
        peer("socat", &[SOCAT], |socat, port, _| {
            let listen = format!("TCP-LISTEN:{port},bind=127.0.0.1,fork,nodelay,backlog=128");
            Ok(Launch::new(socat).args(&[&listen, "PIPE"]))
        }),
        peer("Python, threads", &[PYTHON], |python, port, _| {
            Ok(Launch::new(python).args(&["-c", THREADED, port]))
        }),
        Server {
            speech: Speech::Sockperf,
            ..peer("sockperf", &[SOCKPERF], |sockperf, port, setup| {
                // It takes many connections only where it listens on more than one port.
                let ports =
                    format!("T:127.0.0.1:{port}\nT:127.0.0.1:{}\n", free_port(Transport::Tcp));
                let list = setup.path("ports");
                std::fs::write(&list, ports)?;
                Ok(Launch::new(sockperf).args(&["server", "-F", "epoll", "-f"]).arg(list))
            })
        },
    ]
}

fn candidate<'a>(
    setup: &'a Setup,
    lesson: &'a Path,
    server: Server,
    load: impl Fn(SocketAddr, Speech) -> Result<Vec<f64>> + 'a,
) -> Candidate<'a> {
    let Server { name, kind, needs, speech, launch } = server;
    let turn = move |found: &[PathBuf]| {
        let port = free_port(Transport::Tcp);
        let program = found.first().map_or(lesson, PathBuf::as_path);
        let mut server = launch(program, &port.to_string(), setup)?.start()?;
        let address = wait_until_ready(&mut server, Ready::Bound(Transport::Tcp, port))?;
        let values = load(address, speech)?;
        let memory = server.kill().map(|ended| ended.peak_memory);
        Ok(Sample { values, memory: Memory { server: memory, client: None } })
    };
    Candidate::new(name, kind, needs, turn)
}

/// Both of its sides are its own.
fn sockperf<'a>(time: Duration) -> Candidate<'a> {
    let turn = move |found: &[PathBuf]| {
        let port = free_port(Transport::Tcp);
        let at = ["--tcp", "-i", "127.0.0.1", "-p", &port.to_string()];
        let mut server = Launch::new(&found[0]).arg("server").args(&at).start()?;
        wait_until_ready(&mut server, Ready::Bound(Transport::Tcp, port))?;
        let time = time.as_secs().max(1).to_string();
        let load = ["--full-rtt", "-m", "64", "-t", &time];
        let mut client = Launch::new(&found[0]).arg("ping-pong").args(&at).args(&load).start()?;
        let client_memory = finish("sockperf", &mut client, Instant::now() + LIMIT)?.peak_memory;
        let said = client.said();
        let percentile = |part: &str| percentile(&said, part);
        let values = vec![percentile("50.000")?, percentile("99.000")?];
        let memory = server.kill().map(|ended| ended.peak_memory);
        Ok(Sample { values, memory: Memory { server: memory, client: Some(client_memory) } })
    };
    Candidate::new("sockperf, its own client", Kind::Peer, &[SOCKPERF], turn)
}

/// A line such as `sockperf: ---> percentile 99.000 =   17.612`, in microseconds.
fn percentile(said: &str, part: &str) -> Result<f64> {
    let start = format!("percentile {part} =");
    let found = said.lines().find_map(|line| line.split_once(&start));
    let (_, value) = found.with_context(|| format!("sockperf names no {start}: {said}"))?;
    value.trim().parse().with_context(|| format!("sockperf's {value} is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockperfs_percentiles_are_read() {
        let said = "sockperf: ---> <MAX> observation =  152.010\n\
            sockperf: ---> percentile 99.900 =   24.101\n\
            sockperf: ---> percentile 99.000 =   17.612\n";
        assert!((percentile(said, "99.000").unwrap() - 17.612).abs() < 1e-9);
        assert!(percentile(said, "50.000").is_err());
    }
}
