//! The CPU's own: the register RNDR (FEAT_RNG, Arm ARM K.a, D23.2.138).
//!
//! Which features there are is said by registers that user space cannot read. So a process of two instructions
//! finds out: it stops with one fault where there is no such register, and with another where there is.

use super::{Source, collect};
use core::arch::asm;
use rt::abi::{FaultKind, MAP_EXECUTE, THREAD_START};
use rt::thread::PRIORITY;
use rt::time::{SECOND, now};
use rt::{Error, Memory, Port, Process, Thread};

/// Reads RNDR into x0, then stops.
const PROBE: [u32; 2] = [0xd53b_2400, 0xd420_0020];
/// Where it is, in a process that has nothing else, and with which quota.
const PLACE: u64 = 1 << 21;
const QUOTA: u64 = 128 << 10;
/// How often to ask until there is something.
const ATTEMPTS: usize = 100;

/// It, if the CPU has it.
pub fn source() -> Option<Source> {
    // One that cannot find out does without.
    let is_there = probe().unwrap_or(false);
    is_there.then(|| Source::new("RNDR", || collect(|| (0..ATTEMPTS).find_map(|_| rndr()))))
}

fn probe() -> Result<bool, Error> {
    let code = Memory::create(1)?;
    code.write(0, PROBE.map(u32::to_le_bytes).as_flattened())?;
    let process = Process::create(QUOTA, PRIORITY)?;
    process.map(&code, PLACE, 0, 1, MAP_EXECUTE)?;
    let port = Port::create(0)?;
    process.set_handler(Some(&port))?;
    let flags = THREAD_START | u64::from(PRIORITY);
    let _thread = Thread::create(&process, PLACE, 0, 0, 0, flags)?;
    let fault = port.receive(now() + SECOND)?.fault();
    process.kill(0)?;
    Ok(fault == Some(FaultKind::Breakpoint))
}

fn rndr() -> Option<u64> {
    let (word, is_there): (u64, u64);
    // SAFETY: the CPU has it, and it changes nothing but a register and the flags.
    unsafe { asm!("mrs {}, s3_3_c2_c4_0", "cset {}, ne", out(reg) word, out(reg) is_there) };
    (is_there != 0).then_some(word)
}
