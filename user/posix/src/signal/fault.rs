//! Faults of guests, which become signals.

use super::action::IGNORE;
use super::info::{Info, SI_KERNEL};
use super::queue::bit;
use crate::errno::Errno;
use crate::process::memory::{Area, Space};
use crate::process::{Task, exit};
use crate::wait::Outcome;
use alloc::rc::Rc;
use core::mem::MaybeUninit;
use linux_raw_sys::general::{
    BUS_ADRALN, BUS_ADRERR, FPE_FLTDIV, FPE_FLTINV, FPE_FLTOVF, FPE_FLTRES, FPE_FLTUND, FPE_INTDIV,
    ILL_ILLOPC, ILL_ILLOPN, PROT_EXEC, PROT_WRITE, SEGV_ACCERR, SEGV_MAPERR, SIGBUS, SIGFPE,
    SIGILL, SIGKILL, SIGSEGV, SIGTRAP, TRAP_BRKPT, TRAP_TRACE,
};
use rt::abi::{FPU_BYTES, FaultKind};
use rt::message::Received;
use rt::object::Halted;

/// What a fault was, as a handler's frame tells.
#[derive(Clone, Copy, Default)]
pub struct Circumstances {
    /// The address.
    pub address: u64,
    /// What the machine says of it.
    pub code: u64,
}

/// Which of x86-64's exceptions it was.
fn vector(code: u64) -> Option<u64> {
    cfg!(target_arch = "x86_64").then_some(code >> 32)
}

/// A fault of a guest.
pub fn fault(task: &Rc<Task>, received: &Received) -> Outcome {
    let [address, access, pc, _, code, _] = received.words;
    task.signals.fault.set(Circumstances { address, code });
    let vector = vector(code);
    let info = match received.fault() {
        // A wild address, which x86-64 does not even tell.
        Some(FaultKind::Unmapped | FaultKind::Permission) if vector == Some(13) => {
            Info::fault(SIGSEGV, SI_KERNEL, 0)
        }
        Some(FaultKind::Unmapped) => unmapped(&task.process.space.borrow(), address, access),
        Some(FaultKind::Permission) => Info::fault(SIGSEGV, SEGV_ACCERR as i32, address),
        Some(FaultKind::Alignment) if vector == Some(17) => {
            Info::fault(SIGBUS, BUS_ADRALN as i32, 0)
        }
        Some(FaultKind::Alignment) => Info::fault(SIGBUS, BUS_ADRALN as i32, address),
        Some(FaultKind::Bus) => Info::fault(SIGBUS, BUS_ADRERR as i32, address),
        Some(FaultKind::Instruction) => match vector {
            Some(13) => Info::fault(SIGSEGV, SI_KERNEL, 0),
            Some(_) => Info::fault(SIGILL, ILL_ILLOPN as i32, pc),
            None => Info::fault(SIGILL, ILL_ILLOPC as i32, pc),
        },
        Some(FaultKind::Arithmetic) if vector == Some(0) => {
            Info::fault(SIGFPE, FPE_INTDIV as i32, pc)
        }
        Some(FaultKind::Arithmetic) => Info::fault(SIGFPE, floating_code(vector) as i32, pc),
        Some(FaultKind::Breakpoint) if vector.is_some() => Info::fault(SIGTRAP, SI_KERNEL, 0),
        Some(FaultKind::Breakpoint) => Info::fault(SIGTRAP, TRAP_BRKPT as i32, pc),
        Some(FaultKind::Step) => Info::fault(SIGTRAP, TRAP_TRACE as i32, pc),
        Some(FaultKind::Other) => Info::fault(SIGSEGV, SI_KERNEL, 0),
        Some(FaultKind::NoMemory) | None => return exit::kill(&task.process, SIGKILL),
    };
    force(task, info);
    Outcome::AsIs
}

/// A page cannot be had. What comes of it, or nothing if it is to be tried again.
pub fn out_of_memory(task: &Rc<Task>, address: u64) -> Option<Outcome> {
    let process = &task.process;
    let files = process.space.borrow().find(address).is_some_and(|(_, area)| area.is_of_files());
    match process.refill(files) {
        Ok(()) => None,
        Err(Errno::ENOSPC) => {
            task.signals.fault.set(Circumstances { address, code: 0 });
            force(task, Info::fault(SIGBUS, BUS_ADRERR as i32, address));
            Some(Outcome::AsIs)
        }
        Err(_) if process.server.end_the_largest(process) => None,
        Err(_) => Some(Outcome::Gone),
    }
}

/// What a fault of floating point was: which of the exceptions that are not masked the registers of
/// the thread tell of.
fn floating_code(vector: Option<u64>) -> u32 {
    let mut room = MaybeUninit::<[u8; FPU_BYTES]>::uninit();
    let Ok(fpu) = Halted::Last.read(&mut room) else { return 0 };
    let word = |at: usize| u32::from_le_bytes([fpu[at], fpu[at + 1], fpu[at + 2], fpu[at + 3]]);
    // FXSAVE: the x87's control and status words come first, MXCSR is later.
    let raised = match vector {
        Some(16) => word(0) >> 16 & !word(0),
        _ => word(24) & !(word(24) >> 7),
    };
    let codes =
        [(1, FPE_FLTINV), (4, FPE_FLTDIV), (8, FPE_FLTOVF), (0x12, FPE_FLTUND), (0x20, FPE_FLTRES)];
    let found = codes.iter().find(|(bits, _)| raised & bits != 0);
    found.map_or(0, |&(_, code)| code)
}

/// Nothing is there for the kernel: perhaps what is there may not be touched, or is a file's that
/// ends before.
fn unmapped(space: &Space, address: u64, access: u64) -> Info {
    let forbidden = |area: &Area| match access {
        1 => area.access & PROT_WRITE == 0,
        2 => area.access & PROT_EXEC == 0,
        _ => area.access == 0,
    };
    match space.find(address) {
        None => Info::fault(SIGSEGV, SEGV_MAPERR as i32, address),
        Some((_, area)) if forbidden(area) => Info::fault(SIGSEGV, SEGV_ACCERR as i32, address),
        Some(_) => Info::fault(SIGBUS, BUS_ADRERR as i32, address),
    }
}

/// Sends a signal to a thread that cannot go on without: if it is blocked or ignored, that ends the
/// process.
pub fn force(task: &Task, info: Info) {
    let (signals, process) = (&task.signals, &task.process.signals);
    let blocked = signals.blocked.get() & bit(info.signal) != 0;
    if blocked || process.action(info.signal).handler == IGNORE {
        process.reset(info.signal);
        signals.blocked.set(signals.blocked.get() & !bit(info.signal));
    }
    // It is the system's, which needs no room.
    let _ = signals.queue.push(info, u64::MAX);
}
