//! Files about how a process is.

use super::Subject;
use super::machine::TICKS;
use crate::errno::Result;
use crate::process::{Process, State, Task};
use crate::time::SECOND;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use rt::abi::PAGE;

/// How a thread is: a letter, and a word.
fn state(process: &Process, task: Option<&Rc<Task>>) -> (char, &'static str) {
    match process.state.get() {
        State::Ended(_) => ('Z', "zombie"),
        State::Stopped(_) => ('T', "stopped"),
        _ if task.is_none_or(|task| task.waiting.borrow().is_some()) => ('S', "sleeping"),
        _ => ('R', "running"),
    }
}

/// Bytes that are mapped, and those of them that are data, the stack, the program.
fn sizes(process: &Process) -> [u64; 4] {
    let space = process.space.borrow();
    let mut sizes = [0; 4];
    for (start, area) in &space.areas {
        let length = area.end - start;
        sizes[0] += length;
        match area.label {
            "[stack]" => sizes[2] += length,
            _ if area.file.is_some() => sizes[3] += length,
            _ => sizes[1] += length,
        }
    }
    sizes
}

/// Bytes of memory that are really there.
fn resident(process: &Process) -> u64 {
    let space = process.space.borrow();
    let parts = space.areas.iter().filter(|(_, area)| area.hidden.is_none());
    parts.map(|(&start, area)| resident_part(process, start, area.end).unwrap_or(0)).sum()
}

/// Those of a part: what the kernel has made of its memory, or where that is shown in pieces, or lies
/// somewhere in the initrd, what has been touched of it.
fn resident_part(process: &Process, start: u64, end: u64) -> Result<u64> {
    /// Bytes that one table of the kernel maps.
    const TABLE: u64 = 512 * PAGE;
    let (memory, page, _) = process.native.memory_of(start)?;
    let info = memory.info()?;
    if (info.physical, page) == (0, 0) {
        return Ok((info.resident * PAGE).min(end - start));
    }
    let (mut at, mut bytes) = (start, 0);
    while at < end {
        let [_, _, table, entry] = rt::machine().translation(&process.native, at)?;
        at = if table == 0 { (at | (TABLE - 1)) + 1 } else { at + PAGE };
        bytes += if entry == 0 { 0 } else { PAGE };
    }
    Ok(bytes)
}

fn parent(process: &Process) -> u32 {
    process.parent.borrow().upgrade().map_or(0, |parent| parent.pid)
}

fn name(process: &Process) -> String {
    String::from_utf8_lossy(&process.program.borrow().name).into_owned()
}

pub fn statm(subject: &Subject) -> Result<Vec<u8>> {
    let process = subject.process()?;
    let [size, data, stack, program] = sizes(&process).map(|bytes| bytes / PAGE);
    let resident = resident(&process) / PAGE;
    Ok(format!("{size} {resident} 0 {program} 0 {} 0\n", data + stack).into_bytes())
}

pub fn stat(subject: &Subject) -> Result<Vec<u8>> {
    let (process, task) = (subject.process()?, subject.task());
    let ticks = |nanoseconds: u64| nanoseconds / (SECOND / TICKS);
    let [own, children] = process.times.get();
    let ran = match &task {
        Some(task) if subject.tid != subject.pid => task.thread.info().map_or(0, |info| info.ran),
        _ if process.is_alive() => own + process.ran(),
        _ => own,
    };
    let (letter, _) = state(&process, task.as_ref());
    let (blocked, signals) = (task.map_or(0, |task| task.signals.blocked.get()), &process.signals);
    let status = if let State::Ended(status) = process.state.get() { status } else { 0 };
    // In the order of proc_pid_stat(5): the number is that of the first field of the line.
    let mut fields = [0i64; 53];
    fields[4] = parent(&process).into();
    fields[5] = process.group.get().into();
    fields[6] = process.session.get().into();
    fields[8] = -1;
    fields[14] = ticks(ran) as i64;
    fields[16] = ticks(children) as i64;
    fields[18] = 20;
    fields[20] = process.tasks.borrow().len() as i64;
    fields[22] = ticks(process.started) as i64;
    fields[23] = sizes(&process)[0] as i64;
    fields[24] = (resident(&process) / PAGE) as i64;
    fields[25] = -1;
    fields[31] = signals.queue.set() as i64;
    fields[32] = blocked as i64;
    fields[38] = process.exit_signal.get().into();
    fields[52] = status.into();
    let mut text = format!("{} ({}) {letter}", subject.tid, name(&process));
    fields[4..].iter().for_each(|field| text += &format!(" {field}"));
    text.push('\n');
    Ok(text.into_bytes())
}

pub fn status(subject: &Subject) -> Result<Vec<u8>> {
    let (process, task) = (subject.process()?, subject.task());
    let (letter, word) = state(&process, task.as_ref());
    let ids = process.ids.borrow();
    let four = |[real, effective, saved]: [u32; 3], of_files| {
        format!("{real}\t{effective}\t{saved}\t{of_files}")
    };
    let groups: Vec<String> = ids.more.iter().map(|group| format!("{group} ")).collect();
    let [size, data, stack, program] = sizes(&process).map(|bytes| bytes / 1024);
    let (pending, blocked) =
        task.map_or((0, 0), |task| (task.signals.queue.set(), task.signals.blocked.get()));
    let capable = if ids.is_root() { 0x1ff_ffff_ffffu64 } else { 0 };
    let lines = [
        ("Name", name(&process)),
        ("Umask", format!("{:04o}", process.umask.get())),
        ("State", format!("{letter} ({word})")),
        ("Tgid", format!("{}", process.pid)),
        ("Ngid", "0".into()),
        ("Pid", format!("{}", subject.tid)),
        ("PPid", format!("{}", parent(&process))),
        ("TracerPid", "0".into()),
        ("Uid", four(ids.users, ids.fsuid)),
        ("Gid", four(ids.groups, ids.fsgid)),
        ("FDSize", format!("{}", process.files.length().next_power_of_two().max(64))),
        ("Groups", groups.concat()),
        ("VmPeak", format!("{size:8} kB")),
        ("VmSize", format!("{size:8} kB")),
        ("VmRSS", format!("{:8} kB", resident(&process) / 1024)),
        ("VmData", format!("{data:8} kB")),
        ("VmStk", format!("{stack:8} kB")),
        ("VmExe", format!("{program:8} kB")),
        ("Threads", format!("{}", process.tasks.borrow().len())),
        ("SigPnd", format!("{pending:016x}")),
        ("ShdPnd", format!("{:016x}", process.signals.queue.set())),
        ("SigBlk", format!("{blocked:016x}")),
        ("CapInh", format!("{:016x}", 0)),
        ("CapPrm", format!("{capable:016x}")),
        ("CapEff", format!("{capable:016x}")),
    ];
    Ok(lines.map(|(name, value)| format!("{name}:\t{value}\n")).concat().into_bytes())
}
