//! `execve`: another program in the same process.

use super::elf::{self, Elf, Segment};
use super::memory::{self, Area, STACK, STACK_TOP};
use super::quota::heap_has;
use super::{Process, Program, Task};
use crate::errno::{Errno, Result};
use crate::file::regular::RegularFile;
use crate::file::{Open, io};
use crate::fs::Inode;
use crate::server::Call;
use crate::user::PATH_MAX;
use crate::wait::Outcome;
use alloc::rc::Rc;
use alloc::vec::Vec;
use linux_raw_sys::general::{
    AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_RDONLY, PROT_EXEC, PROT_READ, PROT_WRITE,
    SIGCHLD,
};
use rt::abi::{PAGE, REGISTERS, USER_END};
use rt::arch::{PROGRAM_COUNTER, STACK_POINTER};

/// Bytes of arguments and environment together.
const ARGUMENTS_MAX: usize = 2 << 20;
/// Bytes of one of them.
const ARGUMENT_MAX: usize = 128 << 10;
/// Bytes of a script's first line.
const LINE: usize = 256;
/// Scripts that are interpreted by scripts.
const DEPTH: usize = 5;

/// What is to be run.
pub struct Image {
    file: Rc<Inode>,
    path: Vec<u8>,
    elf: Elf,
    /// The arguments, which a script has changed.
    arguments: Vec<Vec<u8>>,
    environment: Vec<Vec<u8>>,
}

pub fn execve(call: &Call) -> Outcome {
    let [path, arguments, environment, ..] = call.args;
    run(call, AT_FDCWD as u64, path, arguments, environment, 0)
}

pub fn execveat(call: &Call) -> Outcome {
    let [at, path, arguments, environment, flags, ..] = call.args;
    if flags as u32 & !(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0 {
        return Outcome::Done(Err(Errno::EINVAL));
    }
    run(call, at, path, arguments, environment, flags as u32)
}

fn run(call: &Call, at: u64, path: u64, arguments: u64, environment: u64, flags: u32) -> Outcome {
    let read = || {
        let process = call.process();
        let name = process.path(path)?;
        let file = call.inode_at(at, path, flags)?;
        let arguments = strings(process, arguments)?;
        Image::open(call, file, name, arguments, strings(process, environment)?)
    };
    match read() {
        Ok(image) => {
            super::exit::end_other_tasks(&call.task);
            // Nothing of the old program is left: what fails now ends the process.
            match image.start(&call.task) {
                Ok(()) => Outcome::AsIs,
                Err(_) => super::exit::kill(&call.task.process, linux_raw_sys::general::SIGKILL),
            }
        }
        Err(error) => Outcome::Done(Err(error)),
    }
}

/// A list of strings that ends with a null pointer.
fn strings(process: &Process, list: u64) -> Result<Vec<Vec<u8>>> {
    let (mut strings, mut bytes) = (Vec::new(), 0);
    if list == 0 {
        return Ok(strings);
    }
    loop {
        let at: u64 = process.get(list + strings.len() as u64 * 8)?;
        if at == 0 {
            return Ok(strings);
        }
        let string = process.string(at, ARGUMENT_MAX, Errno::E2BIG)?;
        bytes += string.len() + 9;
        if bytes > ARGUMENTS_MAX {
            return Err(Errno::E2BIG);
        }
        strings.push(string);
    }
}

impl Image {
    /// Finds the program of a file, which is one or a script that names one.
    pub fn open(
        call: &Call,
        mut file: Rc<Inode>,
        mut path: Vec<u8>,
        mut arguments: Vec<Vec<u8>>,
        environment: Vec<Vec<u8>>,
    ) -> Result<Image> {
        // They are copied once more on their way to the stack.
        let all = arguments.iter().chain(&environment).map(|text| text.len() + 17).sum();
        heap_has(all)?;
        for _ in 0..DEPTH {
            file.permit(&call.process().ids.borrow(), 1)?;
            let regular = file.regular().map_err(|_| Errno::EACCES)?;
            let length = regular.size();
            if file.writers.get() > 0 {
                return Err(Errno::ETXTBSY);
            }
            let mut head = alloc::vec![0; elf::HEAD];
            let open = Open::new(Rc::new(RegularFile(file.clone())), file.clone(), O_RDONLY);
            let filled = io::read_own(&*open.file, &open, 0, &mut head)?;
            if !head.starts_with(b"#!") {
                let elf = elf::read(&head[..filled], length)?;
                return Ok(Image { file, path, elf, arguments, environment });
            }
            let (interpreter, argument) = script(&head[2..filled.min(LINE)])?;
            if !arguments.is_empty() {
                arguments.remove(0);
            }
            arguments.insert(0, path);
            arguments.splice(..0, argument);
            arguments.insert(0, interpreter.clone());
            let from = call.process().current.borrow().clone();
            file = call.walk(&from, &interpreter, true)?.inode()?;
            path = interpreter;
        }
        Err(Errno::ELOOP)
    }

    /// Makes a process run it, in the task that is left of it.
    pub fn start(self, task: &Rc<Task>) -> Result<()> {
        let process = &task.process;
        process.paid(|native| native.unmap(0, USER_END / PAGE))?;
        process.shrink_for_exec();
        let mut space = process.space.borrow_mut();
        space.clear();
        for segment in &self.elf.segments {
            load(process, &mut space, &self.file, segment)?;
        }
        let end = self.elf.segments.last().map_or(0, |last| last.pages().end);
        space.heap = (end, end);
        let stack = memory::create(process, STACK / PAGE)?;
        let area = Area::anonymous(STACK_TOP, PROT_READ | PROT_WRITE, "[stack]");
        space.map(process, STACK_TOP - STACK, area, &Rc::new(stack), 0, u64::MAX)?;
        drop(space);
        let (top, program) = self.fill_stack(process)?;
        process.program.replace(program);
        process.files.close_on_exec();
        process.signals.reset_for_exec();
        task.signals.forget_stack();
        process.has_execed.set(true);
        process.changed.wake();
        process.traits.exec();
        process.exit_signal.set(SIGCHLD);
        process.timers.forget(&process.server.timers, false);
        task.name.take();
        task.clear_tid.set(0);
        task.robust.set(0);
        let mut registers = task.registers().unwrap_or([0; REGISTERS]);
        let state = registers[PROGRAM_COUNTER + 1];
        registers.fill(0);
        registers[PROGRAM_COUNTER] = self.elf.entry;
        registers[PROGRAM_COUNTER + 1] = state;
        registers[STACK_POINTER] = top;
        task.set_start(&registers)
    }

    /// Writes what a program finds on its stack: arguments, environment, auxiliary vector.
    fn fill_stack(&self, process: &Process) -> Result<(u64, Program)> {
        const ENTRIES: [u64; 17] = [3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 16, 17, 23, 25, 26, 31];
        let mut at = STACK_TOP - 16;
        let mut push = |bytes: &[u8]| -> Result<u64> {
            at -= bytes.len() as u64;
            process.paid(|native| native.write(at, bytes))?;
            Ok(at)
        };
        let strings = |list: &[Vec<u8>]| {
            let mut all = Vec::with_capacity(list.iter().map(|text| text.len() + 1).sum());
            for string in list {
                all.extend_from_slice(string);
                all.push(0);
            }
            all
        };
        let name = push(&strings(core::slice::from_ref(&self.path)))?;
        let environment = strings(&self.environment);
        let environment_at = push(&environment)?;
        let arguments = strings(&self.arguments);
        let arguments_at = push(&arguments)?;
        let random = [process.server.random.next(), process.server.random.next()];
        let random_at = push(zerocopy::IntoBytes::as_bytes(&random))?;
        let ids = process.ids.borrow();
        let mut words = alloc::vec![self.arguments.len() as u64];
        for (list, mut at) in [(&self.arguments, arguments_at), (&self.environment, environment_at)]
        {
            for string in list {
                words.push(at);
                at += string.len() as u64 + 1;
            }
            words.push(0);
        }
        let (headers, count) = self.elf.headers;
        for entry in ENTRIES {
            let value = match entry {
                3 => headers,
                4 => 56,
                5 => count,
                6 => PAGE,
                9 => self.elf.entry,
                11 => ids.users[0].into(),
                12 => ids.users[1].into(),
                13 => ids.groups[0].into(),
                14 => ids.groups[1].into(),
                16 => HARDWARE,
                17 => 100,
                25 => random_at,
                31 => name,
                _ => 0,
            };
            words.extend([entry, value]);
        }
        words.extend([0, 0]);
        let top = (random_at - words.len() as u64 * 8) & !15;
        process.put(top, words.as_slice())?;
        let end = top + words.len() as u64 * 8;
        let short = self.path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        Ok((
            top,
            Program {
                file: Some(self.file.clone()),
                path: self.path.clone(),
                name: short[..short.len().min(15)].to_vec(),
                arguments: (arguments_at, arguments_at + arguments.len() as u64),
                environment: (environment_at, environment_at + environment.len() as u64),
                auxiliary: (end - (ENTRIES.len() as u64 + 1) * 16, end),
            },
        ))
    }
}

/// `AT_HWCAP`: floating point and SIMD.
#[cfg(target_arch = "aarch64")]
const HARDWARE: u64 = 3;
/// `AT_HWCAP`: what CPUID says in EDX of every x86-64 processor.
#[cfg(target_arch = "x86_64")]
const HARDWARE: u64 = 0x078b_fbff;

/// The interpreter that a script's first line names, and its argument.
fn script(line: &[u8]) -> Result<(Vec<u8>, Option<Vec<u8>>)> {
    let end = line.iter().position(|&byte| byte == b'\n').unwrap_or(line.len());
    let line = line[..end].trim_ascii();
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let (name, rest) = line.split_at(line.iter().position(blank).unwrap_or(line.len()));
    if name.is_empty() || name.len() >= PATH_MAX {
        return Err(Errno::ENOEXEC);
    }
    let rest = rest.trim_ascii();
    Ok((name.to_vec(), (!rest.is_empty()).then(|| rest.to_vec())))
}

/// Maps a segment: from the file's own memory what is not written, copied what is.
fn load(
    process: &Process,
    space: &mut super::memory::Space,
    file: &Rc<Inode>,
    segment: &Segment,
) -> Result<()> {
    let range = segment.pages();
    if range.is_empty() {
        return Ok(());
    }
    let access = PROT_READ
        | if segment.write { PROT_WRITE } else { 0 }
        | if segment.execute { PROT_EXEC } else { 0 };
    let open = Open::new(Rc::new(RegularFile(file.clone())), file.clone(), O_RDONLY);
    let (memory, first) = file.regular()?.memory()?;
    let offset = segment.offset & !(PAGE - 1);
    let mut area = Area::anonymous(range.end, access, "");
    area.file = Some((file.clone(), open, offset));
    if !segment.write && segment.filled == segment.size {
        area.borrowed = true;
        return space.map(process, range.start, area, &memory, first + offset / PAGE, u64::MAX);
    }
    let own = Rc::new(memory::create(process, (range.end - range.start) / PAGE)?);
    let mut buffer = alloc::vec![0; 16 << 10];
    let (mut at, end) = (segment.offset, segment.offset + segment.filled);
    let source = RegularFile(file.clone());
    let open = Open::new(Rc::new(RegularFile(file.clone())), file.clone(), O_RDONLY);
    while at < end {
        let piece = (end - at).min(buffer.len() as u64) as usize;
        let count = io::read_own(&source, &open, at, &mut buffer[..piece])?;
        if count == 0 {
            return Err(Errno::EIO);
        }
        let to = segment.address - range.start + (at - segment.offset);
        process.paid(|_| own.write(to, &buffer[..count]))?;
        at += count as u64;
    }
    space.map(process, range.start, area, &own, 0, u64::MAX)
}
