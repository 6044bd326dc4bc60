//! What is done to the pages that mdBook has written: the way to the other language, and on Chinese
//! pages the words that mdBook has in English only.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::chapters::Chapters;
use crate::error::BookError;
use crate::languages::InTheBook;
use course::Language;

/// Where the way to the other language stands: first among the buttons on the right.
const BUTTONS: &str = "<div class=\"right-buttons\">";

/// The label that shows and hides the table of contents: mdBook says that it is expanded or not,
/// which only a button can be.
const TOGGLE: [&str; 2] = [
    "<label id=\"mdbook-sidebar-toggle\"",
    "<label role=\"button\" tabindex=\"0\" id=\"mdbook-sidebar-toggle\"",
];

/// mdBook's English words and ours; what a page does not have is nothing to worry about, but what
/// no page has is a new version of mdBook.
const IN_PAGES: &[(&str, &str)] = &[
    (
        "<h2 class=\"mdbook-help-title\">Keyboard shortcuts</h2>",
        "<h2 class=\"mdbook-help-title\">键盘快捷键</h2>",
    ),
    (
        "Press <kbd>←</kbd> or <kbd>→</kbd> to navigate between chapters",
        "按 <kbd>←</kbd> 或 <kbd>→</kbd> 切换章节",
    ),
    (
        "Press <kbd>S</kbd> or <kbd>/</kbd> to search in the book",
        "按 <kbd>S</kbd> 或 <kbd>/</kbd> 搜索本书",
    ),
    ("Press <kbd>?</kbd> to show this help", "按 <kbd>?</kbd> 显示本帮助"),
    ("Press <kbd>Esc</kbd> to hide this help", "按 <kbd>Esc</kbd> 关闭本帮助"),
    ("aria-label=\"Table of contents\"", "aria-label=\"目录\""),
    ("title=\"Toggle Table of Contents\"", "title=\"显示或隐藏目录\""),
    ("aria-label=\"Toggle Table of Contents\"", "aria-label=\"显示或隐藏目录\""),
    (
        "title=\"Change theme\" aria-label=\"Change theme\"",
        "title=\"更换主题\" aria-label=\"更换主题\"",
    ),
    ("aria-label=\"Themes\"", "aria-label=\"主题\""),
    (">Auto</button>", ">自动</button>"),
    (">Light</button>", ">浅色</button>"),
    (">Coal</button>", ">炭黑</button>"),
    (">Navy</button>", ">藏青</button>"),
    (
        "title=\"Search (`/`)\" aria-label=\"Toggle Searchbar\"",
        "title=\"搜索（`/`）\" aria-label=\"显示或隐藏搜索框\"",
    ),
    (
        "title=\"Print this book\" aria-label=\"Print this book\"",
        "title=\"打印本书\" aria-label=\"打印本书\"",
    ),
    ("placeholder=\"Search this book ...\"", "placeholder=\"搜索本书……\" aria-label=\"搜索本书\""),
    ("aria-label=\"Page navigation\"", "aria-label=\"翻页\""),
];

/// The same for what not every book has: more than one chapter, alerts.
const IN_SOME_BOOKS: &[(&str, &str)] = &[
    (
        "title=\"Previous chapter\" aria-label=\"Previous chapter\"",
        "title=\"上一章\" aria-label=\"上一章\"",
    ),
    (
        "title=\"Next chapter\" aria-label=\"Next chapter\"",
        "title=\"下一章\" aria-label=\"下一章\"",
    ),
    ("</svg>Note</p>", "</svg>说明</p>"),
    ("</svg>Tip</p>", "</svg>提示</p>"),
    ("</svg>Important</p>", "</svg>重要</p>"),
    ("</svg>Warning</p>", "</svg>警告</p>"),
    ("</svg>Caution</p>", "</svg>小心</p>"),
];

/// The same for its scripts.
const IN_SCRIPTS: &[(&str, &str)] = &[
    (
        "return count + ' search result for \\'' + searchterm + '\\':';",
        "return '“' + searchterm + '”：1 条结果';",
    ),
    (
        "return 'No search results for \\'' + searchterm + '\\'.';",
        "return '没有找到“' + searchterm + '”。';",
    ),
    (
        "return count + ' search results for \\'' + searchterm + '\\':';",
        "return '“' + searchterm + '”：' + count + ' 条结果';",
    ),
    ("aria-label=\"Search Result Teaser\"", "aria-label=\"结果摘要\""),
    ("'Copy to clipboard'", "'复制到剪贴板'"),
    ("'Copied!'", "'已复制！'"),
    ("'Clipboard error!'", "'复制失败！'"),
];

/// Finishes the pages of one language in `site`, the folder of all languages. `twins` are the
/// chapters that the other language has.
pub(crate) fn finish(site: &Path, language: Language, twins: &Chapters) -> Result<(), BookError> {
    let folder = site.join(language.tag());
    let files = files(&folder).map_err(|error| BookError::File(folder.clone(), error))?;
    let pages = files.iter().filter(|file| has_end(file, "html"));
    let mut unused: Vec<&str> = Vec::new();
    if language == Language::Chinese {
        unused.extend(IN_PAGES.iter().chain(IN_SCRIPTS).map(|(english, _)| *english));
        let scripts = files.iter().filter(|file| has_end(file, "js"));
        for script in scripts {
            change(script, |text| replace(text, &[IN_SCRIPTS], &mut unused))?;
        }
    }
    for page in pages {
        let below = page.strip_prefix(&folder).unwrap_or(page).to_owned();
        change(page, |text| {
            let text = with_switch(text, language, &below, twins).replace(TOGGLE[0], TOGGLE[1]);
            match language {
                Language::English => text,
                Language::Chinese => replace(text, &[IN_PAGES, IN_SOME_BOOKS], &mut unused),
            }
        })?;
    }
    match unused.first() {
        None => Ok(()),
        Some(words) => Err(BookError::UnknownWords((*words).to_owned())),
    }
}

/// A page with the way to its twin; without one where there is no twin.
fn with_switch(text: String, language: Language, page: &Path, twins: &Chapters) -> String {
    let is_print = page == Path::new("print.html");
    let chapter = if page.file_name().is_some_and(|name| name == "index.html") {
        page.with_file_name("README.md")
    } else {
        page.with_extension("md")
    };
    if (is_print && !twins.is_empty()) || twins.contains(&chapter) {
        let link = language.other().link_to(page);
        text.replacen(BUTTONS, &format!("{BUTTONS}\n{link}"), 1)
    } else {
        text
    }
}

fn replace(mut text: String, tables: &[&[(&str, &str)]], unused: &mut Vec<&str>) -> String {
    for (english, chinese) in tables.iter().copied().flatten() {
        if text.contains(english) {
            unused.retain(|words| words != english);
            text = text.replace(english, chinese);
        }
    }
    text
}

fn change(file: &Path, change: impl FnOnce(String) -> String) -> Result<(), BookError> {
    let failed = |error| BookError::File(file.to_owned(), error);
    let text = fs::read_to_string(file).map_err(failed)?;
    fs::write(file, change(text)).map_err(failed)
}

/// All files below a folder.
pub(crate) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

pub(crate) fn has_end(file: &Path, end: &str) -> bool {
    file.extension().is_some_and(|extension| extension == end)
}
