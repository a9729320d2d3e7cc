//! What this server does, and what it was asked for in vain.

use super::Subject;
use crate::errno::Result;
use crate::table;
use crate::time::SECOND;
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

/// What the kernel keeps of its log: `/var/log/messages` leads here.
pub fn log(_: &Subject) -> Result<Vec<u8>> {
    Ok(rt::log::kept())
}

/// What this machine is and how long it took to get here, for whoever sits down at it: the kernel said
/// the most of it in its log.
pub fn machine(_: &Subject) -> Result<Vec<u8>> {
    let log = rt::log::kept();
    let log = String::from_utf8_lossy(&log);
    let after = |text: &str| {
        let rest = log.lines().find_map(|line| line.trim_start().strip_prefix(text));
        String::from(rest.unwrap_or("?").trim_start())
    };
    let number = |text: String| text.split(' ').next().and_then(|word| word.parse().ok());
    let milliseconds = |nanoseconds: u64| nanoseconds / (SECOND / 1000);
    let (system, machine, memory) = (after("Ochre "), after("machine "), after("memory "));
    let machine = machine.split(" (").next().unwrap_or_default();
    let memory = memory.split(" in ").next().unwrap_or_default();
    let (cpus, booted) = (rt::machine().cpus()?, number(after("boot: done, ")).unwrap_or(0));
    let plural = if cpus == 1 { "" } else { "s" };
    let (booted, now) = (milliseconds(booted), milliseconds(rt::time::now()));
    Ok(format!(
        "Ochre {system}: {machine}, {cpus} CPU{plural}, {memory} of memory. \
         Booted in {booted} ms, and here after {now} ms.\n"
    )
    .into_bytes())
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

/// How often this server has taken something from its heap.
pub fn heap(_: &Subject) -> Result<Vec<u8>> {
    Ok(format!("{:20}\n", rt::heap::times()).into_bytes())
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
