//! The duty to answer a call, and what its caller lent.
//!
//! Where a reply is asked for, none means the call that this thread received last.

use super::port::outgoing;
use super::{Object, Thread, objects};
use crate::abi::{Call, Error, Info};
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

fn raw(reply: Option<&Reply>) -> u64 {
    reply.map_or(0, Reply::raw)
}
