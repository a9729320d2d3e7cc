//! Handles that travel in messages: they leave the sender when the message is sent, and are the
//! receiver's when it is taken.

use crate::abi::{Error, Info, MESSAGE_WORDS, PortRights};
use crate::kernel::Kernel;
use crate::mm::{Arena, Id};
use crate::object::{Handle, Process, link, unlink};

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
        let (id, handle) = self.handles.named(word).ok_or(Error::BadHandle)?;
        if !process.is(handle.owner) {
            return Err(Error::BadHandle);
        }
        Ok((id, handle))
    }

    /// Takes the handles of a message from its sender, all or none. Where the sender keeps its own,
    /// the words become those of fresh ones.
    pub(super) fn detach(
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
            if !info.copies() && words[at + 1..].contains(&words[at]) {
                return Err(Error::BadHandle);
            }
        }
        for at in places(info) {
            let (id, _) = self.owned(process, words[at])?;
            if !info.copies() {
                self.disown(process, id);
                continue;
            }
            match self.twin(id) {
                Ok(twin) => words[at] = twin.to_bits(),
                Err(error) => {
                    let made = places(info).start..at;
                    words[made].iter().for_each(|word| self.orphan_named(*word));
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Gives the handles of a message to a process. Those it has no quota for are zero, and closed.
    pub(super) fn attach(
        &mut self,
        process: Id<Process>,
        info: u64,
        words: &mut [u64; MESSAGE_WORDS],
    ) {
        for at in places(Info(info)) {
            let Some((id, _)) = self.handles.named(words[at]) else { continue };
            if self.own(process, id).is_err() {
                words[at] = 0;
                self.orphan(id);
            }
        }
    }

    /// Closes the handles of a message that nobody will receive.
    pub fn orphan_all(&mut self, info: u64, words: &[u64; MESSAGE_WORDS]) {
        words[places(Info(info))].iter().for_each(|word| self.orphan_named(*word));
    }

    fn orphan_named(&mut self, word: u64) {
        if let Some((id, _)) = self.handles.named(word) {
            self.orphan(id);
        }
    }

    /// A handle that belongs to nobody becomes a process's, which pays for it.
    pub fn own(&mut self, process: Id<Process>, id: Id<Handle>) -> Result<(), Error> {
        let owner = &mut self.processes[process];
        self.vm.charge(owner.account, Arena::<Handle>::COST)?;
        self.handles[id].owner = Some(process);
        link(&mut self.handles, &mut owner.handles, id);
        Ok(())
    }

    /// A process's handle becomes nobody's.
    pub fn disown(&mut self, process: Id<Process>, id: Id<Handle>) {
        let owner = &mut self.processes[process];
        unlink(&mut self.handles, &mut owner.handles, id);
        self.vm.uncharge(owner.account, Arena::<Handle>::COST);
        self.handles[id].owner = None;
    }

    /// Another handle to the same object, with the same rights, nobody's yet.
    pub fn twin(&mut self, id: Id<Handle>) -> Result<Id<Handle>, Error> {
        let Handle { named, rights, badge, .. } = self.handles[id];
        let twin = Handle { owner: None, named, badge, links: (None, None), rights };
        let id = self.handles.insert(twin, &mut self.ram)?;
        self.retain(id);
        Ok(id)
    }

    /// Has a handle that belongs to nobody closed, when its turn comes.
    pub fn orphan(&mut self, id: Id<Handle>) {
        self.handles[id].links = (None, self.dying.handle.replace(id));
    }
}
