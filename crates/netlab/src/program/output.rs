//! What a program prints: read all the time, kept in part, and told line by line.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// How much of what a program prints is kept, in bytes for each stream; a line that is longer
/// is told in parts.
const KEPT_BYTES: usize = 64 * 1024;

/// The end of a stream, shared with the thread that reads it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn add(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(bytes);
        let surplus = kept.len().saturating_sub(KEPT_BYTES);
        kept.drain(..surplus);
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub(crate) fn keep_reading(
    mut pipe: impl Read + Send + 'static,
    kept: &Kept,
    mut on_line: impl FnMut(&str) + Send + 'static,
) -> thread::JoinHandle<()> {
    let kept = kept.clone();
    thread::spawn(move || {
        let mut buffer = [0; 8 * 1024];
        let mut line = Vec::new();
        while let Ok(length @ 1..) = pipe.read(&mut buffer) {
            kept.add(&buffer[..length]);
            tell_lines(&mut line, &buffer[..length], &mut on_line);
        }
        if !line.is_empty() {
            tell(&line, &mut on_line);
        }
    })
}

/// Tells each line that `bytes` complete; what is left over stays in `line`.
fn tell_lines(line: &mut Vec<u8>, bytes: &[u8], on_line: &mut impl FnMut(&str)) {
    for part in bytes.split_inclusive(|&byte| byte == b'\n') {
        line.extend_from_slice(part);
        if part.ends_with(b"\n") || line.len() >= KEPT_BYTES {
            tell(line, on_line);
            line.clear();
        }
    }
}

fn tell(line: &[u8], on_line: &mut impl FnMut(&str)) {
    let text = String::from_utf8_lossy(line);
    on_line(text.trim_end_matches(['\r', '\n']));
}
