//! What a probe has found: a line on the screen, and what to try.

use std::fmt;
use std::io::{self, Write};

use course::{Language, Text};
use grader::plain::plain;
use grader::terminal;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Ok,
    /// Lessons 1 to 5 can be run; something else is missing, or has to be done in another way.
    Note,
    /// Lessons 1 to 5 cannot be run.
    Problem,
}

#[derive(Debug)]
pub struct Finding {
    pub level: Level,
    /// One plain sentence, in both languages.
    pub said: Text,
    /// Commands, mostly.
    pub tries: Vec<Text>,
}

impl Finding {
    pub fn new(level: Level, said: Text) -> Self {
        Self { level, said, tries: Vec::new() }
    }

    pub fn ok(said: Text) -> Self {
        Self::new(Level::Ok, said)
    }

    pub fn note(said: Text) -> Self {
        Self::new(Level::Note, said)
    }

    pub fn problem(said: Text) -> Self {
        Self::new(Level::Problem, said)
    }

    pub fn or_try(mut self, advice: Text) -> Self {
        self.tries.push(advice);
        self
    }

    /// Names of programs, addresses and the system's own words are in it: none of them acts on the
    /// terminal.
    pub fn write(&self, out: &mut dyn Write, subject: &Text, language: Language) -> io::Result<()> {
        let (level, subject) = (word(self.level, language), language.pick(subject));
        let (said, colon) = (language.pick(&self.said), language.words(": ", "："));
        let said = plain(&format!("{subject}{colon}{said}"));
        writeln!(out, "{}", terminal::row(&format!("{level}  "), &said, 9, terminal::width()))?;
        let to_try = language.words("try: ", "试试：");
        for advice in &self.tries {
            writeln!(out, "         {}", plain(&format!("{to_try}{}", language.pick(advice))))?;
        }
        Ok(())
    }
}

/// All of them as wide.
fn word(level: Level, language: Language) -> &'static str {
    match level {
        Level::Ok => language.words("ok     ", "正常   "),
        Level::Note => language.words("note   ", "注意   "),
        Level::Problem => language.words("problem", "问题   "),
    }
}

/// The same in both languages.
pub fn text(english: impl fmt::Display, chinese: impl fmt::Display) -> Text {
    Text { en: english.to_string(), zh: chinese.to_string() }
}

/// A command, which is the same in both.
pub fn command(line: &str) -> Text {
    text(line, line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_found_acts_on_the_terminal() {
        let finding = Finding::note(text("\x1b[2Jx has it", "x")).or_try(command("kill \u{202e}1"));
        let mut out = Vec::new();
        finding.write(&mut out, &text("port", "端口"), Language::English).unwrap();
        let shown = String::from_utf8(out).unwrap();
        let expected = "note     port: \\u{1b}[2Jx has it\n         try: kill \\u{202e}1\n";
        assert_eq!(shown, expected);
    }
}
