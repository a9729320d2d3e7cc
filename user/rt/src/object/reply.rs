//! The duty to answer a call, and what its caller lent.
//!
//! Where a reply is asked for, none means the call that this thread received last.

use super::port::outgoing;
use super::{Object, Thread, objects};
use crate::abi::{Call, Error, FPU_BYTES, Info, REGISTERS, RegisterSet};
use crate::call::invoke;
use crate::message::Message;

objects! {
    /// The one-shot right to answer a call; dropping it tells the caller that nobody will.
    Reply, ReplyRights;
}

impl Reply {
    /// Makes the duty to answer this thread's last call a handle.
    pub fn save() -> Result<Reply, Error> {
        invoke(Call::ReplySave, []).map(|out| Reply::from_raw(out[1]))
    }

    /// Answers.
    pub fn answer(self, message: &Message) -> Result<(), Error> {
        invoke(Call::Reply, outgoing(self.raw(), message))?;
        // The handle went with the answer.
        let _ = self.into_raw();
        Ok(())
    }
}

impl Thread {
    /// Answers its foreign call or fault with one word.
    #[inline]
    pub fn answer(&self, label: u32, word: u64) -> Result<(), Error> {
        invoke(Call::Reply, [self.raw(), Info::new(label).0, word]).map(|_| ())
    }

    /// Reads its registers while it waits for that answer.
    pub fn caller_registers(&self, general: &mut [u64; REGISTERS]) -> Result<(), Error> {
        copy_registers(
            Call::CallerRegistersGet,
            self.raw(),
            RegisterSet::General,
            general.as_mut_ptr() as u64,
        )
    }

    /// Replaces them.
    pub fn set_caller_registers(&self, general: &[u64; REGISTERS]) -> Result<(), Error> {
        copy_registers(
            Call::CallerRegistersSet,
            self.raw(),
            RegisterSet::General,
            general.as_ptr() as u64,
        )
    }

    /// Reads its floating point registers while it waits.
    pub fn caller_fpu(&self, fpu: &mut [u8; FPU_BYTES]) -> Result<(), Error> {
        copy_registers(
            Call::CallerRegistersGet,
            self.raw(),
            RegisterSet::Fpu,
            fpu.as_mut_ptr() as u64,
        )
    }

    /// Replaces them.
    pub fn set_caller_fpu(&self, fpu: &[u8; FPU_BYTES]) -> Result<(), Error> {
        copy_registers(Call::CallerRegistersSet, self.raw(), RegisterSet::Fpu, fpu.as_ptr() as u64)
    }
}

fn copy_registers(call: Call, reply: u64, set: RegisterSet, address: u64) -> Result<(), Error> {
    invoke(call, [reply, set as u64, address]).map(|_| ())
}

/// Answers the call this thread received last.
pub fn reply(message: &Message) -> Result<(), Error> {
    invoke(Call::Reply, outgoing(0, message)).map(|_| ())
}

/// Copies out of a window that a caller lent.
pub fn lease_read(
    reply: Option<&Reply>,
    index: u64,
    offset: u64,
    bytes: &mut [u8],
) -> Result<(), Error> {
    let (address, length) = (bytes.as_mut_ptr() as u64, bytes.len() as u64);
    invoke(Call::LeaseRead, [raw(reply), index, offset, address, length]).map(|_| ())
}

/// Copies into a window that a caller lent.
pub fn lease_write(
    reply: Option<&Reply>,
    index: u64,
    offset: u64,
    bytes: &[u8],
) -> Result<(), Error> {
    let (address, length) = (bytes.as_ptr() as u64, bytes.len() as u64);
    invoke(Call::LeaseWrite, [raw(reply), index, offset, address, length]).map(|_| ())
}

/// Reads the registers of the thread that waits for the answer to a foreign call or fault.
pub fn caller_registers(
    reply: Option<&Reply>,
    general: &mut [u64; REGISTERS],
) -> Result<(), Error> {
    let address = general.as_mut_ptr() as u64;
    copy_registers(Call::CallerRegistersGet, raw(reply), RegisterSet::General, address)
}

/// Replaces them.
pub fn set_caller_registers(
    reply: Option<&Reply>,
    general: &[u64; REGISTERS],
) -> Result<(), Error> {
    let address = general.as_ptr() as u64;
    copy_registers(Call::CallerRegistersSet, raw(reply), RegisterSet::General, address)
}

/// Reads the floating point registers of the thread that waits.
pub fn caller_fpu(reply: Option<&Reply>, fpu: &mut [u8; FPU_BYTES]) -> Result<(), Error> {
    let address = fpu.as_mut_ptr() as u64;
    copy_registers(Call::CallerRegistersGet, raw(reply), RegisterSet::Fpu, address)
}

/// Replaces them.
pub fn set_caller_fpu(reply: Option<&Reply>, fpu: &[u8; FPU_BYTES]) -> Result<(), Error> {
    let address = fpu.as_ptr() as u64;
    copy_registers(Call::CallerRegistersSet, raw(reply), RegisterSet::Fpu, address)
}

fn raw(reply: Option<&Reply>) -> u64 {
    reply.map_or(0, Reply::raw)
}
