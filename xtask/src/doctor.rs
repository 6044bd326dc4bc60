//! `cargo xtask doctor`: what this machine can do for the course, on one screen, and what to try
//! where it cannot.
//!
//! Each probe tries one thing for real where that is possible, and judges what has come with a
//! function that knows neither sockets nor files, so that the judgement is tested for systems that
//! are not at hand. Nothing leaves the loopback interface.

mod console;
mod descriptors;
mod files;
mod finding;
mod localhost;
mod loopback;
mod multicast;
mod peers;
mod ping;
mod port;
mod rust;

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use course::{Course, Language, Text};
use grader::process::{self, Bounds, Cancel};

use crate::lang::Lang;
use finding::{Finding, Level, text};

/// How long one step of a probe waits for an answer that comes at once or never.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long all probes together may take. A network drive that is gone can block a call forever.
const LIMIT: Duration = Duration::from_secs(60);

/// Say what this machine can do for the course, and what to try where it cannot
///
/// `ok`: as it should be. `note`: something is missing or different, and the line says what that
/// means. `problem`: lessons 1 to 5 do not work before that is solved; then the exit code is 1.
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    lang: Lang,
}

/// Something to find out.
struct Probe {
    subject: Text,
    /// What it means when there is no answer in time.
    silence: Level,
    look: Box<dyn FnOnce() -> Vec<Finding> + Send>,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let (root, language) = (Course::folder()?, options.lang.language());
    let mut out = io::stdout().lock();
    let mut worst = Level::Ok;
    for (probe, answer) in start(probes(&root), LIMIT) {
        for finding in answer {
            worst = worst.max(finding.level);
            finding.write(&mut out, &probe, language)?;
        }
        out.flush()?;
    }
    writeln!(out, "\n{}", sum(worst, language))?;
    Ok(if worst == Level::Problem { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// In the order in which they are shown: what all lessons need comes first.
fn probes(root: &Path) -> Vec<Probe> {
    let (manifest, folder) = (root.join("Cargo.toml"), root.to_owned());
    vec![
        probe(("Rust", "Rust"), Level::Problem, move || rust::look(&manifest)),
        probe(("loopback", "环回接口"), Level::Problem, loopback::look_v4),
        probe(("IPv6", "IPv6"), Level::Note, loopback::look_v6),
        probe(("localhost", "localhost"), Level::Note, localhost::look),
        probe(("port 8888", "8888 端口"), Level::Note, port::look),
        probe(("multicast", "组播"), Level::Note, multicast::look),
        probe(("ping", "ping"), Level::Note, ping::look),
        probe(("files", "文件"), Level::Note, move || files::look(&folder)),
        probe(("console", "终端"), Level::Note, console::look),
        probe(("descriptors", "描述符"), Level::Note, descriptors::look),
        probe(("programs", "外部程序"), Level::Note, peers::look),
    ]
}

fn probe(
    (english, chinese): (&str, &str),
    silence: Level,
    look: impl FnOnce() -> Vec<Finding> + Send + 'static,
) -> Probe {
    Probe { subject: text(english, chinese), silence, look: Box::new(look) }
}

/// Starts all probes at once. What each has found comes in their order, when it is there; a probe
/// that hangs is left behind.
fn start(probes: Vec<Probe>, limit: Duration) -> impl Iterator<Item = (Text, Vec<Finding>)> {
    let until = Instant::now() + limit;
    let started: Vec<(Text, Level, Receiver<Vec<Finding>>)> = probes
        .into_iter()
        .map(|Probe { subject, silence, look }| {
            let (sender, receiver) = mpsc::channel();
            // Without a thread there is no sender, and so no answer.
            let _ = thread::Builder::new().spawn(move || sender.send(look()));
            (subject, silence, receiver)
        })
        .collect();
    started.into_iter().map(move |(subject, silence, answer)| {
        let left = until.saturating_duration_since(Instant::now());
        let found = answer.recv_timeout(left).unwrap_or_else(|_| vec![no_answer(silence)]);
        (subject, found)
    })
}

fn no_answer(level: Level) -> Finding {
    Finding::new(level, text("the system gives no answer", "系统没有回应"))
}

fn sum(worst: Level, language: Language) -> &'static str {
    match worst {
        Level::Ok => language.words(
            "This machine can do everything that the course asks for.",
            "这台机器能满足本课程的全部要求。",
        ),
        Level::Note => language.words(
            "Lessons 1 to 5 work here; the notes say what is different.",
            "第 1 至 5 课可以正常运行；不同之处见上面的“注意”。",
        ),
        Level::Problem => language.words(
            "Lessons 1 to 5 do not work here before the problems above are solved.",
            "请先解决上面的问题，否则第 1 至 5 课无法运行。",
        ),
    }
}

/// What a program prints on standard output and error, if it can be started and ends in time.
fn output_of(command: &mut Command) -> Option<String> {
    let ended = process::run(command, &Bounds::of(PATIENCE, &Cancel::default())).ok()?;
    ended.status.map(|_| ended.stdout + &ended.stderr)
}

/// The system's own words without its number, and without the full stop that Windows has there.
fn reason(error: &io::Error) -> String {
    let said = error.to_string();
    let end = said.find(" (os error").unwrap_or(said.len());
    said[..end].trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_come_in_order_and_a_probe_that_panics_is_one_without_an_answer() {
        let found = |said: &str| vec![Finding::ok(text(said, said))];
        let (go, wait) = mpsc::channel::<()>();
        let first = probe(("1", "1"), Level::Note, move || {
            let _ = wait.recv();
            found("first")
        });
        let second = probe(("2", "2"), Level::Problem, || panic!("a mistake of ours"));
        let third = probe(("3", "3"), Level::Note, move || {
            let _ = go.send(());
            found("third")
        });
        let came: Vec<_> = start(vec![first, second, third], LIMIT).collect();
        let said: Vec<&str> = came.iter().map(|(_, found)| found[0].said.en.as_str()).collect();
        assert_eq!(said, ["first", "the system gives no answer", "third"]);
        assert_eq!(came[1].1[0].level, Level::Problem);
    }

    #[test]
    fn a_probe_that_hangs_is_left_behind() {
        let (never, wait) = mpsc::channel::<()>();
        let hangs = probe(("1", "1"), Level::Note, move || {
            let _ = wait.recv();
            Vec::new()
        });
        let came: Vec<_> = start(vec![hangs], Duration::from_millis(50)).collect();
        assert_eq!(came[0].1[0].said.en, "the system gives no answer");
        drop(never);
    }
}
