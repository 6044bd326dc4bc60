//! The mistake it usually is, for a case that did not pass.

use crate::protocol::{UNWRITTEN, Verdict};
use crate::score::{CaseResult, CheckScore};
use course::Language;

/// What it usually is when a program does not get ready, in both languages.
const NOT_READY: (&str, &str) = (
    "The line `listening on HOST:PORT` is missing, is spelt in another way, or was not flushed: it \
     has to be printed on standard output as soon as a client can connect.",
    "没有打印 `listening on HOST:PORT` 这一行，或者写法不符，或者没有刷新（flush）输出缓冲区：\
     一旦客户端可以连接，就要向标准输出打印这一行。",
);

/// What it usually is when a program does not answer in time, in both languages.
const TIMEOUT: (&str, &str) = (
    "The program waits for something that does not come. Does its loop end when a read returns 0 \
     bytes? Has it sent everything, and closed what it should close?",
    "程序在等待不会到来的东西。`read` 返回 0 字节时，循环结束了吗？该发送的都发送了吗，该关闭的都关闭了吗？",
);

/// What it usually is when a program ends by itself, in both languages.
const CRASH: (&str, &str) = (
    "The last lines on standard error say where it has ended. In Rust that is an `unwrap`, an \
     `expect`, an index out of range, or an error that `?` has handed up to `main`. What the peer \
     or the network does must not end the program, unless the task says so: `match` the error where \
     it comes up.",
    "标准错误上的最后几行说明了程序在哪里结束。在 Rust 里，原因往往是 `unwrap`、`expect`、下标越界，\
     或者 `?` 把错误一路交到了 `main`。除非题目要求，对端和网络出什么事都不能让程序退出：\
     在出错的地方用 `match` 处理。",
);

/// The mistake that `case` of `check` usually is. What a check usually finds says nothing about a
/// program that hangs, crashes or never starts.
#[must_use]
pub fn advice<'a>(check: &'a CheckScore, case: &CaseResult, language: Language) -> Option<&'a str> {
    let advice = match case.verdict {
        // Nothing helps with a part that is not written yet.
        _ if case.report.contains(UNWRITTEN) => return None,
        Verdict::Fail => language.pick(&check.usually),
        Verdict::Crash => language.words(CRASH.0, CRASH.1),
        Verdict::Timeout => language.words(TIMEOUT.0, TIMEOUT.1),
        Verdict::NotReady => language.words(NOT_READY.0, NOT_READY.1),
        _ => return None,
    };
    Some(advice.trim()).filter(|advice| !advice.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use course::Text;

    /// What is said to a case with this verdict and report.
    fn said(verdict: Verdict, report: &str) -> Option<String> {
        let usually = Text { en: "of the check".to_owned(), zh: String::new() };
        let (name, cases) = ("short".to_owned(), Vec::new());
        let check = CheckScore { name, points: 0, out_of: 2, usually, pending: 0, cases };
        let case = CaseResult::new("short", verdict, report);
        advice(&check, &case, Language::English).map(str::to_owned)
    }

    #[test]
    fn a_check_knows_its_failures_and_a_crash_is_explained_whatever_the_check() {
        assert_eq!(said(Verdict::Fail, "other bytes").as_deref(), Some("of the check"));
        assert!(said(Verdict::Crash, "panicked").is_some_and(|it| it.contains("unwrap")));
    }

    #[test]
    fn a_part_that_is_not_written_yet_needs_no_explanation() {
        assert_eq!(said(Verdict::Fail, UNWRITTEN), None);
        assert_eq!(said(Verdict::Crash, UNWRITTEN), None);
    }
}
