//! The module that the book loads, `mdbook/explorer/explorer.wasm`: it was built from these sources,
//! and it says what they say.
//!
//! After a change: `rustup target add wasm32-unknown-unknown` once, and then
//! `EXPLORER=write cargo test -p explorer --test page`, which builds the module and writes it down.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed step is a failed test

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use explorer::explain;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use sha2::{Digest, Sha256};
use wasmi::{Engine, Linker, Module, Store, TypedFunc};

/// What the module is made of, from the top of the workspace. (Not the lock file: what others need
/// changes it all the time.)
const SOURCES: &[&str] = &[
    "crates/explorer/Cargo.toml",
    "crates/explorer/src",
    "crates/netbasics/src/values/address",
    "crates/netbasics/src/values/port",
];
const MODULE: &str = "mdbook/explorer/explorer.wasm";
const HASH: &str = "mdbook/explorer/sources.sha256";

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The module, rebuilt first if that was asked for.
fn module() -> &'static [u8] {
    static MODULE_BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    MODULE_BYTES.get_or_init(|| {
        if std::env::var("EXPLORER").is_ok_and(|value| value == "write") {
            build();
        }
        fs::read(workspace().join(MODULE)).unwrap()
    })
}

fn build() {
    let target = workspace().join("target/explorer");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--package", "explorer", "--profile", "page"])
        .args(["--target", "wasm32-unknown-unknown", "--target-dir"])
        .arg(&target)
        .current_dir(workspace())
        .status();
    assert!(status.unwrap().success(), "cargo says why; is the target installed?");
    fs::create_dir_all(workspace().join(MODULE).parent().unwrap()).unwrap();
    let built = target.join("wasm32-unknown-unknown/page/explorer.wasm");
    fs::write(workspace().join(MODULE), fs::read(built).unwrap()).unwrap();
    fs::write(workspace().join(HASH), format!("{}\n", hash())).unwrap();
}

fn hash() -> String {
    let mut hash = Sha256::new();
    for file in SOURCES.iter().flat_map(|source| files(&workspace().join(source))) {
        // The same on a system whose lines end otherwise.
        let text = fs::read_to_string(&file).unwrap().replace('\r', "");
        hash.update(file.file_name().unwrap().as_encoded_bytes());
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let mut entries: Vec<PathBuf> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.iter().flat_map(|entry| files(entry)).collect()
}

/// The module as a page sees it.
struct Page {
    store: Store<()>,
    put: TypedFunc<(u32, u32), ()>,
    ask: TypedFunc<u32, u32>,
    get: TypedFunc<u32, u32>,
}

impl Page {
    fn load() -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, module()).unwrap();
        let mut store = Store::new(&engine, ());
        let linker = Linker::new(&engine);
        let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
        let put = instance.get_typed_func(&store, "explorer_put").unwrap();
        let ask = instance.get_typed_func(&store, "explorer_ask").unwrap();
        let get = instance.get_typed_func(&store, "explorer_get").unwrap();
        Self { store, put, ask, get }
    }

    fn explain(&mut self, text: &str) -> String {
        for (index, byte) in (0..).zip(text.bytes()) {
            self.put.call(&mut self.store, (index, byte.into())).unwrap();
        }
        let length = self.ask.call(&mut self.store, u32::try_from(text.len()).unwrap()).unwrap();
        let answer = (0..length).map(|index| self.get.call(&mut self.store, index).unwrap());
        String::from_utf8(answer.map(|byte| u8::try_from(byte).unwrap()).collect()).unwrap()
    }
}

#[test]
fn the_module_was_built_from_these_sources() {
    let _ = module();
    let built_from = fs::read_to_string(workspace().join(HASH)).unwrap();
    assert_eq!(
        built_from.trim(),
        hash(),
        "{MODULE} is older than what it is made of; build it again: \
         EXPLORER=write cargo test -p explorer --test page"
    );
}

#[test]
fn the_module_says_what_the_sources_say() {
    let mut page = Page::load();
    let mut ask = |text: &str| assert_eq!(page.explain(text), explain(text), "{text:?}");
    for text in ["", "127.0.0.1", "0.0.0.0/0", "::/0", "256.1.1.1", "1.2.3", "::g", "你好", "/"] {
        ask(text);
    }
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let inputs = prop_oneof![
        any::<u32>().prop_map(|bits| Ipv4Addr::from(bits).to_string()),
        (any::<u32>(), 0_u8..40).prop_map(|(bits, n)| format!("{}/{n}", Ipv4Addr::from(bits))),
        any::<u128>().prop_map(|bits| Ipv6Addr::from(bits).to_string()),
        (any::<u128>(), 0_u8..140).prop_map(|(bits, n)| format!("{}/{n}", Ipv6Addr::from(bits))),
        "[0-9a-f:./]{0,20}",
    ];
    for _ in 0..4_000 {
        ask(&inputs.new_tree(&mut runner).unwrap().current());
    }
}

/// What is longer than the page's place for a question is cut, and no question hurts the next.
#[test]
fn a_question_of_any_length_is_answered() {
    let mut page = Page::load();
    assert!(page.explain(&"1".repeat(100_000)).starts_with("error\t"));
    assert_eq!(page.explain("127.0.0.1"), explain("127.0.0.1"));
}
