//! Everything in the book that differs between the languages of the course.

use std::ops::RangeInclusive;
use std::path::Path;

use course::Language;

use crate::sources;

/// What the book has in each language: a folder of chapters, and words of its own.
pub(crate) trait InTheBook: Copy {
    /// The folder of its chapters, named from the top of the workspace.
    fn folder(self) -> String;
    /// The file of one of its chapters, named from the top of the workspace.
    fn file(self, chapter: &Path) -> String;
    /// What a diagram's text is called that stands below its image.
    fn as_text(self) -> &'static str;
    /// The line below a listing: which lines of which file it shows, as a link to them. `depth` says
    /// how many folders the page lies below the site's.
    fn caption(self, file: &str, lines: &RangeInclusive<usize>, depth: usize) -> String;
    /// The way from the front page to this language's book.
    fn way(self) -> String;
    /// The link from another language's `page` to this language's, where `page` is its path below
    /// the language's folder of the site, such as `02-tcp-echo.html`.
    fn link_to(self, page: &Path) -> String;
}

impl InTheBook for Language {
    fn folder(self) -> String {
        format!("mdbook/src/{}", self.tag())
    }

    fn file(self, chapter: &Path) -> String {
        format!("{}/{}", self.folder(), slashed(chapter))
    }

    fn as_text(self) -> &'static str {
        match self {
            Self::English => "The same as text",
            Self::Chinese => "文字版",
        }
    }

    fn caption(self, file: &str, lines: &RangeInclusive<usize>, depth: usize) -> String {
        let (first, last) = (lines.start(), lines.end());
        let link = sources::link(depth, file, *first);
        match self {
            Self::English if first == last => format!("[`{file}`, line {first}]({link})"),
            Self::English => format!("[`{file}`, lines {first}–{last}]({link})"),
            Self::Chinese if first == last => format!("[`{file}`，第 {first} 行]({link})"),
            Self::Chinese => format!("[`{file}`，第 {first}–{last} 行]({link})"),
        }
    }

    fn way(self) -> String {
        let (tag, words) = match self {
            Self::English => (self.tag(), "The course book in English"),
            Self::Chinese => (self.tag(), "中文版"),
        };
        format!("<p lang=\"{tag}\"><a href=\"{tag}/index.html\">{words}</a></p>\n")
    }

    fn link_to(self, page: &Path) -> String {
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
