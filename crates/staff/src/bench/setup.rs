//! The setup of a benchmark: the programs that are built for it, a folder for files, its rules.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Options;
use course::Course;
use grader::cargo;

/// Files in memory: no disk can be the slowest part, and none is worn out.
const MEMORY: &str = "/dev/shm";

pub struct Setup {
    pub root: PathBuf,
    pub rounds: u32,
    pub quick: bool,
    pub out: PathBuf,
    only: Option<String>,
    scratch: TempDir,
    place: String,
}

impl Setup {
    pub fn prepare(course: &Course, options: &Options) -> Result<Self> {
        let (folder, place) = if is_memory(Path::new(MEMORY)) {
            (PathBuf::from(MEMORY), format!("{MEMORY} (tmpfs: in memory)"))
        } else {
            let folder = std::env::temp_dir();
            let place = format!("{} (on a disk: that is measured, too)", folder.display());
            (folder, place)
        };
        let name = format!("bench-{}-", std::process::id());
        let scratch = tempfile::Builder::new().prefix(&name).tempdir_in(&folder);
        Ok(Self {
            root: course.root.clone(),
            rounds: if options.quick { 1 } else { options.rounds },
            quick: options.quick,
            out: options.out.clone().unwrap_or_else(|| cargo::target(&course.root).join("bench")),
            only: options.only.clone(),
            scratch: scratch
                .with_context(|| format!("cannot make a folder in {}", folder.display()))?,
            place,
        })
    }

    /// Whether a candidate of this name was asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|text| name.contains(text.as_str()))
    }

    /// Builds a package's program: in release, but for `--quick`.
    pub fn build(&self, package: &str) -> Result<PathBuf> {
        eprintln!("[bench] building {package}");
        let build = if self.quick { cargo::build } else { cargo::build_release };
        Ok(build(&self.root, package)?)
    }

    /// A path in the scratch folder, which is removed with all that is in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// The folder `name` in the scratch folder, empty.
    pub fn empty_folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.path(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir(&folder)?;
        Ok(folder)
    }

    /// One line about the circumstances.
    pub fn describe(&self) -> String {
        let Machine { processor, processors, system } = Machine::look();
        let rounds = match self.rounds {
            1 => "a single round".to_owned(),
            many => format!("median of {many} rounds in turn"),
        };
        format!(
            "{rounds}; {processors} processors ({processor}), {system}; \
             files in {}",
            self.place
        )
    }

    pub fn machine(&self) -> Value {
        let Machine { processor, processors, system } = Machine::look();
        json!({
            "processor": processor,
            "processors": processors,
            "system": system,
            "files_in": self.place,
        })
    }
}

/// Whether the folder is a tmpfs that we may write to.
fn is_memory(folder: &Path) -> bool {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    mounts.lines().any(|line| {
        let mut words = line.split(' ').skip(1);
        words.next() == folder.to_str() && words.next() == Some("tmpfs")
    }) && tempfile::tempfile_in(folder).is_ok()
}

/// How many bytes still fit into the folder, by df(1).
pub fn room(folder: &Path) -> Option<u64> {
    let output = Command::new("df").args(["--output=avail", "-B1"]).arg(folder).output().ok()?;
    String::from_utf8_lossy(&output.stdout).lines().nth(1)?.trim().parse().ok()
}

/// What the numbers depend on.
struct Machine {
    processor: String,
    processors: usize,
    system: String,
}

impl Machine {
    fn look() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find(|line| line.starts_with("model name"));
        let processor = model.and_then(|line| line.split_once(": ")).map_or("?", |(_, name)| name);
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            processor: processor.to_owned(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            system: format!("Linux {}", release.trim()),
        }
    }
}
