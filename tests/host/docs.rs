//! The documentation, held against what it is about: files that it names exist, `make` knows the
//! targets, the kernel knows the words, the addresses are those of `layout`, and its tables of calls,
//! errors, rights and costs are those of the source. With `OCHRE_BLESS=1` the latter are made anew.

use bitflags::Flags;
use ochre::abi::{Argument, CALLS, Error, Kind, Row};
use ochre::boot::unknown_words;
use ochre::layout::{ARENAS, DEVICES, IMAGE_BASE, PHYS_MAP, STACK_SLOT, STACKS};
use ochre::mm::arena::WINDOWS;
use ochre::mm::{Account, Arena, Memory, Region, Space};
use ochre::object::{
    Handle, Interrupt, IoPorts, Machine, Message, Object, Port, Process, Reply, Thread, Timer,
};
use std::any::type_name;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders of the repository. What `make` leaves in `target` and `dist` may be absent.
const FOLDERS: [&str; 9] =
    ["src/", "user/", "tests/", "tools/", "targets/", "linker/", "docs/", ".ci/", ".cargo/"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// The README and all pages.
fn pages() -> Vec<String> {
    let page = |path: PathBuf| Some(format!("docs/{}", path.file_name()?.to_str()?));
    let folder = fs::read_dir(root().join("docs")).expect("docs/");
    let files = folder.map(|entry| entry.expect("an entry").path());
    let mut pages: Vec<_> = files.filter_map(page).filter(|name| name.ends_with(".md")).collect();
    pages.push("README.md".into());
    pages
}

/// What stands between backticks on one line.
fn quoted(page: &str) -> Vec<&str> {
    page.lines()
        .filter(|line| !line.starts_with("```"))
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .collect()
}

/// The file that a quoted text names, if it looks like one.
fn named_file(quoted: &str) -> Option<String> {
    let plain = quoted.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    let first_is_folder = FOLDERS.iter().any(|folder| quoted.starts_with(folder));
    let known = ["Makefile", "Cargo.toml", "rust-toolchain.toml"].contains(&quoted);
    (plain && (first_is_folder || known)).then(|| quoted.to_string())
}

/// The pages that a page links to, by their paths beside it.
fn links(page: &str) -> impl Iterator<Item = &str> {
    page.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0))
}

/// The targets in `make a b VARIABLE=value`.
fn named_targets(command: &str) -> Vec<&str> {
    let Some(words) = command.strip_prefix("make ") else { return Vec::new() };
    // What is quoted is a variable's value, and a comment is a comment.
    let words = words.split(['\'', '"', '#']).next().unwrap_or_default().split_ascii_whitespace();
    words.filter(|word| !word.contains('=') && !word.starts_with('-')).collect()
}

/// The targets of the Makefile, patterns over the platforms and groups spelt out.
fn targets(makefile: &str) -> BTreeSet<String> {
    let list = |name: &str| {
        let line = makefile.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" := "));
        line.unwrap_or_else(|| panic!("{name} is not in the Makefile")).split_ascii_whitespace()
    };
    let mut found = BTreeSet::new();
    for line in makefile.lines().filter(|line| !line.starts_with(['\t', ' ', '#'])) {
        for name in ["PLATFORMS", "GROUPS", "ARCHES"] {
            let Some(rest) = line.strip_prefix(&format!("$({name}:%=")) else { continue };
            let prefix = rest.split('%').next().unwrap_or_default();
            found.extend(list(name).map(|member| format!("{prefix}{member}")));
        }
        let rule = line.split_once(':').filter(|(_, needs)| !needs.starts_with('='));
        if let Some((names, _)) = rule.filter(|(names, _)| !names.contains('$')) {
            found.extend(names.split_ascii_whitespace().map(String::from));
        }
    }
    found
}

/// The rows of a page's tables: what is quoted in the first cell, and in the others.
fn rows(page: &str) -> Vec<(Vec<&str>, Vec<&str>)> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |"));
    rows.map(|(first, rest)| (quoted(first), quoted(rest))).collect()
}

/// A word of the documentation as it could be typed.
fn typed(word: &str) -> String {
    match word.split_once('=') {
        Some((key, "N")) => format!("{key}=250"),
        _ => word.into(),
    }
}

#[test]
fn files_that_are_named_exist() {
    let mut names = 0;
    for page in pages() {
        let text = text(&page);
        for name in quoted(&text).into_iter().filter_map(named_file) {
            names += 1;
            assert!(root().join(&name).exists(), "{page} names {name}, which is not there");
        }
        let folder = Path::new(&page).parent().expect("a folder");
        for link in links(&text).filter(|link| !link.contains("://")) {
            assert!(root().join(folder).join(link).exists(), "{page} links to {link}");
        }
    }
    assert!(names > 50, "only {names} names were found");
}

#[test]
fn make_knows_the_targets() {
    let known = targets(&text("Makefile"));
    let mut names = 0;
    for page in pages() {
        let text = text(&page);
        // Quoted, or an example: an indented line.
        let examples = text.lines().filter_map(|line| line.strip_prefix("    "));
        for command in quoted(&text).into_iter().chain(examples) {
            for target in named_targets(command) {
                names += 1;
                assert!(known.contains(target), "{page}: no target {target} in `{command}`");
            }
        }
    }
    assert!(names > 20, "only {names} targets were found");
}

#[test]
fn the_kernel_knows_the_words() {
    let page = text("docs/command-line.md");
    let words: Vec<_> = rows(&page).into_iter().flat_map(|(first, _)| first).collect();
    for word in words.iter().map(|word| typed(word)) {
        assert_eq!(unknown_words(&word).next(), None, "docs/command-line.md has {word}");
    }
    // The other way round: what is compared with in the parser is on the page.
    let keys = text("src/boot/command_line.rs");
    let levels = text("src/log.rs");
    let keys = keys.lines().skip_while(|line| !line.contains("fn understand"));
    let levels = levels.lines().filter(|line| line.contains("\" => Level::"));
    let literals = |line: &str| -> Vec<String> {
        line.split('"').skip(1).step_by(2).map(String::from).collect()
    };
    let known: BTreeSet<_> = keys.chain(levels).flat_map(literals).collect();
    assert!(known.len() > 10, "{known:?}");
    let told: BTreeSet<_> = words.iter().flat_map(|word| word.split('=')).collect();
    let missing: Vec<_> = known.iter().filter(|word| !told.contains(word.as_str())).collect();
    assert!(missing.is_empty(), "not in docs/command-line.md: {missing:?}");
}

#[test]
fn the_addresses_are_those_of_the_layout() {
    let hex = |value: u64| {
        let digits = format!("{value:016x}");
        let groups: Vec<_> = (0..4).map(|nth| &digits[4 * nth..4 * nth + 4]).collect();
        format!("0x{}", groups.join("_"))
    };
    let page = text("docs/memory.md");
    let rows = rows(&page);
    for (name, values) in [
        ("PHYS_MAP", vec![PHYS_MAP]),
        ("IMAGE_BASE", vec![IMAGE_BASE]),
        ("STACKS", vec![STACKS]),
        ("DEVICES", vec![DEVICES.start, DEVICES.end]),
        ("ARENAS", vec![ARENAS]),
    ] {
        let row = rows.iter().find(|(first, _)| first == &[name]);
        let told = row.map(|(_, rest)| rest.iter().filter(|text| text.starts_with("0x")).copied());
        let told: Vec<_> = told.into_iter().flatten().collect();
        let expected: Vec<_> = values.into_iter().map(hex).collect();
        assert_eq!(told, expected, "{name} in docs/memory.md");
    }
    let slot = format!("`STACK_SLOT`, {} KiB", STACK_SLOT >> 10);
    assert!(page.contains(&slot), "docs/memory.md does not say {slot}");
    let windows = format!("{} MiB each, {WINDOWS} of them", ochre::layout::ARENA_SIZE >> 20);
    assert!(page.contains(&windows), "docs/memory.md does not say {windows}");
}

#[test]
fn what_is_made_from_the_source_is_up_to_date() {
    hold("docs/calls.md", "registers", &registers());
    hold("docs/calls.md", "calls", &calls());
    hold("docs/calls.md", "errors", &errors());
    hold("docs/calls.md", "rights", &rights());
    hold("docs/objects.md", "costs", &costs());
}

/// A page says this between the two lines that name it; or does from now on, if that is wanted.
fn hold(page: &str, name: &str, made: &str) {
    let text = text(page);
    let [begin, end] = ["begin", "end"].map(|edge| format!("<!-- {name}: {edge} -->\n"));
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{page}: no {begin}"));
    let (told, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{page}: no {end}"));
    if told == made {
        return;
    }
    let why = format!("{page}: {name} differ from the source; OCHRE_BLESS=1 makes them anew");
    assert!(std::env::var_os("OCHRE_BLESS").is_some(), "{why}");
    let text = format!("{before}{begin}{made}{end}{after}");
    fs::write(root().join(page), text).expect("the page can be written");
}

/// A table.
fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let cell = |text: &String| if text.is_empty() { " |".into() } else { format!(" {text} |") };
    let line = |cells: &[String]| format!("|{}\n", cells.iter().map(cell).collect::<String>());
    let rows: String = rows.map(|row| line(&row)).collect();
    line(&head.map(String::from)) + &format!("|{}\n", "---|".repeat(N)) + &rows
}

/// The table of registers, as `abi` has it.
fn registers() -> String {
    let source = text("src/abi/mod.rs");
    let lines = source.lines().filter_map(|line| line.strip_prefix("//! |"));
    lines.map(|line| format!("|{line}\n").replace("[`", "`").replace("`]", "`")).collect()
}

fn calls() -> String {
    let argument = |argument: &Argument| match argument {
        Argument::Object(kind, right) => format!("{kind:?} ({right})"),
        Argument::Word(name) => name.to_string(),
    };
    let row = |row: &Row| {
        let arguments: Vec<_> = row.arguments.iter().map(argument).collect();
        let errors: Vec<_> = row.errors.iter().map(|error| format!("{error:?}")).collect();
        [
            (row.call as u64).to_string(),
            format!("`{}`", row.name),
            arguments.join(", "),
            row.results.join(", "),
            errors.join(", "),
            row.meaning.trim().into(),
        ]
    };
    table(["number", "call", "takes", "gives", "fails with", "what it does"], CALLS.iter().map(row))
}

fn errors() -> String {
    let row = |(error, meaning): &(Error, &str)| {
        [(error.status() as i64).to_string(), format!("`{error:?}`"), meaning.trim().into()]
    };
    table(["status", "error", "why"], Error::ALL.iter().map(row))
}

fn rights() -> String {
    let kinds = [
        rights_of::<Process>(Kind::Process),
        rights_of::<Thread>(Kind::Thread),
        rights_of::<Port>(Kind::Port),
        rights_of::<Reply>(Kind::Reply),
        rights_of::<Memory>(Kind::Memory),
        rights_of::<Interrupt>(Kind::Interrupt),
        rights_of::<Timer>(Kind::Timer),
        rights_of::<Machine>(Kind::Machine),
        rights_of::<IoPorts>(Kind::IoPorts),
    ];
    table(["kind", "bit", "right", "it allows"], kinds.into_iter().flatten())
}

/// A row for each right of a kind. What the rights mean the source alone can tell.
fn rights_of<T: Object>(kind: Kind) -> Vec<[String; 4]> {
    let source = text("src/abi/rights.rs");
    let name = type_name::<T::Rights>().rsplit("::").next().unwrap_or_default();
    let own = source.split_once(&format!("    {name} {{")).expect("the kind's rights").1;
    let own = own.split_once('}').map_or("", |(own, _)| own);
    let meaning = |right: &str| {
        let lines: Vec<_> = own.lines().chain(source.lines()).map(str::trim).collect();
        let declares = |line: &&str| {
            line.strip_prefix("const ").unwrap_or(line).starts_with(&format!("{right} = "))
        };
        let at = lines.iter().position(declares).expect("a right is declared");
        lines[at - 1].trim_start_matches("/// ").to_string()
    };
    let row = |flag: &bitflags::Flag<T::Rights>| {
        let (right, bit) = (flag.name(), flag.value().bits().trailing_zeros());
        [String::new(), bit.to_string(), format!("`{right}`"), meaning(right)]
    };
    let mut rows: Vec<_> = T::Rights::FLAGS.iter().map(row).collect();
    rows[0][0] = format!("{kind:?} ({})", kind as u8);
    rows
}

/// What objects take that are the same on every architecture.
fn costs() -> String {
    let costs = [
        ("process", Arena::<Process>::COST),
        ("account", Arena::<Account>::COST),
        ("address space", Arena::<Space>::COST),
        ("region", Arena::<Region>::COST),
        ("memory", Arena::<Memory>::COST),
        ("handle", Arena::<Handle>::COST),
        ("port", Arena::<Port>::COST),
        ("message", Arena::<Message>::COST),
        ("timer", Arena::<Timer>::COST),
        ("interrupt", Arena::<Interrupt>::COST),
    ];
    let row = |(name, bytes): (&str, u64)| [name.to_string(), bytes.to_string()];
    table(["object", "bytes"], costs.into_iter().map(row))
}

#[test]
fn what_is_wrong_is_found() {
    assert_eq!(quoted("a `b c` d `e`"), ["b c", "e"]);
    assert_eq!(named_file("src/gone.rs").as_deref(), Some("src/gone.rs"));
    assert_eq!(named_file("target/virt/ochre.elf"), None);
    assert_eq!(named_targets("make run-virt SMP=8 -s"), ["run-virt"]);
    let known = targets("PLATFORMS := a b\n$(PLATFORMS:%=run-%): run-%: x\nhelp: ## y\n");
    assert_eq!(known.into_iter().collect::<Vec<_>>(), ["help", "run-a", "run-b"]);
    assert_eq!(links("[x](a.md), [y](b.md)").collect::<Vec<_>>(), ["a.md", "b.md"]);
    assert_eq!(typed("hz=N"), "hz=250");
    assert_eq!(typed("test=NAME"), "test=NAME");
}
