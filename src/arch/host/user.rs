//! What concerns user code on the simulated machine, which has none: a test puts into a thread's
//! registers what its code would have, and traps in its name.

use super::{PhysMem, TrapFrame};
use crate::abi::{FPU_BYTES, REGISTERS};
use crate::units::{Asid, Frame};
use std::cell::Cell;

/// The I/O ports of the simulated machine are those of nobody.
pub const HAS_IO_PORTS: bool = false;

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

/// The thread leaves this CPU.
pub fn leave(_context: &mut Context) {}

/// The thread is next on this CPU.
pub fn arrive(_context: &mut Context) {}

thread_local! {
    static LOADED: Cell<Option<Frame>> = const { Cell::new(None) };
}

/// Translates user addresses by this table.
pub fn load_space(root: Frame, _asid: Asid) {
    LOADED.set(Some(root));
}

/// Translates none.
pub fn unload_space() {
    LOADED.set(None);
}

/// The table that translates user addresses.
pub fn loaded() -> Option<Frame> {
    LOADED.get()
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
    pub const fn new() -> Fpu {
        Fpu([0; FPU_BYTES])
    }

    /// All of them.
    pub fn bytes(&self) -> &[u8; FPU_BYTES] {
        &self.0
    }

    /// Replaces them.
    pub fn set_bytes(&mut self, bytes: &[u8; FPU_BYTES]) {
        self.0 = *bytes;
    }

    /// Saves what the CPU has.
    pub fn save(&mut self) {}

    /// Gives it to the CPU.
    pub fn load(&self) {}
}

impl Default for Fpu {
    fn default() -> Fpu {
        Fpu::new()
    }
}

/// User code may use floating point registers.
pub fn fpu_on() {}

/// It may not.
pub fn fpu_off() {}

/// Reads an I/O port: there are none.
pub fn io_read(_port: u16, _size: u64) -> Option<u64> {
    None
}

/// Writes one.
pub fn io_write(_port: u16, _size: u64, _value: u64) -> Option<()> {
    None
}

/// Copies bytes.
///
/// # Safety
/// Both ranges are mapped and do not overlap.
pub unsafe fn copy(to: *mut u8, from: *const u8, bytes: usize) {
    // SAFETY: the caller's promise.
    unsafe { core::ptr::copy_nonoverlapping(from, to, bytes) }
}
