//! What is being worked on, and what follows from each event.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;

use anyhow::Result;
use grader::process::Cancel;

use super::files::Change;
use super::grading::{Graded, Order};
use super::keys::Key;
use super::screen::Screen;
use super::{Event, Place};
use crate::course_progress::CourseProgress;
use crate::first_build;
use crate::grade;
use course::Course;

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    On,
    Over,
    Interrupted,
}

/// One run of the command.
pub struct Session<'a> {
    course: &'a Course,
    /// What was asked for, in order.
    wanted: Vec<Place<'a>>,
    /// The one that is being worked on, by its place in `wanted`.
    current: usize,
    screen: Screen,
    orders: Sender<Order<'a>>,
    /// Ends the grading that is going on.
    cancel: Cancel,
    /// The number of the last grading, and whether it goes on.
    turn: u64,
    is_grading: bool,
    /// How often the graded tests have changed.
    tests: u64,
    /// How many hints were shown of each exercise.
    hints: HashMap<usize, usize>,
    input_ended: bool,
    pub seed: Option<u64>,
    pub tells_times: bool,
}

impl<'a> Session<'a> {
    pub fn new(
        course: &'a Course,
        wanted: Vec<Place<'a>>,
        screen: Screen,
        orders: Sender<Order<'a>>,
    ) -> Self {
        Self {
            course,
            wanted,
            current: 0,
            screen,
            orders,
            cancel: Cancel::default(),
            turn: 0,
            is_grading: false,
            tests: 0,
            hints: HashMap::new(),
            input_ended: false,
            seed: None,
            tells_times: false,
        }
    }

    /// The files to look at, in the order of the exercises.
    pub fn paths(&self) -> Vec<PathBuf> {
        let places = self.wanted.iter();
        places.map(|(lesson, exercise)| lesson.exercise_file(exercise)).collect()
    }

    /// The folders of the lessons that they are in.
    pub fn folders(&self) -> Vec<PathBuf> {
        let mut folders: Vec<_> = self.wanted.iter().map(|(of, _)| of.folder.clone()).collect();
        folders.dedup();
        folders
    }

    /// Grades the next exercise that is not done yet.
    pub fn begin(&mut self, fallback: Option<&notify::Error>) -> Result<()> {
        let course_progress = CourseProgress::read(self.course);
        let next = course_progress.next(self.wanted.iter().copied());
        let is_next = |place: &Place| next.is_some_and(|next| std::ptr::eq(place.1, next.1));
        self.current = self.wanted.iter().position(is_next).unwrap_or(0);
        self.screen.welcome(fallback)?;
        self.start()
    }

    pub fn handle(&mut self, event: Event) -> Result<Flow> {
        match event {
            Event::Key(Key::Quit) => return Ok(Flow::Over),
            Event::Interrupted => return Ok(Flow::Interrupted),
            Event::Key(Key::Hint) => self.hint()?,
            Event::Key(Key::List) => {
                let place = self.wanted.get(self.current).copied();
                self.screen.list(self.course, &CourseProgress::read(self.course), place)?;
            }
            Event::Key(Key::Again) => self.start()?,
            Event::InputEnded => self.input_ended = true,
            Event::TestsMoved => self.tests += 1,
            Event::Progress(turn, left, late) if turn == self.turn => {
                let place = self.wanted[self.current];
                self.screen.progress(place, left, late)?;
            }
            Event::Late(turn, score) if turn == self.turn => self.screen.late(&score)?,
            Event::Graded(turn, graded) if turn == self.turn => self.graded(&graded)?,
            // What an old grading has to say, and what the caller has looked at.
            Event::Progress(..) | Event::Late(..) | Event::Graded(..) | Event::FilesMoved => {}
        }
        // Nobody can ask for anything any more: what is being graded is the last.
        Ok(if self.input_ended && !self.is_grading { Flow::Over } else { Flow::On })
    }

    /// Of several files that have changed at once, the current one is graded, or else the first. Of
    /// the `others`, those of its package are a part of it.
    pub fn changed(&mut self, changes: &[Change], others: &[PathBuf]) -> Result<()> {
        let mut saved = Vec::new();
        for change in changes {
            match *change {
                Change::Gone(number) => self.gone(number)?,
                // When a whole folder comes back, one file after the other, this is no reason to
                // turn to another exercise.
                Change::Back(number) if number != self.current => self.back(number)?,
                Change::Back(number) | Change::Saved(number) => saved.push(number),
            }
        }
        if let Some(first) = saved.first().filter(|_| !saved.contains(&self.current)) {
            self.current = *first;
        }
        let package = self.wanted[self.current].0.folder.join("exercise");
        let (parts, strangers): (Vec<_>, Vec<_>) =
            others.iter().partition(|path| path.starts_with(&package));
        self.name_others(&parts, true)?;
        self.name_others(&strangers, false)?;
        if saved.is_empty() && parts.is_empty() { Ok(()) } else { self.start() }
    }

    /// A word about files that were saved and are no exercise's own.
    fn name_others(&self, files: &[&PathBuf], are_parts: bool) -> Result<()> {
        let Some((first, more)) = files.split_first() else { return Ok(()) };
        let place = self.wanted[self.current];
        Ok(self.screen.other(place, &from_root(self.course, first), more.len(), are_parts)?)
    }

    fn gone(&mut self, number: usize) -> Result<()> {
        if number == self.current {
            self.stop();
        }
        let place = self.wanted[number];
        Ok(self.screen.gone(place, &shown(self.course, place))?)
    }

    fn back(&self, number: usize) -> Result<()> {
        Ok(self.screen.back(&shown(self.course, self.wanted[number]))?)
    }

    /// Grades the current exercise from the beginning; what is being graded is cancelled.
    fn start(&mut self) -> Result<()> {
        self.stop();
        self.cancel = Cancel::default();
        self.turn += 1;
        self.is_grading = true;
        let (lesson, exercise) = self.wanted[self.current];
        self.screen.starts(self.course, (lesson, exercise))?;
        let seed = self.seed.unwrap_or_else(grade::seed_of_the_clock);
        let (turn, tests, cancel) = (self.turn, self.tests, self.cancel.clone());
        // It is refused only when the thread that grades has panicked, which ends the command.
        let _ = self.orders.send(Order { lesson, exercise, turn, seed, tests, cancel });
        Ok(())
    }

    fn stop(&mut self) {
        self.cancel.cancel();
        self.is_grading = false;
    }

    fn hint(&mut self) -> Result<()> {
        let place = self.wanted[self.current];
        let shown = self.hints.entry(self.current).or_default();
        // After the last one they begin again.
        let number = *shown % place.1.hints.len().max(1);
        *shown = number + 1;
        Ok(self.screen.hint(place, number)?)
    }

    fn graded(&mut self, graded: &Graded) -> Result<()> {
        self.is_grading = false;
        let place = self.wanted[self.current];
        let course_progress = CourseProgress::read(self.course);
        if graded.score.problems.is_empty() {
            first_build::is_done(&self.course.root, place.0);
        }
        self.screen.verdict(place, &graded.score)?;
        if graded.score.all_passed() {
            let open = |(_, place): &(usize, &Place)| !course_progress.is_done(place.0, place.1);
            let places = || self.wanted.iter().enumerate();
            // The next one after this, or one that was left out before.
            let next = places().skip(self.current + 1).find(open).or_else(|| places().find(open));
            let next = next.map(|(number, _)| number);
            let next_place = next.map(|number| self.wanted[number]);
            self.screen.done(self.course, &course_progress, place, next_place)?;
            self.current = next.unwrap_or(self.current);
        }
        self.screen.footer(&course_progress)?;
        if self.tells_times {
            self.screen.say(&graded.times)?;
        }
        Ok(())
    }
}

/// Whatever ends the command ends the grading that is going on.
impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The path of an exercise's file as a person types it.
pub fn shown(course: &Course, (lesson, exercise): Place) -> String {
    from_root(course, &lesson.exercise_file(exercise))
}

fn from_root(course: &Course, file: &Path) -> String {
    file.strip_prefix(&course.root).unwrap_or(file).display().to_string()
}
