//! Files about a process: what it runs, what it has mapped, what it may.

use super::{Subject, links};
use crate::errno::Result;
use crate::process::Process;
use crate::process::memory::Area;
use crate::process::quota::heap_has;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use linux_raw_sys::general::{PROT_EXEC, PROT_READ, PROT_WRITE};

/// Bytes of a process's memory that are shown at most.
const MOST: u64 = 128 << 10;

/// What a process has in a part of its memory; nothing if that is not there any more.
fn memory(process: &Process, (start, end): (u64, u64)) -> Vec<u8> {
    let mut bytes = alloc::vec![0; end.saturating_sub(start).min(MOST) as usize];
    match process.native.read(start, &mut bytes) {
        Ok(()) if process.is_alive() => bytes,
        _ => Vec::new(),
    }
}

pub fn cmdline(subject: &Subject) -> Result<Vec<u8>> {
    let process = subject.process()?;
    let range = process.program.borrow().arguments;
    Ok(memory(&process, range))
}

pub fn environ(subject: &Subject) -> Result<Vec<u8>> {
    let process = subject.process()?;
    let range = process.program.borrow().environment;
    Ok(memory(&process, range))
}

pub fn auxv(subject: &Subject) -> Result<Vec<u8>> {
    let process = subject.process()?;
    let range = process.program.borrow().auxiliary;
    Ok(memory(&process, range))
}

pub fn comm(subject: &Subject) -> Result<Vec<u8>> {
    let process = subject.process()?;
    let name = &process.program.borrow().name;
    Ok([name, &b"\n"[..]].concat())
}

pub fn limits(subject: &Subject) -> Result<Vec<u8>> {
    /// Names and units, in the order of `RLIMIT_*`.
    const LIMITS: [(&str, &str); 16] = [
        ("Max cpu time", "seconds"),
        ("Max file size", "bytes"),
        ("Max data size", "bytes"),
        ("Max stack size", "bytes"),
        ("Max core file size", "bytes"),
        ("Max resident set", "bytes"),
        ("Max processes", "processes"),
        ("Max open files", "files"),
        ("Max locked memory", "bytes"),
        ("Max address space", "bytes"),
        ("Max file locks", "locks"),
        ("Max pending signals", "signals"),
        ("Max msgqueue size", "bytes"),
        ("Max nice priority", ""),
        ("Max realtime priority", ""),
        ("Max realtime timeout", "us"),
    ];
    let process = subject.process()?;
    let number = |limit: u64| match limit {
        u64::MAX => String::from("unlimited"),
        limit => format!("{limit}"),
    };
    let mut text = format!("{:26}{:21}{:21}Units\n", "Limit", "Soft Limit", "Hard Limit");
    for ((name, unit), [soft, hard]) in LIMITS.iter().zip(*process.limits.borrow()) {
        text += &format!("{name:26}{:21}{:21}{unit}\n", number(soft), number(hard));
    }
    Ok(text.into_bytes())
}

pub fn fdinfo(subject: &Subject) -> Result<Vec<u8>> {
    let (open, process) = (subject.open()?, subject.process()?);
    let close = process.files.descriptor(subject.fd)?.close_on_exec;
    let close = if close { linux_raw_sys::general::O_CLOEXEC } else { 0 };
    let (position, flags) = (open.position.get(), open.flags.get() | close);
    let number = open.inode.number;
    Ok(format!("pos:\t{position}\nflags:\t0{flags:o}\nmnt_id:\t1\nino:\t{number}\n").into_bytes())
}

pub fn maps(subject: &Subject) -> Result<Vec<u8>> {
    let process = subject.process()?;
    // A line is longer than this, and text grows by half of it being moved.
    heap_has(3 * 100 * process.space.borrow().areas.len())?;
    let mut text = Vec::new();
    for (&start, area) in &process.space.borrow().areas {
        text.extend_from_slice(line(start, area).as_bytes());
        match &area.file {
            Some((file, open, _)) => {
                let named = open.name.as_ref();
                let path = named.and_then(|(directory, name)| {
                    links::path_in(subject.server, directory, name, file).ok()
                });
                // A program's own parts were not opened by a name.
                let path = path.or_else(|| links::exe_path(subject).ok());
                text.extend_from_slice(&path.unwrap_or_default());
            }
            None => text.extend_from_slice(area.label.as_bytes()),
        }
        text.push(b'\n');
    }
    Ok(text)
}

/// All of a line but the name.
fn line(start: u64, area: &Area) -> String {
    let letter = |bit: u32, letter| if area.access & bit != 0 { letter } else { '-' };
    let (r, w, x) = (letter(PROT_READ, 'r'), letter(PROT_WRITE, 'w'), letter(PROT_EXEC, 'x'));
    let s = if area.shared { 's' } else { 'p' };
    let (offset, device, number) = match &area.file {
        Some((file, _, offset)) => (*offset, file.device, file.number),
        None => (0, 0, 0),
    };
    let device = format!("{:02x}:{:02x}", device >> 8 & 0xfff, device & 0xff);
    let text = format!("{start:08x}-{:08x} {r}{w}{x}{s} {offset:08x} {device} {number} ", area.end);
    let named = area.file.is_some() || !area.label.is_empty();
    if named { format!("{text:73}") } else { text }
}
