//! What a page shows for `{{#listing …}}`, and what it says when there is nothing to show.

mod common;

use common::Workspace;
use coursebook::listing::{self, Listing};
use rstest::rstest;

const SERVER: &str = r"fn main() {
    // listing: begin bind
    let listener = bind();

    // listing: begin accept
    loop {
        // exercise: begin serve
        serve(listener.accept());
        // exercise: end
    }
    // listing: end bind

    // listing: end accept
}
// listing: begin open
// listing: begin twice
one();
// listing: end twice
// listing: begin twice
two();
// listing: end twice
// listing: begin blank

// listing: end blank
// listing: end early
// listing: begin early
";

fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("src/server.rs", SERVER);
    workspace
}

#[test]
fn listing_is_the_dedented_slice_without_any_marker_line() {
    let listing = listing::read(workspace().path(), "src/server.rs:bind").unwrap();
    let expected = Listing {
        file: "src/server.rs".to_owned(),
        language: "rust",
        lines: 3..=10,
        code: "let listener = bind();\n\nloop {\n    serve(listener.accept());\n}".to_owned(),
    };
    assert_eq!(listing, expected);
}

#[test]
fn listing_leaves_out_blank_lines_at_its_ends() {
    let listing = listing::read(workspace().path(), "src/server.rs:accept").unwrap();
    assert_eq!(listing.lines, 6..=10);
    assert!(listing.code.starts_with("loop {"), "got: {}", listing.code);
    assert!(listing.code.ends_with('}'), "got: {}", listing.code);
}

#[test]
fn listing_without_anchor_is_the_whole_file_without_marker_lines() {
    let listing = listing::read(workspace().path(), "src/server.rs").unwrap();
    assert!(listing.code.starts_with("fn main() {\n    let listener"), "got: {}", listing.code);
    assert!(!listing.code.contains("listing:") && !listing.code.contains("exercise:"));
}

#[rstest]
#[case("Cargo.toml", "toml")]
#[case("client.py", "python")]
#[case("run.sh", "sh")]
#[case("notes.txt", "text")]
fn listing_knows_files_whose_comments_begin_with_a_hash(
    #[case] file: &str,
    #[case] language: &str,
) {
    let workspace = Workspace::new();
    workspace.write(file, "one\n# listing: begin a\ntwo\n# listing: end a\n");
    let listing = listing::read(workspace.path(), &format!("{file}:a")).unwrap();
    assert_eq!((listing.language, listing.code.as_str()), (language, "two"));
}

#[test]
fn page_shows_the_code_and_names_file_and_lines() {
    let workspace = workspace();
    workspace.write_third_line("{{#listing src/server.rs:bind}}");
    let editions = workspace.build().unwrap();
    assert_eq!((editions[0].chapters, editions[0].counts.listings), (1, 1));
    let page = workspace.page("en/ch.html");
    assert!(page.contains("let listener = bind();"), "got: {page}");
    assert!(
        page.contains(
            "<a href=\"../source/src/server.rs.html#L3\"><code>src/server.rs</code>, lines 3–10</a>"
        ),
        "got: {page}"
    );
}

#[test]
fn listing_inside_a_list_item_stays_inside_it() {
    let workspace = workspace();
    workspace
        .write("mdbook/src/en/ch.md", "1. Bind:\n\n   {{#listing src/server.rs:bind}}\n\n2. Go\n");
    workspace.build().unwrap();
    let page = workspace.page("en/ch.html");
    let item = page.split_once("<li>").unwrap().1.split_once("</li>").unwrap().0;
    assert!(item.contains("lines 3–10"), "got: {item}");
}

#[test]
fn rust_lines_that_begin_with_a_hash_are_shown_as_written() {
    let workspace = workspace();
    workspace.write("a.rs", "const A: &str = r\"\n# one\n## two\n#\n#[three]\n```\n\";\n");
    workspace.write_third_line("{{#listing a.rs}}");
    workspace.build().unwrap();
    let page = workspace.page("en/ch.html");
    assert!(page.contains("# one\n## two\n#\n#[three]\n```\n"), "got: {page}");
    assert!(!page.contains("class=\"boring\""), "got: {page}");
}

#[rstest]
#[case("```text\n{{#listing no.rs}}\n```", "{{#listing no.rs}}")]
#[case("~~~~\n{{#include no.rs}}\n~~~\n{{#nope}}\n~~~~", "{{#include no.rs}}\n~~~\n{{#nope}}")]
#[case(r"Write \{{#listing FILE}} here.", "Write {{#listing FILE}} here.")]
fn directive_in_a_code_block_or_after_a_backslash_is_ordinary_text(
    #[case] text: &str,
    #[case] shown: &str,
) {
    let workspace = Workspace::new();
    workspace.write_third_line(text);
    let editions = workspace.build().unwrap();
    assert_eq!(editions[0].counts.listings, 0);
    let page = workspace.page("en/ch.html");
    assert!(page.contains(shown), "got: {page}");
}

#[rstest]
#[case::missing_file("{{#listing src/no.rs:a}}", "there is no file src/no.rs")]
#[case::missing_anchor(
    "{{#listing src/server.rs:acept}}",
    "src/server.rs has no listing \"acept\"; it has: accept, bind, blank, early, open, twice"
)]
#[case::anchor_in_a_file_without_any("{{#listing mdbook/book.toml:a}}", "has no listings at all")]
#[case::open_anchor(
    "{{#listing src/server.rs:open}}",
    "begins at src/server.rs:15 and does not end"
)]
#[case::end_before_begin("{{#listing src/server.rs:early}}", "begins at src/server.rs:26 and does")]
#[case::anchor_twice("{{#listing src/server.rs:twice}}", "a second time at src/server.rs:19")]
#[case::empty("{{#listing src/server.rs:blank}}", "src/server.rs:blank has no lines to show")]
#[case::climbing_path("{{#listing ../secret.rs}}", "../secret.rs leads out of the workspace")]
#[case::absolute_path("{{#listing /etc/hosts}}", "/etc/hosts leads out of the workspace")]
#[case::folder("{{#listing src}}", "cannot read src: ")]
#[case::no_file("{{#listing}}", "a listing needs a file")]
#[case::mdbooks_include("{{#include ch.md}}", "there is no directive {{#include}}")]
#[case::misspelt_directive("{{#listings src/server.rs}}", "there is no directive {{#listings}}")]
#[case::text_beside_it("See {{#listing src/server.rs:bind}}", "needs a line to itself")]
#[case::unclosed("{{#listing src/server.rs:bind", "needs a line to itself")]
fn mistake_names_the_chapter_its_line_and_what_is_wrong(#[case] line: &str, #[case] says: &str) {
    let workspace = workspace();
    workspace.write_third_line(line);
    let mistakes = workspace.mistakes();
    assert_eq!(mistakes.len(), 1, "got: {mistakes:?}");
    assert!(mistakes[0].starts_with("mdbook/src/en/ch.md:3: "), "got: {}", mistakes[0]);
    assert!(mistakes[0].contains(says), "expected {says:?} in: {}", mistakes[0]);
    assert!(!workspace.out().exists(), "a book with mistakes writes nothing");
}

#[cfg(unix)]
#[test]
fn listing_does_not_follow_a_link_out_of_the_workspace() {
    let (workspace, outside) = (workspace(), Workspace::new());
    outside.write("secret.rs", "secret();\n");
    std::fs::create_dir_all(workspace.path().join("src")).unwrap();
    let link = workspace.path().join("src/link.rs");
    std::os::unix::fs::symlink(outside.path().join("secret.rs"), link).unwrap();
    workspace.write_third_line("{{#listing src/link.rs}}");
    assert!(workspace.mistakes()[0].contains("leads out of the workspace"));
}
