//! What a reader sees of a scenario: blocks of commands and their output, one block for each
//! terminal.
//!
//! ```text
//! $ cargo run -q -p lesson-02 -- server
//! listening on 127.0.0.1:8888
//! %%
//! $ cargo run -q -p lesson-02 -- client hello
//! 127.0.0.1:40001 is connected to 127.0.0.1:8888
//! hello
//! ```
//!
//! A server has a terminal of its own; commands that follow each other share one. The ports that
//! the system has picked are counted through in the order in which they appear.

use anyhow::{Context, Result};
use regex_lite::{Captures, Regex};

use super::sandbox::CLIENT_PORTS;
use super::scenario::{Step, Vary};

/// Between two terminals.
pub const BETWEEN: &str = "%%\n";

pub struct Shown {
    text: String,
    /// The last step was a server's.
    was_server: bool,
    vary: Vec<(Regex, String)>,
    ports: Vec<String>,
    port: Regex,
}

impl Shown {
    pub fn new(vary: &[Vary]) -> Result<Self> {
        let compile = |it: &Vary| {
            let regex = Regex::new(&it.pattern).with_context(|| format!("pattern {}", it.pattern));
            regex.map(|regex| (regex, it.shown.clone()))
        };
        let vary = vary.iter().map(compile).collect::<Result<_>>()?;
        let port = Regex::new(r":(\d{5})\b").context("pattern of ports")?;
        Ok(Self { text: String::new(), was_server: false, vary, ports: Vec::new(), port })
    }

    /// A step and what it has printed.
    pub fn add(&mut self, step: &Step, lines: &[String], code: i32) {
        let is_server = step.until.is_some();
        if !self.text.is_empty() && (is_server || self.was_server) {
            self.text += BETWEEN;
        }
        self.was_server = is_server;
        self.add_line(&format!("$ {}", step.run));
        for line in lines {
            let line = self.settle(line);
            self.add_line(line.trim_end());
        }
        if step.show_code {
            self.add_line("$ echo $?");
            self.add_line(&code.to_string());
        }
    }

    fn add_line(&mut self, line: &str) {
        self.text += line;
        self.text.push('\n');
    }

    pub fn into_text(self) -> String {
        self.text
    }

    /// The line as it would be in every run.
    fn settle(&mut self, line: &str) -> String {
        let mut line = line.to_owned();
        for (regex, shown) in &self.vary {
            line = regex.replace_all(&line, shown.as_str()).into_owned();
        }
        let ports = &mut self.ports;
        let settled = self.port.replace_all(&line, |found: &Captures<'_>| {
            let port = &found[1];
            if !port.parse().is_ok_and(|port| CLIENT_PORTS.contains(&port)) {
                return found[0].to_owned();
            }
            let place = ports.iter().position(|known| known == port).unwrap_or_else(|| {
                ports.push(port.to_owned());
                ports.len() - 1
            });
            format!(":{}", usize::from(*CLIENT_PORTS.start()) + 1 + place)
        });
        settled.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(run: &str, until: Option<&str>) -> Step {
        let until = until.map(ToOwned::to_owned);
        Step { run: run.to_owned(), until, ends: false, code: 0, show_code: false }
    }

    #[test]
    fn ports_are_counted_and_servers_have_terminals_of_their_own() {
        let vary = [Vary { pattern: r"\d+\.\d ms".into(), shown: "0.1 ms".into() }];
        let mut shown = Shown::new(&vary).unwrap();
        let lines = |of: &[&str]| of.iter().map(ToString::to_string).collect::<Vec<_>>();
        let heard = ["listening on [::1]:8888", "127.0.0.1:43210 came", "127.0.0.1:43999 came"];
        shown.add(&step("serve", Some("listening")), &lines(&heard), 0);
        shown.add(&step("ask", None), &lines(&["43210 bytes from :43999 in 7.3 ms"]), 0);
        shown.add(&Step { show_code: true, code: 1, ..step("ask", None) }, &[], 1);
        assert_eq!(
            shown.into_text(),
            "$ serve\nlistening on [::1]:8888\n127.0.0.1:40001 came\n127.0.0.1:40002 came\n%%\n\
             $ ask\n43210 bytes from :40002 in 0.1 ms\n$ ask\n$ echo $?\n1\n"
        );
    }
}
