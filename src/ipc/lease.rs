//! Windows that callers lend for as long as their call lasts: a borrow, across address spaces.

use super::Outcome;
use crate::abi::{Error, Info, Lease, MESSAGE_WORDS};
use crate::kernel::Kernel;
use crate::mm::{Id, Place, Space};
use crate::object::{Sort, Thread};

impl Kernel {
    /// `LeaseRead` and `LeaseWrite` (`write`): copies a piece, and moves on in the registers.
    pub fn lease_copy(&mut self, me: Id<Thread>, write: bool) -> Result<Outcome, Error> {
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
        let done = self.vm.copy(&mut self.ram, from, to, length)?;
        if done == length {
            return Ok(Outcome::Done);
        }
        let args = self.threads[me].context.frame.args_mut();
        args[2] += done;
        args[3] += done;
        args[4] -= done;
        Ok(Outcome::Again)
    }

    /// The `index`th window that came with a call, and whose it is.
    fn lease(&self, me: Id<Thread>, which: u64, index: u64) -> Result<(Id<Space>, Lease), Error> {
        let (caller, _) = self.caller(me, which)?;
        let awaited = self.awaited(caller).ok_or(Error::NotFound)?;
        let thread = &self.threads[caller.thread];
        let [_, info, words @ ..] = *thread.context.frame.args();
        let info = Info(info);
        if awaited.sort != Sort::Call || index >= info.leases() as u64 {
            return Err(Error::NotFound);
        }
        let at = MESSAGE_WORDS - info.handles() - 2 * (info.leases() - index as usize);
        Ok((thread.space, Lease { address: words[at], length: words[at + 1] }))
    }
}
