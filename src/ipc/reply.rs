//! Answering. An answer never waits: whoever gets it is waiting for it.

use super::{Answer, Outcome};
use crate::abi::{Error, Info, NOW, REPLY_KILL, REPLY_LATER, ReplyRights, ThreadRights};
use crate::kernel::Kernel;
use crate::mm::Id;
use crate::object::{Awaited, Caller, Handle, Named, Port, Reply, Sort, State, Thread};
use crate::units::{CpuId, Result};

impl Kernel {
    /// `Reply`: to the call received last (0), to a saved one, or to that of a thread.
    pub fn reply(&mut self, cpu: CpuId, me: Id<Thread>, which: u64) -> Answer {
        let (caller, saved) = self.caller(me, which)?;
        let [_, info, words @ ..] = self.threads[me].context.frame.args();
        let mut carried = words.iter().rev().take(Info(*info).handles());
        if saved.is_some() && carried.any(|word| *word == which) {
            // The duty to answer is not part of its own answer.
            return Err(Error::BadHandle);
        }
        let answered = self.answer(me, caller)?;
        match saved {
            Some(handle) => {
                self.disown(self.threads[me].process, handle);
                self.handles.remove(handle);
            }
            None if which == 0 => _ = self.settle_debt(me),
            None => {}
        }
        if let Some(thread) = answered {
            self.wake(cpu, thread);
        }
        Ok(Outcome::Done)
    }

    /// `ReplyReceive`.
    pub fn reply_receive(
        &mut self,
        cpu: CpuId,
        me: Id<Thread>,
        port: Id<Port>,
        deadline: u64,
    ) -> Answer {
        let Some(caller) = self.threads[me].caller else {
            return self.receive(cpu, me, port, deadline);
        };
        let answered = match self.answer(me, caller) {
            Ok(answered) => answered,
            // Whoever does not wait any more gets no answer.
            Err(Error::NotFound) => None,
            Err(error) => return Err(error),
        };
        self.settle_debt(me);
        let taken = self.take(cpu, me, port);
        if taken == Ok(false) && deadline != NOW {
            self.begin_wait(cpu, me, State::Receiving(port), deadline);
            match answered {
                Some(thread) => self.pass(cpu, thread),
                None => self.set_aside(cpu),
            }
            return Ok(Outcome::Settled);
        }
        if let Some(thread) = answered {
            self.wake(cpu, thread);
        }
        if taken? { Ok(Outcome::Settled) } else { Err(Error::TimedOut) }
    }

    /// `ReplySave`.
    pub fn reply_save(&mut self, me: Id<Thread>) -> Answer {
        let Thread { caller, process, .. } = self.threads[me];
        let Caller { thread, call } = caller.ok_or(Error::NotFound)?;
        let rights = ReplyRights::TRANSFER.bits();
        let handle = self.install(process, Named::Reply(thread), rights, call.into())?;
        self.settle_debt(me);
        Ok(Outcome::Value(handle))
    }

    /// Whose call is meant: that received last by this thread (0), a saved one, with its handle, or the
    /// foreign call or fault of a thread.
    pub fn caller(&self, me: Id<Thread>, which: u64) -> Result<(Caller, Option<Id<Handle>>)> {
        if which == 0 {
            return Ok((self.threads[me].caller.ok_or(Error::NotFound)?, None));
        }
        let process = self.threads[me].process;
        if let Ok((_, Handle { named: Named::Thread(_), .. })) = self.owned(process, which) {
            let thread = self.find::<Thread>(process, which, ThreadRights::REGISTERS)?.id;
            let caller = Caller { thread, call: self.threads[thread].calls };
            let awaited = self.awaited(caller).filter(|awaited| awaited.sort != Sort::Call);
            return awaited.map(|_| (caller, None)).ok_or(Error::NotFound);
        }
        let found = self.find::<Reply>(process, which, ReplyRights::empty())?;
        Ok((Caller { thread: found.id, call: found.badge as u32 }, Some(found.handle)))
    }

    /// The thread whose foreign call is meant, and not answered yet.
    pub fn foreign_caller(&self, me: Id<Thread>, which: u64) -> Result<Id<Thread>> {
        let (caller, _) = self.caller(me, which)?;
        let foreign = self.awaited(caller).is_some_and(|awaited| awaited.sort == Sort::Foreign);
        if foreign { Ok(caller.thread) } else { Err(Error::NotFound) }
    }

    /// Puts the answer into the caller's registers, and says who is to be woken for it.
    #[inline(always)]
    fn answer(&mut self, me: Id<Thread>, caller: Caller) -> Result<Option<Id<Thread>>> {
        let Thread { ref context, process, .. } = self.threads[me];
        let [_, info, a, b, c, d, e, f] = *context.frame.args();
        let (info, mut words) = (Info(info), [a, b, c, d, e, f]);
        if !info.is_valid() || info.leases() > 0 {
            return Err(Error::Invalid);
        }
        let awaited = self.awaited(caller).ok_or(Error::NotFound)?;
        if awaited.sort != Sort::Call && info.handles() > 0 {
            return Err(Error::Invalid);
        }
        if info.handles() > 0 {
            self.detach(process, info, &mut words)?;
        }
        let id = caller.thread;
        let [a, b, c, d, e, f] = words;
        if awaited.sort == Sort::Call {
            self.threads[id].context.frame.set_words(0, [info.0, a, b, c, d, e, f]);
            self.attach(id, info);
        } else if info.label() == REPLY_KILL {
            self.end_process(self.threads[id].process, a);
            return Ok(None);
        } else if info.label() == REPLY_LATER {
            self.threads[id].state = State::Awaiting(Awaited { server: id, ..awaited });
            return Ok(None);
        } else if awaited.sort == Sort::Foreign && info.label() == 0 {
            self.threads[id].context.frame.set_foreign_result(a);
        }
        self.clear_deadline(id);
        let thread = &mut self.threads[id];
        thread.calls = thread.calls.wrapping_add(1);
        thread.state = State::Stopped;
        Ok(Some(id))
    }
}
