//! The glossary (the last page, "Words") has an entry for each term of `terms.tsv`, in both
//! languages: its two names, what it means, and the chapters in which it is met.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const TERMS: &str = include_str!("terms.tsv");

struct Term {
    english: &'static str,
    chinese: &'static str,
}

/// A row of the glossary.
#[derive(Debug)]
struct Entry {
    english: String,
    chinese: String,
    meaning: String,
}

fn terms() -> Vec<Term> {
    let pairs = TERMS.lines().map(|line| line.split_once('\t').unwrap());
    pairs.map(|(english, chinese)| Term { english, chinese }).collect()
}

/// The rows of the table under the heading whose id is `words`.
fn entries(page: &str) -> Vec<Entry> {
    let is_heading = |line: &&str| line.starts_with("## Words") || line.ends_with("{#words}");
    let table = page.lines().skip_while(|line| !is_heading(line)).filter(|it| it.starts_with('|'));
    let mut rows = table.map(|row| {
        row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    });
    let is_english = rows.next().unwrap()[0] == "word";
    let rows = rows.skip(1).map(|row| <[String; 3]>::try_from(row).unwrap());
    rows.map(|[first, second, meaning]| {
        let (english, chinese) = if is_english { (first, second) } else { (second, first) };
        Entry { english, chinese, meaning }
    })
    .collect()
}

/// Whether a cell's name is `name`, with or without another name in brackets.
fn is_named(cell: &str, name: &str) -> bool {
    let rest = cell.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" (") || rest.starts_with('（'))
}

/// What is missing of `terms` in a page.
fn missing(page: &str, terms: &[Term]) -> Vec<String> {
    let entries = entries(page);
    let problem = |term: &Term| {
        let mut named = entries.iter().filter(|entry| is_named(&entry.english, term.english));
        let Some(entry) = named.next() else { return Some(format!("{}: no entry", term.english)) };
        if !is_named(&entry.chinese, term.chinese) {
            return Some(format!("{}: {} and not {}", term.english, entry.chinese, term.chinese));
        }
        let has_chapter = entry.meaning.contains(".md)");
        (!has_chapter).then(|| format!("{}: no chapter in which it is met", term.english))
    };
    terms.iter().filter_map(problem).collect()
}

fn page(language: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mdbook/src");
    fs::read_to_string(root.join(language).join("reference.md")).unwrap()
}

#[test]
fn each_term_has_an_entry_in_both_languages() {
    for language in ["en", "zh-CN"] {
        assert_eq!(missing(&page(language), &terms()), [""; 0], "{language}");
    }
}

#[test]
fn both_languages_have_the_same_entries() {
    let names = |language| -> BTreeSet<(String, String)> {
        let entries = entries(&page(language)).into_iter();
        entries.map(|entry| (entry.english, entry.chinese)).collect()
    };
    assert_eq!(names("en"), names("zh-CN"));
}

#[test]
fn a_term_without_entry_other_name_or_chapter_is_noticed() {
    let page = "## Words\n\n| word | 中文 | what is meant here |\n| --- | --- | --- |\n\
                | duplicate ACK | 重复确认 | again ([lesson 5](05.md)) |\n\
                | RTT (round trip) | 往返 | there and back ([lesson 5](05.md)) |\n\
                | RTO | 重传超时 | how long to wait |\n";
    let terms = [
        Term { english: "duplicate ACK", chinese: "重复确认" },
        Term { english: "ACK", chinese: "确认" },
        Term { english: "RTT", chinese: "往返时间" },
        Term { english: "RTO", chinese: "重传超时" },
    ];
    let expected =
        ["ACK: no entry", "RTT: 往返 and not 往返时间", "RTO: no chapter in which it is met"];
    assert_eq!(missing(page, &terms), expected);
}
