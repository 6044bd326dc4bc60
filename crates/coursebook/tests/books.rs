//! Whole books: two languages beside each other, summaries, the program, and the real book.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use common::Workspace;
use coursebook::{Book, BookError};
use rstest::rstest;

fn real_workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every file below `folder` and its text.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

/// A workspace with a nested chapter in both languages.
fn two_languages() -> Workspace {
    let workspace = Workspace::new();
    let nested = "- [One](ch.md)\n  - [Deep](deep/er.md)\n";
    workspace.write("mdbook/src/en/SUMMARY.md", &format!("# A tiny book\n\n{nested}"));
    workspace.write("mdbook/src/en/deep/er.md", "# Deep\n");
    workspace.write("mdbook/src/zh-CN/SUMMARY.md", "# 一本小书\n\n- [深](deep/er.md)\n");
    workspace.write("mdbook/src/zh-CN/deep/er.md", "# 深 {#deep}\n");
    workspace
}

#[test]
fn page_of_both_languages_links_to_the_other_language() {
    let workspace = two_languages();
    workspace.build().unwrap();
    let (english, chinese) = ("en/deep/er.html", "zh-CN/deep/er.html");
    for (page, link, target) in [
        (english, "<a class=\"language\" href=\"../../zh-CN/deep/er.html\"", chinese),
        (chinese, "<a class=\"language\" href=\"../../en/deep/er.html\"", english),
    ] {
        assert!(workspace.page(page).contains(link), "no {link} in {page}");
        assert!(workspace.out().join(target).is_file());
    }
}

#[test]
fn page_of_one_language_does_not_link_to_the_other() {
    let workspace = two_languages();
    workspace.build().unwrap();
    assert!(!workspace.page("en/ch.html").contains("中文"));
}

#[test]
fn each_language_has_its_tag_and_the_title_of_its_summary() {
    let workspace = two_languages();
    workspace.build().unwrap();
    for (page, tag, title) in [
        ("en/deep/er.html", "lang=\"en\"", "<title>Deep - A tiny book</title>"),
        ("zh-CN/deep/er.html", "lang=\"zh-CN\"", "<title>深 - 一本小书</title>"),
    ] {
        let text = workspace.page(page);
        assert!(text.contains(tag) && text.contains(title), "expected {tag}, {title} in: {text}");
    }
}

#[test]
fn front_page_leads_to_the_english_book() {
    let workspace = two_languages();
    workspace.build().unwrap();
    let front = workspace.page("index.html");
    assert!(front.contains("<a href=\"en/index.html\">"), "got: {front}");
    assert!(front.contains("url=en/index.html"), "got: {front}");
    assert!(workspace.out().join("en/index.html").is_file());
}

#[test]
fn chinese_chapter_without_an_english_one_is_a_mistake() {
    let workspace = two_languages();
    workspace.write("mdbook/src/zh-CN/SUMMARY.md", "- [深](deep/er.md)\n- [二](two.md)\n");
    workspace.write("mdbook/src/zh-CN/two.md", "# 二\n");
    let says = "mdbook/src/zh-CN/two.md:1: there is no mdbook/src/en/two.md: \
                a chapter is written in English first";
    assert_eq!(workspace.mistakes(), [says]);
}

#[test]
fn chapter_that_only_the_summary_knows_is_a_mistake_and_is_not_created() {
    let workspace = Workspace::new();
    workspace.write("mdbook/src/en/SUMMARY.md", "# T\n\n- [One](ch.md)\n- [Two](./two.md)\n");
    let says = "mdbook/src/en/SUMMARY.md:4: there is no file mdbook/src/en/two.md: \
                write the chapter or take this line out";
    assert_eq!(workspace.mistakes(), [says]);
    assert!(!workspace.path().join("mdbook/src/en/two.md").exists());
}

#[test]
fn chapter_that_the_summary_does_not_know_is_a_mistake() {
    let workspace = Workspace::new();
    workspace.write("mdbook/src/en/deep/lost.md", "# Lost\n");
    let says = "mdbook/src/en/deep/lost.md:1: no line of SUMMARY.md leads to this chapter: \
                add one or remove the file";
    assert_eq!(workspace.mistakes(), [says]);
}

#[test]
fn all_mistakes_of_both_languages_are_found_at_once() {
    let workspace = two_languages();
    workspace.write("mdbook/src/en/ch.md", "{{#nope}}\n\n{{#listing no.rs}}\n");
    workspace.write("mdbook/src/zh-CN/deep/er.md", "# 深\n{{#nope}}\n");
    workspace.write("mdbook/src/zh-CN/lost.md", "# 失\n");
    let mistakes = workspace.mistakes();
    let places: Vec<_> =
        mistakes.iter().map(|mistake| mistake.split_once(": ").unwrap().0).collect();
    let expected = [
        "mdbook/src/en/ch.md:1",
        "mdbook/src/en/ch.md:3",
        "mdbook/src/zh-CN/lost.md:1",
        "mdbook/src/zh-CN/lost.md:1",
        "mdbook/src/zh-CN/deep/er.md:2",
    ];
    assert_eq!(places, expected);
}

#[test]
fn build_changes_nothing_in_the_sources() {
    let workspace = two_languages();
    let sources = workspace.path().join("mdbook");
    let before = files(&sources);
    workspace.build().unwrap();
    assert!(before.len() >= 6, "the comparison must see the sources");
    assert_eq!(files(&sources), before);
}

#[rstest]
#[case("mdbook")]
#[case("mdbook/src")]
#[case("mdbook/new/site")]
fn build_into_the_sources_is_refused(#[case] out: &str) {
    let workspace = Workspace::new();
    let sources = workspace.path().join("mdbook");
    let before = files(&sources);
    let error = Book::find(workspace.path()).unwrap().build(&workspace.path().join(out));
    assert!(matches!(error, Err(BookError::OutInsideSources(_))), "got: {error:?}");
    assert_eq!(files(&sources), before);
    assert!(!sources.join("new").exists());
}

#[test]
fn program_prints_a_line_per_language_and_the_page_to_open() {
    let workspace = two_languages();
    let mut program = Command::cargo_bin("coursebook").unwrap();
    let output = program.current_dir(workspace.path().join("mdbook/src")).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = stdout.lines().collect();
    assert!(output.status.success() && lines.len() == 3, "got: {stdout}");
    assert!(lines[0].starts_with("en     2 chapters, 0 listings, "), "got: {stdout}");
    assert!(lines[1].starts_with("zh-CN  1 chapter, 0 listings, "), "got: {stdout}");
    let front = lines[2].strip_prefix("open ").expect("the last line says what to open");
    assert!(Path::new(front).is_file(), "got: {stdout}");
    assert!(front.replace('\\', "/").ends_with("target/book/index.html"), "got: {stdout}");
}

#[test]
fn program_prints_every_mistake_and_exits_1() {
    let workspace = Workspace::new();
    workspace.write("mdbook/src/en/ch.md", "{{#nope}}\n{{#nope}}\n");
    for arguments in [&["--check"][..], &[]] {
        let mut program = Command::cargo_bin("coursebook").unwrap();
        let output = program.args(arguments).current_dir(workspace.path()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "got: {stderr}");
        assert!(stderr.contains("ch.md:1: ") && stderr.contains("ch.md:2: "), "got: {stderr}");
        assert!(stderr.ends_with("2 mistakes in the book\n"), "got: {stderr}");
    }
}

#[test]
fn check_writes_nothing() {
    let workspace = two_languages();
    let before = files(workspace.path());
    let mut program = Command::cargo_bin("coursebook").unwrap();
    program.arg("--check").current_dir(workspace.path()).assert().success();
    assert_eq!(files(workspace.path()), before);
}

#[test]
fn program_outside_of_a_workspace_says_where_to_run_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Command::cargo_bin("coursebook").unwrap();
    let output = program.current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("run this inside the course's folder")
    );
}

#[test]
fn real_book_builds() {
    let out = tempfile::tempdir().unwrap();
    let editions = match Book::find(&real_workspace()).unwrap().build(out.path()) {
        Ok(editions) => editions,
        Err(error) => panic!("{error}"),
    };
    let [english, chinese] = &editions[..] else { panic!("two languages: {editions:?}") };
    assert!(english.chapters > 0, "got: {editions:?}");
    assert_eq!(english.chapters, chinese.chapters, "every chapter is there in both languages");
    assert_eq!(english.counts, chinese.counts, "both languages show the same");
    assert!(out.path().join("en/index.html").is_file());
    assert!(out.path().join("zh-CN/index.html").is_file());
}
