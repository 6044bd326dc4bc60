//! netbasics has storeys (`crates/netbasics/src/lib.rs`): none imports one above it, no two of its
//! modules need each other, only the highest prints, and the lowest asks nothing of the system.

// Not only the test functions themselves may panic here: what prepares for them may too.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// From the lowest to the highest.
const STOREYS: [&str; 4] = ["values", "system", "net", "cli"];
/// What prints. The highest storey may.
const PRINTS: &[&str] =
    &["print!(", "println!(", "log!(", "log_limited!(", "dbg!(", "stdout()", "stderr()"];
/// What opens a socket, looks a name up, or makes another call into the system.
const CALLS: &[&str] = &[
    "TcpListener",
    "TcpStream",
    "UdpSocket",
    "ToSocketAddrs",
    "std::fs",
    "std::process",
    "std::thread",
    "std::time",
    "std::os",
];

#[test]
fn no_storey_of_netbasics_imports_a_higher_one() {
    let problems = problems(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/netbasics/src"));
    assert!(problems.is_empty(), "this does not fit:\n  {}", problems.join("\n  "));
}

#[test]
fn what_does_not_fit_a_storey_is_found() {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("lib.rs", "pub mod values;\n");
    write("util.rs", "");
    write(
        "values/port.rs",
        "//! See crate::cli::log.\nuse crate::net::udp;\nuse std::net::UdpSocket;\n",
    );
    write("system/stop.rs", "use crate::system::{\n    wait::Wait,\n    files,\n};\n");
    write("system/wait.rs", "fn f() { crate::system::stop::Stop::new() }\n");
    write("net/udp.rs", "use crate::{log, values};\nfn f() { println!() }\n");
    write("net/udp/tests.rs", "use crate::cli::log;\n");
    write(
        "net/unix.rs",
        "use crate::values::port;\n#[cfg(test)]\nmod tests {\n    use crate::cli;\n}\n",
    );
    write("cli/log.rs", "pub fn f() { crate::log!(); println!() }\n");
    let found = problems(root.path());
    let expected = [
        "net/udp.rs: names `crate::` without a storey",
        "net/udp.rs: prints, with println!(",
        "system/stop -> system/wait -> system/stop: a circle",
        "util.rs: is in no storey",
        "values/port.rs: UdpSocket is more than a value",
        "values/port.rs: imports net, a higher storey",
    ];
    assert_eq!(found, expected);
}

/// Every problem of the crate whose sources are in `src`, in order.
fn problems(src: &Path) -> Vec<String> {
    let mut problems = BTreeSet::new();
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in rust_files(src) {
        let name = path.strip_prefix(src).unwrap().to_str().unwrap().replace('\\', "/");
        if name == "lib.rs" || name.ends_with("tests.rs") {
            continue;
        }
        let mut parts = name.trim_end_matches(".rs").split('/');
        let (storey, module) = (parts.next().unwrap_or_default(), parts.next());
        let Some(height) = STOREYS.iter().position(|known| *known == storey) else {
            problems.insert(format!("{name}: is in no storey"));
            continue;
        };
        let code = code(&fs::read_to_string(&path).unwrap());
        let is_highest = height + 1 == STOREYS.len();
        for (target, modules) in targets(&code) {
            match STOREYS.iter().position(|known| *known == target) {
                Some(above) if above > height => {
                    problems.insert(format!("{name}: imports {target}, a higher storey"));
                }
                Some(_) => {
                    let own = format!("{storey}/{}", module.unwrap_or_default());
                    let others = modules.into_iter().map(|module| format!("{target}/{module}"));
                    let others = others.filter(|other| *other != own);
                    arrows.entry(own.clone()).or_default().extend(others);
                }
                // The macros stand at the top of the crate.
                None if is_highest => {}
                None => _ = problems.insert(format!("{name}: names `crate::` without a storey")),
            }
        }
        for word in PRINTS.iter().filter(|word| !is_highest && code.contains(**word)) {
            problems.insert(format!("{name}: prints, with {word}"));
        }
        for word in CALLS.iter().filter(|word| height == 0 && code.contains(**word)) {
            problems.insert(format!("{name}: {word} is more than a value"));
        }
    }
    problems.extend(arrows.keys().filter_map(|start| circle(start, &arrows)));
    problems.into_iter().collect()
}

/// The code of a file: no comments, and no unit tests, which may look at what is above them.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// What stands behind each `crate::`: the storey, and the modules of it.
fn targets(code: &str) -> Vec<(String, Vec<String>)> {
    let word = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let targets = code.split("crate::").skip(1).map(|path| {
        let storey = word(path);
        let below = path[storey.len()..].strip_prefix("::").unwrap_or_default();
        let modules = match below.strip_prefix('{').and_then(|list| list.split(';').next()) {
            // Enough for lists of modules, and of modules with one item.
            Some(list) => list.split(',').map(word).filter(|name| !name.is_empty()).collect(),
            None => vec![word(below)],
        };
        (storey, modules)
    });
    targets.collect()
}

/// The circle on which `start` is the first of its names, if there is one.
fn circle(start: &str, arrows: &BTreeMap<String, BTreeSet<String>>) -> Option<String> {
    let mut paths = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while let Some(path) = paths.pop() {
        for next in arrows.get(*path.last()?).into_iter().flatten() {
            if next == start {
                return Some(format!("{} -> {start}: a circle", path.join(" -> ")));
            }
            // A circle is told once, from the first of its names.
            if next.as_str() > start && seen.insert(next.as_str()) {
                paths.push([&path[..], &[next.as_str()]].concat());
            }
        }
    }
    None
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
