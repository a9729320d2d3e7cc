//! The first process: an ELF file from the initial RAM disk. It gets everything there is to hand out,
//! and everyone else gets it from there.

use crate::abi::{MAP_EXECUTE, MAP_WRITE, PAGE, THREAD_FPU, THREAD_START, USER_END};
use crate::arch;
use crate::boot::{PhysRange, elf, initrd};
use crate::kernel::Kernel;
use crate::life::NewThread;
use crate::mm::{self, Id};
use crate::object::{Named, Process};
use crate::units::{CpuId, PAGE_SIZE};
use arrayvec::ArrayVec;
use core::ops::Range;

/// Pages of its stack; below them nothing is mapped.
const STACK_PAGES: u64 = 16;
/// Where the stack ends.
const STACK_TOP: u64 = USER_END - (1 << 20) + 0x1000;
/// Quota that stays with the kernel, for what the process itself costs.
const KEPT: u64 = 1 << 20;
/// Its priority, in the middle.
const PRIORITY: u64 = 32;

impl Kernel {
    /// Starts the first process, or says why there is none.
    pub fn start_first(&mut self, cpu: CpuId) -> Result<(), &'static str> {
        let Program { entry, parts, archive } = self.first_program()?;
        let length = archive.end.0 - archive.start.0;
        let no_memory = |_| "there is not enough memory for it";
        let quota = self.ram.frames.stats().free as u64 * PAGE_SIZE;
        let root = self.vm.account_root(&mut self.ram, quota).map_err(no_memory)?;
        let quota = quota.saturating_sub(KEPT);
        let process = self.create_process(root, quota, 63).map_err(no_memory)?;
        let stack = Part {
            address: STACK_TOP - STACK_PAGES * PAGE,
            pages: STACK_PAGES,
            data: 0..0,
            access: MAP_WRITE,
        };
        for part in parts.into_iter().chain([stack]) {
            self.load(process, part, &archive).map_err(no_memory)?;
        }
        let account = self.processes[process].account;
        let pages = archive.end.0.div_ceil(PAGE) - archive.start.0 / PAGE;
        let window = self.vm.memory_window(&mut self.ram, account, archive.start, pages, false);
        let window = window.map_err(no_memory)?;
        let mut give = |named| self.install(process, named, u8::MAX, 0).map_err(no_memory);
        let handles =
            [give(Named::Process(process))?, give(Named::Machine)?, give(Named::Memory(window))?];
        let flags = THREAD_FPU | PRIORITY;
        let new = NewThread { entry, stack: STACK_TOP, argument: 0, tag: 0, flags };
        let thread = self.create_thread(cpu, process, new).map_err(no_memory)?;
        let args = self.threads[thread].context.frame.args_mut();
        args[..3].copy_from_slice(&handles);
        args[3] = length;
        debug_assert_eq!(flags & THREAD_START, 0);
        self.resume_thread(cpu, thread);
        Ok(())
    }

    /// What there is to load.
    fn first_program(&self) -> Result<Program, &'static str> {
        let range = self.info.initrd.clone().ok_or("there is no initrd; INITRD= names one")?;
        let archive = mm::reserved_bytes(&self.ram.memory, &self.info, &range);
        let file = initrd::find(archive, &self.options.init)
            .ok_or("the initrd has no such file; `init=` names it")?;
        let user = PAGE..STACK_TOP - (STACK_PAGES + 1) * PAGE;
        let program = elf::read(file, arch::ELF_MACHINE, user).map_err(|why| {
            crate::warn!("init: {why}");
            "`init` is no program for this machine"
        })?;
        let entry = program.entry;
        let parts = program
            .segments
            .iter()
            .map(|segment| {
                let start = segment.data.as_ptr() as usize - archive.as_ptr() as usize;
                let write = if segment.write { MAP_WRITE } else { 0 };
                let execute = if segment.execute { MAP_EXECUTE } else { 0 };
                Part {
                    address: segment.address,
                    pages: segment.size.div_ceil(PAGE),
                    data: start..start + segment.data.len(),
                    access: write | execute,
                }
            })
            .collect();
        Ok(Program { entry, parts, archive: range })
    }

    /// Maps fresh memory with a part of the archive in it.
    fn load(
        &mut self,
        process: Id<Process>,
        part: Part,
        archive: &PhysRange,
    ) -> Result<(), crate::abi::Error> {
        let Process { space, account, .. } = self.processes[process];
        let Part { address, pages, data, access } = part;
        let memory = self.vm.memory_create(&mut self.ram, account, pages)?;
        let mut piece = [0; 1024];
        for at in data.clone().step_by(piece.len()) {
            let bytes = mm::reserved_bytes(&self.ram.memory, &self.info, archive);
            let bytes = &bytes[at..data.end.min(at + piece.len())];
            let piece = &mut piece[..bytes.len()];
            piece.copy_from_slice(bytes);
            self.vm.memory_fill(&mut self.ram, memory, (at - data.start) as u64, piece)?;
        }
        self.vm.map(&mut self.ram, space, memory, address, 0, pages, access, access)
    }
}

/// The first process's program.
struct Program {
    entry: u64,
    parts: ArrayVec<Part, { elf::MAX_SEGMENTS }>,
    archive: PhysRange,
}

/// A part of a program: where it goes, and where in the archive its bytes are.
struct Part {
    address: u64,
    pages: u64,
    data: Range<usize>,
    access: u64,
}
