//! The first process: an ELF file from the initial RAM disk. It gets everything there is to hand out,
//! and everyone else gets it from there.

use crate::abi::{MAP_WRITE, MemoryRights, PAGE, THREAD_FPU, USER_END};
use crate::arch;
use crate::boot::elf::{self, Program, Segment};
use crate::boot::{PhysRange, initrd};
use crate::kernel::Kernel;
use crate::life::NewThread;
use crate::mm::{self, Id, Place};
use crate::object::{Named, Process};
use crate::units::{CpuId, PAGE_SIZE, PhysAddr, Result};

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
        let archive = self.info.initrd.clone().ok_or("there is no initrd; INITRD= names one")?;
        let (program, file) = self.first_program(&archive)?;
        let started = self.start_program(cpu, archive, program, file);
        started.map_err(|_| "there is not enough memory for it")
    }

    /// The program, and where in the archive its file begins.
    fn first_program(&self, archive: &PhysRange) -> Result<(Program, u64), &'static str> {
        let archive = mm::reserved_bytes(&self.vm.ram.memory, &self.info, archive);
        let file = initrd::find(archive, &self.options.init)
            .ok_or("the initrd has no such file; `init=` names it")?;
        let user = PAGE..STACK_TOP - (STACK_PAGES + 1) * PAGE;
        let program = elf::read(file, arch::ELF_MACHINE, user).map_err(|why| {
            crate::warn!("init: {why}");
            "`init` is no program for this machine"
        })?;
        Ok((program, (file.as_ptr().addr() - archive.as_ptr().addr()) as u64))
    }

    fn start_program(
        &mut self,
        cpu: CpuId,
        archive: PhysRange,
        Program { entry, segments }: Program,
        file: u64,
    ) -> Result {
        let quota = self.vm.ram.frames.stats().free as u64 * PAGE_SIZE;
        let root = self.vm.account_root(quota)?;
        let process = self.create_process(root, quota.saturating_sub(KEPT), 63)?;
        let Process { space, account, .. } = self.processes[process];
        let pages = archive.end.0.div_ceil(PAGE) - archive.start.0 / PAGE;
        let window = self.vm.memory_window(account, archive.start, pages, false)?;
        let (address, size) = (STACK_TOP - STACK_PAGES * PAGE, STACK_PAGES * PAGE);
        let stack = Segment { address, size, data: 0..0, access: MAP_WRITE };
        for Segment { address, size, mut data, access } in segments.into_iter().chain([stack]) {
            let pages = size.div_ceil(PAGE);
            let memory = self.vm.memory_create(account, pages)?;
            let mut to = 0;
            while !data.is_empty() {
                let place = Place::Memory(window, file + data.start);
                let bytes = data.end - data.start;
                let done = self.vm.copy(place, Place::Memory(memory, to), bytes)?;
                (data.start, to) = (data.start + done, to + done);
            }
            self.vm.map(space, memory, address, 0, pages, access, access)?;
            self.vm.release(memory);
        }
        let flags = THREAD_FPU | PRIORITY;
        let new = NewThread { entry, stack: STACK_TOP, argument: 0, tag: 0, flags };
        let thread = self.create_thread(cpu, process, new)?;
        let all = [Named::Process(process), Named::Machine, Named::Memory(window)];
        for (at, named) in all.into_iter().enumerate() {
            let handle = self.install(process, named, u8::MAX, 0)?;
            self.threads[thread].context.frame.args_mut()[at] = handle;
        }
        self.vm.release(window);
        self.threads[thread].context.frame.args_mut()[3] = archive.end.0 - archive.start.0;
        let tree = self.tree_for(process)?;
        self.threads[thread].context.frame.args_mut()[6..].copy_from_slice(&tree);
        self.resume_thread(cpu, thread);
        Ok(())
    }

    /// A handle to read the device tree with, and where in its memory that begins.
    fn tree_for(&mut self, process: Id<Process>) -> Result<[u64; 2]> {
        let Some(tree) = self.info.tree.clone() else { return Ok([0; 2]) };
        let (at, account) = (tree.start.0 % PAGE, self.processes[process].account);
        let pages = (tree.end.0 - tree.start.0 + at).div_ceil(PAGE);
        let start = PhysAddr(tree.start.0 - at);
        let window = self.vm.memory_window(account, start, pages, false)?;
        let rights = MemoryRights::READ | MemoryRights::DUPLICATE | MemoryRights::TRANSFER;
        let handle = self.install(process, Named::Memory(window), rights.bits(), 0)?;
        self.vm.release(window);
        Ok([handle, at])
    }
}
