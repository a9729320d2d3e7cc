//! Other processes: from an ELF file to a thread that runs.

use crate::abi::{
    Error, Handle, MAP_WRITE, MachineRights, MemoryRights, PAGE, ProcessRights, USER_END,
};
use crate::arch::{ARGUMENTS, ELF_MACHINE};
use crate::elf::{self, Segment};
use crate::object::{Halted, Machine, Memory, Object, Port, Process, State, Thread};
use crate::space::STACK_TOP;
use crate::thread::PRIORITY;

/// Pages of the first thread's stack; below it nothing is mapped.
const STACK_PAGES: u64 = 16;

/// A process with a program in it, and the thread that will run it, or does.
#[derive(Debug)]
pub struct Child {
    /// The process.
    pub process: Process,
    /// Its first thread.
    pub thread: Thread,
    arguments: [u64; 8],
}

/// Starts the program of an ELF file that needs nothing but a quota and its own process.
pub fn spawn_elf(file: &[u8], quota: u64, limit: u8) -> Result<Child, Error> {
    let child = Child::load(file, quota, limit)?;
    child.start()?;
    Ok(child)
}

impl Child {
    /// Loads a program, which does not run yet. It is given a handle to its own process, and may
    /// have threads of at most this priority.
    pub fn load(file: &[u8], quota: u64, limit: u8) -> Result<Child, Error> {
        let program = elf::read(file, ELF_MACHINE, PAGE..USER_END).map_err(|_| Error::Invalid)?;
        let process = Process::create(quota, limit)?;
        for segment in &program.segments {
            load(&process, segment, file)?;
        }
        let stack = Memory::create(STACK_PAGES)?;
        process.map(&stack, STACK_TOP - STACK_PAGES * PAGE, 0, STACK_PAGES, MAP_WRITE)?;
        let flags = PRIORITY.min(limit).into();
        let thread = Thread::create(&process, program.entry, STACK_TOP, 0, 0, flags)?;
        let mut child = Child { process, thread, arguments: [0; 8] };
        child.arguments[0] = child.give(child.process.duplicate(ProcessRights::all())?)?;
        Ok(child)
    }

    /// Puts a handle into the process; the number that it has there.
    pub fn give(&self, object: impl Object) -> Result<Handle, Error> {
        self.process.give(object)
    }

    /// Lets the program use the machine.
    pub fn with_machine(
        mut self,
        machine: &Machine,
        rights: MachineRights,
    ) -> Result<Child, Error> {
        self.arguments[1] = self.give(machine.duplicate(rights | MachineRights::TRANSFER)?)?;
        Ok(self)
    }

    /// Lets the program read the initrd.
    pub fn with_initrd(mut self, (memory, length): &(Memory, u64)) -> Result<Child, Error> {
        let rights = MemoryRights::all() & !MemoryRights::WRITE & !MemoryRights::RESIZE;
        self.arguments[2] = self.give(memory.duplicate(rights)?)?;
        self.arguments[3] = *length;
        Ok(self)
    }

    /// Lets the program read firmware's device tree.
    pub fn with_firmware(mut self, (memory, offset): &(Memory, u64)) -> Result<Child, Error> {
        self.arguments[6] = self.give(memory.duplicate(MemoryRights::all())?)?;
        self.arguments[7] = *offset;
        Ok(self)
    }

    /// Gives the program two words.
    pub fn with_words(mut self, words: [u64; 2]) -> Child {
        self.arguments[4..6].copy_from_slice(&words);
        self
    }

    /// Lets the program run.
    pub fn start(&self) -> Result<(), Error> {
        let mut registers = Halted::Suspended(&self.thread).general()?;
        for (place, argument) in ARGUMENTS.into_iter().zip(self.arguments) {
            registers[place] = argument;
        }
        Halted::Suspended(&self.thread).write(&registers)?;
        self.thread.resume()
    }

    /// Lets the program run, and waits for its end; its exit code.
    pub fn run(&self, deadline: u64) -> Result<u64, Error> {
        self.start()?;
        self.wait(deadline)
    }

    /// Waits for the end of the process; its exit code.
    pub fn wait(&self, deadline: u64) -> Result<u64, Error> {
        let port = Port::create(0)?;
        self.process.watch(&port, 1)?;
        while self.process.info()?.state != State::Ended {
            port.receive(deadline)?;
        }
        Ok(self.process.info()?.code)
    }
}

/// Maps a segment, with its own copy of what the file has of it.
fn load(process: &Process, segment: &Segment, file: &[u8]) -> Result<(), Error> {
    let pages = segment.size.div_ceil(PAGE);
    let memory = Memory::create(pages)?;
    let data = segment.data.start as usize..segment.data.end as usize;
    match file.get(data).unwrap_or_default() {
        [] => {}
        data => memory.write(0, data)?,
    }
    process.map(&memory, segment.address, 0, pages, segment.access)
}
