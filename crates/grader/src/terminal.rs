//! The grade for a person at a terminal.

use std::error::Error;
use std::io::{self, IsTerminal, Write};

use crate::advice::advice;
use crate::protocol::Verdict;
use crate::report::Grade;
use crate::score::{CaseResult, CheckScore, ExerciseScore};
pub use columns::{markdown, row, width};
use course::{Exercise, Language};

/// Whether to colour what is printed: on a terminal whose owner has not set `NO_COLOR`.
#[must_use]
pub fn wants_colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// Whether the reader of our output has seen enough, as in `cargo xtask task 02 | head`. Only an error
/// of output has no context.
#[must_use]
pub fn is_unread(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
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
    /// How many columns there are, if somebody looks at a terminal: [`width`].
    pub width: Option<usize>,
}

impl Terminal<'_> {
    /// One exercise: a line for each check, and why the first one that failed did so. The others
    /// often fail for the same reason, and a screenful is read where five are not.
    pub fn exercise(&mut self, exercise: &Exercise, score: &ExerciseScore) -> io::Result<()> {
        let title = self.language.pick(&exercise.title);
        let name = format!("{}/{}  ", score.lesson, score.exercise);
        writeln!(self.output, "{}", row(&name, title, 2, self.width))?;
        if let Some(error) = score.uncompiled() {
            return self.uncompiled(score, error);
        }
        for check in &score.checks {
            self.check_line(check, score.partial)?;
        }
        for problem in &score.problems {
            let words = self
                .language
                .words("grader error, not your mistake: ", "评分程序出错，不是你的问题：");
            writeln!(self.output, "\n  {words}{}", indent(problem))?;
        }
        let checks = score.checks.iter();
        let failed: Vec<_> =
            checks.flat_map(|check| failures(check).map(move |c| (check, c))).collect();
        let Some((&(check, case), others)) = failed.split_first() else { return Ok(()) };
        self.explain(check, case)?;
        self.name_others(score, others.iter().map(|(_, case)| *case))
    }

    /// The first case whose wait ran out of time, to be read while the others run.
    pub fn first_late(&mut self, score: &ExerciseScore) -> io::Result<()> {
        score.late().next().map_or(Ok(()), |(check, case)| self.explain(check, case))
    }

    /// The sum.
    pub fn sum(&mut self, grade: &Grade) -> io::Result<()> {
        if grade.exercises.iter().any(|exercise| exercise.partial) {
            return self.sum_of_cases(grade);
        }
        let (points, out_of) = (grade.points(), grade.out_of());
        let word = self.language.words("points", "分");
        let sum = self.paint(&format!("{points} / {out_of} {word}"), points == out_of);
        writeln!(self.output, "\n{sum}{}", self.seed(grade))
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
        writeln!(self.output, "\n{sum}{}", self.seed(grade))
    }

    fn seed(&self, grade: &Grade) -> String {
        match self.language {
            Language::English => format!("  (seed {})", grade.seed),
            Language::Chinese => format!("（种子 {}）", grade.seed),
        }
    }

    fn check_line(&mut self, check: &CheckScore, partial: bool) -> io::Result<()> {
        if partial && check.cases.is_empty() {
            return Ok(());
        }
        // Nothing has run, which happens when the grader itself has failed.
        let verdict = check.verdict().map_or("not graded".to_owned(), |it| it.to_string());
        let passed = check.cases.iter().filter(|case| case.verdict == Verdict::Pass).count();
        let is_good = check.verdict() == Some(Verdict::Pass);
        let mark = self.paint(&format!("{verdict:<12}"), is_good);
        let counts = match (check.cases.len(), self.language) {
            (0 | 1, _) => String::new(),
            (cases, Language::English) => format!("  ({passed} of {cases} cases)"),
            (cases, Language::Chinese) => format!("（通过 {passed}/{cases} 个用例）"),
        };
        let (points, out_of, name) = (check.points, check.out_of, &check.name);
        let start = format!("  {mark} {points}/{out_of}  ");
        writeln!(self.output, "{}", row(&start, &format!("{name}{counts}"), 4, self.width))
    }

    fn explain(&mut self, check: &CheckScore, case: &CaseResult) -> io::Result<()> {
        let title = self.paint(&format!("{}: {}", case.verdict, case.name), false);
        writeln!(self.output, "\n{title}\n  {}", indent(&case.report))?;
        let Some(advice) = advice(check, case, self.language) else { return Ok(()) };
        let word = self.language.words("usually: ", "常见原因：");
        writeln!(self.output, "{}", row(&format!("  {word}"), advice, 4, self.width))
    }

    fn name_others<'c>(
        &mut self,
        score: &ExerciseScore,
        mut others: impl ExactSizeIterator<Item = &'c CaseResult>,
    ) -> io::Result<()> {
        let count = others.len();
        let Some(next) = others.next() else { return Ok(()) };
        let (lesson, exercise, case) = (&score.lesson, &score.exercise, &next.name);
        let words = match self.language {
            Language::English => format!("{count} more failed; to see the next: "),
            Language::Chinese => format!("还有 {count} 个用例没有通过；查看下一个："),
        };
        let whose = &self.whose;
        writeln!(self.output, "\n{words}cargo xtask grade {lesson}/{exercise}{whose} --case {case}")
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
fn failures(check: &CheckScore) -> impl Iterator<Item = &CaseResult> {
    check.failures().filter(|case| case.verdict != Verdict::GraderError)
}

fn indent(text: &str) -> String {
    let lines = text.trim_end().lines();
    let indented = |line: &str| if line.is_empty() { String::new() } else { format!("  {line}") };
    lines.map(indented).collect::<Vec<_>>().join("\n").trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use course::Text;

    #[test]
    fn a_check_that_never_ran_is_not_called_a_pass() {
        let mut output = Vec::new();
        let language = Language::English;
        let mut terminal = Terminal {
            output: &mut output,
            colour: false,
            language,
            whose: String::new(),
            width: None,
        };
        let usually = Text { en: String::new(), zh: String::new() };
        let (name, cases) = ("short".into(), Vec::new());
        let check = CheckScore { name, points: 0, out_of: 2, usually, pending: 0, cases };
        terminal.check_line(&check, false).unwrap();
        assert_eq!(String::from_utf8(output).unwrap(), "  not graded   0/2  short\n");
    }
}
