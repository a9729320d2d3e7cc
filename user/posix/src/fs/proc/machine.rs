//! Files about the machine, and about the system as a whole.

use super::Subject;
use crate::errno::{Errno, Result};
use crate::process::State;
use crate::process::info::{RELEASE, SYSTEM, VERSION};
use crate::process::load::ONE;
use crate::time::{self, SECOND};
use alloc::format;
use alloc::vec::Vec;
use rt::abi::PAGE;

/// Ticks of a second, as programs see them.
pub const TICKS: u64 = 100;
/// The highest number that a process gets, and one.
const PID_MAX: u32 = 32768;
/// Bytes of the kernel's command line.
const LINE: usize = 1024;

/// A line of text.
fn line(text: &str) -> Result<Vec<u8>> {
    Ok(format!("{text}\n").into_bytes())
}

pub fn version(_: &Subject) -> Result<Vec<u8>> {
    line(&format!("{SYSTEM} version {RELEASE} (Ochre kernel, posix server) {VERSION}"))
}

pub fn hostname(subject: &Subject) -> Result<Vec<u8>> {
    let mut name = subject.server.names.host();
    name.push(b'\n');
    Ok(name)
}

pub fn osrelease(_: &Subject) -> Result<Vec<u8>> {
    line(RELEASE)
}

pub fn ostype(_: &Subject) -> Result<Vec<u8>> {
    line(SYSTEM)
}

pub fn pid_max(_: &Subject) -> Result<Vec<u8>> {
    line(&format!("{PID_MAX}"))
}

/// The kernel takes no modules.
pub fn modules(_: &Subject) -> Result<Vec<u8>> {
    Ok(Vec::new())
}

/// Memory is promised only where it is there.
pub fn overcommit(_: &Subject) -> Result<Vec<u8>> {
    line("2")
}

/// A random number in the form of a UUID of the fourth version.
pub fn uuid(subject: &Subject) -> Result<Vec<u8>> {
    let [high, low] = [(); 2].map(|()| u64::from_le_bytes(subject.server.random.bytes()));
    let (a, b, c) = (high >> 32, high >> 16 & 0xffff, high & 0xfff | 0x4000);
    let (d, e) = (low >> 48 & 0x3fff | 0x8000, low & 0xffff_ffff_ffff);
    line(&format!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}"))
}

pub fn cmdline(_: &Subject) -> Result<Vec<u8>> {
    let mut text = alloc::vec![0; LINE];
    let length = rt::machine().command_line(&mut text)?;
    text.truncate(length);
    text.push(b'\n');
    Ok(text)
}

pub fn uptime(subject: &Subject) -> Result<Vec<u8>> {
    let [seconds, parts] = time::split(rt::time::now(), SECOND / 100);
    let all = rt::time::now() * rt::machine().cpus()?;
    let busy: u64 = subject.server.ran().iter().sum();
    let [idle, rest] = time::split(all.saturating_sub(busy), SECOND / 100);
    line(&format!("{seconds}.{parts:02} {idle}.{rest:02}"))
}

pub fn loadavg(subject: &Subject) -> Result<Vec<u8>> {
    let processes = subject.server.processes();
    let [one, five, fifteen] = subject.server.averages().map(|average| {
        let hundredths = (average * 100 + ONE / 2) / ONE;
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    });
    let threads: usize = processes.iter().map(|process| process.tasks.borrow().len()).sum();
    let last = processes.iter().map(|process| process.pid).max().unwrap_or(1);
    line(&format!("{one} {five} {fifteen} 1/{threads} {last}"))
}

pub fn meminfo(subject: &Subject) -> Result<Vec<u8>> {
    let figures = rt::machine().figures()?;
    let root = subject.server.root.directory()?;
    let room = root.as_names().ok_or(Errno::ENODEV)?.room();
    let (pages, free_pages) = room.pages();
    let kilobytes = |pages: u64| pages * (PAGE / 1024);
    let shared = kilobytes(pages.saturating_sub(free_pages));
    let (total, free) = (kilobytes(figures.frames), kilobytes(figures.free));
    let lines = [
        ("MemTotal", total),
        ("MemFree", free),
        ("MemAvailable", free),
        ("Buffers", 0),
        ("Cached", shared),
        ("SwapCached", 0),
        ("Active", 0),
        ("Inactive", 0),
        ("SwapTotal", 0),
        ("SwapFree", 0),
        ("Dirty", 0),
        ("Writeback", 0),
        ("AnonPages", total.saturating_sub(free + shared)),
        ("Mapped", 0),
        ("Shmem", shared),
        ("Slab", 0),
        ("CommitLimit", total),
        ("Committed_AS", total.saturating_sub(free)),
        ("VmallocTotal", 0),
        ("VmallocUsed", 0),
        ("VmallocChunk", 0),
    ];
    let texts = lines.map(|(name, amount)| format!("{:16}{amount:8} kB\n", format!("{name}:")));
    Ok(texts.concat().into_bytes())
}

pub fn stat(subject: &Subject) -> Result<Vec<u8>> {
    let processes = subject.server.processes();
    let ticks = |nanoseconds: u64| nanoseconds / (SECOND / TICKS);
    let cpus = rt::machine().cpus()?.max(1);
    let [user, system] = subject.server.ran().map(ticks);
    let idle = (ticks(rt::time::now()) * cpus).saturating_sub(user + system);
    let mut text = format!("cpu  {user} 0 {system} {idle} 0 0 0 0 0 0\n");
    for cpu in 0..cpus {
        let [user, system, idle] = [user, system, idle].map(|ticks| ticks / cpus);
        text += &format!("cpu{cpu} {user} 0 {system} {idle} 0 0 0 0 0 0\n");
    }
    let running = processes.iter().filter(|process| process.state.get() == State::Running).count();
    let booted = (time::realtime() - rt::time::now() as i64) / SECOND as i64;
    let last = processes.iter().map(|process| process.pid).max().unwrap_or(1);
    text += &format!("intr 0\nctxt 0\nbtime {booted}\nprocesses {last}\n");
    text += &format!("procs_running {running}\nprocs_blocked 0\n");
    Ok(text.into_bytes())
}
