//! The shape of the source: who may use whom, where the instruction set may be known, where
//! `unsafe` may be written. Reads the source itself, so that the rules hold by themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Bottom to top: a module uses only those before it. `lib.rs` lists them in the same order.
fn order() -> Vec<String> {
    let lib = fs::read_to_string(source().join("lib.rs")).expect("lib.rs");
    lib.lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(String::from)
        .collect()
}

/// Where `unsafe` may be written.
const UNSAFE: [&str; 6] = ["arch/", "mm/", "dev/", "kernel", "log.rs", "lib.rs"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All source files, by path below `src/`.
fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![source()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let name = path.strip_prefix(source()).expect("below src").display().to_string();
                files.insert(name, fs::read_to_string(&path).expect("text"));
            }
        }
    }
    files
}

/// The module a file belongs to: "mm/ring.rs" to "mm", "log.rs" to "log".
fn module(file: &str) -> &str {
    let first = file.split('/').next().unwrap_or(file);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// The code of a file, without comments.
fn code(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or(""));
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules that a file names after `crate::`, singly or in braces.
fn used(text: &str) -> BTreeSet<String> {
    let code = code(text);
    let mut names = BTreeSet::new();
    for (at, path) in code.match_indices("crate::") {
        let inside_name = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if inside_name {
            continue;
        }
        let rest = &code[at + path.len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(first_words(group)),
            None => names.extend([word(rest)]),
        }
    }
    names
}

/// The first word of each path in a group, up to its closing brace.
fn first_words(group: &str) -> Vec<String> {
    let (mut depth, mut words, mut fresh) = (0, Vec::new(), true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if fresh && !c.is_whitespace() => {
                words.push(word(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    words
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// What a file uses that is not below it.
fn back_edges(order: &[String], file: &str, text: &str) -> Vec<String> {
    let level = |name: &str| order.iter().position(|other| other == name);
    let Some(own) = level(module(file)) else { return Vec::new() };
    let names = used(text).into_iter().filter(|name| level(name).is_some_and(|at| at > own));
    names.map(|name| format!("{file} uses {name}")).collect()
}

fn contains_word(text: &str, wanted: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == wanted)
}

#[test]
fn modules_use_only_what_is_below_them() {
    let order = order();
    let layers = ["units", "log", "dev", "boot", "arch", "mm", "kernel", "trap", "start"];
    let places: Vec<_> = layers.map(|name| order.iter().position(|other| other == name)).to_vec();
    assert!(places.is_sorted() && !places.contains(&None), "lib.rs lists {order:?}");
    let found: Vec<_> =
        files().iter().flat_map(|(file, text)| back_edges(&order, file, text)).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_back_edge_is_found() {
    let order: Vec<String> = ["units", "arch", "mm", "kernel"].map(String::from).to_vec();
    let found = |file, text| back_edges(&order, file, text);
    assert_eq!(found("mm/ring.rs", "use crate::kernel::Kernel;"), ["mm/ring.rs uses kernel"]);
    assert_eq!(found("arch/host/mod.rs", "f(crate::mm::Frames)"), ["arch/host/mod.rs uses mm"]);
    assert_eq!(
        found("units.rs", "use crate::{\n    arch::{self, mm},\n};"),
        ["units.rs uses arch"]
    );
    assert_eq!(found("units.rs", "use crate::{units, mm::{a, b}, arch};").len(), 2);
    assert!(found("mm/ring.rs", "use crate::{arch, units::{kernel}}; // crate::kernel").is_empty());
    assert!(found("mm/ring.rs", "use crate::mm::page_table; $crate::units").is_empty());
}

#[test]
fn one_file_knows_the_instruction_set() {
    let knows = |text: &str| code(text).contains("target_arch");
    let files = files();
    let found: Vec<_> =
        files.iter().filter(|(_, text)| knows(text)).map(|(file, _)| file).collect();
    assert_eq!(found, ["abi/registers.rs", "arch/mod.rs"]);
}

#[test]
fn unsafe_code_stays_where_it_belongs() {
    for (file, text) in files() {
        let belongs = UNSAFE.iter().any(|place| file.starts_with(place));
        // The attribute of an exported symbol is a promise about its name, and is told apart.
        let code = code(&text).replace("#[unsafe(no_mangle)]", "");
        assert!(belongs || !contains_word(&code, "unsafe"), "unsafe code in {file}");
    }
}

#[test]
fn every_file_says_what_it_is() {
    for (file, text) in files() {
        assert!(text.starts_with("//! "), "{file} does not begin with what it owns");
        assert!(text.lines().count() <= 400, "{file} has more than 400 lines");
    }
}

#[test]
fn architectures_have_the_same_files() {
    let files = files();
    let mut architectures: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let parts = files.keys().filter_map(|file| file.strip_prefix("arch/")?.split_once('/'));
    for (architecture, file) in parts {
        if files.contains_key(&format!("arch/{architecture}.rs")) {
            // None, but what real machines have in common.
            continue;
        }
        // What a folder holds is a detail of the file that has its name.
        let (name, in_folder) = match file.split_once('/') {
            Some((folder, _)) => (folder, true),
            None => (file.trim_end_matches(".rs"), false),
        };
        let owner = format!("arch/{architecture}/{name}.rs");
        assert!(!in_folder || files.contains_key(&owner), "{owner} has a folder, and is not there");
        architectures.entry(architecture).or_default().insert(name);
    }
    let host = &architectures["host"];
    for (architecture, names) in &architectures {
        assert_eq!(names, host, "the files of {architecture} and of host");
    }
}
