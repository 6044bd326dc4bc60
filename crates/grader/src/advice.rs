//! The mistake it usually is, for a case that did not pass.

use crate::course::Language;
use crate::protocol::{UNWRITTEN, Verdict};
use crate::score::{CaseResult, CheckScore};

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

/// The mistake that `case` of `check` usually is. What a check usually finds says nothing about a
/// program that hangs, crashes or never starts.
#[must_use]
pub fn advice<'a>(check: &'a CheckScore, case: &CaseResult, language: Language) -> Option<&'a str> {
    let advice = match case.verdict {
        // It does not help with a part that is not written yet.
        Verdict::Fail if !case.report.contains(UNWRITTEN) => language.pick(&check.usually),
        Verdict::Timeout => language.words(TIMEOUT.0, TIMEOUT.1),
        Verdict::NotReady => language.words(NOT_READY.0, NOT_READY.1),
        _ => return None,
    };
    Some(advice.trim()).filter(|advice| !advice.is_empty())
}
