//! What a service is given when it starts: the handles, the table of them, and what is said of it.

use crate::alone;
use crate::device::{self, Device};
use crate::service::{Id, Service};
use crate::supervisor::Supervisor;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use devices::Window;
use rt::abi::{
    Error, Handle, InterruptRights, MachineRights, MemoryRights, PAGE, PortRights, WINDOW_DEVICE,
};
use rt::loader::Child;
use rt::object::Object;
use rt::service::{Kind, Table};
use rt::{Interrupt, IoPorts, Memory};
use services::manifest::Trait;

/// The signal of a device's interrupt, at its driver's port.
pub const INTERRUPT: u64 = 1 << 63;
/// What a service calls the supervisor.
const SUPERVISOR: &str = "supervisor";
/// What may be done with memory that is given away.
const SHARED: MemoryRights = MemoryRights::READ
    .union(MemoryRights::WRITE)
    .union(MemoryRights::TRANSFER)
    .union(MemoryRights::DUPLICATE);

/// What may be done with a way to a service, and with one that is only for signals.
pub const SEND: PortRights =
    PortRights::SEND.union(PortRights::TRANSFER).union(PortRights::DUPLICATE);
const SIGNAL: PortRights =
    PortRights::SIGNAL.union(PortRights::TRANSFER).union(PortRights::DUPLICATE);

/// What is being given.
struct Giving {
    child: Child,
    table: Table,
    said: Vec<String>,
}

impl Giving {
    fn give(
        &mut self,
        kind: Kind,
        name: &str,
        object: impl Object,
        numbers: [u64; 2],
        said: String,
    ) -> Result<(), Error> {
        let handle = self.child.give(object)?;
        self.add(kind, name, handle, numbers, said);
        Ok(())
    }

    fn add(&mut self, kind: Kind, name: &str, handle: Handle, numbers: [u64; 2], said: String) {
        self.table.add(kind, name, handle, numbers);
        self.said.push(said);
    }
}

impl Supervisor {
    /// A process with a service's program in it, and nothing else yet.
    pub fn load(&self, id: Id, program: &[u8]) -> Result<Child, Error> {
        let spec = &self.services[&id].spec;
        let quota = spec.quota.map_or_else(|| alone::rest(program.len()), Ok)?;
        let inspect = match spec.has(Trait::Inspect) {
            true => MachineRights::INSPECT,
            false => MachineRights::empty(),
        };
        let child = Child::load(program, quota, spec.limit)?;
        let child = child.with_machine(&rt::machine(), MachineRights::LOG | inspect)?;
        if spec.has(Trait::Initrd) { child.with_initrd(&self.initrd) } else { Ok(child) }
    }

    /// Gives a loaded program all that its service has; the diary that it will write.
    pub fn give(&mut self, id: Id, child: Child) -> Result<(Child, Memory), Error> {
        let service = &self.services[&id];
        let inspects = if service.spec.has(Trait::Inspect) { " and reads" } else { "" };
        let mut said = alloc::vec![format!("writes{inspects} the log")];
        if service.spec.has(Trait::Initrd) {
            said.push("the initrd".into());
        }
        let mut giving = Giving { child, table: Table::new(&service.name), said };
        let port = service.port.duplicate(PortRights::all())?;
        giving.give(Kind::Port, "", port, [0; 2], "receives at its port".into())?;
        self.connections(id, service, &mut giving)?;
        device(service, &mut giving)?;
        for kept in &service.kept {
            let memory = kept.memory.duplicate(SHARED)?;
            let (kind, numbers, what) = match kept.physical {
                Some(physical) => (Kind::Dma, [physical, kept.pages * PAGE], "that devices reach"),
                None => (Kind::Kept, [kept.pages, 0], kept.name.as_str()),
            };
            let said = format!("kept memory {what}, {} KiB", kept.kib());
            giving.give(kind, &kept.name, memory, numbers, said)?;
        }
        for (name, value) in service.spec.words.iter().chain(&service.words) {
            giving.add(Kind::Word, name, 0, [*value, 0], format!("the number {name} {value}"));
        }
        let Giving { child, table, said } = giving;
        let given = table.install(child)?;
        self.service(id).given = said;
        Ok(given)
    }

    /// The ways to other services, and to the supervisor.
    fn connections(&self, id: Id, service: &Service, giving: &mut Giving) -> Result<(), Error> {
        for (name, of, badge) in &service.clients {
            let Some(other) = self.services.get(of) else { continue };
            let said = format!("calls {} as {name}, badge {badge:#x}", other.name);
            giving.give(Kind::Client, name, other.port.badged(SEND, *badge)?, [0; 2], said)?;
        }
        let bells = service.spec.bells.iter().filter_map(|name| self.find(name));
        for bell in bells.map(|id| &self.services[&id]) {
            let said = format!("signals {}", bell.name);
            giving.give(Kind::Bell, &bell.name, bell.port.badged(SIGNAL, 0)?, [0; 2], said)?;
        }
        for (name, what) in &service.spec.shares {
            let Some(other) = self.find(name).map(|id| &self.services[&id]) else { continue };
            for kept in other.kept.iter().filter(|kept| kept.name == *what) {
                let said = format!("memory {what} of {name}, {} KiB", kept.kib());
                let memory = kept.memory.duplicate(SHARED)?;
                giving.give(Kind::Kept, what, memory, [kept.pages, 0], said)?;
            }
        }
        let controls = service.spec.has(Trait::Control);
        if controls || !service.clients.is_empty() {
            let what = if controls {
                "asks the supervisor for everything"
            } else {
                "complains to the supervisor"
            };
            let port = self.port.badged(SEND, Supervisor::badge_of_client(id))?;
            giving.give(Kind::Client, SUPERVISOR, port, [0; 2], what.into())?;
        }
        Ok(())
    }
}

/// The device that it drives.
fn device(service: &Service, giving: &mut Giving) -> Result<(), Error> {
    let Some(Device { found, io }) = &service.device else { return Ok(()) };
    let machine = rt::machine();
    device::enable(found);
    for &Window { physical, bytes } in &found.windows {
        let (first, end) = (physical & !(PAGE - 1), (physical + bytes).next_multiple_of(PAGE));
        let window = Memory::window(&machine, first, (end - first) / PAGE, WINDOW_DEVICE)?;
        let said = format!("registers at {physical:#x}, {bytes:#x} bytes");
        giving.give(Kind::Window, "", window, [physical, bytes], said)?;
    }
    if let Some((first, count)) = *io {
        let ports = IoPorts::create(&machine, first, count.into())?;
        let said = format!("I/O ports from {first:#x}, {count}");
        giving.give(Kind::Io, "", ports, [first.into(), count.into()], said)?;
    }
    // A line that cannot be had is one that is not there: the driver looks now and then.
    let create = |line| Interrupt::create(&machine, line, &service.port, INTERRUPT).ok();
    let interrupt = service.interrupt.get_or_init(|| found.interrupt.and_then(create));
    if let (Some(interrupt), Some(line)) = (interrupt, found.interrupt) {
        // A predecessor may have died of what it said.
        interrupt.ack()?;
        let interrupt = interrupt.duplicate(InterruptRights::all())?;
        giving.give(Kind::Interrupt, "", interrupt, [INTERRUPT, 0], format!("interrupt {line}"))?;
    }
    for (name, value) in &found.words {
        giving.add(Kind::Word, name, 0, [*value, 0], format!("the number {name} {value}"));
    }
    Ok(())
}
