//! The files that listings are cut from, as pages of the site: a listing's caption leads to its lines.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::error::BookError;

/// Where they are, below the site's folder: the same for both languages.
const FOLDER: &str = "source";

/// The way from a chapter, which lies this many folders below the site's, to a line of a file.
pub(crate) fn link(depth: usize, file: &str, line: usize) -> String {
    format!("{}{FOLDER}/{file}.html#L{line}", "../".repeat(depth))
}

/// Writes a page for each of `files`, which are named from the top of the workspace.
pub(crate) fn write(
    workspace: &Path,
    site: &Path,
    files: &BTreeSet<String>,
) -> Result<(), BookError> {
    for file in files {
        let failed = |error| BookError::File(workspace.join(file), error);
        let text = fs::read_to_string(workspace.join(file)).map_err(failed)?;
        let page = site.join(FOLDER).join(format!("{file}.html"));
        let folder = page.parent().unwrap_or(site);
        fs::create_dir_all(folder).map_err(failed)?;
        fs::write(&page, show(file, &text)).map_err(failed)?;
    }
    Ok(())
}

fn show(file: &str, text: &str) -> String {
    let lines = (1..).zip(text.lines()).map(|(number, line)| {
        let code = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        format!("<span id=\"L{number}\"><a href=\"#L{number}\">{number}</a>{code}\n</span>")
    });
    let lines = lines.collect::<Vec<_>>().concat();
    include_str!("source.html").replace("FILE", file).replace("LINES", &lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_be_led_to() {
        assert_eq!(link(2, "lessons/a.rs", 7), "../../source/lessons/a.rs.html#L7");
        let page = show("a.rs", "one\nif a < b {\n");
        assert!(
            page.contains("<span id=\"L2\"><a href=\"#L2\">2</a>if a &lt; b {\n</span>"),
            "{page}"
        );
        assert!(page.contains("<title>a.rs</title>"), "{page}");
    }
}
