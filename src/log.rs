//! The kernel's log: levels, a ring in memory that keeps the last lines, and the console they go to.
//!
//! The ring is written whatever the level of the console is, from the first line of boot on, so
//! that nothing is lost while no console is known yet, and `quiet` only quietens the console.
//! The lock is held for one line. A CPU that panics takes it for good, and breaks it if its holder does
//! not come to an end: it may be stopped, or be that CPU itself.

use crate::units::CpuId;
use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};
use spin::mutex::{SpinMutex, SpinMutexGuard};

/// How much a line matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Level {
    /// Something is broken.
    Error,
    /// Something is odd, and the kernel goes on.
    Warn,
    /// What a user wants to see.
    Info,
    /// What a developer wants to see.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    /// Each with its name and what its lines begin with, the most important first.
    const ALL: [(Level, &str, &str); 5] = [
        (Level::Error, "error", "error: "),
        (Level::Warn, "warn", "warning: "),
        (Level::Info, "info", ""),
        (Level::Debug, "debug", "debug: "),
        (Level::Trace, "trace", "trace: "),
    ];

    /// The level a `log=` word names.
    pub fn parse(word: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|&(_, name, _)| name == word).map(|(level, ..)| level)
    }

    fn prefix(self) -> &'static str {
        Level::ALL[self as usize].2
    }
}

/// Something that bytes can be written to: a UART.
pub trait Sink: Sync {
    /// Writes one byte, waiting as long as the device needs but never for ever.
    fn put(&self, byte: u8);
}

/// Bytes the ring keeps.
const RING: usize = 8192;

struct Log {
    ring: [u8; RING],
    /// Bytes ever written; the ring holds the last `RING` of them.
    written: usize,
    console: Option<&'static dyn Sink>,
}

static LOG: SpinMutex<Log> = SpinMutex::new(Log { ring: [0; RING], written: 0, console: None });
static CONSOLE_LEVEL: AtomicU8 = AtomicU8::new(Level::Info as u8);

/// Sends lines to `console` from now on.
pub fn attach(console: &'static dyn Sink) {
    LOG.lock().console = Some(console);
}

/// Speaks to nobody for now: the console is about to move.
pub fn detach() {
    LOG.lock().console = None;
}

/// Sets the least important level that the console shows; the ring keeps every line.
pub fn set_console_level(level: Level) {
    CONSOLE_LEVEL.store(level as u8, Relaxed);
}

/// Writes one line. Once the log has been taken for good, the CPU stops here: were it to try for the
/// lock, it might win it from the one that makes the report, again and again.
pub fn line(level: Level, text: fmt::Arguments<'_>) {
    while SEIZED_BY.load(Relaxed) != NOBODY {
        core::hint::spin_loop();
    }
    LOG.lock().line(level, text);
}

/// Copies what is kept from a byte on, counted from the first ever written: how much, and from where.
pub fn read(from: u64, to: &mut [u8]) -> (usize, u64) {
    let log = LOG.lock();
    let first = (from.min(log.written as u64) as usize).max(log.written.saturating_sub(RING));
    let count = to.len().min(log.written - first);
    for (nth, byte) in to[..count].iter_mut().enumerate() {
        *byte = log.ring[(first + nth) % RING];
    }
    (count, first as u64)
}

/// The log, for the last words of the kernel: of one CPU, and nobody else writes to it again.
pub struct LastWords(());

/// Who has the log for good.
static SEIZED_BY: AtomicU8 = AtomicU8::new(NOBODY);
const NOBODY: u8 = u8::MAX;

/// How often the lock is asked for before its holder is taken to be stopped.
const PATIENCE: u32 = 1_000_000;

/// Takes the log for good, for `cpu`, the one we run on. Whoever is writing a line may end it first,
/// but is not waited for for ever. Does not return on any other CPU.
pub fn seize(cpu: CpuId) -> LastWords {
    let before = SEIZED_BY.compare_exchange(NOBODY, cpu.0, Relaxed, Relaxed);
    while before.is_err_and(|owner| owner != cpu.0) {
        core::hint::spin_loop();
    }
    if before.is_ok() {
        // Whether ours or that of one that stopped while it wrote, the lock is never free again.
        (0..PATIENCE).any(|_| {
            core::hint::spin_loop();
            LOG.try_lock().map(SpinMutexGuard::leak).is_some()
        });
    }
    LastWords(())
}

impl LastWords {
    /// Writes one line.
    pub fn line(&mut self, text: fmt::Arguments<'_>) {
        // Cannot fail, as in `Log::line`.
        let _ = writeln!(self, "{}{}", Level::Error.prefix(), text);
    }
}

impl Write for LastWords {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: the lock is this CPU's for good, or that of one that was stopped or interrupted for
        // good; of this CPU nothing but this function uses the log, and nothing that it calls does.
        let log = unsafe { &mut *LOG.as_mut_ptr() };
        Line { log, loud: true }.write_str(text)
    }
}

impl Log {
    fn line(&mut self, level: Level, text: fmt::Arguments<'_>) {
        let loud = level as u8 <= CONSOLE_LEVEL.load(Relaxed);
        // Writing to `Line` cannot fail; a `Display` that does only cuts its own line short.
        let _ = writeln!(Line { log: self, loud }, "{}{}", level.prefix(), text);
    }
}

struct Line<'a> {
    log: &'a mut Log,
    loud: bool,
}

impl Write for Line<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.log.ring[self.log.written % RING] = byte;
            self.log.written += 1;
            let Some(console) = self.log.console.filter(|_| self.loud) else { continue };
            // Terminals want a carriage return before each line feed.
            if byte == b'\n' {
                console.put(b'\r');
            }
            console.put(byte);
        }
        Ok(())
    }
}

/// Logs an error.
#[macro_export]
macro_rules! error { ($($text:tt)*) => { $crate::log::line($crate::log::Level::Error, format_args!($($text)*)) } }
/// Logs a warning.
#[macro_export]
macro_rules! warn { ($($text:tt)*) => { $crate::log::line($crate::log::Level::Warn, format_args!($($text)*)) } }
/// Logs what a user wants to see.
#[macro_export]
macro_rules! info { ($($text:tt)*) => { $crate::log::line($crate::log::Level::Info, format_args!($($text)*)) } }
/// Logs what a developer wants to see.
#[macro_export]
macro_rules! debug { ($($text:tt)*) => { $crate::log::line($crate::log::Level::Debug, format_args!($($text)*)) } }
