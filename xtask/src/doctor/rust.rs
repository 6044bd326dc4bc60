//! Whether the compiler is new enough for the workspace.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::finding::{Finding, command, text};
use super::output_of;

pub fn look(manifest: &Path) -> Vec<Finding> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let here = output_of(Command::new(rustc).arg("--version"));
    let needed = fs::read_to_string(manifest).ok().and_then(|text| rust_version(&text));
    vec![judge(here.as_deref(), needed.as_deref())]
}

fn rust_version(manifest: &str) -> Option<String> {
    let manifest: toml::Table = manifest.parse().ok()?;
    Some(manifest.get("workspace")?.get("package")?.get("rust-version")?.as_str()?.to_owned())
}

fn judge(rustc: Option<&str>, needed: Option<&str>) -> Finding {
    // `rustc 1.89.0 (29483883e 2025-08-04)`
    let here = rustc.and_then(|said| said.strip_prefix("rustc ")?.split_whitespace().next());
    let (Some(here), Some(needed)) = (here, needed) else {
        return Finding::problem(text(
            "`rustc --version` does not say which Rust this is",
            "`rustc --version` 没有说明 Rust 的版本",
        ))
        .or_try(text(
            "https://www.rust-lang.org/tools/install",
            "https://www.rust-lang.org/tools/install",
        ));
    };
    if numbers(here) >= numbers(needed) {
        return Finding::ok(text(
            format!("{here}; the course needs {needed} or newer"),
            format!("{here}；本课程需要 {needed} 或更新的版本"),
        ));
    }
    Finding::problem(text(
        format!("{here} is too old; the course needs {needed} or newer"),
        format!("{here} 太旧；本课程需要 {needed} 或更新的版本"),
    ))
    .or_try(command("rustup update"))
}

/// `1.90.0-nightly` as 1, 90, 0.
fn numbers(version: &str) -> Vec<u32> {
    let release = version.split('-').next().unwrap_or_default();
    release.split('.').map_while(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level::{self, Ok, Problem};
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::the_same("rustc 1.89.0 (29483883e 2025-08-04)\n", Ok)]
    #[case::newer("rustc 1.100.0 (0 2027-01-01)", Ok)]
    #[case::nightly("rustc 1.91.0-nightly (0 2025-08-04)", Ok)]
    #[case::older("rustc 1.88.9 (0 2025-01-01)", Problem)]
    #[case::another_program("command not found: rustc", Problem)]
    fn a_compiler_is_new_enough_or_not(#[case] rustc: &str, #[case] level: Level) {
        assert_eq!(judge(Some(rustc), Some("1.89")).level, level);
    }

    #[test]
    fn the_manifest_says_what_is_needed() {
        let manifest = include_str!("../../../Cargo.toml");
        let version = rust_version(manifest).unwrap();
        assert_eq!(numbers(&version).first(), Some(&1), "{version}");
        assert_eq!(judge(None, Some(&version)).level, Problem);
    }
}
