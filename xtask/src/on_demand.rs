//! The course's programs that a student may never need: cargo builds each of them when it is asked
//! for, so that the first `cargo xtask` has less to compile.

use std::env;
use std::ffi::OsString;
use std::path::{self, Path};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use course::Course;
use grader::build;
use xtask_launcher::building::{self, Announcement};
use xtask_launcher::handover;
use xtask_launcher::up_to_date::Built;

/// A package with a program of its name.
pub struct Package {
    name: &'static str,
    announcement: Announcement,
}

pub const COURSEBOOK: Package = Package {
    name: "coursebook",
    announcement: Announcement {
        first: [
            "building the program that builds the book (package coursebook): the first time this \
             takes a minute or two",
            "正在构建生成书的程序（coursebook 包）：第一次需要一两分钟",
        ],
        again: [
            "the program that builds the book has changed: building it again",
            "生成书的程序有改动，正在重新构建",
        ],
    },
};

const STAFF: Package = Package {
    name: "staff",
    announcement: Announcement {
        first: [
            "building the commands of contributors (package staff): the first time this takes about \
             a minute",
            "正在构建贡献者的命令（staff 包）：第一次大约需要一分钟",
        ],
        again: [
            "the commands of contributors have changed: building them again",
            "贡献者的命令有改动，正在重新构建",
        ],
    },
};

/// What the package `staff` is told, and understands.
#[derive(clap::Args)]
pub struct Arguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _untouched: Vec<OsString>,
}

/// Hands over to `staff` with our own arguments, as they were typed.
pub fn hand_over_to_staff() -> Result<ExitCode> {
    let mut staff = STAFF.command(&Course::folder()?)?;
    handover::to(staff.args(env::args_os().skip(1))).context("cannot start the package staff")
}

impl Package {
    /// Has cargo build it where it is not up to date; the command that starts it.
    pub fn command(&self, root: &Path) -> Result<Command> {
        let name = self.name;
        let built = match env::var_os("CARGO_TARGET_DIR") {
            Some(target) => Built::new(&path::absolute(target)?.join("debug"), name),
            // Whatever else says where cargo builds has put us there, too.
            None => Built::beside_us(name),
        };
        let built = built.context("cannot tell which program this is")?;
        let mut cargo = build::cargo();
        cargo.args(["build", "--package", name, "--bin", name, "--manifest-path"]);
        cargo.arg(root.join("Cargo.toml"));
        if !building::run(&built, &mut cargo, self.announcement)? {
            bail!("{name} does not compile: cargo says why, above");
        }
        Ok(Command::new(built.program))
    }
}
