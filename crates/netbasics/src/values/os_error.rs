//! What the system says when a call fails (`io::Error`), in plain words.

use std::io;

/// The system's own sentence without its error number: `no such file or directory`.
#[must_use]
pub fn plain(error: &io::Error) -> String {
    sentence(&error.to_string()).to_owned()
}

/// Without the number, and without the full stop that Windows puts behind its sentences, as ours go
/// on or end with one of their own.
fn sentence(text: &str) -> &str {
    let text = text.split(" (os error").next().unwrap_or(text);
    text.strip_suffix(['.', '。']).unwrap_or(text)
}

/// Whether the system does not have, or a container or a sandbox does not allow, what was called:
/// seccomp(2) answers as its filter says, mostly `EPERM` or `ENOSYS`; others say `EACCES`, and a file
/// system without the call `EOPNOTSUPP`. Where there is a plainer way, it is to be taken.
#[must_use]
pub fn is_refused_call(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, Unsupported};
    matches!(error.kind(), PermissionDenied | Unsupported)
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn a_systems_sentence_has_no_number_and_no_full_stop() {
        for (text, expected) in [
            ("No such file or directory (os error 2)", "No such file or directory"),
            (
                "The system cannot find the file specified. (os error 2)",
                "The system cannot find the file specified",
            ),
            ("系统找不到指定的文件。 (os error 2)", "系统找不到指定的文件"),
            ("unexpected end of file", "unexpected end of file"),
            ("the name is too long.", "the name is too long"),
            ("", ""),
        ] {
            assert_eq!(sentence(text), expected);
        }
    }
}
