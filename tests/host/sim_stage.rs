//! A small machine for tests that say step by step what happens.

use crate::sim::Sim;
use ochre::abi::{Arrival, Call, Error, FOREVER, PortRights, THREAD_START};
use ochre::arch::{self, timer};
use ochre::mm::Id;
use ochre::object::{Named, Port, Process, State, Thread};
use ochre::units::CpuId;

pub const MILLI: u64 = 1_000_000;
/// What a call is told that does as it was asked.
pub const DONE: Result<u64, Error> = Ok(0);

/// A machine with one process to play in.
pub struct Stage {
    pub sim: Sim,
    pub process: Id<Process>,
}

impl Stage {
    pub fn new(cpus: usize) -> Stage {
        let mut sim = Sim::new(0, cpus);
        let (process, _) = sim.process(1 << 20, 63);
        Stage { sim, process }
    }

    /// A thread of this priority that is ready, or runs.
    pub fn actor(&mut self, priority: u64) -> Id<Thread> {
        self.actor_of(self.process, priority)
    }

    pub fn actor_of(&mut self, process: Id<Process>, priority: u64) -> Id<Thread> {
        arch::cpu::set_current(CpuId::BOOT);
        let thread = self.sim.thread(process, priority | THREAD_START);
        self.sim.nudge(CpuId::BOOT);
        self.sim.settle();
        thread
    }

    pub fn port(&mut self, capacity: u64) -> (Id<Port>, u64) {
        self.sim.port(self.process, capacity)
    }

    /// A handle to a thread.
    pub fn name(&mut self, thread: Id<Thread>) -> u64 {
        self.sim.grant(self.process, Named::Thread(thread), u8::MAX, 0)
    }

    /// Another process that can send to a port.
    pub fn client(&mut self, quota: u64, port: Id<Port>) -> (Id<Process>, u64) {
        let (process, _) = self.sim.process(quota, 63);
        let rights = PortRights::SEND | PortRights::TRANSFER | PortRights::DUPLICATE;
        (process, self.sim.grant(process, Named::Port(port), rights.bits(), 9))
    }

    /// The thread that a CPU runs.
    pub fn on(&self, cpu: usize) -> Option<Id<Thread>> {
        self.sim.kernel.cpus[cpu].current
    }

    /// A running thread makes a call that waits for ever, if it waits.
    pub fn call(&mut self, thread: Id<Thread>, call: Call, args: &[u64]) {
        self.call_until(thread, call, args, FOREVER);
    }

    pub fn call_until(&mut self, thread: Id<Thread>, call: Call, args: &[u64], deadline: u64) {
        self.sim.call(thread, call, args, deadline);
        self.sim.settle();
    }

    /// The same, and what the call says.
    pub fn try_call(&mut self, thread: Id<Thread>, call: Call, args: &[u64]) -> Result<u64, Error> {
        self.call(thread, call, args);
        self.status(thread)
    }

    /// Lets time pass, and what is due happen.
    pub fn pass(&mut self, nanos: u64) {
        self.sim.pass(nanos);
        self.sim.settle();
    }

    /// Lets what waits behind others get to CPUs that rest.
    pub fn spread(&mut self) {
        const LONG: u64 = 3_000_000;
        self.pass(LONG);
    }

    pub fn now(&self) -> u64 {
        timer::now()
    }

    pub fn args(&self, thread: Id<Thread>) -> [u64; 8] {
        *self.sim.kernel.threads[thread].context.frame.args()
    }

    /// What the last call of a thread said.
    pub fn status(&self, thread: Id<Thread>) -> Result<u64, Error> {
        Error::check(self.args(thread)[0])
    }

    /// Whether what a thread received last is this, with these first words.
    pub fn got(&self, thread: Id<Thread>, arrival: Arrival, words: &[u64]) -> bool {
        let args = self.args(thread);
        args[0] == arrival as u64 && args[2..].starts_with(words)
    }

    pub fn state(&self, thread: Id<Thread>) -> State {
        self.sim.kernel.threads[thread].state
    }

    pub fn waits(&self, thread: Id<Thread>) -> bool {
        !matches!(self.state(thread), State::Ready | State::Running | State::Stopped | State::Ended)
    }

    pub fn priority(&self, thread: Id<Thread>) -> u8 {
        self.sim.kernel.threads[thread].priority
    }

    /// Everything ends, and nothing may be left.
    pub fn end(mut self) {
        if !cfg!(miri) {
            crate::sim_check::check(&mut self.sim);
        }
        self.sim.finish();
    }
}
