//! Where the course lies on this machine.

use std::path::{Path, PathBuf};

/// The course that `start` is in: it or the nearest folder above it that has `lessons/` and a
/// `Cargo.toml`. Asked at run time, so that a moved checkout still works.
#[must_use]
pub fn root(start: &Path) -> Option<PathBuf> {
    start.ancestors().find(|folder| is_root(folder)).map(Path::to_owned)
}

fn is_root(folder: &Path) -> bool {
    folder.join("lessons").is_dir() && folder.join("Cargo.toml").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_from_deep_inside() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        assert!(root(&here).unwrap().join("lessons").is_dir());
    }
}
