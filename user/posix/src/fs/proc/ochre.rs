//! What this server does, and what it was asked for in vain.

use super::Subject;
use crate::errno::Result;
use crate::table;
use crate::unknown::Strange;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A line for each call: its number, its name, and what of it is not served.
pub fn syscalls(_: &Subject) -> Result<Vec<u8>> {
    let mut text = String::new();
    for row in table::rows() {
        let name = row.name.trim_start_matches("__NR_");
        let lacks = if row.lacks.is_empty() { "" } else { "  lacks " };
        text.push_str(&format!("{:3} {name}{lacks}{}\n", row.number, row.lacks));
    }
    Ok(text.into_bytes())
}

/// Bytes that this server may use, and those that it uses; and each process, by its number.
pub fn memory(subject: &Subject) -> Result<Vec<u8>> {
    let own = rt::process().info()?;
    let mut text = format!("posix {} {}\n", own.quota, own.used);
    for process in subject.server.processes() {
        if let Ok(info) = process.native.info() {
            text.push_str(&format!("{} {} {}\n", process.pid, info.quota, info.used));
        }
    }
    Ok(text.into_bytes())
}

/// How much there is of everything in the machine, and of this server's heap: what guests leave behind
/// is seen here.
pub fn figures(subject: &Subject) -> Result<Vec<u8>> {
    subject.server.ending.forget();
    let machine = rt::machine().figures()?;
    let [processes, threads, ports, messages] = machine.actors;
    let [memories, regions, timers, _] = machine.resources;
    let (pages, free_pages) = subject.server.room.pages();
    let heap = rt::heap::usage();
    let figures = [
        ("frames", machine.frames),
        ("free-frames", machine.free),
        ("handles", machine.handles),
        ("processes", processes),
        ("threads", threads),
        ("ports", ports),
        ("messages", messages),
        ("memories", memories),
        ("regions", regions),
        ("timers", timers),
        ("file-pages", pages - free_pages),
        ("heap-taken", heap.taken as u64),
        ("heap-used", heap.used as u64),
    ];
    Ok(figures.map(|(name, figure)| format!("{name} {figure}\n")).concat().into_bytes())
}

/// A line for each of the last calls that nobody serves: who made it, its number, its arguments.
pub fn unimplemented(subject: &Subject) -> Result<Vec<u8>> {
    let mut text = String::new();
    for Strange { number, args, pid } in subject.server.unknown.0.borrow().iter() {
        text.push_str(&format!("pid {pid} call {number}"));
        args.iter().for_each(|argument| text.push_str(&format!(" {argument:#x}")));
        text.push('\n');
    }
    Ok(text.into_bytes())
}
