//! The name under which a file is sent and stored.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use crate::values::escape::is_harmless;

/// Longest name in bytes that common file systems take, less room for a number to be added.
const MAX_NAME_BYTES: usize = 255 - 6;

/// The name of an uploaded file: one path component, safe on every system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// `report.txt`, then `report-1.txt`, `report-2.txt`, …
    #[cfg(feature = "system")]
    pub(crate) fn numbered(&self, number: u32) -> Self {
        if number == 0 {
            return self.clone();
        }
        Self(match self.0.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => format!("{stem}-{number}.{extension}"),
            _ => format!("{}-{number}", self.0),
        })
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no [`FileName`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadName(&'static str);

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a file name we accept: {}", self.0)
    }
}

impl Error for BadName {}

impl FromStr for FileName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let refuse = |why| Err(BadName(why));
        if text.is_empty() {
            return refuse("it is empty");
        }
        if text.len() > MAX_NAME_BYTES {
            return refuse("it is longer than 249 bytes");
        }
        if text.contains(['/', '\\']) {
            return refuse("it leads into another folder; send the last part of the path only");
        }
        if text.starts_with('.') {
            return refuse("it begins with a dot; hidden files, `.` and `..` are not taken");
        }
        // In a listing, a name with U+202E in it ends in `txt` where it really ends in `exe`.
        if !is_harmless(text) {
            return refuse("it contains a control character, or one that is invisible");
        }
        // What Windows forbids or silently drops; a course for three systems takes it on none.
        if text.contains([':', '*', '?', '"', '<', '>', '|']) || text.ends_with(['.', ' ']) {
            return refuse("it has one of : * ? \" < > | or ends in a dot or a space");
        }
        if is_device_of_windows(text) {
            return refuse("on Windows that is a device, not a file");
        }
        Ok(Self(text.to_owned()))
    }
}

/// `NUL`, `con.txt`, `COM1`, …: on Windows these are devices whatever follows the first dot.
fn is_device_of_windows(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_ascii_uppercase();
    let numbered =
        |kind| stem.strip_prefix(kind).is_some_and(|n| matches!(n.as_bytes(), [b'0'..=b'9']));
    ["CON", "PRN", "AUX", "NUL"].contains(&&*stem) || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::empty("")]
    #[case::parent("..")]
    #[case::path("../a")]
    #[case::absolute("/etc/passwd")]
    #[case::windows_path("a\\b")]
    #[case::drive("c:a")]
    #[case::hidden(".bashrc")]
    #[case::nul("a\0b")]
    #[case::line_feed("a\nb")]
    #[case::trailing_dot("a.")]
    #[case::device("nul.txt")]
    #[case::numbered_device("COM1")]
    #[case::too_long(&"a".repeat(250))]
    fn a_name_that_is_not_one_plain_component_is_refused(#[case] name: &str) {
        name.parse::<FileName>().unwrap_err();
    }

    #[rstest]
    #[case("a")]
    #[case("报告 1.txt")]
    #[case("console.log")]
    #[case(&"a".repeat(249))]
    fn a_plain_name_is_taken(#[case] name: &str) {
        assert_eq!(name.parse::<FileName>().unwrap().as_str(), name);
    }
}
