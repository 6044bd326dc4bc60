//! The grade for a person at a terminal.

use std::io::{self, IsTerminal, Write};

use crate::course::{Exercise, Language};
use crate::protocol::{UNWRITTEN, Verdict};
use crate::report::Grade;
use crate::score::{CaseResult, CheckScore, ExerciseScore, check_of};

/// What it usually is when a program does not get ready, in both languages.
const NOT_READY: (&str, &str) = (
    "The line `listening on HOST:PORT` is missing, is spelt in another way, or was not flushed: it \
     has to be printed on standard output as soon as a client can connect.",
    "没有打印 `listening on HOST:PORT` 这一行，写法不一致，或者没有刷新（flush）输出缓冲区：\
     一旦客户端可以连接，就要把它打印到标准输出。",
);

/// What it usually is when a program does not answer in time, in both languages.
const TIMEOUT: (&str, &str) = (
    "The program waits for something that does not come. Does its loop end when a read returns 0 \
     bytes? Has it sent everything, and closed what it should close?",
    "程序在等待不会到来的东西。`read` 返回 0 字节时，循环结束了吗？该发送的都发送了吗，该关闭的都关闭了吗？",
);

/// Whether to colour what is printed: on a terminal whose owner has not set `NO_COLOR`.
#[must_use]
pub fn wants_colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// Prints scores.
pub struct Terminal<'a> {
    /// Where to.
    pub output: &'a mut dyn Write,
    /// Whether with colours.
    pub colour: bool,
    /// In which language.
    pub language: Language,
    /// What chooses the submission again: `Submission::arguments`.
    pub whose: String,
}

impl Terminal<'_> {
    /// One exercise: a line for each check, and why the first one that failed did so. The others
    /// often fail for the same reason, and a screenful is read where five are not.
    pub fn exercise(&mut self, exercise: &Exercise, score: &ExerciseScore) -> io::Result<()> {
        let title = self.language.pick(&exercise.title);
        writeln!(self.output, "{}/{}  {title}", score.lesson, score.exercise)?;
        if let Some(error) = uncompiled(score) {
            return self.uncompiled(score, error);
        }
        for check in &score.checks {
            self.check_line(check, score.partial)?;
        }
        for problem in &score.problems {
            writeln!(self.output, "\n  grader error, not your mistake: {}", indent(problem))?;
        }
        let failed = score.checks.iter().flat_map(|check| &check.cases).filter(|c| is_failure(c));
        let failed: Vec<&CaseResult> = failed.collect();
        let Some((first, others)) = failed.split_first() else { return Ok(()) };
        self.explain(exercise, first)?;
        self.name_others(score, others)
    }

    /// The sum.
    pub fn sum(&mut self, grade: &Grade) -> io::Result<()> {
        if grade.exercises.iter().any(|exercise| exercise.partial) {
            return self.sum_of_cases(grade);
        }
        let (points, out_of) = (grade.points(), grade.out_of());
        let word = self.language.words("points", "分");
        let sum = self.paint(&format!("{points} / {out_of} {word}"), points == out_of);
        writeln!(self.output, "\n{sum}  (seed {})", grade.seed)
    }

    /// Points say nothing where only some cases were run.
    fn sum_of_cases(&mut self, grade: &Grade) -> io::Result<()> {
        let checks = grade.exercises.iter().flat_map(|exercise| &exercise.checks);
        let cases: Vec<&CaseResult> = checks.flat_map(|check| &check.cases).collect();
        let passed = cases.iter().filter(|case| case.verdict == Verdict::Pass).count();
        let words = match self.language {
            Language::English => format!("{passed} of {} cases passed", cases.len()),
            Language::Chinese => format!("共 {} 个用例，通过 {passed} 个", cases.len()),
        };
        let sum = self.paint(&words, passed == cases.len());
        writeln!(self.output, "\n{sum}  (seed {})", grade.seed)
    }

    fn check_line(&mut self, check: &CheckScore, partial: bool) -> io::Result<()> {
        if partial && check.cases.is_empty() {
            return Ok(());
        }
        let failed = check.cases.iter().find(|case| case.verdict != Verdict::Pass);
        let verdict = match failed {
            // Nothing has run, which happens when the grader itself has failed.
            None if check.cases.is_empty() => "not graded".to_owned(),
            None => Verdict::Pass.to_string(),
            Some(case) => case.verdict.to_string(),
        };
        let passed = check.cases.iter().filter(|case| case.verdict == Verdict::Pass).count();
        let is_good = failed.is_none() && passed > 0;
        let mark = self.paint(&format!("{verdict:<12}"), is_good);
        let counts = match check.cases.len() {
            0 | 1 => String::new(),
            cases => format!("  ({passed} of {cases} cases)"),
        };
        let (points, out_of, name) = (check.points, check.out_of, &check.name);
        writeln!(self.output, "  {mark} {points}/{out_of}  {name}{counts}")
    }

    fn explain(&mut self, exercise: &Exercise, case: &CaseResult) -> io::Result<()> {
        let title = self.paint(&format!("{}: {}", case.verdict, case.name), false);
        writeln!(self.output, "\n{title}\n  {}", indent(&case.report))?;
        let Some(advice) = self.advice(exercise, case) else { return Ok(()) };
        let word = self.language.words("usually: ", "常见原因：");
        writeln!(self.output, "  {word}{}", advice.trim())
    }

    /// The mistake it usually is. What a check usually finds says nothing about a program that
    /// hangs, crashes or never starts.
    fn advice<'e>(&self, exercise: &'e Exercise, case: &CaseResult) -> Option<&'e str> {
        match case.verdict {
            // It does not help with a part that is not written yet.
            Verdict::Fail if !case.report.contains(UNWRITTEN) => {
                let check = exercise.checks.iter().find(|c| c.name == check_of(&case.name))?;
                Some(self.language.pick(&check.usually))
            }
            Verdict::Timeout => Some(self.language.words(TIMEOUT.0, TIMEOUT.1)),
            Verdict::NotReady => Some(self.language.words(NOT_READY.0, NOT_READY.1)),
            _ => None,
        }
    }

    fn name_others(&mut self, score: &ExerciseScore, others: &[&CaseResult]) -> io::Result<()> {
        let Some(next) = others.first() else { return Ok(()) };
        let (lesson, exercise, case) = (&score.lesson, &score.exercise, &next.name);
        let count = others.len();
        let words = match self.language {
            Language::English => format!("{count} more failed; to see the next:"),
            Language::Chinese => format!("还有 {count} 个没有通过；查看下一个："),
        };
        let whose = &self.whose;
        writeln!(
            self.output,
            "\n{words} cargo xtask grade {lesson}/{exercise}{whose} --case {case}"
        )
    }

    fn uncompiled(&mut self, score: &ExerciseScore, error: &str) -> io::Result<()> {
        let points = format!("0/{}", score.out_of());
        let title = self.paint(&format!("{}", Verdict::DoesNotCompile), false);
        writeln!(self.output, "  {title} {points}\n\n  {}", indent(error))
    }

    fn paint(&self, text: &str, good: bool) -> String {
        let code = if good { 32 } else { 31 };
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A grader-error is shown among the problems, not as the student's failure.
fn is_failure(case: &CaseResult) -> bool {
    !matches!(case.verdict, Verdict::Pass | Verdict::GraderError)
}

/// The compiler's error, if that is why nothing could be tested.
fn uncompiled(score: &ExerciseScore) -> Option<&str> {
    let mut cases = score.checks.iter().flat_map(|check| &check.cases);
    let is_uncompiled = |case: &&CaseResult| case.verdict == Verdict::DoesNotCompile;
    cases.find(is_uncompiled).map(|case| case.report.as_str())
}

fn indent(text: &str) -> String {
    let lines = text.trim_end().lines();
    let indented = |line: &str| if line.is_empty() { String::new() } else { format!("  {line}") };
    lines.map(indented).collect::<Vec<_>>().join("\n").trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_never_ran_is_not_called_a_pass() {
        let mut output = Vec::new();
        let language = Language::English;
        let mut terminal =
            Terminal { output: &mut output, colour: false, language, whose: String::new() };
        let check = CheckScore { name: "short".into(), points: 0, out_of: 2, cases: Vec::new() };
        terminal.check_line(&check, false).unwrap();
        assert_eq!(String::from_utf8(output).unwrap(), "  not graded   0/2  short\n");
    }
}
