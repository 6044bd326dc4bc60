//! Whether the terminal shows what the course prints, which is UTF-8: `你好`.

use std::env;
use std::process::Command;

use super::finding::{Finding, command, text};
use super::output_of;

/// The number that Windows has for UTF-8.
const UTF_8: u32 = 65_001;

pub fn look() -> Vec<Finding> {
    if cfg!(windows) {
        let said = output_of(Command::new("cmd").args(["/c", "chcp"]));
        return vec![judge_code_page(said.as_deref().and_then(code_page))];
    }
    let set =
        |name| env::var(name).ok().filter(|value| !value.is_empty()).map(|value| (name, value));
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    vec![judge_locale(locale.as_ref().map(|(name, value)| (*name, value.as_str())))]
}

/// In any language: `Active code page: 936`, `活动代码页: 936`.
fn code_page(said: &str) -> Option<u32> {
    said.rsplit(|character: char| !character.is_ascii_digit()).find_map(|word| word.parse().ok())
}

fn judge_code_page(code_page: Option<u32>) -> Finding {
    let Some(code_page) = code_page else {
        return Finding::note(text("`chcp` does not tell its code page", "`chcp` 没有给出代码页"));
    };
    if code_page == UTF_8 {
        return Finding::ok(text("code page 65001, UTF-8", "代码页 65001，即 UTF-8"));
    }
    Finding::note(text(
        format!(
            "code page {code_page} is not UTF-8: 你好 may look wrong, above all when it goes through \
             a pipe or into a file"
        ),
        format!("代码页 {code_page} 不是 UTF-8：你好可能显示为乱码，尤其是经过管道或写入文件时"),
    ))
    .or_try(command("chcp 65001"))
}

/// The first of the variables that is set decides (locale(7)).
fn judge_locale(locale: Option<(&str, &str)>) -> Finding {
    let (said, is_utf_8) = match locale {
        None => ("LANG=".to_owned(), false),
        Some((name, value)) => {
            let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
            (format!("{name}={value}"), plain.to_lowercase().contains("utf8"))
        }
    };
    if is_utf_8 {
        return Finding::ok(text(&said, &said));
    }
    Finding::note(text(
        format!("{said} does not say UTF-8: some programs show 你好 as something else"),
        format!("{said} 没有指定 UTF-8：有些程序会把你好显示成别的样子"),
    ))
    .or_try(command(if cfg!(target_os = "macos") {
        "export LANG=en_US.UTF-8"
    } else {
        "export LANG=C.UTF-8"
    }))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level::{self, Note, Ok};
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::english("Active code page: 936\r\n", Some(936))]
    #[case::chinese("活动代码页: 936\r\n", Some(936))]
    #[case::utf_8("Active code page: 65001\r\n", Some(65001))]
    #[case::german("Aktive Codepage: 850.\r\n", Some(850))]
    #[case::nothing("", None)]
    fn a_code_page_is_read_in_any_language(#[case] said: &str, #[case] expected: Option<u32>) {
        assert_eq!(code_page(said), expected);
    }

    #[rstest]
    #[case(Some(65001), Ok)]
    #[case(Some(936), Note)]
    #[case(Some(437), Note)]
    #[case(None, Note)]
    fn only_one_code_page_is_utf_8(#[case] code_page: Option<u32>, #[case] level: Level) {
        let finding = judge_code_page(code_page);
        assert_eq!(finding.level, level);
        let advice: Vec<&str> = finding.tries.iter().map(|advice| advice.en.as_str()).collect();
        assert_eq!(advice == ["chcp 65001"], level == Note && code_page.is_some());
    }

    #[rstest]
    #[case(Some(("LANG", "zh_CN.UTF-8")), Ok)]
    #[case(Some(("LC_ALL", "C.utf8")), Ok)]
    #[case(Some(("LC_CTYPE", "UTF-8")), Ok)]
    #[case(Some(("LANG", "zh_CN.GB18030")), Note)]
    #[case(Some(("LC_ALL", "C")), Note)]
    #[case(None, Note)]
    fn a_locale_says_utf_8_or_not(#[case] locale: Option<(&str, &str)>, #[case] level: Level) {
        assert_eq!(judge_locale(locale).level, level);
    }
}
