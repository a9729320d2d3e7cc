//! The whole kernel on a simulated machine: user threads are scripts that trap in the name of their
//! code, CPUs take turns, time passes when the test says so. All a run does follows from its seed.

use crate::sim_check;
use crate::sim_fast;
use crate::sim_rng::Rng;
use crate::support::{MIB, machine};
use ochre::abi::{Argument, CALLS, Call, Error};
use ochre::arch::{self, interrupts, timer};
use ochre::kernel::{Kernel, Next};
use ochre::life::NewThread;
use ochre::log::{self, Level};
use ochre::mm::{Account, Id, Vm};
use ochre::object::{Named, Port, Process, State, Thread};
use ochre::units::{Cause, CpuId, MAX_CPUS, Nanos};
use std::collections::{BTreeMap, VecDeque};

/// Steps that are told when a run fails.
const TOLD: usize = 30;

/// Memory of a machine.
pub const RAM_SIZE: u64 = 16 * MIB;

/// A machine with user programs.
pub struct Sim {
    pub kernel: Kernel,
    pub cpus: usize,
    /// Calls and answers take the short way where it is open.
    pub fast: bool,
    pub rng: Rng,
    /// CPUs that sleep until an interrupt.
    pub asleep: [bool; MAX_CPUS],
    /// What threads were told to do again, and how often.
    pub again: BTreeMap<u64, (Cause, u32)>,
    /// The last native call of threads, whose result they may not have had yet.
    pub asked: BTreeMap<u64, Call>,
    /// What the floating point registers of threads hold.
    pub fpu: BTreeMap<u64, u64>,
    /// The machine's account.
    pub root: Id<Account>,
    /// Native calls made.
    pub calls: u64,
    pub seed: u64,
    /// How often each call was made: with success, refused, not over at once.
    tally: BTreeMap<u64, [u32; 3]>,
    started: Figures,
    told: VecDeque<Told>,
}

/// What there is of everything.
#[derive(PartialEq, Eq, Debug)]
struct Figures {
    frames: usize,
    used: u64,
    objects: [usize; 12],
}

/// One step of a run.
struct Told {
    cpu: CpuId,
    thread: Option<Id<Thread>>,
    cause: Cause,
    number: u64,
    args: [u64; 8],
    deadline: u64,
    /// The next thread, and what the first has in [0] and [1] by then.
    after: Option<(Next, u64, u64)>,
}

impl Sim {
    /// A machine that has booted, and has no process yet.
    pub fn new(seed: u64, cpus: usize) -> Sim {
        let kernel = machine(RAM_SIZE, cpus).expect("it fits");
        let limit = kernel.vm.ram.frames.stats().free as u64 * 4096;
        Sim::with(kernel, limit, seed, cpus)
    }

    /// The same with little memory, and more quota than there is memory.
    pub fn poor(seed: u64, cpus: usize) -> Sim {
        let kernel = machine(4 * MIB, cpus).expect("it fits");
        let mut sim = Sim::with(kernel, 1 << 30, seed, cpus);
        let free = sim.kernel.vm.ram.frames.stats().free;
        for _ in 0..free.saturating_sub(150) {
            sim.kernel.vm.ram.frames.alloc();
        }
        sim.started = figures(&sim.kernel, sim.root);
        sim
    }

    fn with(mut kernel: Kernel, limit: u64, seed: u64, cpus: usize) -> Sim {
        log::set_console_level(Level::Error);
        let root = kernel.vm.account_root(limit).expect("an account");
        begin_arenas(&mut kernel).expect("room");
        let started = figures(&kernel, root);
        let mut sim = Sim {
            kernel,
            cpus,
            fast: true,
            rng: Rng::new(seed),
            asleep: [true; MAX_CPUS],
            again: BTreeMap::new(),
            asked: BTreeMap::new(),
            fpu: BTreeMap::new(),
            root,
            calls: 0,
            seed,
            tally: BTreeMap::new(),
            started,
            told: VecDeque::new(),
        };
        // They look for something to do.
        for cpu in (0..cpus as u8).rev().map(CpuId) {
            sim.idle(cpu);
        }
        sim
    }

    /// A process, with a handle to itself.
    pub fn process(&mut self, quota: u64, ceiling: u8) -> (Id<Process>, u64) {
        let process = self.kernel.create_process(self.root, quota, ceiling).expect("a process");
        let handle = self.grant(process, Named::Process(process), u8::MAX, 0);
        (process, handle)
    }

    /// A handle for a process.
    pub fn grant(&mut self, process: Id<Process>, named: Named, rights: u8, badge: u64) -> u64 {
        self.kernel.install(process, named, rights, badge).expect("a handle")
    }

    /// A port, and a handle with all rights to it.
    pub fn port(&mut self, process: Id<Process>, capacity: u64) -> (Id<Port>, u64) {
        let account = self.kernel.processes[process].account;
        let port = self.kernel.create_port(account, capacity).expect("a port");
        (port, self.grant(process, Named::Port(port), u8::MAX, 0))
    }

    /// A thread with these flags and this priority, on the CPU that was chosen last.
    pub fn thread(&mut self, process: Id<Process>, flags: u64) -> Id<Thread> {
        self.try_thread(process, flags).expect("a thread")
    }

    /// The same, if there is room for it.
    pub fn try_thread(&mut self, process: Id<Process>, flags: u64) -> Option<Id<Thread>> {
        let new = NewThread { entry: 0x1000, stack: 0x8000, argument: 0, tag: 7, flags };
        let cpu = arch::cpu::current();
        self.kernel.create_thread(cpu, process, new).ok()
    }

    /// An interrupt or trap of a CPU; tells the thread that it runs then.
    pub fn trap(&mut self, cpu: CpuId, cause: Cause) -> Option<Id<Thread>> {
        arch::cpu::set_current(cpu);
        let thread = self.kernel.cpus[cpu.index()].current;
        self.tell(cpu, thread, cause);
        let Some(thread) = thread else {
            let next = self.kernel.handle(cpu, cause);
            return self.follow(cpu, thread, next);
        };
        let frame = &mut self.kernel.threads[thread].context.frame;
        frame.cause = cause;
        let restarts = frame.restarts;
        self.calls += u64::from(cause == Cause::Native);
        let call = Call::from_number(frame.number).filter(|_| cause == Cause::Native);
        let next = sim_fast::user_trap(&mut self.kernel, self.fast, cpu, cause);
        let key = thread.to_bits();
        if let Some(call) = call {
            self.asked.insert(key, call);
        }
        match self.kernel.threads.get(thread) {
            Some(thread) if thread.context.frame.restarts != restarts => {
                let times = self.again.get(&key).map_or(0, |(_, times)| *times);
                assert!(times < 100_000, "a call is made again and again");
                self.again.insert(key, (cause, times + 1));
                self.asked.remove(&key);
            }
            _ if !cause.is_interrupt() => drop(self.again.remove(&key)),
            _ => {}
        }
        self.follow(cpu, Some(thread), next)
    }

    /// What the loop of an idle CPU does when it goes round.
    pub fn idle(&mut self, cpu: CpuId) -> Option<Id<Thread>> {
        arch::cpu::set_current(cpu);
        self.kernel.reap(cpu);
        let next = self.kernel.pick(cpu);
        self.asleep[cpu.index()] = next == Next::Idle && !self.kernel.has_work();
        sim_check::arrived(self, cpu, next);
        self.kernel.cpus[cpu.index()].current
    }

    fn follow(&mut self, cpu: CpuId, thread: Option<Id<Thread>>, next: Next) -> Option<Id<Thread>> {
        self.asleep[cpu.index()] = false;
        if let Some(told) = self.told.back_mut() {
            let thread = thread.and_then(|thread| self.kernel.threads.get(thread));
            let args = thread.map_or([0; 8], |thread| *thread.context.frame.args());
            told.after = Some((next, args[0], args[1]));
        }
        sim_check::arrived(self, cpu, next);
        self.kernel.cpus[cpu.index()].current
    }

    /// An interrupt that a CPU would take now.
    pub fn pending(&mut self, cpu: CpuId) -> Option<Cause> {
        if interrupts::take_ipis(cpu) > 0 {
            return Some(Cause::Ipi);
        }
        timer::take_due(cpu).then_some(Cause::Timer)
    }

    /// Whether there is one.
    pub fn is_interrupted(&self, cpu: CpuId) -> bool {
        interrupts::has_ipi(cpu) || timer::is_due(cpu)
    }

    /// Lets time pass.
    pub fn pass(&mut self, nanos: u64) {
        let now = timer::now();
        // The deadlines of all CPUs stay: `pending` takes them.
        let cpu = arch::cpu::current();
        arch::cpu::set_current(CpuId(MAX_CPUS as u8 - 1));
        timer::advance(Nanos(nanos.min(u64::MAX / 4 - now)));
        arch::cpu::set_current(cpu);
    }

    /// All CPUs do what they have to, but no user code runs: interrupts come, idle CPUs look for work.
    pub fn settle(&mut self) {
        for _ in 0..100_000 {
            let mut quiet = true;
            for cpu in (0..self.cpus as u8).map(CpuId) {
                if let Some(cause) = self.pending(cpu) {
                    self.trap(cpu, cause);
                    quiet = false;
                } else if self.kernel.cpus[cpu.index()].current.is_none()
                    && !self.asleep[cpu.index()]
                {
                    self.idle(cpu);
                    quiet = false;
                }
            }
            if quiet {
                return;
            }
        }
        panic!("the machine does not come to rest");
    }

    /// Something outside happened on this CPU: it looks what to do now.
    pub fn nudge(&mut self, cpu: CpuId) {
        self.asleep[cpu.index()] = false;
        match self.kernel.cpus[cpu.index()].current {
            Some(_) => self.trap(cpu, Cause::Ipi),
            None => self.idle(cpu),
        };
    }

    /// Has a running thread make a call.
    pub fn call(&mut self, thread: Id<Thread>, call: Call, args: &[u64], deadline: u64) {
        assert_eq!(self.kernel.threads[thread].state, State::Running, "{thread:?} runs");
        let frame = &mut self.kernel.threads[thread].context.frame;
        frame.number = call as u64;
        frame.args = [0; 8];
        frame.args[..args.len()].copy_from_slice(args);
        frame.extra = [deadline, 0];
        let cpu = self.kernel.threads[thread].cpu;
        self.trap(cpu, Cause::Native);
    }

    /// Ends everything, and checks that nothing is left.
    pub fn finish(mut self) {
        let processes: Vec<_> = self.kernel.processes.iter().map(|(id, _)| id).collect();
        processes.into_iter().for_each(|id| self.kernel.end_process(id, 0));
        for cpu in (0..self.cpus as u8).map(CpuId) {
            self.nudge(cpu);
        }
        for _ in 0..100_000 {
            self.settle();
            let busy = |cpu: &CpuId| self.kernel.cpus[cpu.index()].current.is_some();
            let Some(cpu) = (0..self.cpus as u8).map(CpuId).find(busy) else { break };
            self.trap(cpu, Cause::Spurious);
        }
        assert!(!self.kernel.has_work(), "all is taken apart");
        // Miri would need seconds for it.
        if !cfg!(miri) {
            sim_check::check(&mut self);
        }
        assert_eq!(figures(&self.kernel, self.root), self.started, "nothing is left");
        self.told.clear();
    }

    /// What the last call of a thread said is something that it may say.
    pub fn check_status(&mut self, id: Id<Thread>) {
        let status = self.kernel.threads[id].context.frame.args[0];
        let Some(call) = self.asked.remove(&id.to_bits()) else { return };
        if status as i64 >= 0 {
            return;
        }
        let row = &CALLS[call as usize];
        let takes_object = row.arguments.iter().any(|arg| matches!(arg, Argument::Object(..)));
        let by_handle = [Error::BadHandle, Error::WrongKind, Error::NoRight];
        let known = row.errors.iter().chain(by_handle.iter().filter(|_| takes_object));
        let known: Vec<_> = known.map(|error| error.status()).collect();
        let what = Error::check(status);
        assert!(known.contains(&status), "{call:?} says {what:?} ({status:x}), by no table");
    }

    /// Counts a call that was just made.
    pub fn count(&mut self, thread: Id<Thread>, call: Call) {
        let thread = self.kernel.threads.get(thread);
        let over = thread.filter(|thread| matches!(thread.state, State::Running | State::Ready));
        let how = match over.map(|thread| thread.context.frame.args[0] as i64) {
            Some(0..) => 0,
            Some(_) => 1,
            None => 2,
        };
        self.tally.entry(call as u64).or_default()[how] += 1;
    }

    /// Prints how often each call was made.
    pub fn tell_tally(&self) {
        for (number, [done, refused, later]) in &self.tally {
            let call = Call::from_number(*number).map(|call| format!("{call:?}"));
            println!("{:20} {done:6} {refused:6} {later:6}", call.unwrap_or_default());
        }
    }

    fn tell(&mut self, cpu: CpuId, thread: Option<Id<Thread>>, cause: Cause) {
        if self.told.len() == TOLD {
            self.told.pop_front();
        }
        let frame = thread.map(|thread| &self.kernel.threads[thread].context.frame);
        self.told.push_back(Told {
            cpu,
            thread,
            cause,
            number: frame.map_or(0, |frame| frame.number),
            args: frame.map_or([0; 8], |frame| frame.args),
            deadline: frame.map_or(0, |frame| frame.deadline()),
            after: None,
        });
    }
}

/// Has all arenas begin to grow, so that later nothing but their pages is not given back.
fn begin_arenas(kernel: &mut Kernel) -> Result<(), Error> {
    let Vm { ram, spaces, memories, regions, .. } = &mut kernel.vm;
    spaces.reserve(ram)?;
    memories.reserve(ram)?;
    regions.reserve(ram)?;
    kernel.handles.reserve(ram)?;
    kernel.processes.reserve(ram)?;
    kernel.threads.reserve(ram)?;
    kernel.fpus.reserve(ram)?;
    kernel.ports.reserve(ram)?;
    kernel.messages.reserve(ram)?;
    kernel.timers.reserve(ram)?;
    kernel.interrupts.reserve(ram).map(drop)
}

/// What there is, apart from what the kernel keeps for good.
fn figures(kernel: &Kernel, root: Id<Account>) -> Figures {
    let vm = &kernel.vm;
    Figures {
        frames: kernel.vm.ram.frames.stats().free + kernel.vm.ram.object_pages,
        used: vm.usage(root).0,
        objects: [
            vm.spaces.len(),
            vm.memories.len(),
            vm.regions.len(),
            vm.accounts.len(),
            kernel.handles.len(),
            kernel.processes.len(),
            kernel.threads.len(),
            kernel.fpus.len(),
            kernel.ports.len(),
            kernel.messages.len(),
            kernel.timers.len(),
            kernel.interrupts.len(),
        ],
    }
}

impl Drop for Sim {
    /// A run that fails tells what led to it.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        eprintln!("\nSEED={} with {} CPUs fails after {} calls:", self.seed, self.cpus, self.calls);
        for Told { cpu, thread, cause, number, args, deadline, after } in &self.told {
            let what = match Call::from_number(*number).filter(|_| *cause == Cause::Native) {
                Some(call) => format!("{call:?} {args:x?} until {deadline:x}"),
                None => format!("{cause:?}"),
            };
            let name = thread.map_or("idle".into(), |thread| format!("{thread:?}"));
            eprintln!("  {} {name:8} {what} -> {after:x?}", cpu.0);
        }
    }
}
