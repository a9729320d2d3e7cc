//! Handles that travel in messages: they leave the sender when the message is sent, and are the
//! receiver's when it is taken.

use crate::abi::{Error, Info, Kind, MESSAGE_WORDS, PortRights};
use crate::kernel::Kernel;
use crate::mm::{Arena, Id};
use crate::object::{Handle, Owner, Process, Thread};

/// The words that are handles.
fn places(info: Info) -> core::ops::Range<usize> {
    MESSAGE_WORDS - info.handles()..MESSAGE_WORDS
}

/// Bits that all kinds of rights share.
const TRANSFER: u8 = PortRights::TRANSFER.bits();
const DUPLICATE: u8 = PortRights::DUPLICATE.bits();

impl Kernel {
    /// A handle of this process.
    #[inline(always)]
    pub fn owned(&self, process: Id<Process>, word: u64) -> Result<(Id<Handle>, &Handle), Error> {
        let id = Id::from_bits(word).ok_or(Error::BadHandle)?;
        let handle = self.handles.get(id).ok_or(Error::BadHandle)?;
        if handle.owner != Owner::Process(process) {
            return Err(Error::BadHandle);
        }
        Ok((id, handle))
    }

    /// Takes the handles of a message from its sender, all or none. Where the sender keeps its own,
    /// the words become those of fresh ones.
    #[inline(always)]
    pub(super) fn detach(
        &mut self,
        process: Id<Process>,
        info: Info,
        words: &mut [u64; MESSAGE_WORDS],
    ) -> Result<(), Error> {
        if info.handles() == 0 {
            return Ok(());
        }
        self.detach_some(process, info, words)
    }

    #[inline(never)]
    fn detach_some(
        &mut self,
        process: Id<Process>,
        info: Info,
        words: &mut [u64; MESSAGE_WORDS],
    ) -> Result<(), Error> {
        let needed = if info.copies() { TRANSFER | DUPLICATE } else { TRANSFER };
        for at in places(info) {
            let (_, handle) = self.owned(process, words[at])?;
            if handle.rights & needed != needed {
                return Err(Error::NoRight);
            }
            if info.handles() > 1 && !info.copies() && words[at + 1..].contains(&words[at]) {
                return Err(Error::BadHandle);
            }
        }
        for at in places(info) {
            let id = Id::from_bits(words[at]).ok_or(Error::BadHandle)?;
            if !info.copies() {
                self.disown(process, id);
                continue;
            }
            match self.twin(id) {
                Ok(twin) => words[at] = twin.to_bits(),
                Err(error) => {
                    let made = places(info).start..at;
                    words[made]
                        .iter()
                        .filter_map(|word| Id::from_bits(*word))
                        .for_each(|id| self.orphan(id));
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// The handles of a message, which is in the registers of a thread, are its process's now. Those
    /// that there is no quota for are zero, and closed.
    #[inline(always)]
    pub(super) fn attach(&mut self, to: Id<Thread>, info: Info) {
        if info.handles() > 0 {
            self.attach_some(to, info);
        }
    }

    #[inline(never)]
    fn attach_some(&mut self, to: Id<Thread>, info: Info) {
        for at in places(info) {
            let Thread { ref context, process, .. } = self.threads[to];
            let Some(id) = Id::from_bits(context.frame.args()[2 + at]) else { continue };
            if self.own(process, id).is_err() {
                self.threads[to].context.frame.args_mut()[2 + at] = 0;
                self.orphan(id);
            }
        }
    }

    /// Whether a message may be left in a queue: not if somebody could receive by what it carries. Ports
    /// that are kept only by what is in their own queues would never end.
    pub(super) fn may_be_queued(&self, me: Id<Thread>, info: Info) -> bool {
        let [_, _, words @ ..] = self.threads[me].context.frame.args();
        let carried = words[places(info)].iter().filter_map(|word| Id::from_bits(*word));
        let mut handles = carried.filter_map(|id: Id<Handle>| self.handles.get(id));
        let receives = PortRights::RECEIVE.bits();
        !handles.any(|handle| handle.kind == Kind::Port && handle.rights & receives != 0)
    }

    /// Closes the handles of a message that nobody will receive.
    pub fn orphan_all(&mut self, info: u64, words: &[u64; MESSAGE_WORDS]) {
        words[places(Info(info))]
            .iter()
            .filter_map(|word| Id::from_bits(*word))
            .for_each(|id| self.orphan(id));
    }

    /// A handle that belongs to nobody becomes a process's, which pays for it.
    #[inline(always)]
    pub fn own(&mut self, process: Id<Process>, id: Id<Handle>) -> Result<(), Error> {
        let owner = &mut self.processes[process];
        self.vm.charge(owner.account, Arena::<Handle>::COST)?;
        let next = owner.handles.replace(id);
        let handle = &mut self.handles[id];
        handle.owner = Owner::Process(process);
        handle.links = (None, next);
        if let Some(next) = next {
            self.handles[next].links.0 = Some(id);
        }
        Ok(())
    }

    /// A process's handle becomes nobody's.
    #[inline(always)]
    pub fn disown(&mut self, process: Id<Process>, id: Id<Handle>) {
        let owner = &mut self.processes[process];
        let handle = &mut self.handles[id];
        handle.owner = Owner::Message;
        let (before, after) = core::mem::take(&mut handle.links);
        if let Some(after) = after {
            self.handles[after].links.0 = before;
        }
        match before {
            Some(before) => self.handles[before].links.1 = after,
            None => owner.handles = after,
        }
        self.vm.uncharge(owner.account, Arena::<Handle>::COST);
    }

    /// Another handle to the same object, with the same rights, nobody's yet.
    pub fn twin(&mut self, id: Id<Handle>) -> Result<Id<Handle>, Error> {
        let Handle { kind, rights, object, badge, .. } = self.handles[id];
        let twin =
            Handle { owner: Owner::Message, kind, rights, object, badge, links: (None, None) };
        let id = self.handles.insert(twin, &mut self.ram)?;
        self.retain(id);
        Ok(id)
    }

    /// Has a handle that belongs to nobody closed, when its turn comes.
    pub fn orphan(&mut self, id: Id<Handle>) {
        self.handles[id].links = (None, self.dying.handle.replace(id));
    }
}
