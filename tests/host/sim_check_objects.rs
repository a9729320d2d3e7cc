//! What always holds of objects: who refers to them, who pays for them, where they are listed.

use ochre::abi::{Info, Kind, MESSAGE_WORDS, PortRights};
use ochre::arch::interrupts;
use ochre::arch::user::Fpu;
use ochre::kernel::Kernel;
use ochre::mm::{Account, Arena, Id};
use ochre::object::{
    Handle, Interrupt, Life, Made, Message, Named, Port, Process, Progress, Sort, State, Target,
    Thread, Timer,
};
use std::collections::{BTreeMap, BTreeSet};

pub fn check(kernel: &Kernel) {
    handles(kernel);
    references(kernel);
    processes(kernel);
    ports(kernel);
    lines(kernel);
    let others = charges(kernel);
    if let Err(what) = kernel.vm.check(&others) {
        panic!("not so: {what}");
    }
}

/// What the handles cost that one message may carry.
const CARRIED: u64 = ochre::abi::MESSAGE_HANDLES as u64 * Arena::<Handle>::COST;

/// Each handle is in the list of its owner, or on its way in exactly one message.
fn handles(kernel: &Kernel) {
    let mut seen = BTreeSet::new();
    let mut see = |id: Id<Handle>, owner| {
        assert_eq!(kernel.handles[id].owner, owner, "{id:?} has another owner");
        assert!(seen.insert(id.index()), "{id:?} is in two places");
    };
    for (id, process) in kernel.processes.iter() {
        let (mut before, mut next) = (None, process.handles);
        while let Some(handle) = next {
            see(handle, Some(id));
            let links = kernel.handles[handle].links;
            assert_eq!(links.0, before, "links agree");
            (before, next) = (next, links.1);
        }
    }
    let carried = |info: u64, words: &[u64; MESSAGE_WORDS]| {
        words[MESSAGE_WORDS - Info(info).handles()..].to_vec()
    };
    let mut on_the_way = Vec::new();
    for (_, message) in kernel.messages.iter() {
        let [info, words @ ..] = message.words;
        on_the_way.extend(carried(info, &words));
    }
    for (_, thread) in kernel.threads.iter() {
        if let State::Sending(_, Sort::Send | Sort::Call) = thread.state {
            let [_, info, words @ ..] = *thread.context.frame.args();
            on_the_way.extend(carried(info, &words));
        }
    }
    for word in on_the_way {
        see(kernel.handles.named(word).expect("a handle").0, None);
    }
    let mut next = kernel.dying.handle;
    while let Some(id) = next {
        see(id, None);
        next = kernel.handles[id].links.1;
    }
    assert_eq!(seen.len(), kernel.handles.len(), "every handle is somewhere");
}

/// What has handles is there, and knows how many; what is over and has none is not.
fn references(kernel: &Kernel) {
    let (mut counts, mut receivers) = (BTreeMap::<(u8, u64), u32>::new(), BTreeMap::new());
    for (_, handle) in kernel.handles.iter() {
        *counts.entry((handle.named.kind() as u8, object(handle.named))).or_default() += 1;
        if matches!(handle.named, Named::Port(_)) && handle.rights & PortRights::RECEIVE.bits() != 0
        {
            *receivers.entry(object(handle.named)).or_default() += 1;
        }
    }
    let mut take = |kind: Kind, object: u64| counts.remove(&(kind as u8, object)).unwrap_or(0);
    for (id, process) in kernel.processes.iter() {
        assert_eq!(process.refs, take(Kind::Process, id.to_bits()), "handles to {id:?}");
        assert!(process.refs > 0 || process.life != Life::Ended, "{id:?} is forgotten");
        let cloning = |thread: &Thread| match thread.progress {
            Some(Progress { made: Made::Space(to), .. }) => to == id,
            _ => false,
        };
        let cloning = kernel.threads.iter().filter(|(_, thread)| cloning(thread)).count();
        assert_eq!(usize::from(process.cloning), cloning, "who clones into {id:?}");
    }
    for (id, thread) in kernel.threads.iter() {
        assert_eq!(thread.refs, take(Kind::Thread, id.to_bits()), "handles to {id:?}");
        assert!(thread.refs > 0 || thread.state != State::Ended, "{id:?} is forgotten");
    }
    for (id, port) in kernel.ports.iter() {
        assert_eq!(port.refs, take(Kind::Port, id.to_bits()), "handles to {id:?}");
        let count: u32 = receivers.get(&id.to_bits()).copied().unwrap_or(0);
        assert_eq!(port.receivers, count, "receivers of {id:?}");
        assert!(port.refs > 0 || !port.is_empty, "{id:?} is forgotten");
    }
    for (id, timer) in kernel.timers.iter() {
        assert_eq!(timer.refs, take(Kind::Timer, id.to_bits()), "handles to {id:?}");
        match timer.target {
            Target::Port(_) => assert!(timer.refs > 0, "{id:?} is forgotten"),
            Target::Thread(thread) => assert_eq!(kernel.threads[thread].timer, id),
        }
    }
    for (id, interrupt) in kernel.interrupts.iter() {
        assert_eq!(interrupt.refs, take(Kind::Interrupt, id.to_bits()), "handles to {id:?}");
        assert!(interrupt.refs > 0, "{id:?} is forgotten");
    }
    let begun = |thread: &Thread| match thread.progress {
        Some(Progress { made: Made::Memory(memory), .. }) => Some(memory),
        _ => None,
    };
    let begun: Vec<_> = kernel.threads.iter().filter_map(|(_, thread)| begun(thread)).collect();
    for (id, _) in kernel.vm.memories.iter() {
        let (all, regions) = kernel.vm.references(id);
        let handles = take(Kind::Memory, id.to_bits());
        let begun = begun.iter().filter(|memory| **memory == id).count();
        assert_eq!(all, regions + handles as usize + begun, "references to {id:?}");
    }
    let named = |kind: Kind| counts.keys().all(|(of, _)| *of != kind as u8);
    for kind in
        [Kind::Process, Kind::Thread, Kind::Port, Kind::Timer, Kind::Interrupt, Kind::Memory]
    {
        assert!(named(kind), "a handle names a {kind:?} that is gone");
    }
}

/// The id as a word.
fn object(named: Named) -> u64 {
    match named {
        Named::Process(id) => id.to_bits(),
        Named::Thread(id) | Named::Reply(id) => id.to_bits(),
        Named::Port(id) => id.to_bits(),
        Named::Memory(id) => id.to_bits(),
        Named::Interrupt(id) => id.to_bits(),
        Named::Timer(id) => id.to_bits(),
        Named::Machine | Named::IoPorts => 0,
    }
}

/// Threads are in the lists of their processes; what ends is in a list, what has ended is empty.
fn processes(kernel: &Kernel) {
    let mut listed = 0;
    for (id, process) in kernel.processes.iter() {
        let (mut before, mut next, mut count) = (None, process.threads, 0);
        while let Some(thread) = next {
            let Thread { process, state, siblings, .. } = &kernel.threads[thread];
            assert!(*process == id && *state != State::Ended, "{thread:?} lives in {id:?}");
            assert_eq!(siblings.0, before, "siblings agree");
            (before, next, count) = (next, siblings.1, count + 1);
        }
        assert_eq!(process.thread_count, count, "threads of {id:?} are counted");
        listed += count as usize;
        if process.life == Life::Ended {
            assert!(count == 0 && process.handles.is_none(), "{id:?} is empty");
            assert!(kernel.vm.spaces.get(process.space).is_none(), "its space is gone");
        } else {
            assert!(kernel.vm.spaces.get(process.space).is_some(), "it has an address space");
        }
    }
    let living = kernel.threads.iter().filter(|(_, thread)| thread.state != State::Ended).count();
    assert_eq!(listed, living, "every thread is in a process");
    let (mut next, mut dying) = (kernel.dying.process, 0);
    while let Some(id) = next {
        assert_eq!(kernel.processes[id].life, Life::Ending, "{id:?} ends");
        (next, dying) = (kernel.processes[id].next_dying, dying + 1);
    }
    let ending = kernel.processes.iter().filter(|(_, process)| process.life == Life::Ending);
    assert_eq!(dying, ending.count(), "what ends will be taken apart");
    let with_fpu = kernel.threads.iter().filter(|(_, thread)| thread.fpu.is_some()).count();
    assert_eq!(with_fpu, kernel.fpus.len(), "registers have threads");
}

fn ports(kernel: &Kernel) {
    let mut messages = 0;
    for (id, port) in kernel.ports.iter() {
        let (mut next, mut count, mut last) = (port.ends.map(|ends| ends.0), 0, None);
        while let Some(at) = next {
            (last, next, count) = (next, kernel.messages[at].next, count + 1);
        }
        assert_eq!(port.messages, count, "messages of {id:?} are counted");
        assert_eq!(port.ends.map(|ends| ends.1), last, "the last one of {id:?}");
        assert!(count <= port.capacity, "{id:?} has more than it has room for");
        messages += count as usize;
    }
    assert_eq!(messages, kernel.messages.len(), "messages are in queues");
    let (mut next, mut dying) = (kernel.dying.port, 0);
    while let Some(id) = next {
        assert!(kernel.ports[id].is_gone(), "{id:?} is gone");
        (next, dying) = (kernel.ports[id].next_dying, dying + 1);
    }
    let gone = |port: &Port| port.is_gone() && !port.is_empty;
    let gone = kernel.ports.iter().filter(|(_, port)| gone(port)).count();
    assert_eq!(dying, gone, "ports that are gone will be taken apart");
}

/// A line is let through while somebody serves it and has not been told yet.
fn lines(kernel: &Kernel) {
    for line in 0..interrupts::lines() {
        let found = kernel.interrupts.iter().find(|(_, interrupt)| interrupt.line == line);
        let open = found.is_some_and(|(_, interrupt)| !interrupt.pending);
        assert_eq!(!interrupts::is_masked(line), open, "line {line}");
    }
}

/// What is charged to each account, besides what the virtual memory charges itself.
fn charges(kernel: &Kernel) -> BTreeMap<usize, u64> {
    let mut costs = BTreeMap::<usize, u64>::new();
    let mut add = |account: Id<Account>, cost: u64| {
        *costs.entry(account.index()).or_default() += cost;
    };
    for (_, process) in kernel.processes.iter() {
        add(process.payer, Arena::<Process>::COST);
        let next = |id: &Id<Handle>| kernel.handles[*id].links.1;
        let handles = std::iter::successors(process.handles, next).count() as u64;
        if handles > 0 {
            add(process.account, handles * Arena::<Handle>::COST);
        }
    }
    for (_, thread) in kernel.threads.iter() {
        let fpu = if thread.fpu.is_some() { Arena::<Fpu>::COST } else { 0 };
        let carried = if thread.state == State::Ended { 0 } else { CARRIED };
        add(thread.account, Arena::<Thread>::COST + carried + fpu);
    }
    for (_, timer) in kernel.timers.iter() {
        add(timer.account, Arena::<Timer>::COST);
    }
    for (_, port) in kernel.ports.iter() {
        let room = u64::from(port.capacity) * (Arena::<Message>::COST + CARRIED);
        add(port.account, Arena::<Port>::COST + room);
    }
    for (_, interrupt) in kernel.interrupts.iter() {
        add(interrupt.account, Arena::<Interrupt>::COST);
    }
    costs
}
