//! A tiny workspace with a tiny book, in a temporary folder.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "only tests use this file")]
#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::path::{Path, PathBuf};

use coursebook::{Book, BookError};
use tempfile::TempDir;

/// A workspace whose book has one chapter, `ch.md`, in English and none in Chinese.
pub struct Workspace {
    folder: TempDir,
}

impl Workspace {
    pub fn new() -> Self {
        let workspace = Self { folder: TempDir::new().unwrap() };
        workspace.write("mdbook/book.toml", "[output.html.playground]\nrunnable = false\n");
        workspace.write("mdbook/src/en/SUMMARY.md", "# A tiny book\n\n- [One](ch.md)\n");
        workspace.write("mdbook/src/zh-CN/SUMMARY.md", "# 一本小书\n");
        workspace.write("mdbook/src/en/ch.md", "# One\n");
        workspace
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn out(&self) -> PathBuf {
        self.path().join("site")
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Sets the only chapter's text; its third line is `line`.
    pub fn write_third_line(&self, line: &str) {
        self.write("mdbook/src/en/ch.md", &format!("# One\n\n{line}\n"));
    }

    pub fn build(&self) -> Result<Vec<coursebook::Edition>, BookError> {
        Book::find(self.path())?.build(&self.out())
    }

    /// The mistakes that a build finds, one line each.
    pub fn mistakes(&self) -> Vec<String> {
        match self.build().expect_err("this book has mistakes") {
            BookError::Problems(problems) => problems.0.iter().map(ToString::to_string).collect(),
            other => panic!("expected mistakes in pages, got: {other}"),
        }
    }

    pub fn page(&self, page: &str) -> String {
        fs::read_to_string(self.out().join(page)).expect("the build has written this page")
    }
}
