//! The whole book: find it, check both languages, build both into one site.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mdbook_driver::MDBook;
use mdbook_driver::builtin_preprocessors::IndexPreprocessor;
use mdbook_driver::config::Config;
use mdbook_summary::{Summary, parse_summary};

use crate::chapters::{self, Chapters, SUMMARY};
use crate::error::BookError;
use crate::explorer;
use crate::languages::InTheBook;
use crate::links;
use crate::page::{Counts, Page};
use crate::parity;
use crate::preprocess::{Pages, expand};
use crate::problem::{Fault, Problem, Problems};
use crate::site;
use crate::sources;
use course::Language;

/// The sources of the course book: the folder `mdbook` of a workspace.
#[derive(Debug)]
pub struct Book {
    workspace: PathBuf,
}

/// The book in one language, checked or built: prints as one line.
#[derive(Debug)]
pub struct Edition {
    /// Its language.
    pub language: Language,
    /// How many chapters it has.
    pub chapters: usize,
    /// How many of what its chapters show.
    pub counts: Counts,
    /// The time it took.
    pub took: Duration,
}

impl Book {
    /// The book of the workspace that `folder` is in.
    ///
    /// # Errors
    ///
    /// [`BookError::NotFound`] if neither `folder` nor a folder above it has a book.
    pub fn find(folder: &Path) -> Result<Self, BookError> {
        let workspace = folder.ancestors().find(|above| above.join("mdbook/book.toml").is_file());
        let workspace = workspace.ok_or_else(|| BookError::NotFound(folder.to_owned()))?;
        Ok(Self { workspace: workspace.to_owned() })
    }

    /// Where the site goes if nobody says otherwise.
    #[must_use]
    pub fn default_out(&self) -> PathBuf {
        self.workspace.join("target/book")
    }

    /// Looks for mistakes in all languages, dead links among them, and leaves nothing behind.
    ///
    /// # Errors
    ///
    /// [`BookError::Problems`] with all mistakes of all pages, or what [`build`](Self::build) finds.
    pub fn check(&self) -> Result<Vec<Edition>, BookError> {
        let site =
            tempfile::tempdir().map_err(|error| BookError::File(std::env::temp_dir(), error))?;
        self.build(site.path())
    }

    /// Builds all languages and the front page into `out`, an absolute path, replacing what an
    /// earlier build left there. Nothing is written unless the whole book is free of mistakes.
    ///
    /// # Errors
    ///
    /// [`BookError::Problems`] with all mistakes of all pages, [`BookError::DeadLinks`], or a file
    /// that cannot be written.
    pub fn build(&self, out: &Path) -> Result<Vec<Edition>, BookError> {
        self.refuse_sources(out)?;
        let (mut editions, files) = self.read()?;
        // A language in which nothing is written yet has no pages.
        for edition in editions.iter_mut().filter(|edition| edition.chapters > 0) {
            let start = Instant::now();
            self.render(edition.language, out)?;
            edition.took += start.elapsed();
        }
        let front = out.join("index.html");
        let written = editions.iter().filter(|edition| edition.chapters > 0);
        let ways = written.map(|edition| edition.language.way()).collect::<String>();
        fs::write(&front, include_str!("front.html").replace("WAYS\n", &ways))
            .map_err(|error| BookError::File(front, error))?;
        sources::write(&self.workspace, out, &files)?;
        let dead = links::dead(out)?;
        if dead.is_empty() { Ok(editions) } else { Err(BookError::DeadLinks(dead)) }
    }

    /// Carries out the directives of all pages and compares the languages; with the files that
    /// listings are cut from.
    fn read(&self) -> Result<(Vec<Edition>, BTreeSet<String>), BookError> {
        let mut problems = Vec::new();
        let mut editions = Vec::new();
        let mut all_pages = Vec::new();
        for language in Language::ALL {
            let start = Instant::now();
            let pages = self.read_language(language, &mut problems)?;
            let mut counts = Counts::default();
            for page in pages.values() {
                counts += page.counts;
            }
            let chapters = pages.len();
            editions.push(Edition { language, chapters, counts, took: start.elapsed() });
            all_pages.push(pages);
        }
        if let [english, chinese] = &all_pages[..] {
            let twins =
                chinese.iter().filter_map(|(name, page)| Some((name, english.get(name)?, page)));
            problems.extend(twins.filter_map(|(name, en, zh)| parity::compare(name, en, zh)));
        }
        let pages = all_pages.into_iter().flat_map(BTreeMap::into_values);
        let files = pages.flat_map(|page| page.files).collect();
        if problems.is_empty() { Ok((editions, files)) } else { Err(Problems(problems).into()) }
    }

    /// The pages of one language; its mistakes are added to `problems`.
    fn read_language(
        &self,
        language: Language,
        problems: &mut Vec<Problem>,
    ) -> Result<BTreeMap<PathBuf, Page>, BookError> {
        let chapters = self.chapters(language)?;
        let (text, summary) = self.summary(language)?;
        problems.extend(chapters::compare(&language.folder(), &text, &summary, &chapters));
        problems.extend(self.without_english(language, &chapters)?);
        let mut pages = BTreeMap::new();
        for chapter in chapters {
            let source = read(&self.sources(language).join(&chapter))?;
            match expand(&source, &self.workspace, language, &chapter) {
                Ok(page) => _ = pages.insert(chapter, page),
                Err(found) => problems.extend(found),
            }
        }
        Ok(pages)
    }

    fn without_english(
        &self,
        language: Language,
        chapters: &Chapters,
    ) -> Result<Vec<Problem>, BookError> {
        let english = self.chapters(Language::English)?;
        let alone = chapters.difference(&english).map(|chapter| Problem {
            file: language.file(chapter),
            line: 1,
            fault: Fault::NoEnglishChapter(Language::English.file(chapter)),
        });
        Ok(alone.collect())
    }

    fn render(&self, language: Language, out: &Path) -> Result<(), BookError> {
        let (_, summary) = self.summary(language)?;
        let config = self.config(language, &summary, out)?;
        let root = self.workspace.join("mdbook");
        let failed = |error| BookError::Render(language, error);
        let mut book =
            MDBook::load_with_config_and_summary(root, config, summary).map_err(failed)?;
        book.with_preprocessor(IndexPreprocessor::new());
        book.with_preprocessor(Pages { workspace: self.workspace.clone(), language });
        book.build().map_err(failed)?;
        if self.workspace.join("mdbook/explorer").is_dir() {
            explorer::install(&self.workspace, &out.join(language.tag()))?;
        }
        site::finish(out, language, &self.chapters(language.other())?)
    }

    /// The shared `book.toml`, with what differs by language filled in.
    fn config(
        &self,
        language: Language,
        summary: &Summary,
        out: &Path,
    ) -> Result<Config, BookError> {
        let file = self.workspace.join("mdbook/book.toml");
        let mut config =
            Config::from_disk(&file).map_err(|error| BookError::Syntax(file, error))?;
        config.book.title = summary.title.clone().or(config.book.title);
        config.book.language = Some(language.tag().to_owned());
        config.book.src = Path::new("src").join(language.tag());
        config.build.build_dir = out.join(language.tag());
        // mdBook's own directives would be carried out inside code blocks too, and one that fails
        // leaves an empty block: ours stand in their place.
        config.build.use_default_preprocessors = false;
        Ok(config)
    }

    /// mdBook empties the folders it writes to: they must never be the book's own.
    fn refuse_sources(&self, out: &Path) -> Result<(), BookError> {
        let real = |path: &Path| {
            path.canonicalize().map_err(|error| BookError::File(path.to_owned(), error))
        };
        let existing = out.ancestors().find(|above| above.exists()).unwrap_or(out);
        if real(existing)?.starts_with(real(&self.workspace.join("mdbook"))?) {
            return Err(BookError::OutInsideSources(out.to_owned()));
        }
        Ok(())
    }

    fn sources(&self, language: Language) -> PathBuf {
        self.workspace.join(language.folder())
    }

    fn chapters(&self, language: Language) -> Result<Chapters, BookError> {
        let folder = self.sources(language);
        chapters::on_disk(&folder).map_err(|error| BookError::File(folder, error))
    }

    fn summary(&self, language: Language) -> Result<(String, Summary), BookError> {
        let file = self.sources(language).join(SUMMARY);
        let text = read(&file)?;
        let summary = parse_summary(&text).map_err(|error| BookError::Syntax(file, error))?;
        Ok((text, summary))
    }
}

fn read(file: &Path) -> Result<String, BookError> {
    fs::read_to_string(file).map_err(|error| BookError::File(file.to_owned(), error))
}

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: usize, what: &str| {
            format!("{count} {what}{}", if count == 1 { "" } else { "s" })
        };
        let Counts { listings, runs, diagrams, questions } = self.counts;
        write!(
            f,
            "{:<5}  {}, {}, {}, {}, {}, {:.2} s",
            self.language.tag(),
            plural(self.chapters, "chapter"),
            plural(listings, "listing"),
            plural(runs, "run"),
            plural(diagrams, "diagram"),
            plural(questions, "question"),
            self.took.as_secs_f64()
        )
    }
}
