//! `cargo xtask grade --self-test`: is what the exercises are graded with right?

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use course::{Exercise, Lesson};
use grader::process::{self, Cancel};
use grader::selftest::{SelfTest, Trial, variants};

use super::{INTERRUPTED, NOT_ALL_POINTS};
use course::Course;

const HEAD: [&str; 5] = ["exercise", "solution", "skeleton", "mistakes", "seconds"];

/// One line of the table.
struct Row {
    name: String,
    self_test: SelfTest,
    seconds: f64,
}

/// Grades solutions, skeletons and mistakes, `jobs` cases at a time, and prints how they did.
pub fn run(
    course: &Course,
    wanted: &[(&Lesson, &Exercise)],
    seed: u64,
    jobs: usize,
) -> Result<ExitCode> {
    match table(course, wanted, seed, jobs) {
        _ if process::is_interrupted() => Ok(ExitCode::from(INTERRUPTED)),
        Ok(wrong) if wrong.is_empty() => Ok(ExitCode::SUCCESS),
        Ok(wrong) => {
            for wrong in wrong {
                println!("\n{}", wrong.trim_end());
            }
            Ok(ExitCode::from(NOT_ALL_POINTS))
        }
        Err(problem) => Err(problem),
    }
}

/// Prints the table, and returns what is wrong.
fn table(
    course: &Course,
    wanted: &[(&Lesson, &Exercise)],
    seed: u64,
    jobs: usize,
) -> Result<Vec<String>> {
    let cancel = Cancel::default();
    eprintln!("building the skeletons, and the solutions with one mistake each");
    let built = variants::build(&course.root, wanted, &cancel)?;
    let width = wanted.iter().map(|exercise| name(exercise).len()).max().unwrap_or(0);
    let width = width.max(HEAD[0].len());
    print(&HEAD.map(str::to_owned), width)?;
    let mut all = Row { name: "all".to_owned(), self_test: SelfTest::default(), seconds: 0.0 };
    for (exercise, variants) in wanted.iter().zip(built) {
        let started = Instant::now();
        let trial = Trial::new(&course.root, *exercise, seed, jobs, &cancel)?;
        let self_test = trial.self_test(&variants);
        let row = Row { name: name(exercise), self_test, seconds: started.elapsed().as_secs_f64() };
        if process::is_interrupted() {
            break;
        }
        print(&row.cells(), width)?;
        all.add(row);
    }
    print(&all.cells(), width)?;
    Ok(all.self_test.wrong)
}

impl Row {
    fn add(&mut self, Row { self_test, seconds, .. }: Row) {
        let sum = &mut self.self_test;
        sum.solution.0 += self_test.solution.0;
        sum.solution.1 += self_test.solution.1;
        sum.skeleton += self_test.skeleton;
        sum.caught += self_test.caught;
        sum.mistakes += self_test.mistakes;
        sum.wrong.extend(self_test.wrong);
        self.seconds += seconds;
    }

    /// Points of points, and mistakes caught of mistakes.
    fn cells(&self) -> [String; 5] {
        let SelfTest { solution: (points, out_of), skeleton, caught, mistakes, .. } =
            &self.self_test;
        [
            self.name.clone(),
            format!("{points}/{out_of}"),
            format!("{skeleton}/{out_of}"),
            format!("{caught}/{mistakes}"),
            format!("{:.1}", self.seconds),
        ]
    }
}

fn name((lesson, exercise): &(&Lesson, &Exercise)) -> String {
    format!("{}/{}", lesson.number, exercise.name)
}

/// At once: the next line may take a minute.
fn print([name, numbers @ ..]: &[String; 5], width: usize) -> io::Result<()> {
    let mut output = io::stdout().lock();
    write!(output, "{name:<width$}")?;
    for number in numbers {
        write!(output, "  {number:>9}")?;
    }
    writeln!(output)?;
    output.flush()
}
