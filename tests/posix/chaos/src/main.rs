//! A tormentor: while a script works, services end at random moments, and nobody is to notice.
//!
//! usage: chaos SEED TIMES SCRIPT SERVICE...
//!
//! Runs `sh SCRIPT` undisturbed, then again and again while one of the services is hurt every few milliseconds, until
//! that was done so many times. Every run must say what the first one said. The same seed hurts the same services in
//! the same order after the same pauses.
//! It ends with `hurt TIMES, runs N`, and how long it took the services to serve again.

mod random;

use random::Random;
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

/// Where the supervisor is told what to do, and tells how its services are.
const CONTROL: &str = "/proc/ochre/control";
const RECOVERIES: &str = "/proc/ochre/recoveries";
/// Microseconds between two of its deeds.
const PAUSE: std::ops::Range<u64> = 1_000..40_000;
/// Of so many deeds one is no plain end.
const ODD: u64 = 8;
/// `EAGAIN`.
const NOT_NOW: i32 = 11;
const ODDITIES: [&str; 3] = ["wild", "hang", "spurious"];

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
    let mut tormentor =
        Tormentor { random: Random(seed), services, done: 0, deeds: BTreeMap::new() };
    let mut runs = 0;
    while tormentor.done < times {
        let output = tormentor.watch(start(script)?, times)?;
        runs += 1;
        if output != expected {
            let (is, was) = (text(&output), text(&expected));
            return Err(Error::other(format!(
                "run {runs} differs, after {} deeds\nit says:\n{is}it said:\n{was}",
                tormentor.done
            )));
        }
    }
    println!("hurt {}, runs {runs}", tormentor.done);
    for (deed, count) in tormentor.deeds {
        println!("  {count:6} {deed}");
    }
    print!("{}", fs::read_to_string(RECOVERIES).unwrap_or_default());
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

/// Who hurts.
struct Tormentor<'a> {
    random: Random,
    services: &'a [String],
    done: u64,
    deeds: BTreeMap<String, u64>,
}

impl Tormentor<'_> {
    /// Hurts services until the script has ended, and no more often than so many times in all.
    fn watch(&mut self, script: Child, times: u64) -> Result<Output> {
        let reader = thread::spawn(move || script.wait_with_output());
        while !reader.is_finished() {
            let pause = PAUSE.start + self.random.below(PAUSE.end - PAUSE.start);
            thread::sleep(Duration::from_micros(pause));
            if self.done < times && !reader.is_finished() {
                self.hurt()?;
            }
        }
        reader.join().map_err(|_| Error::other("the reader panicked"))?
    }

    fn hurt(&mut self) -> Result<()> {
        let service = &self.services[self.random.below(self.services.len() as u64) as usize];
        let odd = self.random.below(ODD * ODDITIES.len() as u64) as usize;
        let deed = match ODDITIES.get(odd) {
            Some(how) => format!("hurt {service} {how}"),
            None => format!("kill {service}"),
        };
        match fs::write(CONTROL, &deed) {
            Ok(()) => {
                self.done += 1;
                *self.deeds.entry(deed).or_default() += 1;
                Ok(())
            }
            // It does not run: it is on its way back.
            Err(error) if error.raw_os_error() == Some(NOT_NOW) => Ok(()),
            Err(error) => Err(Error::new(error.kind(), format!("{deed}: {error}"))),
        }
    }
}
