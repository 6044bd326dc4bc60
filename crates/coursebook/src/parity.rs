//! Both languages tell the same: each chapter shows the same listings, runs, diagrams and quizzes,
//! and its headings have the same ids, so that a link into one leads to the same place in the other.

use std::path::Path;

use crate::languages::InTheBook;
use crate::page::Page;
use crate::problem::{Fault, Problem};
use course::Language;

/// In what a Chinese chapter differs from the English one of the same name.
pub(crate) fn compare(chapter: &Path, english: &Page, chinese: &Page) -> Option<Problem> {
    let (ours, theirs) = (&chinese.outline, &english.outline);
    let same = ours.iter().zip(theirs).take_while(|(a, b)| a.what == b.what).count();
    let (ours, theirs) = (ours.get(same), theirs.get(same));
    if ours.is_none() && theirs.is_none() {
        return None;
    }
    let what = |it: Option<&crate::page::Outlined>| it.map(|it| it.what.clone());
    Some(Problem {
        file: Language::Chinese.file(chapter),
        line: ours.map_or(1, |it| it.line),
        fault: Fault::NotAsInEnglish { expected: what(theirs), found: what(ours) },
    })
}
