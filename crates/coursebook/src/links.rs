//! Every link of the built site that stays on it leads somewhere: to a file, and to a place in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

use regex_lite::Regex;

use crate::error::BookError;
use crate::site::{files, has_end};

/// A link that leads nowhere.
#[derive(Debug, PartialEq, Eq)]
pub struct DeadLink {
    /// The page that it is on, below the site's folder.
    pub page: PathBuf,
    /// The link as it is written there.
    pub link: String,
}

impl fmt::Display for DeadLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: the link {:?} leads nowhere", self.page.display(), self.link)
    }
}

/// All links of all pages below `site` that lead nowhere.
pub(crate) fn dead(site: &Path) -> Result<Vec<DeadLink>, BookError> {
    let all = files(site).map_err(|error| BookError::File(site.to_owned(), error))?;
    let mut pages: BTreeMap<PathBuf, Page> = BTreeMap::new();
    for file in all.iter().filter(|file| has_end(file, "html")) {
        let text =
            fs::read_to_string(file).map_err(|error| BookError::File(file.clone(), error))?;
        pages.insert(file.clone(), Page::read(&text));
    }
    let leads_somewhere = |page: &Path, link: &str| {
        let (path, place) = link.split_once('#').unwrap_or((link, ""));
        let path = path.split('?').next().unwrap_or_default();
        let target = if path.is_empty() { page.to_owned() } else { resolve(page, path) };
        match pages.get(&target) {
            Some(target) => place.is_empty() || target.places.contains(place),
            None => target.is_file() && target.starts_with(site),
        }
    };
    let mut dead = Vec::new();
    // What is shown in place of a missing page is shown at any depth, so its links begin at the top
    // of a site whose name nobody knows here.
    for (file, page) in pages.iter().filter(|(file, _)| !file.ends_with("404.html")) {
        let nowhere = page.links.iter().filter(|link| !leads_somewhere(file, link));
        let below = file.strip_prefix(site).unwrap_or(file);
        dead.extend(nowhere.map(|link| DeadLink { page: below.to_owned(), link: link.clone() }));
    }
    Ok(dead)
}

/// What links have to do with a page.
struct Page {
    /// Those that stay on the site.
    links: BTreeSet<String>,
    /// Where links can lead to.
    places: BTreeSet<String>,
}

impl Page {
    fn read(text: &str) -> Self {
        let links = attributes(text, r#"\s(?:href|src)="([^"]*)""#);
        let is_here = |link: &String| {
            let scheme = link.split(['/', '#', '?']).next().unwrap_or_default();
            !scheme.contains(':') && !link.starts_with("//")
        };
        let links = links.into_iter().filter(is_here).collect();
        Self { links, places: attributes(text, r#"\s(?:id|name)="([^"]*)""#) }
    }
}

/// The values that `pattern` finds inside of tags. (In a page's text `<` is written as `&lt;`, but
/// quotation marks need not be.)
fn attributes(text: &str, pattern: &str) -> BTreeSet<String> {
    let (Ok(tag), Ok(pattern)) = (Regex::new("<[A-Za-z][^<>]*>"), Regex::new(pattern)) else {
        return BTreeSet::new();
    };
    let tags = tag.find_iter(text);
    let values = tags.flat_map(|tag| {
        let found = pattern.captures_iter(tag.as_str());
        found.map(|found| percent_decoded(&found[1].replace("&amp;", "&"))).collect::<Vec<_>>()
    });
    values.collect()
}

/// An address may write any letter as `%E5…` (RFC 3986, section 2.1).
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| first == b'%');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The file that `path` names on `page`.
fn resolve(page: &Path, path: &str) -> PathBuf {
    let mut target = page.parent().unwrap_or(page).to_owned();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => _ = target.pop(),
            Component::Normal(part) => target.push(part),
            _ => {}
        }
    }
    if path.ends_with('/') { target.join("index.html") } else { target }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_needs_its_file_and_its_place() {
        let site = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = site.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        write(
            "en/a.html",
            r##"<a href="b/c.html#你好"> <a href="#top" id="top"> <img src="x.png">"##,
        );
        write(
            "en/b/c.html",
            "<h2 id=\"你好\"> <a href=\"../a.html?x=1\"> <a href=\"https://example.org/no\"> \
             &lt;img src=\"shown.png\"&gt; <a href=\"../a.html#no\"> <a href=\"no.html\"> <a href=\"#%E4%BD%A0%E5%A5%BD\">",
        );
        write("en/x.png", "");
        let dead = dead(site.path()).unwrap();
        let links: Vec<_> = dead.iter().map(|it| it.link.as_str()).collect();
        assert_eq!(links, ["../a.html#no", "no.html"]);
        assert_eq!(dead[0].page, Path::new("en/b/c.html"));
    }
}
