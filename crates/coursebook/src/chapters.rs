//! The chapters of one language: the files there are, and the ones `SUMMARY.md` names.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use mdbook_summary::{Summary, SummaryItem};

use crate::languages::slashed;
use crate::problem::{Fault, Problem};

/// The name of the file that lists a language's chapters.
pub(crate) const SUMMARY: &str = "SUMMARY.md";

/// Chapter files, named from the language's folder.
pub(crate) type Chapters = BTreeSet<PathBuf>;

/// Every Markdown file below `folder` but the summary; none if there is no such folder.
pub(crate) fn on_disk(folder: &Path) -> io::Result<Chapters> {
    let mut found = Chapters::new();
    if folder.is_dir() {
        collect(folder, Path::new(""), &mut found)?;
    }
    Ok(found)
}

fn collect(folder: &Path, below: &Path, found: &mut Chapters) -> io::Result<()> {
    for entry in fs::read_dir(folder.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.path().is_dir() {
            collect(folder, &path, found)?;
        } else if path.extension() == Some(OsStr::new("md")) && path != Path::new(SUMMARY) {
            found.insert(path);
        }
    }
    Ok(())
}

/// Compares a summary with the chapter files in the folder beside it; both must name the same.
///
/// `folder` is the language's folder as messages name it, `text` the text of its `SUMMARY.md`.
pub(crate) fn compare(
    folder: &str,
    text: &str,
    summary: &Summary,
    chapters: &Chapters,
) -> Vec<Problem> {
    let named = named_in(summary);
    let missing = named.difference(chapters).map(|chapter| Problem {
        file: format!("{folder}/{SUMMARY}"),
        line: line_naming(text, chapter),
        fault: Fault::MissingChapter(format!("{folder}/{}", slashed(chapter))),
    });
    let unlisted = chapters.difference(&named).map(|chapter| Problem {
        file: format!("{folder}/{}", slashed(chapter)),
        line: 1,
        fault: Fault::UnlistedChapter,
    });
    missing.chain(unlisted).collect()
}

/// The chapters that a summary names, at every depth.
fn named_in(summary: &Summary) -> Chapters {
    let parts = [&summary.prefix_chapters, &summary.numbered_chapters, &summary.suffix_chapters];
    let mut waiting: Vec<&SummaryItem> = parts.into_iter().flatten().collect();
    let mut named = Chapters::new();
    while let Some(item) = waiting.pop() {
        if let SummaryItem::Link(link) = item {
            named.extend(link.location.as_deref().map(without_dots));
            waiting.extend(&link.nested_items);
        }
    }
    named
}

/// `./a.md` and `a.md` are the same chapter.
fn without_dots(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

fn line_naming(text: &str, chapter: &Path) -> usize {
    let name = slashed(chapter);
    let mut lines = (1..).zip(text.lines());
    lines.find(|(_, line)| line.contains(&name)).map_or(1, |(number, _)| number)
}
