//! The end: a kernel bug, told as a person would want to read it. What happened, where, on which CPU
//! and what that was doing, the registers, and the way there with names. All other CPUs stop, and an
//! emulator exits with a status of its own.

use crate::arch::{self, Exit, TrapFrame};
use crate::kernel;
use crate::layout::{self, PHYS_MAP};
use crate::log::{self, LastWords};
use crate::symbols;
use crate::units::{Cause, CpuId, Fault, FaultReason, MAX_CPUS, VirtAddr};
use core::fmt;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// What a CPU is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Doing {
    /// It has not arrived.
    Nothing,
    /// Booting.
    Boot,
    /// Waiting for something to do.
    Idle,
    /// Running user code, or serving its traps.
    User,
    /// Serving an interrupt.
    Interrupt,
    /// Running a test of the kernel.
    Test,
    /// Reporting its own panic.
    Panic,
}

impl Doing {
    /// Each in words, in order.
    const ALL: [(Doing, &str); 7] = [
        (Doing::Nothing, "not started"),
        (Doing::Boot, "booting"),
        (Doing::Idle, "idle"),
        (Doing::User, "running user code"),
        (Doing::Interrupt, "serving an interrupt"),
        (Doing::Test, "running a test"),
        (Doing::Panic, "reporting a panic"),
    ];

    fn text(self) -> &'static str {
        Doing::ALL[self as usize].1
    }
}

/// What each CPU is doing; each writes its own, so nothing is ordered by it.
static DOING: [AtomicU8; MAX_CPUS] = [const { AtomicU8::new(Doing::Nothing as u8) }; MAX_CPUS];

/// Frames of a backtrace that are shown.
const DEPTH: usize = 24;

/// Notes what this CPU does from now on, and says what it did before.
pub fn now_doing(what: Doing) -> Doing {
    let before = DOING[arch::cpu::current().index()].swap(what as u8, Relaxed);
    Doing::ALL[usize::from(before) % Doing::ALL.len()].0
}

fn doing(cpu: CpuId) -> Doing {
    Doing::ALL[usize::from(DOING[cpu.index()].load(Relaxed)) % Doing::ALL.len()].0
}

/// Ends everything because of a trap that nothing expected.
pub fn unexpected(frame: &TrapFrame, cause: Cause) -> ! {
    die(format_args!("{}", fmt::from_fn(|f| describe(cause, frame, f))), None, frame)
}

#[cfg(target_os = "none")]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let frame = TrapFrame::here();
    die(format_args!("{}", info.message()), info.location(), &frame)
}

/// Stops the others, reports, and exits. A panic inside the report says so and ends with what is out
/// already; one inside that only exits; and if even that fails, this CPU stands still.
fn die(
    what: fmt::Arguments<'_>,
    place: Option<&core::panic::Location<'_>>,
    frame: &TrapFrame,
) -> ! {
    arch::cpu::interrupts_off();
    let before = now_doing(Doing::Panic);
    if before == Doing::Panic {
        fail_again(what);
    }
    if !kernel::stop_all() {
        arch::cpu::park();
    }
    arch::interrupts::stop_others();
    let mut log = log::seize(arch::cpu::current());
    report(&mut log, what, place, frame, before);
    arch::power::exit(Exit::Panic)
}

/// The report of a panic has panicked, on the CPU that makes it.
fn fail_again(what: fmt::Arguments<'_>) -> ! {
    static TIMES: AtomicU8 = AtomicU8::new(0);
    match TIMES.fetch_add(1, Relaxed) {
        0 => {
            let mut log = log::seize(arch::cpu::current());
            log.line(format_args!("... and the report itself failed: {what}"));
            arch::power::exit(Exit::Panic)
        }
        1 => arch::power::exit(Exit::Panic),
        _ => arch::cpu::park(),
    }
}

fn report(
    log: &mut LastWords,
    what: fmt::Arguments<'_>,
    place: Option<&core::panic::Location<'_>>,
    frame: &TrapFrame,
    before: Doing,
) {
    let cpu = arch::cpu::current();
    log.line(format_args!("kernel panic on CPU {}, {}", cpu.0, before.text()));
    log.line(format_args!("  {what}"));
    if let Some(place) = place {
        log.line(format_args!("  at {}:{}:{}", place.file(), place.line(), place.column()));
    }
    log.line(format_args!("registers:\n{frame}"));
    log.line(format_args!("backtrace:"));
    backtrace(log, frame);
    (0..MAX_CPUS as u8).map(CpuId).filter(|&other| other != cpu).for_each(|other| {
        match doing(other) {
            Doing::Nothing => {}
            what => log.line(format_args!("CPU {} was {}", other.0, what.text())),
        }
    });
}

/// Follows the frame pointers: each points to the caller's, and the return address is next to it.
/// Every word is read as untrusted: a broken chain ends the list.
fn backtrace(log: &mut LastWords, frame: &TrapFrame) {
    show(log, 0, frame.pc());
    let mut fp = frame.fp();
    for depth in 1..DEPTH {
        if fp.0 < PHYS_MAP || !fp.0.is_multiple_of(8) {
            return;
        }
        let word = |offset: u64| arch::probe::read(VirtAddr(fp.0.wrapping_add(offset)));
        let (Ok(next), Ok(caller)) = (word(0), word(8)) else { return };
        if caller == 0 {
            return;
        }
        // The call is before the address it returns to, and may be its function's last instruction.
        show(log, depth, VirtAddr(caller - 1));
        if next <= fp.0 {
            return;
        }
        fp = VirtAddr(next);
    }
}

fn show(log: &mut LastWords, depth: usize, at: VirtAddr) {
    let offset = at.0.wrapping_sub(layout::IMAGE_BASE);
    match symbols::lookup(arch::symbols(), offset) {
        Some((name, into)) => {
            log.line(format_args!("{depth:4}  {:016x}  {name} + {into:#x}", at.0))
        }
        None => log.line(format_args!("{depth:4}  {:016x}", at.0)),
    }
}

/// Puts a cause into words.
fn describe(cause: Cause, frame: &TrapFrame, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match cause {
        Cause::Fault(fault) => describe_fault(fault, frame, f),
        Cause::Exception(what) => write!(f, "{} (code {:#x})", what.name, what.code),
        Cause::Native | Cause::Foreign | Cause::Fpu => f.write_str("what only user code does"),
        _ => f.write_str("an interrupt"),
    }
}

fn describe_fault(fault: Fault, frame: &TrapFrame, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{} at {:#x}: ", fault.access.text(), fault.address.0)?;
    match fault.reason {
        FaultReason::Unmapped { level: Some(level) } => {
            write!(f, "nothing is mapped there (level {level})")?
        }
        FaultReason::Unmapped { level: None } => write!(f, "nothing is mapped there")?,
        FaultReason::Permission => write!(f, "the mapping does not allow it")?,
        FaultReason::Alignment => write!(f, "the address is not aligned for it")?,
        FaultReason::Other(why) => write!(f, "{why}")?,
    }
    match layout::stack_at(fault.address) {
        Some((cpu, _)) if fault.address.0.abs_diff(frame.sp().0) < layout::STACK_SLOT => {
            write!(f, "; the kernel stack of CPU {} has overflowed", cpu.0)
        }
        _ => Ok(()),
    }
}
