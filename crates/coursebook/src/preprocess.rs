//! Our part of mdBook's work on one language: the directives of its pages.

use std::path::{Path, PathBuf};

use mdbook_preprocessor::book::Book as Tree;
use mdbook_preprocessor::errors::Result as MdbookResult;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};

use crate::languages::InTheBook;
use crate::page::{self, Page};
use crate::problem::{Fault, Problem, Problems};
use course::Language;

/// Makes the pages of one language ready for mdBook to render.
pub(crate) struct Pages {
    /// The folder that listings are named from.
    pub(crate) workspace: PathBuf,
    /// The language of the pages.
    pub(crate) language: Language,
}

impl Preprocessor for Pages {
    fn name(&self) -> &'static str {
        "course"
    }

    fn run(&self, _context: &PreprocessorContext, mut book: Tree) -> MdbookResult<Tree> {
        let mut problems = Vec::new();
        book.for_each_chapter_mut(|chapter| {
            let Some(path) = &chapter.source_path else { return };
            match expand(&chapter.content, &self.workspace, self.language, path) {
                Ok(page) => chapter.content = page.text,
                Err(found) => problems.extend(found),
            }
        });
        if problems.is_empty() { Ok(book) } else { Err(Problems(problems).into()) }
    }
}

/// Carries out a chapter's directives; mistakes come with the chapter's name.
pub(crate) fn expand(
    source: &str,
    workspace: &Path,
    language: Language,
    chapter: &Path,
) -> Result<Page, Vec<Problem>> {
    let file = language.file(chapter);
    let depth = chapter.components().count();
    page::expand(source, workspace, language, depth).map_err(|errors| {
        let problem =
            |(line, error)| Problem { file: file.clone(), line, fault: Fault::Page(error) };
        errors.into_iter().map(problem).collect()
    })
}
