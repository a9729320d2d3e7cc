//! Windows that callers lend for as long as their call lasts: a borrow, across address spaces.

use super::{Answer, Outcome};
use crate::abi::{Error, Info, Lease, MESSAGE_WORDS};
use crate::kernel::Kernel;
use crate::mm::{Id, Place, Space};
use crate::object::{Sort, Thread};
use crate::units::Result;

impl Kernel {
    /// `LeaseRead` and `LeaseWrite` (`write`): copies a piece, and moves on in the registers.
    pub fn lease_copy(&mut self, me: Id<Thread>, write: bool) -> Answer {
        let [which, index, offset, address, length, ..] = *self.threads[me].context.frame.args();
        let (space, lease) = self.lease(me, which, index)?;
        let needed = if write { Lease::WRITE } else { Lease::READ };
        if lease.length & needed == 0 {
            return Err(Error::NoRight);
        }
        if offset.checked_add(length).is_none_or(|end| end > lease.bytes()) {
            return Err(Error::Invalid);
        }
        let there =
            Place::Space(space, lease.address.checked_add(offset).ok_or(Error::BadAddress)?);
        let here = Place::Space(self.threads[me].space, address);
        let (from, to) = if write { (here, there) } else { (there, here) };
        let done = self.vm.copy(from, to, length)?;
        self.advance(me, 2, done)
    }

    /// So many bytes are copied between what the registers from this one on say, two addresses and a
    /// length: the rest is next.
    pub fn advance(&mut self, me: Id<Thread>, at: usize, done: u64) -> Answer {
        let args = self.threads[me].context.frame.args_mut();
        if done >= args[at + 2] {
            return Ok(Outcome::Done);
        }
        args[at] += done;
        args[at + 1] += done;
        args[at + 2] -= done;
        Ok(Outcome::Again)
    }

    /// The `index`th window that came with a call, and whose it is.
    #[inline(always)]
    fn lease(&self, me: Id<Thread>, which: u64, index: u64) -> Result<(Id<Space>, Lease)> {
        let (caller, _) = self.caller(me, which)?;
        let awaited = self.awaited(caller).ok_or(Error::NotFound)?;
        let thread = &self.threads[caller.thread];
        let args = thread.context.frame.args();
        let info = Info(args[1]);
        if awaited.sort != Sort::Call || index >= info.leases() as u64 {
            return Err(Error::NotFound);
        }
        let at = 2 + MESSAGE_WORDS - info.handles() - 2 * (info.leases() - index as usize);
        Ok((thread.space, Lease { address: args[at], length: args[at + 1] }))
    }
}
