//! The first process: an ELF file from the initial RAM disk. It gets everything there is to hand out,
//! and everyone else gets it from there.

use crate::abi::{Error, MAP_EXECUTE, MAP_WRITE, PAGE, THREAD_FPU, USER_END};
use crate::arch;
use crate::boot::{PhysRange, elf, initrd};
use crate::kernel::Kernel;
use crate::life::NewThread;
use crate::mm::{self, Place};
use crate::object::{Named, Process};
use crate::units::{CpuId, PAGE_SIZE};
use arrayvec::ArrayVec;

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
        let (entry, parts) = self.first_program(&archive)?;
        let started = self.start_program(cpu, archive, entry, parts);
        started.map_err(|_| "there is not enough memory for it")
    }

    /// Where the program begins, and what there is to load.
    fn first_program(&self, archive: &PhysRange) -> Result<(u64, Parts), &'static str> {
        let archive = mm::reserved_bytes(&self.ram.memory, &self.info, archive);
        let file = initrd::find(archive, &self.options.init)
            .ok_or("the initrd has no such file; `init=` names it")?;
        let user = PAGE..STACK_TOP - (STACK_PAGES + 1) * PAGE;
        let program = elf::read(file, arch::ELF_MACHINE, user).map_err(|why| {
            crate::warn!("init: {why}");
            "`init` is no program for this machine"
        })?;
        let part = |segment: &elf::Segment| {
            let write = if segment.write { MAP_WRITE } else { 0 };
            let execute = if segment.execute { MAP_EXECUTE } else { 0 };
            Part {
                address: segment.address,
                pages: segment.size.div_ceil(PAGE),
                from: (segment.data.as_ptr().addr() - archive.as_ptr().addr()) as u64,
                bytes: segment.data.len() as u64,
                access: write | execute,
            }
        };
        Ok((program.entry, program.segments.iter().map(part).collect()))
    }

    fn start_program(
        &mut self,
        cpu: CpuId,
        archive: PhysRange,
        entry: u64,
        parts: Parts,
    ) -> Result<(), Error> {
        let quota = self.ram.frames.stats().free as u64 * PAGE_SIZE;
        let root = self.vm.account_root(&mut self.ram, quota)?;
        let process = self.create_process(root, quota.saturating_sub(KEPT), 63)?;
        let Process { space, account, .. } = self.processes[process];
        let pages = archive.end.0.div_ceil(PAGE) - archive.start.0 / PAGE;
        let window = self.vm.memory_window(&mut self.ram, account, archive.start, pages, false)?;
        let address = STACK_TOP - STACK_PAGES * PAGE;
        let stack = Part { address, pages: STACK_PAGES, from: 0, bytes: 0, access: MAP_WRITE };
        for Part { address, pages, from, bytes, access } in parts.into_iter().chain([stack]) {
            let memory = self.vm.memory_create(&mut self.ram, account, pages)?;
            let mut done = 0;
            while done < bytes {
                let (from, to) = (Place::Memory(window, from + done), Place::Memory(memory, done));
                done += self.vm.copy(&mut self.ram, from, to, bytes - done)?;
            }
            self.vm.map(&mut self.ram, space, memory, address, 0, pages, access, access)?;
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
        self.resume_thread(cpu, thread);
        Ok(())
    }
}

/// What a program consists of.
type Parts = ArrayVec<Part, { elf::MAX_SEGMENTS }>;

/// A part of a program: where it goes, and where in the archive its bytes are.
struct Part {
    address: u64,
    pages: u64,
    from: u64,
    bytes: u64,
    access: u64,
}
