//! What a check needs beyond cargo and this repository, and what becomes of a check that cannot be
//! run here.
//!
//! Not every machine can have everything: a download may be forbidden, a package unknown. So a
//! check is left out, and named in the last lines; with `CI_REQUIRE=all` in the environment that is
//! a failure, before anything runs.

use std::env;
use std::process::Command;

use anyhow::{Result, bail};

use super::Step;

/// What says that no check may be left out.
const VARIABLE: &str = "CI_REQUIRE";

/// Something that a machine has or lacks.
pub enum Need {
    /// A version of Rust, installed by rustup.
    Toolchain(&'static str),
    /// The standard library for another system.
    Target(&'static str),
    /// A program on the path, and the Debian package it comes in.
    Program(&'static str, &'static str),
}

impl Need {
    fn is_here(&self) -> bool {
        match self {
            Self::Toolchain(version) => {
                rustup_says(&["toolchain", "list"]).lines().any(|line| line.starts_with(version))
            }
            Self::Target(target) => rustup_says(&["target", "list", "--installed"])
                .lines()
                .any(|line| line.trim() == *target),
            Self::Program(name, _) => is_on_path(name),
        }
    }

    /// What is missing, and what to do about it.
    fn missing(&self) -> String {
        match self {
            Self::Toolchain(version) => {
                format!("no Rust {version}: rustup toolchain install {version} --profile minimal")
            }
            Self::Target(target) => {
                format!("no standard library for {target}: rustup target add {target}")
            }
            Self::Program(name, package) => {
                format!("no {name}: on Debian, apt-get install {package}")
            }
        }
    }
}

/// Whether no check may be left out.
pub fn all_required() -> bool {
    env::var(VARIABLE).is_ok_and(|value| value == "all")
}

/// The steps that can be run here, and a line about each of the others.
///
/// # Errors
/// When one would be left out and `all_required` says that none may: the error names what is missing.
pub fn sort_out(steps: Vec<Step>, all_required: bool) -> Result<(Vec<Step>, Vec<String>)> {
    let (mut runnable, mut left_out) = (Vec::new(), Vec::new());
    for step in steps {
        match step.needs.iter().find(|need| !need.is_here()) {
            None => runnable.push(step),
            Some(need) => {
                left_out.push(format!("{}: {}", step.name, need.missing()));
                runnable.extend(step.otherwise.map(|other| *other));
            }
        }
    }
    if all_required && !left_out.is_empty() {
        let list = left_out.join("\n  ");
        bail!("{VARIABLE}=all, but these checks cannot be run here:\n  {list}");
    }
    Ok((runnable, left_out))
}

fn is_on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let file = format!("{program}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&path).any(|folder| folder.join(&file).is_file())
}

/// Nothing, where there is no rustup.
fn rustup_says(arguments: &[&str]) -> String {
    let output = Command::new("rustup").args(arguments).output();
    output.map_or(String::new(), |output| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::step;
    use super::*;

    fn steps() -> Vec<Step> {
        let missing = || Need::Program("no-such-program", "no-package");
        vec![
            step("here", "cargo fmt"),
            step("gone", "cargo run").needing(missing()),
            step("newer", "cargo +1.0 test")
                .needing(missing())
                .otherwise(step("any", "cargo test")),
        ]
    }

    #[test]
    fn what_cannot_be_run_is_named_and_something_else_runs_in_its_place() {
        let (runnable, left_out) = sort_out(steps(), false).unwrap();
        let names: Vec<_> = runnable.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(names, ["here", "any"]);
        let why = "no no-such-program: on Debian, apt-get install no-package";
        assert_eq!(left_out, [format!("gone: {why}"), format!("newer: {why}")]);
    }

    #[test]
    fn where_all_is_required_a_missing_program_stops_everything() {
        let Err(error) = sort_out(steps(), true) else { panic!("it goes on") };
        assert!(error.to_string().contains("gone: no no-such-program"), "{error}");
        assert!(sort_out(vec![step("here", "cargo fmt")], true).is_ok());
    }

    #[test]
    fn a_target_or_toolchain_that_nobody_has_is_not_here() {
        assert!(!Need::Target("made-up-target").is_here());
        assert!(!Need::Toolchain("0.0.1").is_here());
    }
}
