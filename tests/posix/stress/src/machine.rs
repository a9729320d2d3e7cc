//! What must stay as it was: a process that nobody means any harm, and what the machine has.

use crate::ensure;
use crate::sys::{Outcome, child, close, kill, now, pipe, read, wait, within, write};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// A process that works whenever it is asked to, and needs nothing that is not its own already.
pub struct Witness {
    pid: i32,
    /// Where it is asked, and where it answers.
    ask: i32,
    answer: i32,
}

/// Milliseconds within which it has done its work.
const PATIENCE: i32 = 10_000;

impl Witness {
    pub fn start() -> Result<Witness, String> {
        let pipe = || pipe().map_err(|error| format!("the witness has no pipe: error {error}"));
        let (ends, asks, answers) = (pipe()?, pipe()?, pipe()?);
        let pid = child(|| {
            let mut byte = [0];
            while read(asks[0], &mut byte) == Ok(1) {
                let error = turn(ends).err().unwrap_or(0) as u8;
                let _ = write(answers[1], &[error]);
            }
            0
        })?;
        WITNESS.store(pid as u64, SeqCst);
        close(&[ends[0], ends[1], asks[0], answers[1]]);
        Ok(Witness { pid, ask: asks[1], answer: answers[0] })
    }

    /// Whether it works still.
    pub fn works(&self) -> Outcome {
        for _ in 0..5 {
            let asked = write(self.ask, &[1]);
            ensure!(asked == Ok(1), "the witness cannot be asked: {asked:?}");
            let mut wish = libc::pollfd { fd: self.answer, events: libc::POLLIN, revents: 0 };
            // SAFETY: there is one.
            let ready = unsafe { libc::poll(&raw mut wish, 1, PATIENCE) };
            ensure!(ready == 1, "the witness does not answer");
            let mut error = [0];
            let answered = read(self.answer, &mut error);
            ensure!(
                answered == Ok(1) && error == [0],
                "the witness: {answered:?}, error {error:?}"
            );
        }
        Ok(())
    }

    pub fn end(self) {
        kill(self.pid, libc::SIGKILL);
        wait(self.pid);
    }
}

/// Something of everything: a call, a pipe, a file, the clock.
fn turn([reads, writes]: [i32; 2]) -> Result<(), i32> {
    let (bytes, mut back) = ([7; 100], [0; 100]);
    write(writes, &bytes)?;
    if read(reads, &mut back)? != 100 || back != bytes || now() == 0 {
        return Err(-1);
    }
    // SAFETY: there are no pointers.
    if unsafe { libc::lseek(reads, 0, 0) } == 0 { Err(-2) } else { Ok(()) }
}

/// What is counted, and how much more there may be of it afterwards.
const COUNTED: &[(&str, i64)] = &[
    ("handles", 0),
    ("processes", 0),
    ("threads", 0),
    ("ports", 0),
    // This program's own heap, of which the parts are few.
    ("memories", 2),
    ("regions", 2),
    ("timers", 0),
    ("file-pages", 0),
    // The server's tables of processes and threads grow with their first use, and stay.
    ("heap-used", 64 << 10),
];

/// What the machine has of everything, in that order: nothing on a system that has no such file. It is
/// read without a heap, for that would be counted as well.
pub struct Figures([i64; COUNTED.len()]);

impl Figures {
    pub fn read() -> Option<Figures> {
        let mut bytes = [0; 1024];
        // SAFETY: the name is there.
        let file = unsafe { libc::open(c"/proc/ochre/figures".as_ptr(), libc::O_RDONLY) };
        let length = read(file, &mut bytes).unwrap_or(0) as usize;
        close(&[file]);
        let text = std::str::from_utf8(&bytes[..length]).ok().filter(|text| !text.is_empty())?;
        let figure = |name: &str| {
            let line = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
            text.lines().find_map(line).unwrap_or(-1)
        };
        let mut figures = [0; COUNTED.len()];
        for (place, (name, _)) in figures.iter_mut().zip(COUNTED) {
            *place = figure(name);
        }
        Some(Figures(figures))
    }

    /// What there is more of now.
    fn differences(&self) -> impl Iterator<Item = (&str, i64, i64)> {
        let now = Figures::read().map_or([0; COUNTED.len()], |figures| figures.0);
        let pairs = COUNTED.iter().zip(self.0.iter().zip(now));
        pairs.filter_map(|((name, more), (&old, new))| {
            (new > old + more).then_some((*name, old, new))
        })
    }
}

/// Waits until all is as it was: what has ended is taken apart by and by.
pub fn nothing_left(before: &Figures) -> Outcome {
    if within(5000, || before.differences().next().is_none()) {
        return Ok(());
    }
    let left = before.differences().map(|(name, old, new)| format!("{name} {old} -> {new}"));
    Err(format!("left behind: {}", left.collect::<Vec<_>>().join(", ")))
}

/// The children of a process, but for the witness.
pub fn children_of(parent: i32) -> Vec<i32> {
    let folders = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = folders.filter_map(|folder| folder.file_name().to_str()?.parse::<i32>().ok());
    let is_child = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
        after.split_whitespace().nth(1) == Some(&parent.to_string())
    };
    let witness = WITNESS.load(SeqCst) as i32;
    pids.filter(|pid| *pid != witness).filter(is_child).collect()
}

static WITNESS: AtomicU64 = AtomicU64::new(0);
