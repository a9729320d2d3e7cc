//! What concerns user code on the simulated machine, which has none: a test puts into a thread's
//! registers what its code would have, and traps in its name.

use super::{PhysMem, TrapFrame, cpu};
use crate::abi::{FPU_BYTES, REGISTERS};
use crate::units::{Asid, Frame, MAX_CPUS};
use std::cell::Cell;

/// The simulated machine has I/O ports, with nothing behind them.
pub const HAS_IO_PORTS: bool = true;

/// Where the registers of the interface have the stack pointer.
pub const STACK_POINTER: usize = 8;
/// And where the TLS register.
pub const TLS: usize = 10;

/// A thread's registers.
pub struct Context {
    /// What a trap saves.
    pub frame: TrapFrame,
    /// Its TLS register.
    pub tls: u64,
}

impl Context {
    /// The registers of a thread that has not run.
    pub fn new(entry: u64, stack: u64, argument: u64) -> Context {
        let mut frame = TrapFrame::here();
        (frame.pc, frame.sp, frame.args[0]) = (entry, stack, argument);
        Context { frame, tls: 0 }
    }

    /// All of them.
    pub fn registers(&self) -> [u64; REGISTERS] {
        let mut all = [0; REGISTERS];
        all[..8].copy_from_slice(&self.frame.args);
        [all[8], all[9], all[10]] = [self.frame.sp, self.frame.pc, self.tls];
        all
    }

    /// Replaces them.
    pub fn set_registers(&mut self, all: &[u64; REGISTERS]) {
        self.frame.args.copy_from_slice(&all[..8]);
        [self.frame.sp, self.frame.pc, self.tls] = [all[8], all[9], all[10]];
    }

    /// Sets the TLS register.
    pub fn set_tls(&mut self, value: u64) -> bool {
        let valid = value < crate::abi::USER_END;
        if valid {
            self.tls = value;
        }
        valid
    }

    /// Whether it makes single steps.
    pub fn is_stepping(&self) -> bool {
        false
    }
}

/// What was written to a page may be executed: it always may.
///
/// # Safety
/// None is asked for here.
pub unsafe fn publish_code(_page: *const u8) {}

thread_local! {
    static CPUS: [State; MAX_CPUS] = const { [const { State::new() }; MAX_CPUS] };
}

/// What a CPU has loaded that user code can see.
struct State {
    space: Cell<Option<(Frame, Asid)>>,
    /// Where the registers of the thread go when it traps.
    context: Cell<usize>,
    tls: Cell<u64>,
    fpu_on: Cell<bool>,
    fpu: Cell<u64>,
}

impl State {
    const fn new() -> State {
        State {
            space: Cell::new(None),
            context: Cell::new(0),
            tls: Cell::new(0),
            fpu_on: Cell::new(false),
            fpu: Cell::new(0),
        }
    }
}

/// The state of the CPU this runs on.
fn here<T>(with: impl FnOnce(&State) -> T) -> T {
    CPUS.with(|all| with(&all[cpu::current().index()]))
}

/// The thread leaves this CPU.
pub fn leave(context: &mut Context) {
    context.tls = here(|cpu| cpu.tls.get());
}

/// The thread is next on this CPU.
pub fn arrive(context: &mut Context) {
    here(|cpu| {
        cpu.context.set(&raw const *context as usize);
        cpu.tls.set(context.tls);
    });
}

pub use arrive as arrive_plain;
pub use leave as leave_plain;

/// Whether a trap of this CPU would save the registers of user code there.
pub fn has_arrived(context: &Context) -> bool {
    here(|cpu| cpu.context.get() == &raw const *context as usize && cpu.tls.get() == context.tls)
}

/// Translates user addresses by a table.
pub fn load_space(seat: u64) {
    here(|cpu| cpu.space.set(Some((Frame(seat >> 16), Asid(seat as u16)))));
}

/// What `load_space` wants for the table at `root`.
pub fn seat(root: Frame, asid: Asid) -> u64 {
    root.0 << 16 | u64::from(asid.0)
}

/// Translates none.
pub fn unload_space() {
    here(|cpu| cpu.space.set(None));
}

/// The table that translates user addresses, and the tag of what the TLB remembers of it.
pub fn loaded() -> Option<(Frame, Asid)> {
    here(|cpu| cpu.space.get())
}

/// As it is when the machine is switched on.
pub(super) fn reset() {
    CPUS.with(|all| {
        for cpu in all {
            cpu.space.set(None);
            cpu.fpu_on.set(false);
        }
    });
}

/// A fresh root of user tables gets what it needs: nothing.
pub fn adopt(_root: Frame, _kernel_root: Frame, _memory: &mut PhysMem) {}

/// Never goes on: the simulated machine has no code of its own.
///
/// # Safety
/// None is asked for here.
pub unsafe fn resume(_frame: *mut TrapFrame) -> ! {
    panic!("a simulated machine runs no code")
}

/// The CPU has nothing to do.
pub fn idle() -> ! {
    panic!("a simulated CPU waits for nothing")
}

/// Floating point registers.
pub struct Fpu([u8; FPU_BYTES]);

impl Fpu {
    /// Their first state.
    pub const fn initial() -> Fpu {
        Fpu([0; FPU_BYTES])
    }

    /// All of them.
    pub fn bytes(&self) -> &[u8; FPU_BYTES] {
        &self.0
    }

    /// Has them changed.
    pub fn change<T>(&mut self, change: impl FnOnce(&mut [u8; FPU_BYTES]) -> T) -> T {
        change(&mut self.0)
    }

    /// Saves what the CPU has: one word of it is simulated.
    pub fn save(&mut self) {
        let word = here(|cpu| cpu.fpu.get());
        self.0[..8].copy_from_slice(&word.to_le_bytes());
    }

    /// Gives it to the CPU.
    pub fn load(&self) {
        let (words, _) = self.0.as_chunks::<8>();
        here(|cpu| cpu.fpu.set(u64::from_le_bytes(words[0])));
    }
}

/// User code may use floating point registers.
pub fn fpu_on() {
    here(|cpu| cpu.fpu_on.set(true));
}

/// It may not.
pub fn fpu_off() {
    here(|cpu| cpu.fpu_on.set(false));
}

/// User code of this CPU puts a value into a floating point register, and gets what was there;
/// nothing if it may not use them.
pub fn fpu_replace(value: u64) -> Option<u64> {
    here(|cpu| cpu.fpu_on.get().then(|| cpu.fpu.replace(value)))
}

/// Reads an I/O port.
pub fn io_read(_port: u16, size: u64) -> Option<u64> {
    Some(u64::MAX >> (64 - 8 * size))
}

/// Writes one.
pub fn io_write(_port: u16, _size: u64, _value: u64) -> Option<()> {
    Some(())
}

/// Copies bytes.
///
/// # Safety
/// Both ranges are mapped and do not overlap.
pub unsafe fn copy(to: *mut u8, from: *const u8, bytes: usize) {
    // SAFETY: the caller's promise.
    unsafe { core::ptr::copy_nonoverlapping(from, to, bytes) }
}
