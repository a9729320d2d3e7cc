//! Runs tests of a program that Rust's own test harness made, each in a process of its own, and prints
//! how each ended.
//!
//! usage: run-uutests PROGRAM JOBS SECONDS K/N [FILTER...]
//!
//! Of the tests with a FILTER in their names, every Nth from the Kth runs, JOBS at a time. After a line
//! `@tests COUNT`, each has a line `@begin NAME` and, when it has ended, `@test NAME MS STATUS LENGTH`
//! with the milliseconds it took, that many bytes of output, and a newline. STATUS is `ok`, `ignored`,
//! `failed`, or `limit` for a test that was killed after SECONDS; only the last two have output.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Longer output loses what is before this many bytes.
const LONGEST: usize = 16 * 1024;

fn main() -> io::Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [program, jobs, seconds, part, filters @ ..] = &words[..] else { usage() };
    let (Ok(jobs), Ok(seconds), Some((first, step))) =
        (jobs.parse(), seconds.parse(), part.split_once('/'))
    else {
        usage()
    };
    let (Ok(first @ 1..), Ok(step @ 1..)) = (first.parse::<usize>(), step.parse()) else { usage() };
    let list = list(program, filters)?;
    let names: Vec<&str> = list
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .skip(first - 1)
        .step_by(step)
        .collect();
    println!("@tests {}", names.len());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let worker = |number| {
            let (names, next) = (&names, &next);
            scope.spawn(move || {
                let bench = Bench { number, program, limit: Duration::from_secs(seconds) };
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    bench.test(name)?;
                }
                Ok(())
            })
        };
        let workers: Vec<_> = (0..jobs).map(worker).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })
}

fn usage() -> ! {
    eprintln!("usage: run-uutests PROGRAM JOBS SECONDS K/N [FILTER...]");
    std::process::exit(2)
}

fn list(program: &str, filters: &[String]) -> io::Result<String> {
    let output = Command::new(program).args(["--list", "--format=terse"]).args(filters).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Where one test runs at a time.
struct Bench<'a> {
    number: usize,
    program: &'a str,
    limit: Duration,
}

impl Bench<'_> {
    fn test(&self, name: &str) -> io::Result<()> {
        let (place, out) = (format!("/tmp/{}", self.number), format!("/tmp/{}.out", self.number));
        fs::create_dir(&place)?;
        let file = driver::empty(&out)?;
        let mut command = Command::new(self.program);
        command
            .args(["--exact", "--test-threads=1", name])
            .env("TMPDIR", &place)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        println!("@begin {name}");
        let start = Instant::now();
        let ended = driver::run(&mut command, self.limit)?;
        let time = start.elapsed();
        let output = fs::read(&out)?;
        let status = match ended {
            None => "limit",
            Some(status) if !status.success() => "failed",
            Some(_) if holds(&output, b" 1 ignored;") => "ignored",
            Some(_) if holds(&output, b" 1 passed;") => "ok",
            Some(_) => "failed",
        };
        let shown = if matches!(status, "failed" | "limit") { &output[..] } else { b"" };
        report(name, time, status, &shown[shown.len().saturating_sub(LONGEST)..])?;
        remove(&place);
        Ok(())
    }
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn report(name: &str, time: Duration, status: &str, output: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "@test {name} {} {status} {}", time.as_millis(), output.len())?;
    stdout.write_all(output)?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// Removes what a test has left, even where it took rights away.
fn remove(place: &str) {
    if fs::remove_dir_all(place).is_err() {
        let _ = Command::new("/bin/chmod").args(["-R", "u+rwx", place]).status();
        if let Err(error) = fs::remove_dir_all(place) {
            eprintln!("run-uutests: {place} stays: {error}");
        }
    }
}
