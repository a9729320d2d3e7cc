//! `execve`: another program in the same process.

use super::elf::{self, Elf, Segment};
use super::memory::{self, Area, STACK, STACK_TOP, Space};
use super::quota::heap_has;
use super::strings::Strings;
use super::{Process, Program, Task};
use crate::errno::{Errno, Result};
use crate::file::Open;
use crate::file::regular::RegularFile;
use crate::fs::Inode;
use crate::server::Call;
use crate::user::{Buffer, PATH_MAX, Transfer};
use crate::wait::Outcome;
use alloc::rc::Rc;
use alloc::vec::Vec;
use linux_raw_sys::general::{
    AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_RDONLY, PROT_EXEC, PROT_READ, PROT_WRITE,
    SIGCHLD,
};
use rt::abi::{PAGE, REGISTERS, USER_END};
use rt::arch::{PROGRAM_COUNTER, STACK_POINTER};

/// Bytes of arguments and environment together, with their pointers.
const ARGUMENTS_MAX: usize = 2 << 20;
/// Bytes from the beginning of a file by which one knows what it is: a script's first line is no longer.
const HEAD: usize = 256;
/// Scripts that are interpreted by scripts.
const DEPTH: usize = 5;

/// What is to be run.
pub struct Image {
    file: Rc<Inode>,
    path: Vec<u8>,
    elf: Elf,
    /// The arguments, which a script has changed.
    arguments: Strings,
    environment: Strings,
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
        let file = call.inode_of(at, &name, flags)?;
        let mut room = ARGUMENTS_MAX;
        let arguments = Strings::read(process, arguments, &mut room)?;
        let environment = Strings::read(process, environment, &mut room)?;
        Image::open(call, file, name.to_vec(), arguments, environment)
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

impl Image {
    /// Finds the program of a file, which is one or a script that names one.
    pub fn open(
        call: &Call,
        mut file: Rc<Inode>,
        mut path: Vec<u8>,
        mut arguments: Strings,
        environment: Strings,
    ) -> Result<Image> {
        // They are copied once more on their way to the stack.
        heap_has(arguments.bytes_with_pointers() + environment.bytes_with_pointers())?;
        for _ in 0..DEPTH {
            file.permit(&call.process().ids.borrow(), 1)?;
            let regular = file.regular().map_err(|_| Errno::EACCES)?;
            call.server.mounts.usable(&file)?;
            let length = regular.size();
            if file.writers.get() > 0 {
                return Err(Errno::ETXTBSY);
            }
            let mut head = [0; HEAD];
            let filled = read_at(&file, 0, &mut head)?;
            if !head.starts_with(b"#!") {
                let table = |at, bytes: &mut [u8]| Ok(read_at(&file, at, bytes)? == bytes.len());
                let elf = elf::read(&head[..filled], length, table)?;
                regular.prepare()?;
                return Ok(Image { file, path, elf, arguments, environment });
            }
            let (interpreter, argument) = script(&head[2..filled])?;
            let before = [Some(&*interpreter), argument.as_deref(), Some(&*path)];
            arguments = before.into_iter().flatten().chain(arguments.iter().skip(1)).collect();
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
        let file = &self.file;
        let open = Open::new(Rc::new(RegularFile(file.clone())), file.clone(), O_RDONLY);
        for segment in &self.elf.segments {
            load(process, &mut space, &open, segment)?;
        }
        let end = self.elf.segments.last().map_or(0, |last| last.pages().end);
        space.heap = (end, end);
        let stack = memory::create(process, STACK / PAGE)?;
        let area = Area::anonymous(STACK_TOP, PROT_READ | PROT_WRITE, "[stack]");
        space.map(process, STACK_TOP - STACK, area, &Rc::new(stack), 0, u64::MAX)?;
        drop(space);
        let (top, program) = self.fill_stack(process)?;
        process.program.replace(Rc::new(program));
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
        let mut registers = [0; REGISTERS];
        registers[PROGRAM_COUNTER] = self.elf.entry;
        registers[STACK_POINTER] = top;
        task.set_start(&registers)
    }

    /// Writes what a program finds on its stack. From the top down that is its path, its environment, its
    /// arguments, a random number, and the words that say where they are.
    fn fill_stack(&self, process: &Process) -> Result<(u64, Program)> {
        const ENTRIES: [u64; 17] = [3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 16, 17, 23, 25, 26, 31];
        let Image { arguments, environment, path, elf, .. } = self;
        let name_at = STACK_TOP - 16 - (path.len() as u64 + 1);
        let environment_at = name_at - environment.bytes.len() as u64;
        let arguments_at = environment_at - arguments.bytes.len() as u64;
        let random_at = arguments_at - 16;
        let count = 1 + arguments.count + 1 + environment.count + 1 + 2 * (ENTRIES.len() + 1);
        let top = (random_at - count as u64 * 8) & !15;
        let mut all = Vec::with_capacity((STACK_TOP - top) as usize);
        let mut word = |word: u64| all.extend_from_slice(&word.to_ne_bytes());
        word(arguments.count as u64);
        for (list, mut at) in [(arguments, arguments_at), (environment, environment_at)] {
            for string in list.iter() {
                word(at);
                at += string.len() as u64 + 1;
            }
            word(0);
        }
        let ids = process.ids.borrow();
        for entry in ENTRIES {
            let value = match entry {
                3 => elf.headers.0,
                4 => 56,
                5 => elf.headers.1,
                6 => PAGE,
                9 => elf.entry,
                11 => ids.users[0].into(),
                12 => ids.users[1].into(),
                13 => ids.groups[0].into(),
                14 => ids.groups[1].into(),
                16 => HARDWARE,
                17 => 100,
                25 => random_at,
                31 => name_at,
                _ => 0,
            };
            word(entry);
            word(value);
        }
        word(0);
        word(0);
        let end = top + all.len() as u64;
        all.resize((random_at - top) as usize, 0);
        all.extend_from_slice(&process.server.random.bytes::<16>());
        all.extend_from_slice(&arguments.bytes);
        all.extend_from_slice(&environment.bytes);
        all.extend_from_slice(path);
        all.push(0);
        process.put(top, &*all)?;
        let short = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        self.file.ran.set(true);
        let program = Program {
            file: Some(self.file.clone()),
            path: path.clone(),
            name: short[..short.len().min(15)].to_vec(),
            arguments: (arguments_at, environment_at),
            environment: (environment_at, name_at),
            auxiliary: (end - (ENTRIES.len() as u64 + 1) * 16, end),
        };
        Ok((top, program))
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

/// Reads bytes of a file, as many as there are.
fn read_at(file: &Inode, at: u64, bytes: &mut [u8]) -> Result<usize> {
    let mut transfer = Transfer::new(Buffer::Own(bytes));
    file.regular()?.read(at, &mut transfer)?;
    Ok(transfer.done as usize)
}

/// Maps a segment: from the file's own memory what is not written, copied what is.
fn load(process: &Process, space: &mut Space, open: &Rc<Open>, segment: &Segment) -> Result<()> {
    let range = segment.pages();
    if range.is_empty() {
        return Ok(());
    }
    let access = PROT_READ
        | if segment.write { PROT_WRITE } else { 0 }
        | if segment.execute { PROT_EXEC } else { 0 };
    let regular = open.inode.regular()?;
    let offset = segment.offset & !(PAGE - 1);
    let mut area = Area::anonymous(range.end, access, "");
    area.file = Some((open.inode.clone(), open.clone(), offset));
    if !segment.write && segment.filled == segment.size {
        let (memory, first) = regular.memory()?;
        area.borrowed = true;
        return space.map(process, range.start, area, &memory, first + offset / PAGE, u64::MAX);
    }
    let own = Rc::new(memory::create(process, (range.end - range.start) / PAGE)?);
    area.access = PROT_READ | PROT_WRITE;
    space.map(process, range.start, area, &own, 0, u64::MAX)?;
    let pieces = [[segment.address, segment.filled]];
    let mut transfer = Transfer::new(Buffer::User(process, &pieces));
    regular.read(segment.offset, &mut transfer)?;
    if transfer.left > 0 {
        return Err(Errno::EIO);
    }
    if segment.write { Ok(()) } else { space.protect(process, range.start, range.end, access) }
}
