//! What always holds of the kernel, between any two traps.

use crate::sim::Sim;
use crate::sim_check_objects as objects;
use ochre::arch::{interrupts, timer, user};
use ochre::kernel::{Kernel, Next};
use ochre::mm::{Arena, Id};
use ochre::object::{Caller, Flags, Life, Named, Queue, Sort, State, Thread, Waiting};
use ochre::units::{CpuId, Nanos};
use std::collections::BTreeMap;

/// After this long at most a CPU goes on taking apart what is to be.
const WORK_PAUSE: u64 = 50_000;

/// What holds of a CPU that has just left the kernel.
pub fn arrived(sim: &Sim, cpu: CpuId, next: Next) {
    let kernel = &sim.kernel;
    let state = &kernel.cpus[cpu.index()];
    match next {
        Next::Run(id) => {
            assert_eq!(state.current, Some(id), "what runs is the current thread");
            let thread = &kernel.threads[id];
            assert_eq!((thread.state, thread.cpu), (State::Running, cpu));
            let stopped = thread.flags.intersects(Flags::DOOMED | Flags::SUSPENDED);
            assert!(!stopped, "a thread does not run on after it was stopped");
            assert!(thread.affinity >> cpu.0 & 1 == 1, "a thread runs where it may");
            // An IPI that says so has not been taken yet, and will be at once.
            let first = !state.queue.has_above(thread.priority) || interrupts::has_ipi(cpu);
            assert!(first, "the first comes first");
            assert!(user::has_arrived(&thread.context), "registers go to their thread");
            assert!(state.space == Some(thread.space), "the address space is the thread's");
            assert!(user::loaded().is_some(), "it is loaded");
            assert!(!state.fpu_on || state.fpu == Some(id), "registers are the thread's");
        }
        Next::Idle => {
            assert_eq!(state.current, None, "idle");
            assert!(state.queue.first().is_none(), "nobody waits for an idle CPU");
            assert!(
                state.space.is_none() && user::loaded().is_none(),
                "no address space is loaded"
            );
        }
        Next::Resume => assert_eq!(state.current, None),
        Next::Stop => panic!("the kernel stops"),
    }
    let set = Some(state.armed).filter(|moment| moment.0 != u64::MAX);
    let armed = set.map(|moment| kernel.clock.ticks(moment));
    assert_eq!(armed, timer::deadline(cpu), "the hardware timer is set as it should be");
}

/// What holds of everything.
pub fn check(sim: &mut Sim) {
    let kernel = &sim.kernel;
    let places = places(kernel);
    threads(kernel, &places);
    cpus(sim);
    duties(kernel);
    objects::check(kernel);
    ochre::arch::tlb::take_flushed();
}

/// Where each thread is queued, and what is wrong with any queue.
fn places(kernel: &Kernel) -> BTreeMap<usize, State> {
    let mut places = BTreeMap::new();
    let mut put = |id: Id<Thread>, state| {
        assert!(places.insert(id.index(), state).is_none(), "{id:?} is in two queues");
    };
    for (index, cpu) in kernel.cpus.iter().enumerate() {
        for id in queued(&cpu.queue, &kernel.threads) {
            assert_eq!(kernel.threads[id].cpu.index(), index, "{id:?} is queued where it says");
            put(id, State::Ready);
        }
        if let Some(id) = cpu.current {
            put(id, State::Running);
        }
    }
    for (id, port) in kernel.ports.iter() {
        let queue = queued(&port.queue, &kernel.threads);
        for &thread in &queue {
            let state = kernel.threads[thread].state;
            assert_eq!(state.port(), Some(id), "{thread:?} waits at {id:?}");
            let receives = matches!(state, State::Receiving(_));
            let gone = port.waiting == Waiting::Gone;
            assert!(gone || receives == (port.waiting == Waiting::Receivers), "it says who waits");
            put(thread, state);
        }
        let idle = queue.is_empty();
        assert_eq!(port.is_gone(), port.waiting == Waiting::Gone, "{id:?} is gone");
        match port.waiting {
            Waiting::Senders => assert!(!idle, "{id:?} has no senders"),
            Waiting::Gone => assert!(!port.is_empty || idle && port.messages == 0),
            Waiting::Receivers => {
                let nothing = port.messages == 0 && port.signals == 0;
                assert!(
                    idle || port.is_gone() || nothing,
                    "something came to {id:?}, nobody is told"
                );
            }
        }
    }
    places
}

/// The threads of a queue, in order.
fn queued(queue: &Queue, threads: &Arena<Thread>) -> Vec<Id<Thread>> {
    let (mut list, mut last) = (Vec::new(), [None; 64]);
    let (mut before, mut next) = (None, queue.first());
    while let Some(id) = next {
        let thread = &threads[id];
        assert_eq!(thread.links.0, before, "links agree");
        let higher = before.is_none_or(|before| threads[before].priority >= thread.priority);
        assert!(higher, "the higher priority comes first");
        last[thread.priority as usize] = Some(id);
        list.push(id);
        (before, next) = (next, thread.links.1);
    }
    for (priority, last) in last.into_iter().enumerate() {
        assert_eq!(queue.last(priority as u8), last, "last of priority {priority}");
    }
    list
}

fn threads(kernel: &Kernel, places: &BTreeMap<usize, State>) {
    for (id, thread) in kernel.threads.iter() {
        let place = places.get(&id.index()).copied();
        let expected = match thread.state {
            State::Awaiting(_) | State::Sleeping | State::Stopped | State::Ended => None,
            state => Some(state),
        };
        assert_eq!(place, expected, "{id:?} is where its state says");
        if place.is_none() || place == Some(State::Running) {
            assert_eq!(thread.links, (None, None), "{id:?} is in no queue");
        }
        if thread.state == State::Ended {
            continue;
        }
        assert!(thread.priority >= thread.base, "{id:?} has its own priority at least");
        let timer = &kernel.timers[thread.timer];
        let timed = thread.flags.contains(Flags::TIMED);
        assert_eq!(timed, timer.cpu.is_some(), "{id:?} has a deadline exactly if its timer is set");
        let waits =
            !matches!(thread.state, State::Ready | State::Running | State::Stopped | State::Ended);
        assert!(waits || !timed, "{id:?} has a deadline for nothing");
        let stopped = thread.flags.intersects(Flags::DOOMED | Flags::SUSPENDED);
        let ending = kernel.processes[thread.process].life != Life::Alive;
        assert!(thread.state != State::Stopped || stopped || ending, "{id:?} is lost");
        assert!(thread.state != State::Ready || !stopped, "{id:?} is ready to run, but stopped");
        if let Some(caller) = thread.caller.filter(|caller| kernel.awaited(*caller).is_some()) {
            let lent = kernel.threads[caller.thread].priority;
            assert!(thread.priority >= lent, "{id:?} works at the priority of its caller");
        }
    }
}

fn cpus(sim: &Sim) {
    let kernel = &sim.kernel;
    let mut set = 0;
    for cpu in (0..sim.cpus as u8).map(CpuId) {
        let state = &kernel.cpus[cpu.index()];
        let armed = state.armed.0;
        let mut next = state.timers.first(&kernel.timers);
        assert!(next.is_none_or(|id| kernel.timers[id].when.0 >= armed), "the first timer rings");
        while let Some(id) = next {
            let timer = &kernel.timers[id];
            assert_eq!(timer.cpu, Some(cpu), "{id:?} is in its tree");
            set += 1;
            next = state.timers.next_after(&kernel.timers, (timer.when.0, timer.number));
        }
        let rests = kernel.resting >> cpu.0 & 1 == 1;
        let idle = state.current.is_none();
        assert!(idle || !rests, "CPU {} is told to rest while it runs", cpu.0);
        assert!(rests || !sim.asleep[cpu.index()], "others know that CPU {} sleeps", cpu.0);
        if interrupts::has_ipi(cpu) {
            continue;
        }
        let Some(current) = state.current else {
            let waits = sim.asleep[cpu.index()] && state.queue.first().is_some();
            assert!(!waits, "CPU {} sleeps while there is something to run", cpu.0);
            continue;
        };
        let thread = &kernel.threads[current];
        assert!(!state.queue.has_above(thread.priority), "CPU {} should run another", cpu.0);
        let shares = thread.slice != 0 && state.queue.has(thread.priority);
        assert!(!shares || Nanos(armed) <= state.slice_end, "the slice of {current:?} has no end");
    }
    let all = kernel.timers.iter().filter(|(_, timer)| timer.cpu.is_some()).count();
    assert_eq!(all, set, "timers that are set are in trees");
    let soon = kernel.now().0 + WORK_PAUSE;
    let works = |cpu: CpuId| {
        let state = &kernel.cpus[cpu.index()];
        let armed = state.armed.0 <= soon;
        interrupts::has_ipi(cpu) || armed || state.current.is_none() && !sim.asleep[cpu.index()]
    };
    let somebody = (0..sim.cpus as u8).map(CpuId).any(works);
    assert!(somebody || !kernel.has_work(), "somebody takes apart what is to be");
}

/// Each thread that waits for an answer is owed it by exactly one thread or handle, or waits for
/// whoever has a handle to it.
fn duties(kernel: &Kernel) {
    let mut owed = BTreeMap::<usize, u32>::new();
    let mut owe = |caller: Option<Caller>| {
        if let Some(caller) = caller.filter(|caller| kernel.awaited(*caller).is_some()) {
            *owed.entry(caller.thread.index()).or_default() += 1;
        }
    };
    kernel.threads.iter().for_each(|(_, thread)| owe(thread.caller));
    for (_, handle) in kernel.handles.iter() {
        if let Named::Reply(thread) = handle.named {
            owe(Some(Caller { thread, call: handle.badge as u32 }));
        }
    }
    for (id, thread) in kernel.threads.iter() {
        let State::Awaiting(awaited) = thread.state else { continue };
        let count = owed.get(&id.index()).copied().unwrap_or(0);
        let ending = kernel.processes[thread.process].life != Life::Alive;
        let later = awaited.server == id && awaited.sort != Sort::Call;
        let right = count == u32::from(!later) || ending && count == 0;
        assert!(right, "{id:?} is owed {count} answers");
        assert!(awaited.sort != Sort::Send, "nobody waits for an answer to a message");
    }
}
