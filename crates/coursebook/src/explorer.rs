//! The address explorer: a form that asks netbasics, which the page loads as WebAssembly, and without
//! scripts a table that netbasics has filled in here.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::BookError;
use course::Language;

/// The module, from the top of the workspace; the package `explorer` builds it and tests it.
const MODULE: &str = "mdbook/explorer/explorer.wasm";
/// What asks it, below the book's theme.
const SCRIPT: &str = "mdbook/theme/explorer.js";
/// The same two in the site, beside the pages.
const MODULE_SCRIPT: &str = "explorer-module.js";
const PAGE_SCRIPT: &str = "explorer.js";

/// What the table shows in place of the form where there are no scripts.
const EXAMPLES: &[&str] = &[
    "127.0.0.1",
    "10.1.2.3/20",
    "172.32.0.1",
    "192.168.1.77/26",
    "224.0.0.251",
    "255.255.255.255",
    "2001:db8::1",
    "fe80::1",
];

/// The keys of the answers and what they are called, in the order of the answers.
const NAMES: &[(&str, &str, &str)] = &[
    ("address", "address", "地址"),
    ("groups", "groups", "各组"),
    ("bits", "bits", "二进制"),
    ("class", "class", "类别"),
    ("class-begins", "first bits of the class", "该类最前面的位"),
    ("class-network", "network by class", "按分类划出的网络"),
    ("purpose", "purpose", "用途"),
    ("purpose-name", "registered as", "登记的名称"),
    ("purpose-block", "block", "地址块"),
    ("purpose-source", "source", "出处"),
    ("network", "network", "网络"),
    ("host", "host part", "主机部分"),
    ("mask", "mask", "子网掩码"),
    ("broadcast", "broadcast", "广播地址"),
    ("first-host", "first host", "第一个主机地址"),
    ("last-host", "last host", "最后一个主机地址"),
    ("hosts", "hosts", "主机数"),
    ("last", "last address", "最后一个地址"),
    ("addresses", "addresses", "地址数"),
    ("split", "split in parts", "分成几份"),
    ("error", "not an address", "不是有效的地址"),
];

/// The form, as HTML for a page. A blank line would end what Markdown takes for HTML.
pub(crate) fn form(language: Language) -> String {
    let is_english = language == Language::English;
    let pick = |english: &'static str, chinese: &'static str| {
        if is_english { english } else { chinese }
    };
    let names = NAMES.iter().map(|(key, english, chinese)| {
        format!("data-{key}=\"{}\"", if is_english { english } else { chinese })
    });
    let label = pick("An address or a network", "地址或网络");
    let shown = pick("Explain", "解读");
    format!(
        "<form class=\"explorer js-only\" hidden>\n\
         <label for=\"explorer-question\">{label}</label>\n\
         <input id=\"explorer-question\" type=\"text\" value=\"192.168.1.77/26\" maxlength=\"200\" \
         autocomplete=\"off\" autocapitalize=\"off\" spellcheck=\"false\">\n\
         <button type=\"submit\">{shown}</button>\n\
         <div class=\"answer\" role=\"status\" {}></div>\n\
         </form>\n\
         <noscript>\n{}</noscript>\n\
         <script src=\"{MODULE_SCRIPT}\" defer></script>\n\
         <script src=\"{PAGE_SCRIPT}\" defer></script>\n",
        names.collect::<Vec<_>>().join(" "),
        table(language)
    )
}

/// What netbasics says of the examples.
fn table(language: Language) -> String {
    let name = |wanted: &str| {
        let found = NAMES.iter().find(|(key, _, _)| *key == wanted);
        found.map_or("", |(_, english, chinese)| match language {
            Language::English => english,
            Language::Chinese => chinese,
        })
    };
    let columns = ["class", "purpose", "network", "mask", "hosts"];
    let heads: String = columns.iter().map(|key| ["<th>", name(key), "</th>"].concat()).collect();
    let mut table = format!("<table>\n<tr><th></th>{heads}</tr>\n");
    for example in EXAMPLES {
        let said = explorer::explain(example);
        let value = |wanted: &str| {
            let facts = said.lines().filter_map(|line| line.split_once('\t'));
            facts.into_iter().find(|(key, _)| *key == wanted).map_or("", |(_, value)| value)
        };
        let cells: String =
            columns.iter().map(|key| ["<td>", value(key), "</td>"].concat()).collect();
        table += &["<tr><th>", example, "</th>", &cells, "</tr>\n"].concat();
    }
    table + "</table>\n"
}

/// Puts the module and its script beside the pages of one language. As text, since a page that is
/// opened from a file may load scripts, but nothing else.
pub(crate) fn install(workspace: &Path, folder: &Path) -> Result<(), BookError> {
    let read = |file: &str| -> Result<Vec<u8>, BookError> {
        let file = workspace.join(file);
        fs::read(&file).map_err(|error| BookError::File(file, error))
    };
    let write = |name: &str, text: String| {
        let file: PathBuf = folder.join(name);
        fs::write(&file, text).map_err(|error| BookError::File(file, error))
    };
    let module = STANDARD.encode(read(MODULE)?);
    write(MODULE_SCRIPT, format!("window.explorerModule = '{module}';\n"))?;
    write(PAGE_SCRIPT, String::from_utf8_lossy(&read(SCRIPT)?).into_owned())
}
