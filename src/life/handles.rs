//! Making, finding and closing handles. A handle counts as a reference to what it names.

use crate::abi::{Error, PortRights};
use crate::ipc::Outcome;
use crate::kernel::Kernel;
use crate::mm::Id;
use crate::object::{Caller, Handle, Life, Named, Port, Process, State, Thread, Waiting};
use crate::units::CpuId;

const DUPLICATE: u8 = PortRights::DUPLICATE.bits();
const TRANSFER: u8 = PortRights::TRANSFER.bits();

impl Kernel {
    /// `Close`.
    pub fn close(&mut self, cpu: CpuId, me: Id<Thread>, word: u64) -> Result<Outcome, Error> {
        let process = self.threads[me].process;
        let (id, _) = self.owned(process, word)?;
        self.disown(process, id);
        self.drop_handle(cpu, id);
        Ok(Outcome::Done)
    }

    /// `Duplicate`.
    pub fn duplicate(
        &mut self,
        process: Id<Process>,
        word: u64,
        rights: u64,
        badge: u64,
    ) -> Result<Outcome, Error> {
        let (_, handle) = self.owned(process, word)?;
        if handle.rights & DUPLICATE == 0 {
            return Err(Error::NoRight);
        }
        let receives = matches!(handle.named, Named::Port(_))
            && handle.rights & PortRights::RECEIVE.bits() != 0;
        let rights = handle.rights & rights as u8;
        let badge = if receives { badge } else { handle.badge };
        let named = handle.named;
        Ok(Outcome::Value(self.install(process, named, rights, badge)?))
    }

    /// `Give`.
    pub fn give(
        &mut self,
        process: Id<Process>,
        to: Id<Process>,
        word: u64,
    ) -> Result<Outcome, Error> {
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

    /// A new handle for a process.
    pub fn install(
        &mut self,
        process: Id<Process>,
        named: Named,
        rights: u8,
        badge: u64,
    ) -> Result<u64, Error> {
        let handle = Handle { owner: None, named, badge, links: (None, None), rights };
        let id = self.handles.insert(handle, &mut self.ram)?;
        if let Err(error) = self.own(process, id) {
            self.handles.remove(id);
            return Err(error);
        }
        self.retain(id);
        Ok(id.to_bits())
    }

    /// Drops the last trace of a handle that nobody owns.
    pub fn drop_handle(&mut self, cpu: CpuId, id: Id<Handle>) {
        let Some(Handle { named, rights, badge, .. }) = self.handles.remove(id) else {
            return;
        };
        match named {
            Named::Process(id) => self.release_process(id),
            Named::Thread(id) => self.release_thread(id),
            Named::Port(id) => self.release_port(id, rights),
            Named::Reply(thread) => self.abandon(cpu, Caller { thread, call: badge as u32 }),
            Named::Memory(id) => _ = self.vm.release(id),
            Named::Timer(id) => self.release_timer(id),
            Named::Interrupt(id) => self.release_interrupt(id),
            Named::Machine | Named::IoPorts => {}
        }
    }

    fn release_process(&mut self, id: Id<Process>) {
        let process = &mut self.processes[id];
        process.refs -= 1;
        match (process.refs, process.life) {
            (0, Life::Ended) => self.forget_process(id),
            // Nobody can give it a thread any more.
            (0, Life::Alive) if process.thread_count == 0 => self.end_process(id, 0),
            _ => {}
        }
    }

    fn release_thread(&mut self, id: Id<Thread>) {
        let thread = &mut self.threads[id];
        thread.refs -= 1;
        if thread.refs == 0 && thread.state == State::Ended {
            self.forget_thread(id);
        }
    }

    fn release_port(&mut self, id: Id<Port>, rights: u8) {
        let port = &mut self.ports[id];
        port.refs -= 1;
        if rights & PortRights::RECEIVE.bits() != 0 {
            port.receivers -= 1;
            if port.receivers == 0 {
                port.waiting = Waiting::Gone;
                port.next_dying = self.dying.port.replace(id);
                return;
            }
        }
        if port.refs == 0 && port.is_empty {
            self.forget_port(id);
        }
    }
}
