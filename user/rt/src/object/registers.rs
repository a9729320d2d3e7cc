//! The registers of other threads, while those run no user code.

use super::{Object, Thread};
use crate::abi::{Call, Error, FPU_BYTES, REGISTERS, RegisterSet};
use crate::call::invoke;
use crate::time::{nap, now};
use core::mem::MaybeUninit;

/// A thread whose registers can be had.
#[derive(Clone, Copy, Debug)]
pub enum Halted<'a> {
    /// It is suspended.
    Suspended(&'a Thread),
    /// It waits for the answer to a foreign call or fault.
    Calling(&'a Thread),
    /// It waits so, and its call or fault is the one that this thread received last.
    Last,
}

/// The general registers of a thread.
pub type General = [u64; REGISTERS];

/// All registers of a thread.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Registers {
    /// The general ones.
    pub general: [u64; REGISTERS],
    /// Those of floating point.
    pub fpu: [u8; FPU_BYTES],
}

const _: () = assert!(size_of::<Registers>() == 8 * REGISTERS + FPU_BYTES);

/// Registers as they lie in memory.
///
/// # Safety
/// The type takes as many bytes as the kernel copies for the set, any of which are good.
pub unsafe trait Registered {
    /// Which they are.
    const SET: RegisterSet;
}

// SAFETY: so many words.
unsafe impl Registered for [u64; REGISTERS] {
    const SET: RegisterSet = RegisterSet::General;
}

// SAFETY: so many bytes.
unsafe impl Registered for [u8; FPU_BYTES] {
    const SET: RegisterSet = RegisterSet::Fpu;
}

// SAFETY: both, without anything in between.
unsafe impl Registered for Registers {
    const SET: RegisterSet = RegisterSet::All;
}

impl Halted<'_> {
    /// Reads registers.
    #[inline]
    pub fn read<T: Registered>(self, room: &mut MaybeUninit<T>) -> Result<&mut T, Error> {
        let address = room.as_mut_ptr() as u64;
        self.copy([Call::RegistersGet, Call::CallerRegistersGet], T::SET, address)?;
        // SAFETY: the kernel has written all of it.
        Ok(unsafe { room.assume_init_mut() })
    }

    /// Reads the general ones.
    pub fn general(self) -> Result<[u64; REGISTERS], Error> {
        self.read(&mut MaybeUninit::uninit()).copied()
    }

    /// Replaces registers. What user code may not choose stays as it is.
    #[inline]
    pub fn write<T: Registered>(self, registers: &T) -> Result<(), Error> {
        let address = &raw const *registers as u64;
        self.copy([Call::RegistersSet, Call::CallerRegistersSet], T::SET, address)
    }

    fn copy(self, calls: [Call; 2], set: RegisterSet, address: u64) -> Result<(), Error> {
        let (call, handle) = match self {
            Halted::Suspended(thread) => (calls[0], thread.raw()),
            Halted::Calling(thread) => (calls[1], thread.raw()),
            Halted::Last => (calls[1], 0),
        };
        invoke(call, [handle, set as u64, address]).map(|_| ())
    }
}

/// The registers of a thread, which is kept from running, and whose wait ends if it waits; none if it does not stop
/// for so many nanoseconds.
pub fn halt(thread: &Thread, patience: u64) -> Option<General> {
    thread.suspend().ok()?;
    let end = now().saturating_add(patience);
    loop {
        match Halted::Suspended(thread).general() {
            Err(Error::Busy) if now() < end => {
                // It waits, or another CPU lets go of it.
                let _ = thread.cancel();
                nap();
            }
            registers => return registers.ok(),
        }
    }
}
