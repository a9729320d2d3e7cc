//! Finding out what machine this is: a console before anything else, then what the loader says, then
//! ACPI.

use super::boot::Handoff;
use crate::boot::{BootInfo, Console};
use crate::dev::{Ns16550, Registers};
use crate::log::Sink;
use crate::units::{PhysAddr, VirtAddr};
use ::x86_64::instructions::port::Port;
use spin::Once;

/// The first serial port of every PC that has one.
const COM1: u16 = 0x3f8;

/// A UART's registers behind I/O ports, from this one on.
struct Ports(u16);

impl Registers for Ports {
    fn read(&self, register: u16) -> u8 {
        // SAFETY: a UART's ports, which are nobody else's; reading what is not there gives ones.
        unsafe { Port::new(self.0 + register).read() }
    }

    fn write(&self, register: u16, value: u8) {
        // SAFETY: as in `read`.
        unsafe { Port::new(self.0 + register).write(value) }
    }
}

static UART: Once<Option<Ns16550<Ports>>> = Once::new();

/// COM1, if it answers.
pub fn early_console() -> Option<&'static dyn Sink> {
    let uart = UART.call_once(|| Ns16550::new(Ports(COM1))).as_ref()?;
    Some(uart)
}

/// The console that firmware described: COM1 again, as there is no other.
pub fn console(
    console: Console,
    _map: &mut dyn FnMut(PhysAddr, u64) -> Option<VirtAddr>,
) -> Option<&'static dyn Sink> {
    match console {
        Console::Ns16550(COM1) => early_console(),
        _ => None,
    }
}

/// STUB
pub fn discover(_handoff: &Handoff) -> BootInfo {
    let mut b = BootInfo::new("nothing");
    use crate::boot::*;
    b.memory.push(PhysAddr(0)..PhysAddr(0x9f000));
    b.memory.push(PhysAddr(1 << 20)..PhysAddr((64 << 20) - (1 << 18)));
    for r in super::cpu::reserved() {
        regions::reserve(&mut b.reserved, r);
    }
    b.console = Console::Ns16550(COM1);
    super::cpu::choose_trampoline(&b.memory, &[]);
    b.interrupts =
        InterruptController::Apic { local: PhysAddr(0xfee00000), io: Some(PhysAddr(0xfec00000)) };
    b.timer = Timer::Apic { pm_timer: Some(0x608), hpet: Some(PhysAddr(0xfed00000)) };
    b.power = Power::Acpi { port: 0x604, value: 0x2000 };
    let read64 = |at: u64| unsafe { *((crate::layout::PHYS_MAP + at) as *const u64) };
    let mut cl = read64(u64::from(_handoff.information) + 24);
    while let c @ 1.. = read64(cl & !7) >> (cl % 8 * 8) & 0xff {
        b.command_line.push(c as u8 as char);
        cl += 1;
    }
    for i in 0..b
        .command_line
        .find("smp=")
        .map_or(1, |at| u64::from(b.command_line.as_bytes()[at + 4] - 48))
    {
        b.cpus.push(CpuInfo {
            hardware_id: i,
            start: if i == 0 { CpuStart::Boot } else { CpuStart::InitSipi },
        });
    }
    b
}
