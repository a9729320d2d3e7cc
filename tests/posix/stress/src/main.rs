//! Programs that mean harm: they use up what there is, end at the worst of moments, and make calls that
//! make no sense. Whoever runs beside them must not notice, and nothing may be left of them.
//!
//! usage: stress [NAME...]
//!
//! Without names it runs all but those called `hog-*`. A line `ok NAME` or `FAIL NAME: why` for each test; the status says whether all went well. SEED= and
//! CALLS= are for the test `fuzz`. It runs as root and spares nothing, so it refuses to run anywhere but on Ochre.

mod descriptors;
mod files;
mod fuzz;
mod kills;
mod machine;
mod memory;
mod processes;
mod server;
mod stops;
mod sys;
mod threads;

use machine::{Figures, Witness};
use std::time::Instant;
use sys::Outcome;

/// What is tried: a name, and what it does.
type Trial = (&'static str, fn() -> Outcome);

const TESTS: &[Trial] = &[
    ("forks", processes::forks),
    ("orphans", processes::orphans),
    ("pipes", descriptors::pipes),
    ("descriptors", descriptors::limit),
    ("threads", threads::many),
    ("kills", kills::everywhere),
    ("memory", memory::all_of_it),
    ("mappings", memory::big_mappings),
    ("inherited", memory::inherited),
    ("stack", memory::stack),
    ("tmp", files::full),
    ("mapped-file", files::mapped),
    ("small-files", files::small),
    ("directory", files::directory),
    ("deep", files::deep),
    ("stops", stops::busy_threads),
    ("fuzz", fuzz::run),
];

/// A test that was chosen: its name, and what it does.
type Test = (String, Box<dyn Fn() -> Outcome>);

/// The tests of these names, or of none.
fn choose(names: &[String]) -> Vec<Test> {
    let hogs = server::HOGS
        .iter()
        .map(|hog| -> Test { (format!("hog-{}", hog.0), Box::new(|| server::alone(hog))) });
    let all = ("hog-all".to_owned(), Box::new(server::together) as Box<dyn Fn() -> Outcome>);
    let tests = TESTS.iter().map(|(name, test)| -> Test { (name.to_string(), Box::new(test)) });
    match names {
        [] => tests.collect(),
        names => tests.chain(hogs).chain([all]).filter(|(name, _)| names.contains(name)).collect(),
    }
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if wanted.first().is_some_and(|word| word == kills::AGAIN) {
        kills::exec_again();
    }
    if wanted.first().is_some_and(|word| word == server::SLEEP) {
        sys::sleep_for_ever();
    }
    if Figures::read().is_none() {
        eprintln!(
            "stress: this is no machine of Ochre's, and would be harmed: it runs nothing here"
        );
        std::process::exit(2);
    }
    // Orphans come to us, and are counted.
    // SAFETY: it is a call without pointers.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    let chosen = choose(&wanted);
    if chosen.len() < wanted.len() {
        let names: Vec<_> = TESTS.iter().map(|(name, _)| *name).collect();
        let hogs: Vec<_> = server::HOGS.iter().map(|hog| hog.0).collect();
        eprintln!("usage: stress [NAME...], of: {}", names.join(" "));
        eprintln!("and hog-NAME, of: all {}", hogs.join(" "));
        std::process::exit(2);
    }
    let witness = match Witness::start() {
        Ok(witness) => witness,
        Err(why) => {
            println!("FAIL witness: {why}");
            std::process::exit(1);
        }
    };
    // Its pipes have all they need from then on.
    let _ = witness.works();
    let mut failed = 0;
    for (name, test) in chosen {
        println!("run {name}");
        let start = Instant::now();
        let Some(before) = Figures::read() else { break };
        let outcome = test();
        sys::unshare();
        let outcome = outcome.and(witness.works()).and(machine::nothing_left(&before));
        failed += i32::from(outcome.is_err());
        match outcome {
            Ok(()) => println!("ok {name} {} ms", start.elapsed().as_millis()),
            Err(why) => println!("FAIL {name}: {why}"),
        }
    }
    witness.end();
    std::process::exit(failed.min(1));
}
