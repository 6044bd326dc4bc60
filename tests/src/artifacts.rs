//! Files that show what the wire carried, for a case that did not pass: a diagram and a capture.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::{env, mem};

use grader::protocol;
use netlab::diagram::Diagram;
use netlab::pcapng::Capture;
use netlab::record::{Event, Happening, Recorder};

/// A capture ends after this many bytes of payload: what is wrong shows long before.
const MAX_CAPTURED_BYTES: usize = 16 * 1024 * 1024;

/// What a capture is called until it is complete.
const PART: &str = "pcapng.part";

/// The files of one case. The capture grows while the case runs, as `….pcapng.part`, so that
/// something is there even if nobody lives to complete it. Dropping this removes what was not kept;
/// files of an earlier run of the case stay.
pub struct Artifacts {
    /// Without its extension.
    path: PathBuf,
    diagram: Diagram,
    capture: Option<Capture<BufWriter<File>>>,
    captured: usize,
}

impl Artifacts {
    /// Begins the files for the case called `name`, if the grader wants them.
    pub fn wanted(name: &str) -> Option<Self> {
        let folder = env::var_os(protocol::ARTIFACTS)?;
        let folder = Path::new(&folder);
        match Self::begin(folder, name) {
            Ok(artifacts) => Some(artifacts),
            Err(error) => panic!("cannot write into {}: {error}", folder.display()),
        }
    }

    fn begin(folder: &Path, name: &str) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        // Windows has no colons in names.
        let path = folder.join(name.replace("::", "-"));
        let file = BufWriter::new(File::create(with(&path, PART))?);
        let (diagram, capture) = (Diagram::new().with_times(), Some(Capture::new(file)?));
        Ok(Self { path, diagram, capture, captured: 0 })
    }

    pub fn record(&mut self, event: &Event) {
        self.diagram.record(event);
        if let Happening::Sent { payload, .. } = &event.happening {
            self.captured += payload.len();
        }
        if let Some(capture) = self.capture.as_mut().filter(|_| self.captured <= MAX_CAPTURED_BYTES)
        {
            capture.record(event);
        }
    }

    /// Completes the files.
    pub fn keep(mut self) -> io::Result<()> {
        fs::write(with(&self.path, "svg"), self.diagram.to_svg())?;
        if let Some(mut capture) = self.capture.take() {
            capture.finish()?;
            // Windows renames no open file.
            drop(capture);
            fs::rename(with(&self.path, PART), with(&self.path, "pcapng"))?;
        }
        Ok(())
    }
}

impl Drop for Artifacts {
    fn drop(&mut self) {
        if mem::take(&mut self.capture).is_some() {
            let _ = fs::remove_file(with(&self.path, PART));
        }
    }
}

/// Not [`Path::with_extension`]: a case's name may have a dot in it.
fn with(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}
