//! Random programs on the whole kernel, and what always holds of it checked on the way.
//!
//! `SEED=n` runs one seed and nothing else. `OCHRE_FUZZ=calls` says how many native calls all runs make
//! together; `make fuzz` does.

use crate::sim::{RAM_SIZE, Sim};
use crate::support::RAM;
use crate::{sim_calls, sim_check};
use ochre::abi::{Call, Error, FaultKind, MachineRights, Row, THREAD_FPU};
use ochre::arch::{interrupts, tlb, user};
use ochre::mm::Id;
use ochre::object::{Handler, Named, Notice, Port, Process, State, Thread};
use ochre::units::{Access, Cause, CpuId, Exception, Fault, FaultReason, VirtAddr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Native calls of one run.
const CALLS: u64 = if cfg!(miri) { 50 } else { 20_000 };
/// Steps between two looks at everything.
const PAUSE: u64 = if cfg!(miri) { 1000 } else { 128 };
/// Threads below which new programs are started.
const POPULATION: usize = 12;
/// Processes from which on none are started.
const CROWD: usize = 24;

/// How a run goes.
#[derive(Clone, Copy)]
struct Plan {
    /// Native calls until everything is ended.
    calls: u64,
    /// Steps between two looks at everything.
    pause: u64,
}

#[test]
fn sim_fuzz() {
    let number = |name| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    if let Some(seed) = number("SEED") {
        return run(seed, Plan { calls: CALLS, pause: number("PAUSE").unwrap_or(1) });
    }
    let default = if cfg!(miri) { CALLS } else { 200_000 };
    let (total, first) = (number("OCHRE_FUZZ").unwrap_or(default), number("FIRST").unwrap_or(1));
    let seeds = AtomicU64::new(first);
    let start = std::time::Instant::now();
    let work = || {
        loop {
            let seed = seeds.fetch_add(1, Relaxed);
            if (seed - first).saturating_mul(CALLS) >= total {
                return;
            }
            let stop = StopOthers(&seeds);
            run(seed, Plan { calls: CALLS, pause: PAUSE });
            std::mem::forget(stop);
        }
    };
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..if cfg!(miri) { 1 } else { cpus } {
            scope.spawn(work);
        }
    });
    let (calls, seconds) = (total.next_multiple_of(CALLS), start.elapsed().as_secs_f64());
    println!("{calls} calls in {seconds:.1} s: {:.0} calls/s", calls as f64 / seconds);
}

/// The first run that fails is the last.
struct StopOthers<'a>(&'a AtomicU64);

impl Drop for StopOthers<'_> {
    fn drop(&mut self) {
        self.0.store(u64::MAX / CALLS, Relaxed);
    }
}

/// Small runs in which nothing is left unchecked.
#[test]
fn sim_every_step_is_sound() {
    let (seeds, calls) = if cfg!(miri) { (1, 3) } else { (24, 500) };
    (0..seeds).for_each(|seed| run(1_000_000 + seed, Plan { calls, pause: 1 }));
}

fn run(seed: u64, plan: Plan) {
    let menu = if seed.is_multiple_of(3) { sim_calls::short_menu() } else { sim_calls::menu() };
    let cpus = 1 + (seed % 4) as usize;
    let mut sim = if seed % 7 == 3 { Sim::poor(seed, cpus) } else { Sim::new(seed, cpus) };
    sim.fast = !seed.is_multiple_of(5);
    let mut steps = 0;
    while sim.calls < plan.calls {
        step(&mut sim, &menu);
        steps += 1;
        if steps % plan.pause == 0 {
            sim_check::check(&mut sim);
        }
    }
    if std::env::var_os("TALLY").is_some() {
        sim.tell_tally();
    }
    sim.finish();
}

/// Something happens.
fn step(sim: &mut Sim, menu: &[&'static Row]) {
    let by = if sim.rng.often(20) { 2_000_000 } else { 5_000 };
    let by = sim.rng.below(by);
    sim.pass(by);
    let cpu = CpuId(sim.rng.below(sim.cpus as u64) as u8);
    if sim.rng.often(3) || sim.rng.often(200) && is_idle(sim) {
        return stir(sim, cpu);
    }
    if sim.rng.often(600)
        && let Some(cause) = sim.pending(cpu)
    {
        sim.trap(cpu, cause);
        return;
    }
    let line = 14 + sim.rng.below(16) as u32;
    if sim.rng.often(10) && !interrupts::is_masked(line) {
        sim.trap(cpu, Cause::Device(line));
        return;
    }
    match sim.kernel.cpus[cpu.index()].current {
        Some(thread) => act(sim, cpu, thread, menu),
        None if !sim.asleep[cpu.index()] => {
            sim.idle(cpu);
        }
        None => {}
    }
}

/// Nothing is under way, and nothing will be soon.
fn is_idle(sim: &Sim) -> bool {
    let mut cpus = (0..sim.cpus as u8).map(CpuId);
    cpus.all(|cpu| sim.asleep[cpu.index()] && !sim.is_interrupted(cpu))
}

/// The current thread of a CPU does something.
fn act(sim: &mut Sim, cpu: CpuId, thread: Id<Thread>, menu: &[&'static Row]) {
    if let Some((cause, _)) = sim.again.get(&thread.to_bits()).copied()
        && sim.rng.often(970)
    {
        sim.trap(cpu, cause);
        return;
    }
    sim.again.remove(&thread.to_bits());
    match sim.rng.below(1000) {
        0..800 => {
            let call = sim.draw_next(thread, menu);
            sim.trap(cpu, Cause::Native);
            sim.count(thread, call);
            if matches!(call, Call::RegistersSet | Call::CallerRegistersSet) {
                // Nobody knows any more what they hold.
                sim.fpu.clear();
                sim.asked.clear();
            }
        }
        800..920 => touch(sim, cpu, thread),
        920..945 => {
            let frame = &mut sim.kernel.threads[thread].context.frame;
            frame.number = sim.rng.below(300);
            sim.trap(cpu, Cause::Foreign);
        }
        945..985 => use_fpu(sim, cpu, thread),
        985..988 => {
            use FaultKind::{Arithmetic, Breakpoint, Instruction, Other};
            let kind = sim.rng.one_of(&[Arithmetic, Breakpoint, Instruction, Other]);
            let exception = Exception { name: "a test", kind, code: 0 };
            sim.trap(cpu, Cause::Exception(exception));
        }
        988..991 => {
            let address = VirtAddr(sim.draw_address());
            let reason = sim.rng.one_of(&[FaultReason::Alignment, FaultReason::Other("bus")]);
            sim.trap(cpu, Cause::Fault(Fault { address, access: Access::Read, reason }));
        }
        _ => {
            sim.trap(cpu, Cause::Spurious);
        }
    }
}

/// User code reads or writes memory, most often where something is mapped; a fault that was dealt with
/// lets it go on.
fn touch(sim: &mut Sim, cpu: CpuId, thread: Id<Thread>) {
    let access = sim.rng.one_of(&[Access::Read, Access::Write, Access::Write, Access::Execute]);
    ochre::arch::cpu::set_current(cpu);
    let space = sim.kernel.threads[thread].space;
    let address = sim.draw_address() & !7;
    if !sim.kernel.vm.is_mapped(space, address) && sim.rng.often(990) {
        return;
    }
    for _ in 0..3 {
        match tlb::user_access(address, access, &sim.kernel.vm.ram.memory) {
            Ok(at) => {
                if access == Access::Write && (RAM..RAM + RAM_SIZE).contains(&at.0) {
                    let word = sim.rng.word();
                    // SAFETY: the page is RAM, and this user code's to write.
                    unsafe { sim.kernel.vm.ram.memory.pointer(at).cast().write(word) };
                }
                return;
            }
            Err(fault) => {
                if sim.trap(cpu, Cause::Fault(fault)) != Some(thread) {
                    return;
                }
            }
        }
    }
    panic!("a fault is dealt with again and again");
}

/// User code uses a floating point register: it finds there what it left.
fn use_fpu(sim: &mut Sim, cpu: CpuId, thread: Id<Thread>) {
    ochre::arch::cpu::set_current(cpu);
    let value = sim.rng.word();
    let Some(found) = user::fpu_replace(value) else {
        sim.trap(cpu, Cause::Fpu);
        return;
    };
    if let Some(left) = sim.fpu.insert(thread.to_bits(), value) {
        assert_eq!(found, left, "floating point registers of {thread:?}");
    }
}

/// Somebody outside the machine helps: starts programs, ends waits that nobody else would end, and
/// programs that would be there for ever.
fn stir(sim: &mut Sim, cpu: CpuId) {
    ochre::arch::cpu::set_current(cpu);
    let living = sim.kernel.threads.iter().filter(|(_, thread)| thread.state != State::Ended);
    let threads: Vec<_> = living.map(|(id, _)| id).collect();
    let processes: Vec<_> = sim.kernel.processes.iter().map(|(id, _)| id).collect();
    let few = threads.len() < POPULATION && processes.len() < CROWD;
    match sim.rng.below(10) {
        0..8 if few => start(sim),
        0..2 if !processes.is_empty() => {
            let process = sim.rng.one_of(&processes);
            sim.kernel.end_process(process, 9);
        }
        2..5 if !threads.is_empty() => {
            let thread = sim.rng.one_of(&threads);
            sim.kernel.resume_thread(cpu, thread);
        }
        _ if !threads.is_empty() => {
            let thread = sim.rng.one_of(&threads);
            sim.kernel.end_wait(cpu, thread, Error::Cancelled);
        }
        _ => {}
    }
    sim.nudge(cpu);
}

/// Starts a program of a few threads, that knows ports of others. If nothing is left, it does not.
fn start(sim: &mut Sim) {
    let quota = (16 + sim.rng.below(100)) * 4096;
    let ceiling = 20 + sim.rng.below(44) as u8;
    let Ok(process) = sim.kernel.create_process(sim.root, quota, ceiling) else { return };
    let give = |sim: &mut Sim, named, rights| {
        let badge = sim.rng.below(9);
        // Without quota it has to do without.
        let _ = sim.kernel.install(process, named, rights, badge);
    };
    give(sim, Named::Process(process), u8::MAX);
    if sim.rng.often(500) {
        let rights = MachineRights::all() - MachineRights::POWER;
        give(sim, Named::Machine, rights.bits());
    }
    sim.settle_in(process);
    let account = sim.kernel.processes[process].account;
    for _ in 0..2 {
        let room = sim.rng.below(3);
        let Ok(port) = sim.kernel.create_port(account, room) else { continue };
        if sim.kernel.install(process, Named::Port(port), u8::MAX, 0).is_err() {
            sim.kernel.forget_port(port);
        }
    }
    let ports: Vec<_> = sim.kernel.ports.iter().filter(|(_, port)| !port.is_gone()).collect();
    let ports: Vec<Id<Port>> = ports.into_iter().map(|(id, _)| id).collect();
    for _ in 0..if ports.is_empty() { 0 } else { 4 } {
        let (port, rights) = (sim.rng.one_of(&ports), sim.rng.word() as u8 | 0xc1);
        give(sim, Named::Port(port), rights);
    }
    befriend(sim, process, &ports);
    for _ in 0..=sim.rng.below(3) {
        let fpu = if sim.rng.often(500) { THREAD_FPU } else { 0 };
        let priority = sim.rng.below(u64::from(ceiling));
        let thread = sim.try_thread(process, priority | fpu);
        if let Some(thread) = thread {
            give(sim, Named::Thread(thread), u8::MAX);
            sim.kernel.resume_thread(ochre::arch::cpu::current(), thread);
        }
    }
}

/// Somebody handles its faults, somebody hears of its end, somebody has a handle to it.
fn befriend(sim: &mut Sim, process: Id<Process>, ports: &[Id<Port>]) {
    if !ports.is_empty() {
        let (handler, watcher) = (sim.rng.one_of(ports), sim.rng.one_of(ports));
        if sim.rng.often(600) {
            sim.kernel.processes[process].handler = Some(Handler { port: handler, badge: 5 });
        }
        let cpu = ochre::arch::cpu::current();
        sim.kernel.watch_process(cpu, process, Notice { port: watcher, bits: 1 });
    }
    let others: Vec<_> = sim.kernel.processes.iter().map(|(id, _)| id).collect();
    let other = sim.rng.one_of(&others);
    if sim.kernel.processes[other].life == ochre::object::Life::Alive {
        let _ = sim.kernel.install(other, Named::Process(process), u8::MAX, 0);
    }
}
