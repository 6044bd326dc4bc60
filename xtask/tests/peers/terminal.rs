//! `cargo xtask watch` on a real terminal: tmux plays the terminal, types the keys and says what
//! stands on the screen.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use libtest_mimic::Trial;
use netlab::peers::trial;
use netlab::program::poll;
use tempfile::TempDir;

use crate::tiny::{Course, LIMIT, about, hangs, prints};

pub fn trials() -> Vec<Trial> {
    if cfg!(not(unix)) {
        return Vec::new();
    }
    vec![
        trial("tmux", "keys_need_no_enter_and_the_verdict_has_the_screen", keys_and_screen),
        trial("tmux", "in_sixty_columns_no_table_is_cut_inside_a_word", narrow),
        trial("tmux", "after_ctrl_c_the_terminal_is_as_it_was", ctrl_c),
    ]
}

/// A shell in a terminal of tmux, with a tmux server of its own. Dropping it ends all three.
struct Terminal {
    socket: PathBuf,
    _folder: TempDir,
}

impl Terminal {
    fn open(course: &Course) -> Self {
        Self::open_in(course, 90, &[])
    }

    /// With this many columns, and variables of its own.
    fn open_in(course: &Course, columns: u16, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let terminal = Self { socket: folder.path().join("tmux"), _folder: folder };
        // The variables of `cargo xtask` in that course, for the shell and all it starts.
        let xtask = course.xtask(&[]);
        let columns = columns.to_string();
        let mut tmux = terminal.tmux(&["new-session", "-d", "-x", &columns, "-y", "40", "sh"]);
        tmux.current_dir(&course.root).env("PS1", "$ ").env("XTASK", xtask.get_program());
        for (name, value) in xtask.get_envs() {
            tmux.env(name, value.unwrap());
        }
        tmux.envs(variables.iter().copied());
        assert!(tmux.status().unwrap().success());
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command.args(["-u", "-f", "/dev/null", "-S"]).arg(&self.socket).args(arguments);
        command
    }

    fn press(&self, key: &str) {
        assert!(self.tmux(&["send-keys", key]).status().unwrap().success());
    }

    /// Types a line for the shell.
    fn enter(&self, line: &str) {
        assert!(self.tmux(&["send-keys", "-l", line]).status().unwrap().success());
        self.press("Enter");
    }

    /// What stands on the screen now.
    fn screen(&self) -> String {
        let output = self.tmux(&["capture-pane", "-p"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits until this stands on the screen.
    #[track_caller]
    fn shows(&self, text: &str) {
        let found = poll(LIMIT, || self.screen().contains(text).then_some(()));
        assert!(found.is_some(), "no {text:?} on the screen:\n{}", self.screen());
    }

    /// Starts the command in the shell, which says its exit code when it has ended.
    fn watch(&self) {
        // What is waited for must not stand in the line that asks for it.
        self.enter("\"$XTASK\" watch; echo en''ded with $?");
    }

    /// The command has ended, and the shell has a terminal again that waits for whole lines.
    #[track_caller]
    fn ends_with(&self, code: u8) {
        // What is typed before is still read by the command.
        self.shows(&format!("ended with {code}"));
        self.enter("stty -a | grep -q -w -- '-icanon' && echo by''te || echo li''ne");
        self.shows("line");
        assert!(!self.screen().contains("byte"), "{}", self.screen());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.tmux(&["kill-server"]).status();
    }
}

fn keys_and_screen() {
    let course = Course::new("terminal");
    let terminal = Terminal::open(&course);
    terminal.watch();
    terminal.shows("expected 1, and 0 came");
    terminal.shows("[h] hint  [l] list  [r] grade again  [q] quit");
    assert!(terminal.screen().starts_with("01/one  Print one\n"), "{}", terminal.screen());
    terminal.press("h");
    terminal.shows("01/one (1/2): general");
    terminal.press("l");
    terminal.shows("   > one");
    let id = course.root.join("id");
    let _ = fs::remove_file(&id);
    course.save("one", &hangs(&id));
    poll(LIMIT, || id.exists().then_some(())).expect("it hangs");
    terminal.press("h");
    terminal.shows("01/one (2/2): specific");
    course.save("one", &prints("1"));
    terminal.shows("01/one has all its points.");
    terminal.shows("Next: 01/two");
    // The screen is the verdict's alone: nothing of the hints is left.
    let screen = terminal.screen();
    assert!(screen.starts_with("01/one  Print one\n") && !screen.contains("general"), "{screen}");
    terminal.press("q");
    terminal.ends_with(0);
}

/// A text of the course is written in lines of a hundred columns.
const LONG: &str = "Write a program that prints a number, and nothing but that number, in one line of \
                    its own, and ends with the exit code 0.";

/// Every word of the table stands on the screen whole: tmux shows where a line was broken.
fn narrow() {
    let course = Course::new("narrow");
    let change = |file: &str, change: &dyn Fn(&str) -> String| {
        let file = course.root.join(file);
        fs::write(&file, change(&fs::read_to_string(&file).unwrap())).unwrap();
    };
    let title = "title = { en = 'A title that has more words than a terminal of sixty columns \
                 shows in one line', zh = '标题很长，六十列的终端一行显示不下，必须在汉字之间换行，\
                 而且标点不能放在行首' }";
    change("lessons/01-count/lesson.toml", &|lesson| {
        lesson.replacen("title = { en = 'T', zh = '题' }", title, 1)
    });
    change(&about("one"), &|exercise| {
        exercise
            .replace("en = 'Print one'", "en = 'Print one as wide as a terminal is'")
            .replacen("task = { en = 'T'", &format!("task = {{ en = '{LONG}'"), 1)
            .replace("en = 'general'", &format!("en = '{LONG}'"))
    });
    for (locale, parts) in [
        ("C", ["in one line", "Print one as wide as a terminal"]),
        ("zh_CN.UTF-8", ["标题很长，", "而且标点不能放在行首"]),
    ] {
        let terminal = Terminal::open_in(&course, 60, &[("LC_ALL", locale)]);
        for command in ["list", "", "task", "hint"] {
            terminal.enter(&format!("clear; \"$XTASK\" {command}; echo en''ded with $?"));
            terminal.shows("ended with 0");
            let screen = terminal.screen();
            // Where the terminal breaks a line itself, that is full to the last column.
            let joined = terminal.tmux(&["capture-pane", "-p", "-J"]).output().unwrap();
            let joined = String::from_utf8(joined.stdout).unwrap();
            assert_eq!(joined.lines().count(), screen.lines().count(), "{screen}");
        }
        terminal.enter("clear; \"$XTASK\" list");
        for part in parts {
            terminal.shows(part);
        }
    }
}

fn ctrl_c() {
    let course = Course::new("terminal-ctrl-c");
    let id = course.root.join("id");
    let _ = fs::remove_file(&id);
    course.save("one", &hangs(&id));
    let terminal = Terminal::open(&course);
    terminal.watch();
    poll(LIMIT, || id.exists().then_some(())).expect("it hangs");
    terminal.press("C-c");
    terminal.ends_with(130);
}
