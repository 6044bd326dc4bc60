//! `cargo xtask translations`: which Chinese texts are older than the English that they translate.
//!
//! Each Chinese text carries the hash of the English as it was when somebody read both: a chapter of
//! the book in its first line, what is said about lessons, exercises, mistakes and quizzes in a
//! `translations.toml` in the folder. Where the hash is another one than that of the English now, the
//! Chinese has to be read again.

mod records;
mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use anyhow::{Result, bail};
use course::Course;

/// Hashes of English texts by the names of the Chinese ones: a file from the top of the course, and
/// where several texts are in it, the key of one, as in `lessons/02-tcp-echo/answer.toml:task`.
type Hashes = BTreeMap<String, String>;

/// List Chinese texts whose English has changed since they were written
#[derive(clap::Args)]
pub struct Options {
    /// Note that these translate the English as it is now: names as the list gives them; a file or a
    /// folder stands for all that is in it
    #[arg(long, value_name = "NAME", num_args = 1..)]
    accept: Vec<String>,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let root = Course::folder()?;
    let (now, mut accepted) = (texts::all(&root)?, records::read(&root)?);
    if options.accept.is_empty() {
        return Ok(list(&now, &accepted));
    }
    for name in &options.accept {
        accept(name.trim_end_matches('/'), &now, &mut accepted)?;
    }
    records::write(&root, &accepted)?;
    Ok(ExitCode::SUCCESS)
}

fn list(now: &Hashes, accepted: &Hashes) -> ExitCode {
    let stale = stale(now, accepted);
    for (name, why) in &stale {
        println!("{name}: {why}");
    }
    if stale.is_empty() {
        println!("all {} Chinese texts translate the English as it is now", now.len());
        return ExitCode::SUCCESS;
    }
    println!(
        "\nread both languages, change the Chinese where it needs it, and then\n  \
         cargo xtask translations --accept NAME…"
    );
    ExitCode::FAILURE
}

/// The names of the texts that have to be looked at, and why.
fn stale<'a>(now: &'a Hashes, accepted: &'a Hashes) -> Vec<(&'a str, &'static str)> {
    let names: BTreeSet<&String> = now.keys().chain(accepted.keys()).collect();
    let why = |name: &'a String| match (now.get(name), accepted.get(name)) {
        (now, then) if now == then => None,
        (Some(_), Some(_)) => Some("the English has changed since the Chinese was written"),
        (Some(_), None) => Some("nobody has noted yet that the Chinese translates the English"),
        (None, _) => Some("there is no such text any more"),
    };
    names.into_iter().filter_map(|name| Some((name.as_str(), why(name)?))).collect()
}

fn accept(wanted: &str, now: &Hashes, accepted: &mut Hashes) -> Result<()> {
    let is_wanted = |name: &String| {
        let rest = name.strip_prefix(wanted);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':']))
    };
    if !now.keys().chain(accepted.keys()).any(is_wanted) {
        bail!(
            "there is no Chinese text {wanted:?}; `cargo xtask translations` lists what is stale"
        );
    }
    accepted.retain(|name, _| !is_wanted(name));
    let wanted = now.iter().filter(|(name, _)| is_wanted(name));
    accepted.extend(wanted.map(|(name, hash)| (name.clone(), hash.clone())));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    const EXERCISE: &str = "title = { en = 'Count', zh = '数' }\n\
        hints = [{ en = 'One', zh = '一' }]\n\
        [[check]]\nname = 'counts'\nusually = { en = 'Off by one', zh = '差一' }\n";
    const PATCH: &str =
        "# title: off by one\n# title-zh: 差一\n# caught-by: counts\n--- a\n+++ b\n";

    fn write(root: &Path, file: &str, text: &str) {
        let file = root.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// A course in which every Chinese text has been accepted.
    fn course() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("lessons/01-count/lesson.toml", "title = { en = 'Numbers', zh = '数字' }\n"),
            ("lessons/01-count/waits.toml", "calibration = 1.0\n"),
            ("lessons/01-count/count.toml", EXERCISE),
            ("lessons/01-count/mistakes/count-one.patch", PATCH),
            ("mdbook/quizzes/01.toml", "[[question]]\nask.en = 'Why?'\nask.zh = '为什么？'\n"),
            ("mdbook/src/en/teach/a.md", "# A\n"),
            ("mdbook/src/zh-CN/teach/a.md", "# 甲 {#a}\n"),
        ] {
            write(root.path(), file, text);
        }
        accept_in(root.path(), &["lessons", "mdbook"]).unwrap();
        root
    }

    fn accept_in(root: &Path, names: &[&str]) -> Result<()> {
        let (now, mut accepted) = (texts::all(root)?, records::read(root)?);
        names.iter().try_for_each(|name| accept(name, &now, &mut accepted))?;
        records::write(root, &accepted)
    }

    fn stale_in(root: &Path) -> Vec<String> {
        let (now, accepted) = (texts::all(root).unwrap(), records::read(root).unwrap());
        stale(&now, &accepted).iter().map(|(name, why)| format!("{name}: {why}")).collect()
    }

    #[test]
    fn what_was_accepted_is_not_stale() {
        let root = course();
        assert!(stale_in(root.path()).is_empty());
        let names: Vec<_> = texts::all(root.path()).unwrap().into_keys().collect();
        assert_eq!(
            names,
            [
                "lessons/01-count/count.toml:check.counts.usually",
                "lessons/01-count/count.toml:hints.1",
                "lessons/01-count/count.toml:title",
                "lessons/01-count/lesson.toml:title",
                "lessons/01-count/mistakes/count-one.patch:title",
                "mdbook/quizzes/01.toml:question.1.ask",
                "mdbook/src/zh-CN/teach/a.md",
            ]
        );
    }

    #[test]
    fn english_that_has_changed_is_named_until_it_is_accepted() {
        let root = course();
        write(root.path(), "lessons/01-count/count.toml", &EXERCISE.replace("One", "Two"));
        write(root.path(), "mdbook/src/en/teach/a.md", "# Another\n");
        let why = "the English has changed since the Chinese was written";
        let hint = format!("lessons/01-count/count.toml:hints.1: {why}");
        assert_eq!(
            stale_in(root.path()),
            [hint.clone(), format!("mdbook/src/zh-CN/teach/a.md: {why}")]
        );
        accept_in(root.path(), &["mdbook/src/zh-CN/teach/a.md"]).unwrap();
        assert_eq!(stale_in(root.path()), [hint]);
        accept_in(root.path(), &["lessons/01-count/count.toml:hints.1"]).unwrap();
        assert!(stale_in(root.path()).is_empty());
    }

    #[test]
    fn chinese_that_has_changed_is_not_stale() {
        let root = course();
        write(root.path(), "lessons/01-count/count.toml", &EXERCISE.replace("一", "二"));
        let chapter = root.path().join("mdbook/src/zh-CN/teach/a.md");
        let text = fs::read_to_string(&chapter).unwrap();
        fs::write(&chapter, text + "更多。\n").unwrap();
        assert!(stale_in(root.path()).is_empty());
    }

    #[test]
    fn a_chapter_carries_one_hash_in_its_first_line() {
        let root = course();
        let chapter = root.path().join("mdbook/src/zh-CN/teach/a.md");
        let before = fs::read_to_string(&chapter).unwrap();
        assert_eq!(before, "<!-- translates: aa1237b7 -->\n# 甲 {#a}\n");
        write(root.path(), "mdbook/src/en/teach/a.md", "# Another\n");
        accept_in(root.path(), &["mdbook"]).unwrap();
        let after = fs::read_to_string(&chapter).unwrap();
        assert!(after != before && after.ends_with(" -->\n# 甲 {#a}\n"), "{after}");
        assert_eq!(after.lines().count(), 2, "{after}");
    }

    #[test]
    fn what_is_new_and_what_is_gone_are_named() {
        let root = course();
        write(root.path(), "lessons/01-count/add.toml", "title = { en = 'Add', zh = '加' }\n");
        fs::remove_file(root.path().join("mdbook/quizzes/01.toml")).unwrap();
        assert_eq!(
            stale_in(root.path()),
            [
                "lessons/01-count/add.toml:title: \
                 nobody has noted yet that the Chinese translates the English",
                "mdbook/quizzes/01.toml:question.1.ask: there is no such text any more",
            ]
        );
        accept_in(root.path(), &["lessons/01-count/add.toml", "mdbook/quizzes"]).unwrap();
        assert!(stale_in(root.path()).is_empty());
    }

    #[test]
    fn a_name_that_no_text_has_is_refused() {
        let root = course();
        let error = accept_in(root.path(), &["lessons/01"]).unwrap_err().to_string();
        assert!(error.contains("there is no Chinese text \"lessons/01\""), "{error}");
    }
}
