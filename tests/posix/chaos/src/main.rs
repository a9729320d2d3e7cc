//! A tormentor: while a script works, services come to harm at random moments, and nobody is to notice.
//!
//! usage: chaos SEED TIMES SCRIPT SERVICE...
//!
//! Runs `sh SCRIPT` undisturbed, then again and again while one of the services is hurt every few milliseconds, until
//! that was done so many times. Every run must say what the first one said. The same seed hurts the same services in
//! the same order after the same pauses.
//!
//! Each deed is told of in a line with its number, which is long, so that the console has something to do; it ends
//! with `hurt TIMES, runs N`, and how long it took the services to serve again.

mod deeds;
mod random;
mod sufferer;

use deeds::Deeds;
use std::io::{Error, ErrorKind, Result};
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::time::Duration;
use std::{env, fs, thread};
use sufferer::Sufferer;

/// Where it is told how long services took to serve again.
const RECOVERIES: &str = "/proc/ochre/recoveries";
/// Microseconds between two deeds.
const PAUSE: std::ops::Range<u64> = 1_000..40_000;
/// How long what was done last may go on.
const CALM: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("chaos: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [seed, times, script, services @ ..] = words.as_slice() else { return Err(usage()) };
    let (Ok(seed), Ok(times)) = (seed.parse(), times.parse()) else { return Err(usage()) };
    if services.is_empty() {
        return Err(usage());
    }
    let expected = start(script)?.wait_with_output()?;
    if !expected.status.success() {
        return Err(Error::other(format!("undisturbed, the script fails: {}", text(&expected))));
    }
    let sufferers: Vec<Sufferer> = services.iter().filter_map(|it| Sufferer::of(it)).collect();
    let mut deeds = Deeds::new(seed, services);
    let mut runs = 0;
    while deeds.done < times {
        let output = watch(&mut deeds, start(script)?, times)?;
        runs += 1;
        if output != expected {
            let (is, was) = (text(&output), text(&expected));
            return Err(Error::other(format!(
                "run {runs} differs, after {} deeds\nit says:\n{is}it said:\n{was}",
                deeds.done
            )));
        }
    }
    thread::sleep(CALM);
    println!("hurt {}, runs {runs}", deeds.done);
    print!("{}", deeds.counts());
    sufferers.into_iter().for_each(|it| println!("{}", it.end()));
    print!("{}", fs::read_to_string(RECOVERIES)?);
    Ok(())
}

fn usage() -> Error {
    Error::new(ErrorKind::InvalidInput, "usage: chaos SEED TIMES SCRIPT SERVICE...")
}

/// The script, whose output is kept.
fn start(script: &str) -> Result<Child> {
    Command::new("/bin/sh").arg(script).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

fn text(output: &Output) -> String {
    let (out, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}{errors}{}\n", output.status)
}

/// Hurts services until the script has ended, and no more often than so many times in all.
fn watch(deeds: &mut Deeds, script: Child, times: u64) -> Result<Output> {
    let reader = thread::spawn(move || script.wait_with_output());
    while !reader.is_finished() {
        let pause = PAUSE.start + deeds.random.below(PAUSE.end - PAUSE.start);
        thread::sleep(Duration::from_micros(pause));
        if deeds.done < times && !reader.is_finished() {
            deeds.next()?;
        }
    }
    reader.join().map_err(|_| Error::other("the reader panicked"))?
}
