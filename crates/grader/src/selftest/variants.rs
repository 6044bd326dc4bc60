//! The programs that a solution is varied into: its skeleton, and one for each classic mistake.
//! They become packages of a generated workspace that cargo builds in one go, so that no student's
//! file is touched.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::{Table, Value};

use crate::Problem;
use crate::build::cargo;
use crate::process::{self, Bounds, Cancel};
use course::mistake::{Mistake, mistakes};
use course::skeleton;
use course::{Exercise, Lesson};

/// How long building all of them may take.
const BUILD_LIMIT: Duration = Duration::from_secs(3600);

/// One program made from a solution.
#[derive(Clone, Debug)]
pub struct Variant {
    /// As in `variant-02-answer-skeleton`.
    pub name: String,
    /// Its mistake; without one it is what the student begins with.
    pub mistake: Option<Mistake>,
    /// The built program.
    pub program: PathBuf,
}

/// Writes and builds all variants of these exercises: a package for each exercise, a program for
/// each variant. Files that have not changed are left alone, and so is what was built from them.
/// The variants come in the order of the exercises.
///
/// # Errors
/// When one of them cannot be made or does not compile.
pub fn build(
    workspace: &Path,
    exercises: &[(&Lesson, &Exercise)],
    cancel: &Cancel,
) -> Result<Vec<Vec<Variant>>, Problem> {
    let target = target(workspace);
    let folder = target.join("graders");
    let built = folder.join("target");
    let mut all = Vec::new();
    for &(lesson, exercise) in exercises {
        let texts = texts(lesson, exercise)?;
        let package = folder.join("crates").join(package(lesson, exercise));
        write_package(&package, lesson, exercise, &texts)?;
        let variant = |(name, _, mistake)| {
            let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
            Variant { name, mistake, program: built.join("debug").join(file) }
        };
        all.push(texts.into_iter().map(variant).collect());
    }
    let members = exercises.iter().map(|(lesson, exercise)| package(lesson, exercise));
    write_if_new(&folder.join("Cargo.toml"), &workspace_manifest(workspace, members)?)?;
    write_if_new(&folder.join("Cargo.lock"), &read(&workspace.join("Cargo.lock"))?)?;
    let mut command = cargo();
    // Everything has been fetched: the course itself is built with the same lock file.
    command.args(["build", "--offline", "--quiet", "--workspace", "--target-dir"]).arg(&built);
    // They are many, built once and seldom changed, and nobody steps through them: this takes a third
    // of the time.
    command.env("CARGO_INCREMENTAL", "0").env("CARGO_PROFILE_DEV_DEBUG", "none");
    // What others have written was compiled for the course, and is taken from there (by cargo 1.91 and
    // later; an earlier one compiles it again).
    command.env("CARGO_BUILD_BUILD_DIR", &target);
    let ended = process::run(command.current_dir(&folder), &Bounds::of(BUILD_LIMIT, cancel))
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    process::orphans::spare();
    if !ended.status.is_some_and(|status| status.success()) {
        return Err(format!("a skeleton or a mistake does not compile:\n{}", ended.stderr).into());
    }
    Ok(all)
}

/// The package of an exercise's variants.
fn package(lesson: &Lesson, exercise: &Exercise) -> String {
    format!("variants-{}-{}", lesson.number, exercise.name)
}

/// The name, the text and the mistake of each variant of one exercise.
fn texts(
    lesson: &Lesson,
    exercise: &Exercise,
) -> Result<Vec<(String, String, Option<Mistake>)>, Problem> {
    let file = lesson.solution_file(exercise);
    let solution = read(&file)?;
    let skeleton = skeleton::from_solution(&solution)
        .map_err(|error| format!("{}: {error}", file.display()))?;
    let prefix = format!("variant-{}", lesson.number);
    let mut texts = vec![(format!("{prefix}-{}-skeleton", exercise.name), skeleton, None)];
    for mistake in mistakes(lesson, exercise).map_err(|error| error.to_string())? {
        let text = made_in(&solution, &mistake)?;
        texts.push((format!("{prefix}-{}", mistake.name), text, Some(mistake)));
    }
    Ok(texts)
}

/// The solution with this mistake.
fn made_in(solution: &str, mistake: &Mistake) -> Result<String, Problem> {
    let problem = |error: &dyn std::fmt::Display| format!("{}.patch: {error}", mistake.name);
    let patch = diffy::Patch::from_str(&mistake.diff).map_err(|error| problem(&error))?;
    Ok(diffy::apply(solution, &patch).map_err(|error| problem(&error))?)
}

/// The course's own root manifest, with paths that hold from anywhere and other members.
fn workspace_manifest(
    root: &Path,
    members: impl Iterator<Item = String>,
) -> Result<String, Problem> {
    let mut manifest = manifest(&root.join("Cargo.toml"))?;
    let workspace = table(&mut manifest, "workspace")?;
    let members: Vec<Value> = members.map(|package| format!("crates/{package}").into()).collect();
    workspace.insert("members".into(), members.into());
    workspace.remove("default-members");
    for (_, dependency) in table(workspace, "dependencies")?.iter_mut() {
        if let Some(Value::String(path)) = dependency.get_mut("path") {
            *path = root.join(&*path).to_string_lossy().into_owned();
        }
    }
    Ok(manifest.to_string())
}

/// The solution's package under another name, with a program for each of `texts` beside the
/// solution's own files.
fn write_package(
    folder: &Path,
    lesson: &Lesson,
    exercise: &Exercise,
    texts: &[(String, String, Option<Mistake>)],
) -> Result<(), Problem> {
    let solution = lesson.folder.join("solution");
    let mut manifest = manifest(&solution.join("Cargo.toml"))?;
    let about = table(&mut manifest, "package")?;
    about.insert("name".into(), package(lesson, exercise).into());
    // The solution's own programs lie there, too, for modules that they share.
    about.insert("autobins".into(), false.into());
    let bin = |name: &str| {
        let path = format!("src/bin/{name}.rs");
        Table::from_iter([("name".into(), name.into()), ("path".into(), path.into())])
    };
    let bins: Vec<Value> = texts.iter().map(|(name, ..)| bin(name).into()).collect();
    manifest.insert("bin".into(), bins.into());
    // What is half-written or wrong on purpose is not linted.
    manifest.remove("lints");
    copy_folder(&solution.join("src"), &folder.join("src"))?;
    write_if_new(&folder.join("Cargo.toml"), &manifest.to_string())?;
    for (name, text, _) in texts {
        write_if_new(&folder.join(format!("src/bin/{name}.rs")), text)?;
    }
    Ok(())
}

fn manifest(file: &Path) -> Result<Table, Problem> {
    Ok(read(file)?.parse().map_err(|error| format!("{}: {error}", file.display()))?)
}

fn table<'a>(table: &'a mut Table, key: &str) -> Result<&'a mut Table, Problem> {
    let value = table.get_mut(key).and_then(Value::as_table_mut);
    Ok(value.ok_or_else(|| format!("a Cargo.toml has no [{key}]"))?)
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Problem> {
    let unreadable = |error| format!("cannot read {}: {error}", from.display());
    for entry in fs::read_dir(from).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            write_if_new(&target, &read(&entry.path())?)?;
        }
    }
    Ok(())
}

/// Cargo builds again what was written later than it was built.
fn write_if_new(file: &Path, text: &str) -> Result<(), Problem> {
    if fs::read_to_string(file).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let folder = file.parent().map_or(Ok(()), fs::create_dir_all);
    let written = folder.and_then(|()| fs::write(file, text));
    Ok(written.map_err(|error| format!("cannot write {}: {error}", file.display()))?)
}

pub(super) fn read(file: &Path) -> Result<String, Problem> {
    let text = fs::read_to_string(file);
    Ok(text.map_err(|error| format!("cannot read {}: {error}", file.display()))?)
}

/// The course's target folder: where the program that runs us was built.
fn target(workspace: &Path) -> PathBuf {
    let profile =
        |folder: &Path| folder.file_name().is_some_and(|name| name == OsStr::new("debug"));
    std::env::current_exe()
        .ok()
        .and_then(|program| program.ancestors().find(|f| profile(f))?.parent().map(Path::to_owned))
        .unwrap_or_else(|| workspace.join("target"))
}
