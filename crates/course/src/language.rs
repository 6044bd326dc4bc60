//! The languages of the course, and texts that exist in both.

use serde::Deserialize;

/// A text in both languages of the course.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    pub zh: String,
}

/// The languages of the course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// Both languages, the leading one first.
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// The language tag (RFC 5646): also the folder's name under `mdbook/src` and in the site.
    #[must_use]
    pub fn tag(self) -> &'static str {
        self.words("en", "zh-CN")
    }

    /// The language's name as its own readers write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.words("English", "中文")
    }

    /// The language that a page can be switched to.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::English => Self::Chinese,
            Self::Chinese => Self::English,
        }
    }

    /// What the person's system speaks: Chinese if its locale says so (locale(7)), else English.
    #[must_use]
    pub fn of_the_system() -> Self {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
        if locale.is_some_and(|locale| locale.starts_with("zh")) {
            Self::Chinese
        } else {
            Self::English
        }
    }

    /// The text in this language.
    #[must_use]
    pub fn pick(self, text: &Text) -> &str {
        match self {
            Self::English => &text.en,
            Self::Chinese => &text.zh,
        }
    }

    /// One of two short texts that stand in no file.
    #[must_use]
    pub fn words(self, english: &'static str, chinese: &'static str) -> &'static str {
        if self == Self::English { english } else { chinese }
    }
}
