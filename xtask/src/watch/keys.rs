//! What the person presses or types: single keys on a terminal, lines over a pipe.

use std::io::{self, BufRead, IsTerminal, Read};
use std::sync::mpsc::Sender;
use std::thread;

use super::Event;

/// The end of input, as a terminal says it when it passes keys on one by one.
const CTRL_D: u8 = 4;

/// What one can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Hint,
    List,
    Again,
    Quit,
}

impl Key {
    /// The key for a character; Enter means "again".
    fn of(character: char) -> Option<Self> {
        match character.to_ascii_lowercase() {
            'h' => Some(Self::Hint),
            'l' => Some(Self::List),
            'r' | '\n' | '\r' => Some(Self::Again),
            'q' => Some(Self::Quit),
            _ => None,
        }
    }
}

/// Whether a key is noticed without Enter. While it lives, the terminal passes keys on one by one;
/// dropping it gives the terminal back as it was, also when a panic unwinds.
pub struct Keyboard {
    raw: Option<raw::Mode>,
}

impl Keyboard {
    /// Sends an event for each key from now on, and one at the end of input.
    pub fn listen(events: Sender<Event>) -> Self {
        let raw = if io::stdin().is_terminal() { raw::Mode::enter() } else { None };
        let is_raw = raw.is_some();
        // It ends with the process: nothing wakes a read from standard input.
        thread::spawn(move || if is_raw { send_keys(&events) } else { send_lines(&events) });
        Self { raw }
    }

    pub fn has_single_keys(&self) -> bool {
        self.raw.is_some()
    }
}

fn send_keys(events: &Sender<Event>) {
    let bytes = io::stdin().lock().bytes().map_while(Result::ok);
    for byte in bytes.take_while(|byte| *byte != CTRL_D) {
        let Some(key) = Key::of(char::from(byte)) else { continue };
        if events.send(Event::Key(key)).is_err() {
            return;
        }
    }
    let _ = events.send(Event::InputEnded);
}

/// The first character of a line counts; an empty line is the Enter key.
fn send_lines(events: &Sender<Event>) {
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let Some(key) = Key::of(line.trim().chars().next().unwrap_or('\n')) else { continue };
        if events.send(Event::Key(key)).is_err() {
            return;
        }
    }
    let _ = events.send(Event::InputEnded);
}

/// The terminal without lines and echo (termios(3)). It keeps Ctrl-C, and it keeps ending lines:
/// whatever is printed meanwhile, by whomever, looks as ever.
#[cfg(unix)]
mod raw {
    use std::io;

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    pub struct Mode {
        before: Termios,
    }

    impl Mode {
        /// `None` if the terminal does not let us; then lines have to do.
        pub fn enter() -> Option<Self> {
            let before = tcgetattr(io::stdin()).ok()?;
            let mut single = before.clone();
            single.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
            tcsetattr(io::stdin(), OptionalActions::Now, &single).ok()?;
            Some(Self { before })
        }
    }

    impl Drop for Mode {
        fn drop(&mut self) {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
        }
    }
}

/// Elsewhere: a letter and Enter.
#[cfg(not(unix))]
mod raw {
    pub struct Mode;

    impl Mode {
        pub fn enter() -> Option<Self> {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_either_case_and_enter_are_keys_and_nothing_else_is() {
        assert_eq!(Key::of('h'), Some(Key::Hint));
        assert_eq!(Key::of('L'), Some(Key::List));
        assert_eq!([Key::of('\n'), Key::of('r')], [Some(Key::Again); 2]);
        assert_eq!(Key::of('q'), Some(Key::Quit));
        assert_eq!(Key::of('\u{1b}'), None);
    }
}
