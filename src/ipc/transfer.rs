//! Handles that travel in messages: they leave the sender when the message is sent, and are the
//! receiver's when it is taken.

use crate::abi::{Error, Info, MESSAGE_WORDS, PortRights};
use crate::kernel::Kernel;
use crate::mm::{Arena, Id};
use crate::object::{Handle, Message, Named, Process, Thread};
use crate::units::Result;

/// The words that are handles.
fn places(info: Info) -> core::ops::Range<usize> {
    MESSAGE_WORDS - info.handles()..MESSAGE_WORDS
}

/// Bits that all kinds of rights share.
pub const TRANSFER: u8 = PortRights::TRANSFER.bits();
/// The same.
pub const DUPLICATE: u8 = PortRights::DUPLICATE.bits();
/// A port's.
pub const RECEIVE: u8 = PortRights::RECEIVE.bits();

impl Kernel {
    /// Takes the handles of a message from its sender, all or none. Where the sender keeps its own,
    /// the words become those of fresh ones.
    #[inline(never)]
    pub(super) fn detach(
        &mut self,
        process: Id<Process>,
        info: Info,
        words: &mut [u64; MESSAGE_WORDS],
    ) -> Result {
        for at in places(info) {
            match self.take_out(process, words[at], info.copies()) {
                Ok(word) => words[at] = word,
                Err(error) => {
                    let others = &words[places(info).start..at];
                    if info.copies() {
                        self.orphan(others);
                        return Err(error);
                    }
                    for word in others {
                        let (id, _) = self.handles.named(*word).ok_or(error)?;
                        self.own(process, id)?;
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// A handle leaves its process, or a copy of it does: it is nobody's, and named by this word.
    #[inline(always)]
    fn take_out(&mut self, owner: Id<Process>, word: u64, copy: bool) -> Result<u64> {
        let (id, &Handle { named, rights, badge, .. }) = self.owned(owner, word)?;
        let needed = if copy { TRANSFER | DUPLICATE } else { TRANSFER };
        if rights & needed != needed {
            return Err(Error::NoRight);
        }
        if copy {
            return self.install(None, named, rights, badge);
        }
        self.disown(owner, id);
        Ok(word)
    }

    /// The handles of a message, which is in the registers of a thread, are its process's now. Those
    /// that there is no quota for are zero, and closed.
    #[inline(never)]
    pub(super) fn attach(&mut self, to: Id<Thread>, info: Info) {
        for at in places(info) {
            let Thread { ref context, process, .. } = self.threads[to];
            let word = context.frame.args()[2 + at];
            let Some((id, _)) = self.handles.named(word) else { continue };
            if self.own(process, id).is_err() {
                self.threads[to].context.frame.args_mut()[2 + at] = 0;
                self.orphan(&[word]);
            }
        }
    }

    /// Whether a message may be left in a queue: not if somebody could receive by what it carries. Ports
    /// that are kept only by what is in their own queues would never end.
    pub(super) fn may_be_queued(&self, me: Id<Thread>, info: Info) -> bool {
        let [_, _, words @ ..] = self.threads[me].context.frame.args();
        let mut handles = words[places(info)].iter().filter_map(|word| self.handles.named(*word));
        !handles.any(|(_, handle)| {
            matches!(handle.named, Named::Port(_)) && handle.rights & RECEIVE != 0
        })
    }

    /// Has handles that belong to nobody closed, when their turn comes.
    fn orphan(&mut self, words: &[u64]) {
        for word in words {
            if let Some((id, _)) = self.handles.named(*word) {
                self.handles[id].links = (None, self.dying.handle.replace(id));
            }
        }
    }

    /// Closes the handles of a message that nobody will receive.
    pub fn orphan_all(&mut self, message: &Message) {
        let [info, words @ ..] = &message.words;
        self.orphan(&words[places(Info(*info))]);
    }

    /// A handle that belongs to nobody becomes a process's, which pays for it.
    #[inline(always)]
    pub fn own(&mut self, process: Id<Process>, id: Id<Handle>) -> Result {
        let owner = &mut self.processes[process];
        self.vm.charge(owner.account, Arena::<Handle>::COST)?;
        self.handles.link(&mut owner.handles, None, id, |handle| &mut handle.links);
        self.handles[id].owner = Some(process);
        Ok(())
    }

    /// A process's handle becomes nobody's.
    #[inline(always)]
    pub fn disown(&mut self, process: Id<Process>, id: Id<Handle>) {
        let owner = &mut self.processes[process];
        self.handles.unlink(&mut owner.handles, id, |handle| &mut handle.links);
        self.handles[id].owner = None;
        self.vm.uncharge(owner.account, Arena::<Handle>::COST);
    }
}
