//! Which English each Chinese text translates, as it is written down beside it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Hashes;
use super::texts::{chapters, folders, name, read as read_file};

/// What a folder with texts in both languages has.
pub const FILE: &str = "translations.toml";
const HEAD: &str = "\
# Which English each Chinese text translates: the first 8 digits of the SHA-256 of the English.
# Generated: cargo xtask translations --accept NAME…

";

/// What the first line of a Chinese chapter says around the hash.
const BEFORE: &str = "<!-- translates: ";
const AFTER: &str = " -->";

/// Of all texts.
pub fn read(root: &Path) -> Result<Hashes> {
    let mut accepted = Hashes::new();
    for folder in folders(root)? {
        let file = folder.join(FILE);
        if file.is_file() {
            let hashes: Hashes = toml::from_str(&read_file(&file)?)
                .with_context(|| format!("cannot use {}", file.display()))?;
            let folder = name(root, &folder)?;
            accepted
                .extend(hashes.into_iter().map(|(text, hash)| (format!("{folder}/{text}"), hash)));
        }
    }
    for file in chapters(root)? {
        if let (Some(hash), _) = split(&read_file(&file)?) {
            accepted.insert(name(root, &file)?, hash.to_owned());
        }
    }
    Ok(accepted)
}

pub fn write(root: &Path, accepted: &Hashes) -> Result<()> {
    for folder in folders(root)? {
        let beginning = format!("{}/", name(root, &folder)?);
        let mut text = HEAD.to_owned();
        for (name, hash) in accepted {
            if let Some(name) = name.strip_prefix(&beginning) {
                writeln!(text, "{name:?} = {hash:?}")?;
            }
        }
        write_changed(&folder.join(FILE), &text)?;
    }
    for file in chapters(root)? {
        if let Some(hash) = accepted.get(&name(root, &file)?) {
            let text = read_file(&file)?;
            let (_, chapter) = split(&text);
            write_changed(&file, &format!("{BEFORE}{hash}{AFTER}\n{chapter}"))?;
        }
    }
    Ok(())
}

/// The hash that a chapter carries, and the chapter without it.
fn split(text: &str) -> (Option<&str>, &str) {
    let carried = text.split_once('\n').and_then(|(line, chapter)| {
        Some((line.strip_prefix(BEFORE)?.strip_suffix(AFTER)?, chapter))
    });
    carried.map_or((None, text), |(hash, chapter)| (Some(hash), chapter))
}

fn write_changed(file: &Path, text: &str) -> Result<()> {
    if fs::read(file).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(());
    }
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}
