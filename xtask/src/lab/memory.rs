//! What the laboratory is to remember, and where it goes.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, anyhow};
use netlab::diagram::Diagram;
use netlab::pcapng::Capture;
use netlab::record::{Event, Recorder};
use netlab::transcript::Transcript;

use crate::exercises::WrongArguments;

/// What to keep of a run.
#[derive(clap::Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "What is remembered")]
pub struct Memory {
    /// Write a capture that Wireshark and tshark open
    #[arg(long, value_name = "FILE.pcapng")]
    record: Option<PathBuf>,
    /// Print what is said, line by line
    #[arg(long)]
    transcript: bool,
    /// Times in the transcript and in the diagram
    #[arg(long)]
    times: bool,
    /// Draw a sequence diagram in the end: FILE.svg or FILE.txt
    #[arg(long, value_name = "FILE")]
    diagram: Option<PathBuf>,
}

/// Where a transcript's lines go.
pub type Lines = Box<dyn Write + Send>;

/// All recorders that were asked for, shared with the relay that tells them.
#[derive(Clone)]
pub struct Notes(Arc<Mutex<Recorders>>);

struct Recorders {
    transcript: Option<Transcript<Lines>>,
    capture: Option<(PathBuf, Capture<BufWriter<File>>)>,
    diagram: Option<(PathBuf, Diagram)>,
}

impl Memory {
    /// Whether anything was asked for.
    pub fn is_asked_for(&self) -> bool {
        *self != Self::default()
    }

    /// Whether lines are printed while the run goes on.
    pub fn has_transcript(&self) -> bool {
        self.transcript
    }

    /// Opens every file at once, so that a wrong path is noticed before the run and not after it.
    pub fn open(&self, lines: impl FnOnce() -> Lines) -> Result<Notes> {
        // Before any file is created: a slip of the keyboard must not cost an older recording.
        self.check()?;
        let transcript = self.transcript.then(|| Transcript::new(lines()));
        let transcript = transcript.map(|it| if self.times { it.with_times() } else { it });
        let capture = self.record.as_deref().map(open_capture).transpose()?;
        let diagram = self.diagram.as_deref().map(|file| self.open_diagram(file)).transpose()?;
        Ok(Notes(Arc::new(Mutex::new(Recorders { transcript, capture, diagram }))))
    }

    fn check(&self) -> Result<(), WrongArguments> {
        if self.times && !self.transcript && self.diagram.is_none() {
            let what = "--times puts times into the transcript and the diagram: ask for one of \
                        them too, with --transcript or --diagram FILE";
            return Err(WrongArguments(what.to_owned()));
        }
        let Some(file) = &self.diagram else { return Ok(()) };
        let name = file.display();
        if self.record.as_ref() == Some(file) {
            let what = format!("--record and --diagram cannot both write {name}: one is enough");
            return Err(WrongArguments(what));
        }
        if !is_svg(file) && !has_end(file, "txt") {
            let what = format!("--diagram {name}: a diagram's file ends in .svg or in .txt");
            return Err(WrongArguments(what));
        }
        Ok(())
    }

    fn open_diagram(&self, file: &Path) -> Result<(PathBuf, Diagram)> {
        create(file)?;
        let diagram = if self.times { Diagram::new().with_times() } else { Diagram::new() };
        Ok((file.to_owned(), diagram))
    }
}

fn open_capture(file: &Path) -> Result<(PathBuf, Capture<BufWriter<File>>)> {
    let created = create(file)?;
    let capture = Capture::new(BufWriter::new(created)).with_context(|| cannot_write(file))?;
    Ok((file.to_owned(), capture))
}

/// Creates a file that was named on the command line.
fn create(file: &Path) -> Result<File> {
    File::create(file).map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "its folder does not exist",
            io::ErrorKind::IsADirectory => "that is a folder; name a file in it",
            _ => return anyhow::Error::new(error).context(cannot_write(file)),
        };
        anyhow!("{}: {why}", cannot_write(file))
    })
}

impl Notes {
    /// For the relay; `None` if there is nothing to remember, which is faster.
    pub fn recorder(&self) -> Option<Box<dyn Recorder>> {
        let is_empty = {
            let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.transcript.is_none() && all.capture.is_none() && all.diagram.is_none()
        };
        (!is_empty).then(|| Box::new(Arc::clone(&self.0)) as Box<dyn Recorder>)
    }

    /// Writes everything to its end, and says for each file what it is.
    ///
    /// # Errors
    /// When a file could not be written, now or while the run went on.
    pub fn finish(&self) -> Result<Vec<String>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut said = Vec::new();
        if let Some(transcript) = &mut all.transcript {
            match transcript.finish() {
                // Nobody reads us any more (`| head`): they have seen enough.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                finished => finished.context("cannot print the transcript")?,
            }
        }
        if let Some((file, capture)) = &mut all.capture {
            capture.finish().with_context(|| cannot_write(file))?;
            let file = file.display();
            said.push(format!("{file}: a capture; open it with Wireshark, or: tshark -r {file}"));
        }
        if let Some((file, diagram)) = &all.diagram {
            let drawn = if is_svg(file) { diagram.to_svg() } else { diagram.to_text() };
            fs::write(file, drawn).with_context(|| cannot_write(file))?;
            said.push(format!("{}: a sequence diagram", file.display()));
        }
        Ok(said)
    }
}

impl Recorder for Recorders {
    fn record(&mut self, event: &Event) {
        if let Some(transcript) = &mut self.transcript {
            transcript.record(event);
        }
        if let Some((_, capture)) = &mut self.capture {
            capture.record(event);
        }
        if let Some((_, diagram)) = &mut self.diagram {
            diagram.record(event);
        }
    }
}

fn is_svg(file: &Path) -> bool {
    has_end(file, "svg")
}

fn has_end(file: &Path, end: &str) -> bool {
    file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(end))
}

fn cannot_write(file: &Path) -> String {
    format!("cannot write {}", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(memory: &Memory) -> anyhow::Error {
        memory.open(|| Box::new(io::sink())).err().expect("it is refused")
    }

    #[test]
    fn a_wrong_diagram_leaves_an_older_recording_alone() {
        let folder = tempfile::tempdir().unwrap();
        let record = folder.path().join("run.pcapng");
        fs::write(&record, "precious").unwrap();
        for diagram in [folder.path().join("run.png"), record.clone()] {
            let (record, diagram) = (Some(record.clone()), Some(diagram));
            let error = refused(&Memory { record, diagram, ..Memory::default() });
            assert!(error.is::<WrongArguments>(), "{error:#}");
        }
        assert_eq!(fs::read_to_string(record).unwrap(), "precious");
    }

    #[test]
    fn times_of_nothing_are_refused() {
        let error = refused(&Memory { times: true, ..Memory::default() });
        assert!(error.is::<WrongArguments>(), "{error:#}");
        let said = error.to_string();
        assert!(said.contains("--transcript"), "{said}");
    }

    #[test]
    fn a_path_that_cannot_be_is_explained() {
        let folder = tempfile::tempdir().unwrap();
        let said = refused(&Memory {
            record: Some(folder.path().join("missing/run.pcapng")),
            ..Memory::default()
        })
        .to_string();
        assert!(said.ends_with("its folder does not exist"), "{said}");
    }
}
