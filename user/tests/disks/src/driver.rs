//! A driver, and what it needs: what a supervisor does, for one device.

use crate::Wrong;
use block::Badge;
use devices::Device;
use rt::abi::{
    ANY_CPU, COOPERATIVE, FOREVER, MachineRights, MemoryRights, PAGE, PortRights, WINDOW_DEVICE,
};
use rt::loader::Child;
use rt::service::{Kind, Table};
use rt::{Interrupt, Memory, Port};

/// What a driver may use, and how urgent it is.
const QUOTA: u64 = 1 << 20;
const PRIORITY: u8 = 24;
/// Pages that the device reaches.
const DMA: u64 = 4;
/// The signal of the interrupt.
const INTERRUPT: u64 = 1 << 63;
/// How a driver ends that is killed.
const KILLED: u64 = 9;

pub struct Driver<'a> {
    program: &'a [u8],
    device: &'a Device,
    port: Port,
    memory: Outliving,
    child: Child,
    /// Its diary.
    _diary: Memory,
}

/// Memory that outlives drivers.
struct Outliving {
    /// What the device reaches, and where that is.
    dma: (Memory, u64),
    /// What is a disk by itself, and its pages.
    disk: Option<(Memory, u64)>,
}

impl<'a> Driver<'a> {
    /// Starts one, perhaps of a disk that is memory.
    pub fn start(
        program: &'a [u8],
        device: &'a Device,
        disk: Option<(Memory, u64)>,
    ) -> Result<Driver<'a>, Wrong> {
        let port = Port::create(4)?;
        let memory = Outliving { dma: Memory::contiguous(&rt::machine(), DMA)?, disk };
        let (child, diary) = start(program, device, &port, &memory)?;
        Ok(Driver { program, device, port, memory, child, _diary: diary })
    }

    /// Ends it. Whoever asks it for something waits for another.
    pub fn kill(&mut self) -> Result<(), Wrong> {
        self.child.process.kill(KILLED)?;
        self.child.wait(FOREVER)?;
        Ok(())
    }

    /// Starts another one, when it has ended.
    pub fn start_another(&mut self) -> Result<(), Wrong> {
        let (child, diary) = start(self.program, self.device, &self.port, &self.memory)?;
        (self.child, self._diary) = (child, diary);
        Ok(())
    }

    /// A way to it.
    pub fn connection(&self, badge: Badge) -> Result<Port, Wrong> {
        let rights = PortRights::SEND | PortRights::TRANSFER | PortRights::DUPLICATE;
        Ok(self.port.badged(rights, badge.bits())?)
    }
}

fn start(
    program: &[u8],
    device: &Device,
    port: &Port,
    memory: &Outliving,
) -> Result<(Child, Memory), Wrong> {
    let machine = rt::machine();
    let child = Child::load(program, QUOTA, PRIORITY)?;
    let child = child.with_machine(&machine, MachineRights::LOG)?;
    let mut table = Table::new("disk");
    let mut give = |kind, name, handle, numbers| table.add(kind, name, handle, numbers);
    let own = child.give(port.badged(PortRights::all(), 0)?)?;
    give(Kind::Port, "", own, [0; 2]);
    for window in &device.windows {
        let first = window.physical & !(PAGE - 1);
        let pages = (window.physical + window.bytes - first).div_ceil(PAGE);
        let memory = Memory::window(&machine, first, pages, WINDOW_DEVICE)?;
        give(Kind::Window, "", child.give(memory)?, [window.physical, window.bytes]);
    }
    if let Some(line) = device.interrupt {
        let interrupt = Interrupt::create(&machine, line, port, INTERRUPT)?;
        give(Kind::Interrupt, "", child.give(interrupt)?, [INTERRUPT, 0]);
    }
    let (dma, physical) = &memory.dma;
    give(Kind::Dma, "", child.give(dma.duplicate(MemoryRights::all())?)?, [*physical, DMA * PAGE]);
    if let Some((disk, pages)) = &memory.disk {
        let copy = disk.duplicate(MemoryRights::all())?;
        give(Kind::Kept, "disk", child.give(copy)?, [*pages, 0]);
    }
    for (name, value) in &device.words {
        give(Kind::Word, name, 0, [*value, 0]);
    }
    let (child, diary) = table.install(child)?;
    child.thread.schedule(PRIORITY, COOPERATIVE, ANY_CPU)?;
    child.start()?;
    Ok((child, diary))
}
