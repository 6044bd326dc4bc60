//! The face for a page: a plain C interface of three functions.
//!
//! ```text
//! for each byte of the text:    explorer_put(index, byte)
//! length = explorer_ask(length of the text)
//! for each byte of the answer:  explorer_get(index)
//! ```
//!
//! (The names are long because they are everybody's: a `write` of ours would replace the system's in
//! every program that links us.) Both texts are UTF-8. The answer stays until the next question.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::explain;

/// Longer questions are cut: no address needs that many bytes.
pub const MAX_QUESTION_BYTES: usize = 256;

struct Texts {
    question: [u8; MAX_QUESTION_BYTES],
    answer: Vec<u8>,
}

static TEXTS: Mutex<Texts> =
    Mutex::new(Texts { question: [0; MAX_QUESTION_BYTES], answer: Vec::new() });

fn texts() -> MutexGuard<'static, Texts> {
    TEXTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sets one byte of the question; bytes beyond [`MAX_QUESTION_BYTES`] are dropped.
#[allow(unsafe_code, reason = "the page calls it by this name")]
#[unsafe(no_mangle)]
pub extern "C" fn explorer_put(index: usize, byte: u8) {
    if let Some(place) = texts().question.get_mut(index) {
        *place = byte;
    }
}

/// Answers the first `length` bytes of the question; how long the answer is, in bytes.
#[allow(unsafe_code, reason = "the page calls it by this name")]
#[unsafe(no_mangle)]
pub extern "C" fn explorer_ask(length: usize) -> usize {
    let mut texts = texts();
    let question = &texts.question[..length.min(MAX_QUESTION_BYTES)];
    texts.answer = explain(&String::from_utf8_lossy(question)).into_bytes();
    texts.answer.len()
}

/// One byte of the answer; 0 behind its end.
#[allow(unsafe_code, reason = "the page calls it by this name")]
#[unsafe(no_mangle)]
pub extern "C" fn explorer_get(index: usize) -> u8 {
    texts().answer.get(index).copied().unwrap_or(0)
}
