//! A client of a service that is driven mad: whatever it reads and writes may be wrong, and calls may fail, but each of
//! them ends, and nobody else has a part in it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What such services are called: those of a disk, or a partition, as a file.
const KIND: &str = "disk:";
/// Bytes that are read or written at a time, and of how much.
const PIECE: usize = 32 << 10;
const PIECES: u64 = 32;
/// Between two calls.
const PAUSE: Duration = Duration::from_millis(2);

/// Such a client.
pub struct Sufferer {
    name: String,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<[u64; 2]>,
}

/// Whether a service is one on whose bytes nobody relies.
pub fn is_one(service: &str) -> bool {
    service.starts_with(KIND)
}

impl Sufferer {
    /// The client of a service, if it is such a one.
    pub fn of(service: &str) -> Option<Sufferer> {
        let path = format!("/dev/{}", service.strip_prefix(KIND)?);
        let file = OpenOptions::new().read(true).write(true).open(&path).ok()?;
        let is_over = Arc::<AtomicBool>::default();
        let until = is_over.clone();
        let thread = thread::spawn(move || suffer(&file, &until));
        Some(Sufferer { name: service.into(), is_over, thread })
    }

    /// Ends; what came of it.
    pub fn end(self) -> String {
        self.is_over.store(true, Relaxed);
        let [fine, failed] = self.thread.join().unwrap_or_default();
        format!("{}: {fine} calls were answered, {failed} failed", self.name)
    }
}

/// Writes, and reads; how many calls went well, and how many did not.
fn suffer(file: &File, is_over: &AtomicBool) -> [u64; 2] {
    let mut bytes = vec![0; PIECE];
    let mut counts = [0; 2];
    for nth in 0.. {
        if is_over.load(Relaxed) {
            break;
        }
        let at = nth / 2 % PIECES * PIECE as u64;
        let done = match nth % 2 {
            0 => file.write_at(&bytes, at),
            _ => file.read_at(&mut bytes, at),
        };
        counts[usize::from(done.is_err())] += 1;
        thread::sleep(PAUSE);
    }
    counts
}
