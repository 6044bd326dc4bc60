//! `cargo xtask watch`: save the file, see the verdict.
//!
//! Three threads send events to one that handles them in order: the keyboard, the system's news
//! about files, and the thread that grades. So a key is answered at once, whatever is being graded
//! and however long it hangs; and a grading that is no longer wanted is cancelled, which kills
//! what it has started.

mod files;
mod grading;
mod keys;
mod screen;
mod session;
mod sources;

use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use course::{Exercise, Lesson};
use grader::process;
use grader::score::ExerciseScore;

use crate::exercises;
use crate::lang::Lang;
use course::Course;
use files::{Files, Watch};
use grading::Graded;
use keys::{Key, Keyboard};
use screen::Screen;
use session::{Flow, Session};
use sources::Sources;

/// How long a file may be gone or empty before it counts: editors do that while they save.
const SETTLE: Duration = Duration::from_millis(300);
/// What shells make of Ctrl-C: 128 and the number of the signal.
const INTERRUPTED: u8 = 130;

/// Grade an exercise whenever you save it; keys: h hint, l list, r or Enter again, q quit
///
/// It begins with the next exercise that is not done, grades whichever you save, and moves on
/// when all points are reached. On a terminal the keys need no Enter. Over a pipe it reads them as
/// lines, and when the input ends it ends too, after the grading that is going on.
#[derive(clap::Args)]
pub struct Options {
    /// Which, as in `02` or `02/answer`; all exercises without it
    #[arg(value_name = "LESSON[/EXERCISE]")]
    exercise: Option<String>,
    /// Look at the files four times a second instead of being told by the system: for shared
    /// folders, where changes made elsewhere are not told
    #[arg(long)]
    poll: bool,
    /// The number that all random payloads follow from; another for each grading without it
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// After each verdict, a line that says where the time has gone (in milliseconds)
    #[arg(long, hide = true)]
    timings: bool,
    #[command(flatten)]
    lang: Lang,
}

/// What can happen.
pub enum Event {
    Key(Key),
    /// Nobody can press a key any more.
    InputEnded,
    /// Ctrl-C.
    Interrupted,
    /// Something happened below `lessons/`.
    FilesMoved,
    /// Something happened below `tests/`.
    TestsMoved,
    /// In this grading, how many cases are still to go, and for how many the time ran out.
    Progress(u64, usize, usize),
    /// In this grading, a case ran out of time for the first time: the score so far.
    Late(u64, Box<ExerciseScore>),
    Graded(u64, Box<Graded>),
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let course = Course::find()?;
    let wanted = exercises::wanted(&course, options.exercise.as_deref())?;
    let (sender, events) = mpsc::channel();
    let interrupted = sender.clone();
    ctrlc::set_handler(move || drop(interrupted.send(Event::Interrupted)))?;
    process::orphans::adopt();
    let watched = files::watch(&course.root, options.poll, &sender)?;
    let (order, orders) = mpsc::channel();
    thread::scope(|scope| {
        let (root, graded) = (&course.root, sender.clone());
        scope.spawn(move || grading::serve(root, &orders, &graded));
        let keyboard = Keyboard::listen(sender);
        let screen = Screen::new(options.lang.language(), keyboard.has_single_keys());
        let mut session = Session::new(&course, wanted, screen, order);
        session.seed = options.seed;
        session.tells_times = options.timings;
        // The keyboard is dropped last, the session first: it cancels what is being graded.
        watch(&mut session, &watched, &events)
    })
}

fn watch(session: &mut Session, watched: &Watch, events: &Receiver<Event>) -> Result<ExitCode> {
    let mut files = Files::new(session.paths());
    let mut sources = Sources::new(session.folders(), session.paths());
    session.begin(watched.fallback.as_ref())?;
    let mut settles_at = None;
    loop {
        let event = next(events, settles_at, files.is_one_gone());
        let is_settled = settles_at.is_some_and(|at| Instant::now() >= at);
        if matches!(event, None | Some(Event::FilesMoved)) {
            let look = files.look(is_settled);
            let (others, are_unsettled) = sources.look(is_settled);
            let since = settles_at.filter(|_| !is_settled).unwrap_or(Instant::now() + SETTLE);
            settles_at = (look.is_unsettled || are_unsettled).then_some(since);
            session.changed(&look.changes, &others)?;
        }
        match event.map_or(Ok(Flow::On), |event| session.handle(event))? {
            Flow::On => {}
            Flow::Over => return Ok(ExitCode::SUCCESS),
            Flow::Interrupted => return Ok(ExitCode::from(INTERRUPTED)),
        }
    }
}

/// The next event; none when it is time to look at the files anyway. A folder that has vanished is
/// not watched any more, and when it comes back the news may come too late to be heard.
fn next(events: &Receiver<Event>, at: Option<Instant>, is_one_gone: bool) -> Option<Event> {
    let soon = is_one_gone.then(|| Instant::now() + SETTLE);
    let Some(until) = at.into_iter().chain(soon).min() else {
        // We hold a sender ourselves, so there is always a next one.
        return events.recv().ok();
    };
    events.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
}

/// An exercise and the lesson that it is in.
type Place<'a> = (&'a Lesson, &'a Exercise);
