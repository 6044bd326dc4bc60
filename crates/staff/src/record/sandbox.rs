//! Where a scenario is played: a folder of its own, the programs, and a network of its own.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::scenario::{Content, Scenario};
use course::Course;
use grader::cargo;

/// Programs by the name of their package.
pub type Programs = BTreeMap<String, PathBuf>;

/// The package that `cargo xtask` starts.
const XTASK: &str = "xtask";
/// Set for the process that is inside of a namespace, to where the programs are.
const INSIDE: &str = "RECORD_INSIDE";
/// Where the system takes the ports of clients from, inside of the namespace.
pub const CLIENT_PORTS: std::ops::RangeInclusive<u16> = 40_000..=49_999;

/// A temporary folder in which commands run, and the programs that they start.
pub struct Sandbox {
    folder: TempDir,
    pub programs: Programs,
}

/// Builds every program that the scenarios need.
pub fn build(course: &Course, scenarios: &[&Scenario]) -> Result<Programs> {
    let mentioned = |package: &str| {
        let is_in_step = |scenario: &&Scenario| {
            scenario
                .about
                .steps
                .iter()
                .any(|step| step.run.split_whitespace().any(|word| word == package))
        };
        let is_drawn = |scenario: &&Scenario| {
            scenario.about.diagram.as_ref().is_some_and(|it| it.program == package)
        };
        scenarios.iter().any(|scenario| is_in_step(scenario) || is_drawn(scenario))
    };
    let lessons = course.lessons.iter().map(course::Lesson::package);
    let mut programs = Programs::new();
    for package in lessons.chain([XTASK.to_owned()]).filter(|package| mentioned(package)) {
        let program = cargo::build(&course.root, &package)?;
        programs.insert(package, program);
    }
    Ok(programs)
}

/// Runs this program with these arguments in a network namespace of its own; whether it ended well.
pub fn in_namespace(arguments: &[&str], programs: &Programs) -> Result<bool> {
    let this = env::current_exe().context("cannot tell which program this is")?;
    let script = format!(
        "ip link set lo up && \
         echo {} {} > /proc/sys/net/ipv4/ip_local_port_range && exec \"$0\" \"$@\"",
        CLIENT_PORTS.start(),
        CLIENT_PORTS.end()
    );
    let status = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "sh", "-c", &script])
        .arg(this)
        .args(arguments)
        .env(INSIDE, serde_json::to_string(programs).context("paths are text")?)
        .status()
        .context("recording needs a network namespace: unshare(1) of Linux")?;
    Ok(status.success())
}

/// The programs, as the process outside has found them; `None` if this is that process.
pub fn programs_from_outside() -> Result<Option<Programs>> {
    let Some(told) = env::var_os(INSIDE) else { return Ok(None) };
    let told = serde_json::from_str(&told.to_string_lossy());
    told.map(Some).with_context(|| format!("{INSIDE} is for the package staff itself"))
}

impl Sandbox {
    pub fn set(programs: &Programs) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        Ok(Self { folder, programs: programs.clone() })
    }

    /// A stand-in for cargo, as a function of the shell: it builds nothing and says nothing.
    /// With `exec` the program takes the shell's place, so that Ctrl-C finds it.
    fn cargo(&self, exec: &str) -> String {
        let case = |(package, program): (&String, &PathBuf)| {
            // It is an alias: what follows it are arguments already, without `--`.
            let end = if package == XTASK { "; shift; break" } else { "" };
            format!("{package}) program='{}'{end} ;;", program.display())
        };
        let cases = self.programs.iter().map(case).collect::<Vec<_>>().join(" ");
        format!(
            "cargo() {{ local program=; while [ $# -gt 0 ]; do case $1 in \
             run | -q | -p) ;; {cases} --) shift; break ;; \
             *) echo \"the book's cargo knows no $1\"; return 101 ;; \
             esac; shift; done; {exec} \"$program\" \"$@\"; }}"
        )
    }

    /// Lays out the files of a scenario.
    pub fn lay_out(&self, files: &BTreeMap<String, Content>) -> Result<()> {
        for (name, content) in files {
            let bytes = match content {
                Content::Text(text) => text.clone().into_bytes(),
                Content::Bytes(length) => course::fixture::random_looking_bytes(*length),
            };
            fs::write(self.folder.path().join(name), bytes)
                .with_context(|| format!("cannot write {name}"))?;
        }
        Ok(())
    }

    /// A shell that runs `line`.
    pub fn shell(&self, line: &str) -> Command {
        self.bash(&format!("{}\n{line}", self.cargo("")))
    }

    /// As [`shell`](Self::shell), for a program that goes on until it is interrupted.
    pub fn server(&self, line: &str) -> Command {
        let exec = if line.starts_with("cargo ") { "" } else { "exec " };
        self.bash(&format!("{}\n{exec}{line}", self.cargo("exec")))
    }

    /// Standard error goes where standard output goes, so that both come in the order in which a
    /// terminal would show them.
    fn bash(&self, script: &str) -> Command {
        let mut command = Command::new("bash");
        command
            .args(["-c", &format!("exec 2>&1\n{script}")])
            .current_dir(self.folder.path())
            .env("LANG", "C.UTF-8")
            .env_remove("LC_ALL")
            .env_remove("RUST_BACKTRACE")
            .env_remove(INSIDE);
        command
    }
}
