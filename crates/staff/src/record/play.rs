//! Plays the steps of a scenario one after the other.

use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use netlab::program::{Running, poll};

use super::sandbox::Sandbox;
use super::scenario::{About, Step};
use super::shown::Shown;

/// How long a step may take, until it has ended or has printed what is waited for.
const LIMIT: Duration = Duration::from_secs(60);
/// How long the last lines of a program that has ended may be on their way to us.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// A step that has been started.
struct Played<'a> {
    step: &'a Step,
    running: Running,
    lines: Arc<Mutex<Vec<String>>>,
    code: i32,
}

/// Runs all steps; what a reader would see, as text: see [`Shown`].
pub fn play(about: &About, sandbox: &Sandbox) -> Result<String> {
    sandbox.lay_out(&about.files)?;
    if let Some(setup) = &about.setup {
        let status = sandbox.shell(setup).status().context("cannot start a shell")?;
        if !status.success() {
            bail!("its setup failed: {setup}");
        }
    }
    let mut played = Vec::new();
    for step in &about.steps {
        played.push(begin(step, sandbox).with_context(|| format!("step: {}", step.run))?);
    }
    let mut shown = Shown::new(&about.vary)?;
    for mut one in played {
        let step = one.step;
        end(&mut one).with_context(|| format!("step: {}", step.run))?;
        let lines = one.lines.lock().unwrap_or_else(PoisonError::into_inner);
        shown.add(step, &lines, one.code);
    }
    Ok(shown.into_text())
}

/// Runs a step to its end, or until it has said that it goes on.
fn begin<'a>(step: &'a Step, sandbox: &Sandbox) -> Result<Played<'a>> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&lines);
    let note = move |line: &str| {
        heard.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
    };
    let mut command =
        if step.until.is_some() { sandbox.server(&step.run) } else { sandbox.shell(&step.run) };
    let mut running = Running::start(&mut command, note)?;
    let has_said = |wanted: &String| {
        let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().any(|line| line.contains(wanted.as_str()))
    };
    let code = match &step.until {
        None => {
            let status = poll(LIMIT, || running.ended()).context("it did not end")?;
            running.drain(DRAIN_LIMIT);
            code(status)
        }
        Some(wanted) => {
            let said = poll(LIMIT, || {
                has_said(wanted).then_some(true).or_else(|| running.ended().map(|_| false))
            });
            if said != Some(true) {
                bail!("it did not print {wanted:?}, but: {:?}", lines.lock());
            }
            0
        }
    };
    Ok(Played { step, running, lines, code })
}

/// Ends a step that has gone on so far; in any case, it must have ended as it should.
fn end(played: &mut Played<'_>) -> Result<()> {
    let Played { step, running, code: found, .. } = played;
    if step.until.is_some() {
        let status = if step.ends {
            poll(LIMIT, || running.ended()).context("it did not end by itself")?
        } else {
            running.interrupt(LIMIT).context("it did not end after Ctrl-C")?
        };
        running.drain(DRAIN_LIMIT);
        *found = code(status);
    }
    if *found != step.code {
        let said = played.lines.lock().unwrap_or_else(PoisonError::into_inner).join("\n");
        bail!("it ended with code {found} and not {}; it said:\n{said}", step.code);
    }
    Ok(())
}

/// As a shell counts: a program that a signal has ended has code -1 here.
fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(-1)
}
