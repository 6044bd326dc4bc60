//! The pages that the program brings along, for use without a folder.

use std::fs;

use anyhow::{Context, Result};
use tempfile::TempDir;

const PAGES: [(&str, &str); 4] = [
    ("index.html", include_str!("../../site/index.html")),
    ("poem.txt", include_str!("../../site/poem.txt")),
    ("pictures/index.html", include_str!("../../site/pictures/index.html")),
    ("pictures/moon.svg", include_str!("../../site/pictures/moon.svg")),
];

/// Writes the pages into a new folder, which is removed when the returned value is dropped.
pub fn lay_out() -> Result<TempDir> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    fs::create_dir(folder.path().join("pictures"))?;
    for (name, page) in PAGES {
        fs::write(folder.path().join(name), page)?;
    }
    Ok(folder)
}
