//! Alternate stacks for signal handlers.

use super::Pending;
use crate::errno::{Errno, Result};
use crate::server::Call;
use linux_raw_sys::general::{SS_AUTODISARM, SS_DISABLE, SS_ONSTACK};
use rt::arch::STACK_POINTER;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// The smallest that is taken: `MINSIGSTKSZ`.
const LEAST: u64 = if cfg!(target_arch = "aarch64") { 5120 } else { 2048 };

/// `stack_t`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Stack {
    start: u64,
    flags: u32,
    padding: u32,
    size: u64,
}

impl Default for Stack {
    fn default() -> Stack {
        Stack { start: 0, flags: SS_DISABLE, padding: 0, size: 0 }
    }
}

impl Stack {
    /// Whether a stack pointer is in it.
    fn holds(&self, pointer: u64) -> bool {
        let disarms = self.flags & SS_AUTODISARM != 0;
        !disarms && self.size != 0 && pointer.wrapping_sub(self.start).wrapping_sub(1) < self.size
    }

    /// Where a handler's frame goes that wants this stack, with the stack pointer as it is.
    pub fn top(&self, pointer: u64) -> Option<u64> {
        let unused = self.size != 0 && !self.holds(pointer);
        unused.then(|| self.start.wrapping_add(self.size))
    }

    /// Whether so low a frame leaves the stack that the pointer is in, by its lower end.
    pub fn overflows(&self, pointer: u64, frame: u64) -> bool {
        self.holds(pointer) && !self.holds(frame)
    }

    /// As the program sees it.
    fn shown(&self, pointer: u64) -> Stack {
        let flags = if self.holds(pointer) { self.flags | SS_ONSTACK } else { self.flags };
        Stack { flags, ..*self }
    }
}

impl Pending {
    /// Forgets the alternate stack.
    pub fn forget_stack(&self) {
        self.stack.set(Stack::default());
    }

    /// The alternate stack, as a handler's frame has it, which may disarm it.
    pub fn stack_for_frame(&self, pointer: u64) -> Stack {
        let stack = self.stack.get();
        if stack.flags & SS_AUTODISARM != 0 {
            self.forget_stack();
        }
        stack.shown(pointer)
    }

    /// Sets the alternate stack, which must not be in use.
    pub fn set_stack(&self, wish: Stack, pointer: u64) -> Result<()> {
        if self.stack.get().holds(pointer) {
            return Err(Errno::EPERM);
        }
        let mode = wish.flags & !SS_AUTODISARM;
        if !matches!(mode, 0 | SS_DISABLE | SS_ONSTACK) {
            return Err(Errno::EINVAL);
        }
        let stack = match mode {
            SS_DISABLE => Stack { start: 0, size: 0, ..wish },
            _ if wish.size < LEAST => return Err(Errno::ENOMEM),
            _ => Stack { flags: wish.flags & SS_AUTODISARM, ..wish },
        };
        self.stack.set(Stack { padding: 0, ..stack });
        Ok(())
    }
}

pub fn sigaltstack(call: &Call) -> Result {
    let [new, old, ..] = call.args;
    let (process, signals) = (call.process(), &call.task.signals);
    let wish = if new == 0 { None } else { Some(process.get::<Stack>(new)?) };
    let before = signals.stack.get();
    // Whether it is in use matters only where there is one.
    let pointer = if before.size == 0 { 0 } else { call.task.registers()?[STACK_POINTER] };
    wish.map_or(Ok(()), |wish| signals.set_stack(wish, pointer))?;
    process.put_if(old, &before.shown(pointer)).map(|()| 0)
}
