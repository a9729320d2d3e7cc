//! Runs the cases of a folder one after the other, each with `sh` in a directory of its own, and
//! prints what each wrote and how it ended.
//!
//! usage: run-cases FOLDER [SHELL]
//!
//! For each file NAME.sh, in the order of the names: a line `@case NAME MS STATUS OUT ERR` with the
//! milliseconds it took and the lengths of its standard output and error, those bytes, and a newline.
//! STATUS is what the shell would call it, or `limit` for a case that was killed for taking too long.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a case may take.
const LIMIT: Duration = Duration::from_secs(60);

const PLACE: &str = "/tmp/case";
const OUT: &str = "/tmp/case.out";
const ERR: &str = "/tmp/case.err";

fn main() -> io::Result<()> {
    let mut words = env::args().skip(1);
    let (Some(folder), shell) = (words.next(), words.next()) else {
        eprintln!("usage: run-cases FOLDER [SHELL]");
        std::process::exit(2);
    };
    let shell = shell.unwrap_or("/bin/sh".into());
    let mut cases = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .filter(|path| {
            path.as_ref().is_ok_and(|path| path.extension().is_some_and(|kind| kind == "sh"))
        })
        .collect::<io::Result<Vec<PathBuf>>>()?;
    cases.sort();
    for case in cases {
        let start = Instant::now();
        let status = run(&case, &shell)?;
        report(&case, start.elapsed(), &status)?;
        // A case may have taken the rights away from what it made.
        let _ = fs::set_permissions(PLACE, fs::Permissions::from_mode(0o700));
        fs::remove_dir_all(PLACE)?;
    }
    Ok(())
}

/// How one case ends.
fn run(case: &Path, shell: &str) -> io::Result<String> {
    fs::create_dir(PLACE)?;
    let mut command = Command::new(shell);
    command
        .arg(case)
        .current_dir(PLACE)
        .env_clear()
        .envs([("PATH", "/bin"), ("HOME", "/root"), ("LC_ALL", "C"), ("PWD", PLACE)])
        .stdin(Stdio::null())
        .stdout(driver::empty(OUT)?)
        .stderr(driver::empty(ERR)?);
    Ok(match driver::run(&mut command, LIMIT)? {
        Some(status) => {
            status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)).to_string()
        }
        None => "limit".into(),
    })
}

fn report(case: &Path, time: Duration, status: &str) -> io::Result<()> {
    let name = case.file_stem().unwrap_or_default().to_string_lossy();
    let (out, err) = (fs::read(OUT)?, fs::read(ERR)?);
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "@case {name} {} {status} {} {}", time.as_millis(), out.len(), err.len())?;
    stdout.write_all(&out)?;
    stdout.write_all(&err)?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}
