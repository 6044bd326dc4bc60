//! The Rust that the course promises is enough for everything that a student builds.
//!
//! Not among the tests of `cargo test`: it reads the manifest of every package on every system, and
//! has cargo download those that are not here.

#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What a student builds beside the default members.
const BOOK: [&str; 2] = ["coursebook", "explorer"];

fn root() -> PathBuf {
    course::workspace::root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// What the workspace promises: `1.89`.
fn promised() -> String {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let line = manifest.lines().find_map(|line| line.strip_prefix("rust-version = "));
    line.unwrap().trim_matches('"').to_owned()
}

/// `1.89` is `1.89.0`.
fn number(version: &str) -> [u32; 3] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap());
    [(); 3].map(|()| parts.next().unwrap_or(0))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a Vec<Value> {
    value[name].as_array().unwrap()
}

/// The packages that the `roots` need, to build and to be tested, on any system.
fn needed<'a>(metadata: &'a Value, roots: Vec<&'a str>) -> HashSet<&'a str> {
    let nodes = list(&metadata["resolve"], "nodes").iter();
    let nodes: HashMap<&str, &Value> = nodes.map(|node| (text(node, "id"), node)).collect();
    let (mut found, mut next) = (HashSet::new(), roots);
    while let Some(id) = next.pop() {
        if found.insert(id) {
            next.extend(list(nodes[id], "deps").iter().map(|dependency| text(dependency, "pkg")));
        }
    }
    found
}

/// Each package that wants a newer Rust than `promised`, with what it wants.
fn too_new(metadata: &Value, promised: &str) -> Vec<String> {
    let packages = list(metadata, "packages");
    let is_book = |package: &&Value| BOOK.contains(&text(package, "name"));
    let defaults = list(metadata, "workspace_default_members").iter();
    let mut roots: Vec<&str> = defaults.map(|id| id.as_str().unwrap()).collect();
    roots.extend(packages.iter().filter(is_book).map(|package| text(package, "id")));
    let needed = needed(metadata, roots);
    let needed = packages.iter().filter(|package| needed.contains(text(package, "id")));
    let wanting = needed.filter_map(|package| Some((package, package["rust_version"].as_str()?)));
    wanting
        .filter(|(_, wanted)| number(wanted) > number(promised))
        .map(|(package, wanted)| {
            format!("{} {} wants {wanted}", text(package, "name"), text(package, "version"))
        })
        .collect()
}

#[test]
fn no_package_that_a_student_builds_wants_a_newer_rust() {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let metadata: Value = serde_json::from_slice(&cargo.stdout).unwrap();
    let found = too_new(&metadata, &promised());
    assert!(found.is_empty(), "newer than the promised {}: {found:#?}", promised());
}

#[test]
fn a_package_that_wants_more_is_named_however_deep_it_is() {
    let metadata = serde_json::json!({
        "workspace_default_members": ["a"],
        "packages": [
            { "id": "a", "name": "a", "version": "1.0.0", "rust_version": "1.89" },
            { "id": "b", "name": "b", "version": "2.0.0", "rust_version": "1.89.0" },
            { "id": "c", "name": "c", "version": "3.0.0", "rust_version": "1.89.1" },
            { "id": "d", "name": "coursebook", "version": "4.0.0", "rust_version": "2.0.0" },
            { "id": "e", "name": "nobody-needs-it", "version": "5.0.0", "rust_version": "3.0" },
            { "id": "f", "name": "silent", "version": "6.0.0", "rust_version": null },
        ],
        "resolve": { "nodes": [
            { "id": "a", "deps": [{ "pkg": "b" }, { "pkg": "f" }] },
            { "id": "b", "deps": [{ "pkg": "c" }] },
            { "id": "c", "deps": [{ "pkg": "b" }] },
            { "id": "d", "deps": [] },
            { "id": "e", "deps": [] },
            { "id": "f", "deps": [] },
        ] },
    });
    assert_eq!(
        too_new(&metadata, "1.89"),
        ["c 3.0.0 wants 1.89.1", "coursebook 4.0.0 wants 2.0.0"]
    );
}

#[test]
fn the_workflows_use_the_promised_rust() {
    let toolchain = format!("{}.0", promised());
    for workflow in ["ci.yml", "book.yml"] {
        let text = fs::read_to_string(root().join(".github/workflows").join(workflow)).unwrap();
        assert!(text.contains(&toolchain), "{workflow} does not mention Rust {toolchain}");
    }
}
