//! The short way of calls and answers does what the long way does: the same script is run on both, and
//! after each step every thread, port and handle is the same.
//!
//! The two differ on purpose in who runs first among equals, in slices and in where a thread runs, so
//! these scripts have one CPU, no slices, and no two threads of the same priority.

use crate::sim::Sim;
use crate::sim_calls;
use ochre::abi::{ANY_CPU, COOPERATIVE, Call, FOREVER, NOW, THREAD_FPU};
use ochre::arch::TrapFrame;
use ochre::ipc::Way;
use ochre::kernel::{Current, Kernel, Next};
use ochre::mm::Id;
use ochre::object::{Handler, Named, Process, State, Thread};
use ochre::units::{Cause, CpuId};
use std::fmt::Write;

const CPU: CpuId = CpuId::BOOT;
/// Steps of a script, if it does not come to rest before.
const STEPS: usize = if cfg!(miri) { 7 } else { 300 };
/// What scripts are made of, each as often as it is in here.
const MENU: [Call; 24] = [
    Call::Call,
    Call::Call,
    Call::Call,
    Call::Call,
    Call::Call,
    Call::Call,
    Call::ReplyReceive,
    Call::ReplyReceive,
    Call::ReplyReceive,
    Call::ReplyReceive,
    Call::ReplyReceive,
    Call::ReplyReceive,
    Call::Receive,
    Call::Receive,
    Call::Receive,
    Call::Reply,
    Call::Send,
    Call::Signal,
    Call::ReplySave,
    Call::ThreadSuspend,
    Call::ThreadResume,
    Call::Duplicate,
    Call::Close,
    Call::LeaseRead,
];

#[test]
fn sim_short_ways_do_what_the_long_ways_do() {
    let fuzz = std::env::var("OCHRE_FUZZ").ok().and_then(|calls| calls.parse::<u64>().ok());
    let seeds = if cfg!(miri) { 1 } else { fuzz.map_or(100, |calls| calls / 20_000) };
    let mut straight = 0;
    for seed in 0..seeds {
        let (short, count) = script(seed, true);
        let (long, _) = script(seed, false);
        for (step, (short, long)) in short.iter().zip(&long).enumerate() {
            assert!(short == long, "seed {seed}, step {step}:\n{}", differences(short, long));
        }
        assert_eq!(short.len(), long.len(), "seed {seed}");
        straight += count;
    }
    println!("{straight} steps went from one thread straight to another");
    assert!(cfg!(miri) || u64::from(straight) >= 5 * seeds);
}

/// Runs a script. Tells what there is after each step, and how many of them went from one thread
/// straight to another.
fn script(seed: u64, fast: bool) -> (Vec<String>, u32) {
    let mut sim = Sim::new(seed, 1);
    sim.fast = fast;
    set_up(&mut sim);
    let (mut states, mut straight) = (Vec::new(), 0);
    sim.nudge(CPU);
    while let Some(thread) = sim.kernel.cpus[0].current
        && states.len() < STEPS
    {
        sim.pass(1000);
        let next = act(&mut sim, thread);
        straight += u32::from(next.is_some_and(|next| next != thread));
        // The long way takes a piece of something apart as well.
        while sim.kernel.has_work() {
            sim.nudge(CPU);
        }
        states.push(state(&sim));
    }
    sim.finish();
    (states, straight)
}

/// Three programs of three threads each, which know all ports and all threads.
fn set_up(sim: &mut Sim) {
    let processes = [0; 3].map(|_| sim.process(1 << 18, 63).0);
    let ports = processes.map(|process| sim.port(process, 1).0);
    let mut priorities: Vec<u64> = (1..40).collect();
    let mut threads = Vec::new();
    for process in processes.into_iter().cycle().take(9) {
        let at = sim.rng.below(priorities.len() as u64) as usize;
        let fpu = if sim.rng.often(500) { THREAD_FPU } else { 0 };
        threads.push(sim.thread(process, priorities.swap_remove(at) | fpu));
    }
    for (process, own) in processes.into_iter().zip(ports) {
        for port in ports {
            let rights = if port == own { u8::MAX } else { 0xc5 };
            sim.grant(process, Named::Port(port), rights, process.to_bits());
        }
        for thread in &threads {
            sim.grant(process, Named::Thread(*thread), u8::MAX, 0);
        }
        let handler = sim.rng.one_of(&ports);
        sim.kernel.processes[process].handler = Some(Handler { port: handler, badge: 99 });
        sim.settle_in(process);
    }
    for thread in threads {
        let thread_state = &mut sim.kernel.threads[thread];
        (thread_state.slice, thread_state.affinity) = (COOPERATIVE, ANY_CPU as u8);
        sim.kernel.resume_thread(CPU, thread);
    }
}

/// The current thread does something; tells who runs then.
fn act(sim: &mut Sim, thread: Id<Thread>) -> Option<Id<Thread>> {
    if sim.again.contains_key(&thread.to_bits()) {
        return sim.trap(CPU, sim.again[&thread.to_bits()].0);
    }
    if sim.rng.often(100) {
        sim.kernel.threads[thread].context.frame.number = sim.rng.below(300);
        return sim.trap(CPU, Cause::Foreign);
    }
    let row = sim_calls::row(sim.rng.one_of(&MENU));
    sim.draw_call(thread, row);
    let deadline = if sim.rng.often(950) { FOREVER } else { NOW };
    sim.kernel.threads[thread].context.frame.extra = [deadline, 0];
    sim.trap(CPU, Cause::Native)
}

/// All that anybody can see, in words.
fn state(sim: &Sim) -> String {
    let mut text = String::new();
    let kernel = &sim.kernel;
    for (id, thread) in kernel.threads.iter() {
        let Thread { state, flags, priority, caller, calls, tag, badge, .. } = thread;
        // It means something while the message has not been taken.
        let badge = matches!(state, State::Sending(..)).then_some(badge);
        let frame = &thread.context.frame;
        let _ = writeln!(
            text,
            "{id:?} {state:?} {flags:?} {priority} {caller:?} {calls} {tag} {badge:?} \
             {:x?} {:x?} {} {}",
            frame.args, frame.extra, frame.result, frame.restarts
        );
    }
    for (id, port) in kernel.ports.iter() {
        let next = |id: &Id<Thread>| kernel.threads[*id].links.1;
        let queue: Vec<_> = std::iter::successors(port.queue.first(), next).collect();
        let _ = writeln!(
            text,
            "{id:?} {:?} {:?} {} {} {:?}",
            port.waiting, port.server, port.signals, port.messages, queue
        );
    }
    for (id, process) in kernel.processes.iter() {
        let Process { life, code, refs, .. } = process;
        let _ = writeln!(text, "{id:?} {life:?} {code} {refs}");
    }
    for (id, handle) in kernel.handles.iter() {
        let _ = writeln!(text, "{id:?} {handle:?}");
    }
    text
}

/// The lines that only one of them has.
fn differences(short: &str, long: &str) -> String {
    let only = |name: &str, one: &str, other: &str| {
        let other: Vec<_> = other.lines().collect();
        let lines = one.lines().filter(|line| !other.contains(line)).take(6);
        lines.map(|line| format!("  {name}: {line}\n")).collect::<String>()
    };
    only("short", short, long) + &only("long ", long, short)
}

/// What happens on a trap of user code: as in `src/trap.rs`, which goes on with whoever runs then.
pub fn user_trap(kernel: &mut Kernel, fast: bool, cpu: CpuId, cause: Cause) -> Next {
    if let (true, Some(thread)) = (fast, kernel.cpus[cpu.index()].current) {
        let mut current = Current::of(&mut kernel.threads[thread]);
        if let Some(way) = way(&current.thread().context.frame) {
            kernel.save_fpu(cpu);
            if kernel.short_way(cpu, current.thread(), way).is_some() {
                return kernel.cpus[cpu.index()].current.map_or(Next::Idle, Next::Run);
            }
        }
    }
    kernel.long_way(cpu, cause)
}

/// What user code wants that left these registers, if there is a short way for it.
fn way(frame: &TrapFrame) -> Option<Way> {
    match Call::from_number(frame.number()).filter(|_| frame.is_native()) {
        Some(Call::Call) => Some(Way::Call),
        Some(Call::ReplyReceive) => Some(Way::ReplyReceive),
        Some(Call::Reply) => Some(Way::Reply),
        Some(Call::ProcessRead | Call::ProcessWrite) => Some(Way::Copy),
        Some(_) => None,
        None if frame.is_native() => None,
        None if frame.is_call() => Some(Way::Foreign),
        None => frame.refused_instruction().map(Way::Fault),
    }
}
