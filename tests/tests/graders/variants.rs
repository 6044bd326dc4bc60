//! What a solution is varied into: its skeleton, and one program for each classic mistake. They
//! become the packages of a generated workspace that cargo builds in one go.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use grader::build::cargo;
use grader::course::{Exercise, Lesson};
use grader::protocol::Verdict;
use grader::skeleton;
use toml::{Table, Value};

/// One program made from a solution.
pub struct Variant<'a> {
    pub name: String,
    pub lesson: &'a Lesson,
    pub exercise: &'a Exercise,
    pub kind: Kind,
    pub program: PathBuf,
}

pub enum Kind {
    /// What the student begins with.
    Skeleton,
    /// A classic mistake, and which checks catch it how.
    Mistake { caught_by: BTreeSet<(String, Verdict)> },
}

/// Writes and builds all variants of these exercises: a package for each exercise, a program for
/// each variant. Files that have not changed are left alone, and so is what was built from them.
pub fn build<'a>(root: &Path, exercises: &[(&'a Lesson, &'a Exercise)]) -> Vec<Variant<'a>> {
    let folder = target(root).join("graders");
    let built = folder.join("target");
    let mut variants = Vec::new();
    for &(lesson, exercise) in exercises {
        let texts = texts(lesson, exercise);
        write_package(
            &folder.join("crates").join(package(lesson, exercise)),
            lesson,
            exercise,
            &texts,
        );
        for (name, _, kind) in texts {
            let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
            let program = built.join("debug").join(file);
            variants.push(Variant { name, lesson, exercise, kind, program });
        }
    }
    let members = exercises.iter().map(|(lesson, exercise)| package(lesson, exercise));
    write_if_new(&folder.join("Cargo.toml"), &workspace_manifest(root, members));
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let mut command = cargo();
    // Everything has been fetched: the course itself is built with the same lock file.
    command.args(["build", "--offline", "--quiet", "--workspace", "--target-dir"]).arg(&built);
    let output = command.current_dir(&folder).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "a skeleton or a mistake does not compile:\n{errors}");
    variants
}

/// The package of an exercise's variants.
fn package(lesson: &Lesson, exercise: &Exercise) -> String {
    format!("variants-{}-{}", lesson.number, exercise.name)
}

/// The name, text and kind of each variant of one exercise.
fn texts(lesson: &Lesson, exercise: &Exercise) -> Vec<(String, String, Kind)> {
    let file = lesson.folder.join(format!("solution/src/bin/{}.rs", exercise.name));
    let solution = fs::read_to_string(&file).unwrap();
    let skeleton = skeleton::from_solution(&solution)
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let prefix = format!("variant-{}", lesson.number);
    let mut texts =
        vec![(format!("{prefix}-{}-skeleton", exercise.name), skeleton, Kind::Skeleton)];
    for path in patches(lesson, exercise) {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let patch = fs::read_to_string(&path).unwrap();
        let text = patched(&path, &patch, &solution);
        let kind = Kind::Mistake { caught_by: caught_by(&path, &patch) };
        texts.push((format!("{prefix}-{stem}"), text, kind));
    }
    texts
}

/// The patches of an exercise: `mistakes/EXERCISE-….patch`.
pub fn patches(lesson: &Lesson, exercise: &Exercise) -> Vec<PathBuf> {
    let prefix = format!("{}-", exercise.name);
    let is_own = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(&prefix);
    all_patches(lesson).into_iter().filter(is_own).collect()
}

/// Everything in the lesson's `mistakes/`.
pub fn all_patches(lesson: &Lesson) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(lesson.folder.join("mistakes")) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn patched(file: &Path, patch: &str, solution: &str) -> String {
    assert!(header(patch, "title").is_some(), "{} has no `# title: …`", file.display());
    // The header is for us; the diff begins with its first `---`.
    let diff = patch.find("--- ").map_or("", |at| &patch[at..]);
    let diff =
        diffy::Patch::from_str(diff).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    diffy::apply(solution, &diff).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// `# caught-by: check, other check (timeout)`; without a word in parentheses it is `fail`.
fn caught_by(file: &Path, patch: &str) -> BTreeSet<(String, Verdict)> {
    let line = header(patch, "caught-by");
    let line = line.unwrap_or_else(|| panic!("{} has no `# caught-by: …`", file.display()));
    line.split(',')
        .map(|check| match check.trim().split_once(" (") {
            None => (check.trim().to_owned(), Verdict::Fail),
            Some((name, how)) => {
                let how = Value::from(how.trim_end_matches(')'));
                (name.to_owned(), how.try_into().unwrap())
            }
        })
        .collect()
}

fn header<'a>(patch: &'a str, key: &str) -> Option<&'a str> {
    let prefix = format!("# {key}: ");
    patch.lines().take_while(|line| line.starts_with('#')).find_map(|l| l.strip_prefix(&prefix))
}

/// The course's own root manifest, with paths that hold from anywhere and other members.
fn workspace_manifest(root: &Path, members: impl Iterator<Item = String>) -> String {
    let mut manifest: Table = fs::read_to_string(root.join("Cargo.toml")).unwrap().parse().unwrap();
    let workspace = manifest["workspace"].as_table_mut().unwrap();
    let members = members.map(|package| Value::from(format!("crates/{package}")));
    workspace.insert("members".into(), members.collect::<Vec<_>>().into());
    workspace.remove("default-members");
    for (_, dependency) in workspace["dependencies"].as_table_mut().unwrap() {
        if let Some(path) = dependency.get_mut("path") {
            let absolute = root.join(path.as_str().unwrap());
            *path = Value::String(absolute.to_str().unwrap().to_owned());
        }
    }
    manifest.to_string()
}

/// The solution's package under another name, with a program for each of `texts` beside the
/// solution's own files.
fn write_package(
    folder: &Path,
    lesson: &Lesson,
    exercise: &Exercise,
    texts: &[(String, String, Kind)],
) {
    let solution = lesson.folder.join("solution");
    let mut manifest: Table =
        fs::read_to_string(solution.join("Cargo.toml")).unwrap().parse().unwrap();
    let about = manifest["package"].as_table_mut().unwrap();
    about.insert("name".into(), package(lesson, exercise).into());
    // The solution's own programs lie there, too, for modules that they share.
    about.insert("autobins".into(), false.into());
    let bin = |name: &String| {
        let path = format!("src/bin/{name}.rs");
        Table::from_iter([
            ("name".into(), Value::from(name.as_str())),
            ("path".into(), path.into()),
        ])
    };
    let bins = texts.iter().map(|(name, ..)| bin(name).into());
    manifest.insert("bin".into(), bins.collect::<Vec<Value>>().into());
    // What is half-written or wrong on purpose is not linted.
    manifest.remove("lints");
    copy_folder(&solution.join("src"), &folder.join("src"));
    write_if_new(&folder.join("Cargo.toml"), &manifest.to_string());
    for (name, text, _) in texts {
        write_if_new(&folder.join(format!("src/bin/{name}.rs")), text);
    }
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            write_if_new(&target, &fs::read_to_string(entry.path()).unwrap());
        }
    }
}

/// Cargo builds again what was written later than it was built.
fn write_if_new(file: &Path, text: &str) {
    if fs::read_to_string(file).is_ok_and(|old| old == text) {
        return;
    }
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// The course's target folder: where this test itself was built.
fn target(root: &Path) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let debug = test.ancestors().find(|folder| folder.ends_with("deps")).and_then(Path::parent);
    debug.and_then(Path::parent).map_or_else(|| root.join("target"), Path::to_owned)
}
