//! The two languages of the book and everything that differs between them.

use std::ops::RangeInclusive;
use std::path::Path;

use crate::sources;

/// A language that the book is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English: every chapter is written in it first.
    English,
    /// Simplified Chinese: may have fewer chapters than English, never others.
    Chinese,
}

impl Language {
    /// Both languages, the leading one first.
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// The language tag (RFC 5646): also the folder's name under `mdbook/src` and in the site.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// The folder of its chapters, named from the top of the workspace.
    pub(crate) fn folder(self) -> String {
        format!("mdbook/src/{}", self.tag())
    }

    /// The file of one of its chapters, named from the top of the workspace.
    pub(crate) fn file(self, chapter: &Path) -> String {
        format!("{}/{}", self.folder(), slashed(chapter))
    }

    /// The language's name as its own readers write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Chinese => "中文",
        }
    }

    /// The language that a page can be switched to.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::English => Self::Chinese,
            Self::Chinese => Self::English,
        }
    }

    /// What a diagram's text is called that stands below its image.
    pub(crate) fn as_text(self) -> &'static str {
        match self {
            Self::English => "The same as text",
            Self::Chinese => "文字版",
        }
    }

    /// The line below a listing: which lines of which file it shows, as a link to them. `depth` says
    /// how many folders the page lies below the site's.
    #[must_use]
    pub fn caption(self, file: &str, lines: &RangeInclusive<usize>, depth: usize) -> String {
        let (first, last) = (lines.start(), lines.end());
        let link = sources::link(depth, file, *first);
        match self {
            Self::English if first == last => format!("[`{file}`, line {first}]({link})"),
            Self::English => format!("[`{file}`, lines {first}–{last}]({link})"),
            Self::Chinese if first == last => format!("[`{file}`，第 {first} 行]({link})"),
            Self::Chinese => format!("[`{file}`，第 {first}–{last} 行]({link})"),
        }
    }

    /// The way from the front page to this language's book.
    pub(crate) fn way(self) -> String {
        let (tag, words) = match self {
            Self::English => (self.tag(), "The course book in English"),
            Self::Chinese => (self.tag(), "中文版"),
        };
        format!("<p lang=\"{tag}\"><a href=\"{tag}/index.html\">{words}</a></p>\n")
    }

    /// The link from another language's `page` to this language's, where `page` is its path below
    /// the language's folder of the site, such as `02-tcp-echo.html`.
    #[must_use]
    pub fn link_to(self, page: &Path) -> String {
        let up = "../".repeat(page.components().count());
        let (tag, name, page) = (self.tag(), self.name(), slashed(page));
        format!(
            "<a class=\"language\" href=\"{up}{tag}/{page}\" lang=\"{tag}\" \
             hreflang=\"{tag}\">{name}</a>"
        )
    }
}

/// `path` with forward slashes on every system, as addresses and messages write it.
pub(crate) fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_climbs_out_of_every_folder_of_a_nested_page() {
        let top = Language::Chinese.link_to(Path::new("02-tcp-echo.html"));
        assert!(top.contains("href=\"../zh-CN/02-tcp-echo.html\""), "{top}");
        let nested = Language::English.link_to(Path::new("teach/before/ports.html"));
        assert!(nested.contains("href=\"../../../en/teach/before/ports.html\""), "{nested}");
    }
}
