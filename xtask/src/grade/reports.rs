//! `--report KIND=FILE`: which reports to write, and where. What is in them is
//! `grader::report`'s affair.
//!
//! All that can be wrong with them is found out before anything is graded: nobody waits for a
//! grade that cannot be kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result};
use grader::report::{self, Grade, KINDS, Kind};

use crate::exercises::WrongArguments;

/// A report to write, and where.
#[derive(Clone)]
pub struct Report {
    kind: Kind,
    file: PathBuf,
}

impl FromStr for Report {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((kind, file)) = text.split_once('=').filter(|(_, file)| !file.is_empty()) else {
            let kinds = KINDS.join(", ");
            return Err(format!("a report is written as KIND=FILE; the kinds are: {kinds}"));
        };
        let kind = Kind::named(kind, |variable| std::env::var(variable).ok())
            .map_err(|problem| problem.to_string())?;
        Ok(Self { kind, file: file.into() })
    }
}

/// The reports with the places where they really go, each of which could be written just now.
pub fn prepare(wanted: &[Report]) -> Result<Vec<Report>, WrongArguments> {
    let mut reports: Vec<Report> = Vec::new();
    for Report { kind, file } in wanted {
        let file = place(file).map_err(WrongArguments)?;
        if let Some(other) = reports.iter().find(|other| other.file == file) {
            let (one, two) = (other.kind.name(), kind.name());
            let file = file.display();
            let problem = format!("--report: {one} and {two} would be the same file, {file}");
            return Err(WrongArguments(problem));
        }
        reports.push(Report { kind: kind.clone(), file });
    }
    Ok(reports)
}

/// Where a report really goes: links followed, so that two names of one file are seen to be one,
/// and so that what is replaced is the file and not the link.
fn place(file: &Path) -> Result<PathBuf, String> {
    if let Ok(there) = fs::canonicalize(file)
        && !there.is_file()
    {
        return Err(format!("--report: {} is there, and is not a file", file.display()));
    }
    report::try_to_write(file).map_err(|error| {
        let file = file.display();
        format!("cannot write the report {file}: {error}; name a file that you may write")
    })?;
    let name = file.file_name().unwrap_or_default();
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let place = fs::canonicalize(file).or_else(|_| {
        fs::canonicalize(folder.unwrap_or(Path::new("."))).map(|folder| folder.join(name))
    });
    place.map_err(|error| format!("cannot write the report {}: {error}", file.display()))
}

/// Writes all of them.
pub fn write(reports: &[Report], grade: &Grade) -> Result<()> {
    for Report { kind, file } in reports {
        kind.write(grade, file)
            .with_context(|| format!("cannot write the report {}", file.display()))?;
    }
    Ok(())
}

/// Says which reports there are not, because they would pass a grader's error off as a grade.
pub fn name_missing(reports: &[Report], grade: &Grade) {
    for Report { kind, file } in reports {
        if kind.render(grade).is_none() {
            let (kind, file) = (kind.name(), file.display());
            eprintln!(
                "cargo xtask: there is no {file}: the grader itself has failed, and in a {kind} \
                 report that would look like a grade"
            );
        }
    }
}
