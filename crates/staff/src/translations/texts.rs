//! All Chinese texts of the course, each with the hash of its English.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use course::Mistake;
use sha2::{Digest, Sha256};
use toml::Value;

use super::Hashes;
use super::records;

/// The chapters of the book in the two languages, from the top of the course.
const ENGLISH: &str = "mdbook/src/en";
pub const CHINESE: &str = "mdbook/src/zh-CN";
/// Where the quizzes are.
const QUIZZES: &str = "mdbook/quizzes";
/// The files of a lesson that say nothing to a reader.
const NO_TEXTS: [&str; 3] = ["Cargo.toml", "waits.toml", records::FILE];

/// Every Chinese text that the course has now.
pub fn all(root: &Path) -> Result<Hashes> {
    let mut texts = Hashes::new();
    for folder in folders(root)? {
        add_folder(root, &folder, &mut texts)?;
    }
    for file in chapters(root)? {
        let chapter = file.strip_prefix(root.join(CHINESE))?;
        let english = root.join(ENGLISH).join(chapter);
        texts.insert(name(root, &file)?, hash(&read(&english)?));
    }
    Ok(texts)
}

/// The folders with texts in both languages: the lessons and the quizzes.
pub fn folders(root: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = entries(&root.join("lessons"))?;
    folders.push(root.join(QUIZZES));
    folders.retain(|folder| folder.is_dir());
    Ok(folders)
}

/// All chapters in Chinese.
pub fn chapters(root: &Path) -> Result<Vec<PathBuf>> {
    let (mut folders, mut chapters) = (vec![root.join(CHINESE)], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in entries(&folder)? {
            if path.is_dir() {
                folders.push(path);
            } else if has_end(&path, "md") {
                chapters.push(path);
            }
        }
    }
    Ok(chapters)
}

/// A file's name from the top of the course, with `/` on every system.
pub fn name(root: &Path, file: &Path) -> Result<String> {
    Ok(file.strip_prefix(root)?.display().to_string().replace('\\', "/"))
}

pub fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn add_folder(root: &Path, folder: &Path, texts: &mut Hashes) -> Result<()> {
    let is_text =
        |file: &PathBuf| has_end(file, "toml") && !NO_TEXTS.iter().any(|no| file.ends_with(no));
    for file in entries(folder)?.into_iter().filter(is_text) {
        let what = read(&file)?.parse::<toml::Table>();
        let what = what.with_context(|| format!("cannot use {}", file.display()))?;
        add_value(&name(root, &file)?, ':', &Value::Table(what), texts);
    }
    let mistakes = folder.join("mistakes");
    let mistakes = if mistakes.is_dir() { entries(&mistakes)? } else { Vec::new() };
    for file in mistakes.into_iter().filter(|file| has_end(file, "patch")) {
        let title = Mistake::read(&file)?.title;
        texts.insert(format!("{}:title", name(root, &file)?), hash(&title.en));
    }
    Ok(())
}

/// Adds the texts in a value: tables with the keys `en` and `zh`. What is in a list goes by its `name`
/// or by its number.
fn add_value(path: &str, separator: char, value: &Value, texts: &mut Hashes) {
    let text = |key| value.get(key).and_then(Value::as_str);
    if let (Some(english), Some(_)) = (text("en"), text("zh")) {
        texts.insert(path.to_owned(), hash(english));
        return;
    }
    let mut add =
        |key: &str, value| add_value(&format!("{path}{separator}{key}"), '.', value, texts);
    match value {
        Value::Table(table) => table.iter().for_each(|(key, value)| add(key, value)),
        Value::Array(list) => {
            for (number, value) in (1..).zip(list) {
                let named = value.get("name").and_then(Value::as_str);
                add(&named.map_or_else(|| number.to_string(), str::to_owned), value);
            }
        }
        _ => {}
    }
}

/// The first 32 bits of the SHA-256, in hexadecimal.
fn hash(text: &str) -> String {
    let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(text));
    format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
}

fn has_end(file: &Path, end: &str) -> bool {
    let is_hidden = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    !is_hidden && file.extension().is_some_and(|found| found == end)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = || format!("cannot read {}", folder.display());
    let entries = fs::read_dir(folder).with_context(unreadable)?;
    let paths = entries.map(|entry| Ok(entry.with_context(unreadable)?.path()));
    let mut paths = paths.collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
