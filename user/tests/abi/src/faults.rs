//! Faults as messages to a process's handler, which looks at the registers, mends what is wrong or
//! steps over it, or ends the process.
//!
//! Before each fault the second process puts the address to go on at into a register; what it does
//! is `provoke`, and what this one expects is `EXPECTED`, in the same order.

use crate::Test;
use crate::check::{call, call_until, fails, holds, same, works};
use crate::support::{KERNEL, NO_HANDLE, NOWHERE, QUOTA, World, actor};
use core::arch::asm;
use rt::abi::{
    Arrival, Call, EXIT_ABANDONED, EXIT_FAULT, Error, FOREVER, FaultKind, Info, MAP_WRITE,
    PortRights, REGISTERS, REPLY_AS_IS, REPLY_KILL, RegisterSet,
};
use rt::arch::PROGRAM_COUNTER;
use rt::loader::Child;
use rt::object::{Halted, reply};
use rt::{Memory, Message, Object, Port, Received, Reply};

pub const TESTS: &[Test] = &[
    ("faults", faults),
    ("fault-without-handler", without_handler),
    ("fault-handler-goes", handler_goes),
    ("caller-registers", registers),
];

pub const ROLE: u64 = 2;
const BADGE: u64 = 0xbad9e;
/// Where the handler will map a page.
const MENDED: u64 = 0x50_0000_0000;
const VALUE: u64 = 0xdead_beef;

/// What is expected of each fault: its kinds, the address if it says one, the access.
type Expected = (&'static [FaultKind], Option<u64>, u64);

const REFUSED: &[FaultKind] = &[FaultKind::Unmapped, FaultKind::Permission];
const READ: u64 = 0;
const WRITE: u64 = 1;
const EXECUTE: u64 = 2;

const EXPECTED: &[Expected] = &[
    (&[FaultKind::Unmapped], Some(NOWHERE), READ),
    (&[FaultKind::Unmapped], Some(NOWHERE + 8), WRITE),
    (REFUSED, Some(KERNEL), READ),
    (REFUSED, Some(KERNEL), WRITE),
    (&[FaultKind::Permission], Some(0x20_0000), WRITE),
    (&[FaultKind::Unmapped], Some(NOWHERE), EXECUTE),
    (&[FaultKind::Instruction], None, EXECUTE),
    (&[FaultKind::Instruction], None, EXECUTE),
    (&[FaultKind::Breakpoint], None, EXECUTE),
    (&[FaultKind::Instruction], None, EXECUTE),
    #[cfg(target_arch = "x86_64")]
    (&[FaultKind::Arithmetic], None, EXECUTE),
    #[cfg(target_arch = "aarch64")]
    (&[FaultKind::Alignment], Some(0x20_0001), READ),
];

/// Where a register set has the address to go on at.
#[cfg(target_arch = "aarch64")]
const RESUME: usize = 9;
#[cfg(target_arch = "x86_64")]
const RESUME: usize = 11;

/// Runs an instruction that faults, with an operand.
#[cfg(target_arch = "aarch64")]
macro_rules! fault {
    ($instruction:literal, $operand:expr) => {
        // SAFETY: the handler has it go on behind the instruction, which changes nothing.
        unsafe {
            asm!("adr x9, 2f", $instruction, "2:", in("x10") $operand, out("x9") _, out("x30") _)
        }
    };
}
#[cfg(target_arch = "x86_64")]
macro_rules! fault {
    ($instruction:literal, $operand:expr) => {
        // SAFETY: the handler has it go on behind the instruction, which changes nothing.
        unsafe {
            asm!("lea r11, [rip + 2f]", $instruction, "2:", in("r10") $operand, out("r11") _,
                out("rax") _, out("rdx") _)
        }
    };
}

#[cfg(target_arch = "aarch64")]
fn provoke() {
    fault!("ldr x9, [x10]", NOWHERE);
    fault!("str xzr, [x10]", NOWHERE + 8);
    fault!("ldr x9, [x10]", KERNEL);
    fault!("str xzr, [x10]", KERNEL);
    fault!("str xzr, [x10]", 0x20_0000u64);
    fault!("br x10", NOWHERE);
    fault!("udf #0", 0);
    fault!("mrs x9, sctlr_el1", 0);
    fault!("brk #1", 0);
    // This thread has no floating point registers: `fmov d0, x10`.
    fault!(".inst 0x9e670140", 0);
    fault!("ldxr x9, [x10]", 0x20_0001u64);
}

#[cfg(target_arch = "x86_64")]
fn provoke() {
    fault!("mov rax, [r10]", NOWHERE);
    fault!("mov [r10], rax", NOWHERE + 8);
    fault!("mov rax, [r10]", KERNEL);
    fault!("mov [r10], rax", KERNEL);
    fault!("mov [r10], rax", 0x20_0000u64);
    fault!("jmp r10", NOWHERE);
    fault!("ud2", 0);
    fault!("hlt", 0);
    fault!("int3", 0);
    fault!("movq xmm0, r10", 0);
    fault!("xor edx, edx\nxor eax, eax\ndiv r10", 0u64);
}

/// What the second process does; the end is the handler's to choose.
pub fn act() -> u64 {
    // SAFETY: the handler maps a page there.
    let value = unsafe { (MENDED as *const u64).read_volatile() };
    if value != VALUE {
        return 3;
    }
    provoke();
    0
}

/// A process whose faults come to a port.
fn victim(world: &World) -> (Child, Port) {
    let child = actor(world, ROLE, QUOTA).expect("a process");
    let port = Port::create(0).expect("a port");
    let handler = port.badged(PortRights::SEND, BADGE).expect("a badge");
    child.process.set_handler(Some(&handler)).expect("a handler");
    child.start().expect("a start");
    (child, port)
}

fn next(port: &Port) -> Received {
    let soon = rt::time::now() + 5 * rt::time::SECOND;
    port.receive(soon).expect("a fault")
}

fn faults(world: &World) {
    let (child, port) = victim(world);
    mend(&child, &port);
    for &(kinds, address, access) in EXPECTED {
        let fault = next(&port);
        same((fault.arrival, fault.badge), (Arrival::Fault, BADGE));
        if !kinds.iter().any(|&kind| fault.fault() == Some(kind)) {
            same(fault.fault(), kinds.first().copied());
        }
        if let Some(address) = address {
            same((fault.words[0], fault.words[1]), (address, access));
        }
        let mut all = Halted::Last.general().expect("its registers");
        same(fault.words[3], all[rt::arch::STACK_POINTER]);
        all[PROGRAM_COUNTER] = all[RESUME];
        Halted::Last.write(&all).expect("room for registers");
        reply(&Message::new(REPLY_AS_IS)).expect("an answer");
    }
    same(child.wait(FOREVER), Ok(0));
}

/// Maps a page where it is missing; the access is made again.
fn mend(child: &Child, port: &Port) {
    let fault = next(port);
    same((fault.fault(), fault.words[0]), (Some(FaultKind::Unmapped), MENDED));
    same(fault.words[1], READ);
    let page = Memory::create(1).expect("a page");
    page.write(0, &VALUE.to_le_bytes()).expect("room");
    child.process.map(&page, MENDED, 0, 1, MAP_WRITE).expect("room");
    single_step(port);
}

/// From here the next instruction reports itself.
fn single_step(port: &Port) {
    #[cfg(target_arch = "aarch64")]
    const STEP: (usize, u64) = (33, 1 << 21);
    #[cfg(target_arch = "x86_64")]
    const STEP: (usize, u64) = (17, 1 << 8);
    let mut all = Halted::Last.general().expect("its registers");
    let from = all[PROGRAM_COUNTER];
    all[STEP.0] |= STEP.1;
    Halted::Last.write(&all).expect("room for registers");
    reply(&Message::new(REPLY_AS_IS)).expect("an answer");
    let step = next(port);
    same(step.fault(), Some(FaultKind::Step));
    all = Halted::Last.general().expect("its registers");
    holds(all[PROGRAM_COUNTER] > from && all[PROGRAM_COUNTER] < from + 16);
    all[STEP.0] &= !STEP.1;
    Halted::Last.write(&all).expect("room for registers");
    reply(&Message::new(REPLY_AS_IS)).expect("an answer");
}

fn without_handler(world: &World) {
    let child = actor(world, ROLE, QUOTA).expect("a process");
    same(child.run(FOREVER), Ok(EXIT_FAULT));
}

fn handler_goes(world: &World) {
    // It drops the fault, it goes with the fault unanswered, it ends the process.
    let (child, port) = victim(world);
    next(&port);
    drop(Reply::save());
    same(child.wait(FOREVER), Ok(EXIT_ABANDONED));
    let (child, port) = victim(world);
    crate::support::until(|| child.thread.info().is_ok_and(|info| info.state as u64 == 2));
    drop(port);
    same(child.wait(FOREVER), Ok(EXIT_ABANDONED));
    let (child, port) = victim(world);
    next(&port);
    reply(&Message::new(REPLY_KILL).words(&[55])).expect("an answer");
    same(child.wait(FOREVER), Ok(55));
}

fn registers(world: &World) {
    let (child, port) = victim(world);
    let mut all = [0u64; REGISTERS];
    let (at, general) = (all.as_mut_ptr() as u64, RegisterSet::General as u64);
    for which in [Call::CallerRegistersGet, Call::CallerRegistersSet] {
        fails(call(which, &[0, general, at]), Error::NotFound);
        fails(call(which, &[NO_HANDLE, general, at]), Error::BadHandle);
        fails(call(which, &[port.raw(), general, at]), Error::WrongKind);
    }
    works(call_until(Call::Receive, &[port.raw()], FOREVER));
    for which in [Call::CallerRegistersGet, Call::CallerRegistersSet] {
        for set in [3, u64::MAX, RegisterSet::Fpu as u64, RegisterSet::All as u64] {
            fails(call(which, &[0, set, at]), Error::Invalid);
        }
        for address in [NOWHERE, KERNEL, u64::MAX - 30] {
            fails(call(which, &[0, general, address]), Error::BadAddress);
        }
    }
    // An answer to a fault carries no handles.
    let info = Info::new(0).with_handles(1).0;
    fails(call(Call::Reply, &[0, info, 0, 0, 0, 0, 0, port.raw()]), Error::Invalid);
    let saved = works(call(Call::ReplySave, &[]))[1];
    works(call(Call::CallerRegistersGet, &[saved, general, at]));
    works(call(Call::CallerRegistersSet, &[saved, general, at]));
    works(call(Call::Reply, &[saved, REPLY_KILL.into(), 7]));
    same(child.wait(FOREVER), Ok(7));
}
