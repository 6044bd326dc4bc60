//! Running a Windows program on Linux.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::compile::Built;

/// A Windows of its own, in a folder below `target`. Dropping it ends all that runs in it.
pub struct Wine {
    /// Its drive C and its registry.
    prefix: PathBuf,
    programs: PathBuf,
}

impl Wine {
    /// Sets it up, which takes a few seconds when it is not there yet.
    pub fn start(root: &Path, built: &Built) -> Result<Self> {
        let prefix = root.join("target/wine/prefix");
        let wine = Self { prefix, programs: built.programs.clone() };
        fs::create_dir_all(&wine.prefix)
            .with_context(|| format!("cannot make {}", wine.prefix.display()))?;
        let mut boot = wine.command("wineboot");
        // Not even the windows that say that something is being set up.
        let status = boot.args(["--init"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        ensure!(status.context("cannot start Wine")?.success(), "Wine cannot set itself up");
        let system = wine.prefix.join("drive_c/windows/system32/bcryptprimitives.dll");
        fs::copy(&built.random_numbers, &system)
            .with_context(|| format!("cannot write {}", system.display()))?;
        Ok(wine)
    }

    /// One of the programs that were built.
    pub fn program(&self, name: &str) -> Command {
        self.command(self.programs.join(format!("{name}.exe")))
    }

    /// As [`program`](Self::program), in a console of its own, in which Ctrl-C is pressed when our
    /// end of its standard input is closed.
    pub fn interruptible(&self, name: &str) -> Command {
        let mut command = self.program("ctrl-c");
        command.arg(format!("{name}.exe"));
        command
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("wine");
        command.arg(program).env("WINEPREFIX", &self.prefix).env("WINEDEBUG", "-all");
        // Neither .NET nor a browser, which Wine would offer to download.
        command.env("WINEDLLOVERRIDES", "mscoree,mshtml=");
        // xtask and the grader ask this one for programs.
        command.env("CARGO", windows_path(&self.programs.join("stand-in-cargo.exe")));
        command
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        // By its id: the server of this prefix, and with it every program in it.
        let _ = self.command("wineboot").arg("--kill").stderr(Stdio::null()).status();
    }
}

/// How Windows names a file of this machine.
pub fn windows_path(path: &Path) -> String {
    format!("Z:{}", path.display())
}
