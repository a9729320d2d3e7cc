//! Making and closing handles. A handle counts as a reference to what it names.

use crate::abi::Error;
use crate::ipc::{Answer, DUPLICATE, Outcome, RECEIVE, TRANSFER};
use crate::kernel::Kernel;
use crate::mm::{Account, Arena, Id};
use crate::object::{Caller, Handle, Life, Named, Process, State, Waiting};
use crate::units::{CpuId, Result};

impl Kernel {
    /// `Duplicate`.
    pub fn duplicate(&mut self, owner: Id<Process>, word: u64, mask: u64, badge: u64) -> Answer {
        let (_, &Handle { named, rights, badge: own, .. }) = self.owned(owner, word)?;
        if rights & DUPLICATE == 0 {
            return Err(Error::NoRight);
        }
        let receives = matches!(named, Named::Port(_)) && rights & RECEIVE != 0;
        let badge = if receives { badge } else { own };
        Ok(Outcome::Value(self.install(owner, named, rights & mask as u8, badge)?))
    }

    /// `Give`.
    pub fn give(&mut self, process: Id<Process>, to: Id<Process>, word: u64) -> Answer {
        let (id, handle) = self.owned(process, word)?;
        if handle.rights & TRANSFER == 0 {
            return Err(Error::NoRight);
        }
        if self.processes[to].life != Life::Alive {
            return Err(Error::NoMemory);
        }
        self.disown(process, id);
        if let Err(error) = self.own(to, id) {
            self.own(process, id)?;
            return Err(error);
        }
        Ok(Outcome::Value(id.to_bits()))
    }

    /// A new handle, for a process or nobody yet. What it names has one more reference.
    pub fn install(
        &mut self,
        owner: impl Into<Option<Id<Process>>>,
        named: Named,
        rights: u8,
        badge: u64,
    ) -> Result<u64> {
        let handle = Handle { owner: None, named, badge, links: (None, None), rights };
        let id = self.handles.insert(handle, &mut self.vm.ram)?;
        if let Some(owner) = owner.into()
            && let Err(error) = self.own(owner, id)
        {
            self.handles.remove(id);
            return Err(error);
        }
        if let Some(refs) = self.refs(named) {
            *refs += 1;
        }
        match named {
            Named::Port(id) if rights & RECEIVE != 0 => self.ports[id].receivers += 1,
            Named::Memory(id) => self.vm.retain(id),
            _ => {}
        }
        Ok(id.to_bits())
    }

    /// Makes an object for a process, which pays, and a handle with all rights to it. There is room for
    /// the handle before anything is made, so that nothing has to be unmade.
    pub fn make<T>(
        &mut self,
        process: Id<Process>,
        name: fn(Id<T>) -> Named,
        make: impl FnOnce(&mut Kernel, Id<Account>) -> Result<Id<T>>,
    ) -> Answer {
        let account = self.processes[process].account;
        self.handles.reserve(&mut self.vm.ram)?;
        self.vm.charge(account, Arena::<Handle>::COST)?;
        let made = make(self, account);
        self.vm.uncharge(account, Arena::<Handle>::COST);
        Ok(Outcome::Value(self.install(process, name(made?), u8::MAX, 0)?))
    }

    /// Drops the last trace of a handle that nobody owns. With the last one its object ends, if nothing
    /// else keeps it.
    pub fn drop_handle(&mut self, cpu: CpuId, id: Id<Handle>) {
        let Some(Handle { named, rights, badge, .. }) = self.handles.remove(id) else { return };
        let mut left = 0;
        if let Some(refs) = self.refs(named) {
            *refs -= 1;
            left = *refs;
        }
        match named {
            Named::Port(id) if rights & RECEIVE != 0 => {
                let port = &mut self.ports[id];
                port.receivers -= 1;
                if port.receivers == 0 {
                    port.waiting = Waiting::Gone;
                    port.next_dying = self.dying.port.replace(id);
                }
            }
            Named::Reply(thread) => self.abandon(cpu, Caller { thread, call: badge as u32 }),
            Named::Memory(id) => _ = self.vm.release(id),
            _ if left > 0 => {}
            Named::Process(id) => match &self.processes[id] {
                Process { life: Life::Ended, .. } => self.forget_process(id),
                // Nobody can give it a thread any more.
                Process { life: Life::Alive, thread_count: 0, .. } => self.end_process(id, 0),
                _ => {}
            },
            Named::Thread(id) if self.threads[id].state == State::Ended => self.forget_thread(id),
            Named::Port(id) if self.ports[id].is_empty => self.forget_port(id),
            Named::Timer(id) => self.end_timer(id),
            Named::Interrupt(id) => self.end_interrupt(id),
            Named::Thread(_) | Named::Port(_) | Named::Machine | Named::IoPorts => {}
        }
    }
}
