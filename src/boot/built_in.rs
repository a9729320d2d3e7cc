//! What is known of a board when firmware says nothing that can be believed: enough to speak, to
//! tick and to switch off, with one CPU's worth of certainty.

use super::info::{BootInfo, Console, CpuInfo, CpuStart, InterruptController, Power, PsciCall};
use super::regions;
use crate::units::PhysAddr;

/// The boards that are known without being described.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Board {
    /// QEMU's `virt`.
    Virt,
    /// Raspberry Pi 3 and Zero 2 W.
    Pi3,
    /// Raspberry Pi 4.
    Pi4,
}

/// The board's serial console.
pub fn console(board: Board) -> Console {
    Console::Pl011(PhysAddr(match board {
        Board::Virt => 0x0900_0000,
        Board::Pi3 => 0x3f20_1000,
        Board::Pi4 => 0xfe20_1000,
    }))
}

/// The whole board, as `boot_cpu` (its affinity) finds it.
pub fn describe(board: Board, boot_cpu: u64) -> BootInfo {
    let mut info = BootInfo::new("built-in description");
    info.console = console(board);
    info.cpus.push(CpuInfo { hardware_id: boot_cpu & 0xff_00ff_ffff, start: CpuStart::Boot });
    info.cpus_present = 1;
    match board {
        Board::Virt => virt(&mut info),
        Board::Pi3 => {
            info.interrupts = InterruptController::Bcm2836(PhysAddr(0x4000_0000));
            // The smallest has 512 MiB, of which the graphics processor keeps the last 64.
            pi(&mut info, "Raspberry Pi 3", 448 << 20, 0x3f10_0000);
        }
        Board::Pi4 => {
            info.interrupts = gic(0xff84_1000, 0xff84_2000);
            // The smallest has 1 GiB, of which the graphics processor keeps the last 76 MiB.
            pi(&mut info, "Raspberry Pi 4", 948 << 20, 0xfe10_0000);
        }
    }
    info
}

/// QEMU's fixed addresses (hw/arm/virt.c), and the least RAM that Ochre promises to run in. How
/// many CPUs there are cannot be known.
fn virt(info: &mut BootInfo) {
    info.machine.push_str("virt");
    memory(info, 0x4000_0000, 64 << 20);
    info.interrupts = gic(0x0800_0000, 0x0801_0000);
    info.power = Power::Psci(PsciCall::Hvc);
}

/// Every Pi has four cores. Firmware's stub makes three of them spin in page 0, each watching
/// eight bytes from 0xd8 on.
fn pi(info: &mut BootInfo, name: &str, ram: u64, watchdog: u64) {
    info.machine.push_str(name);
    memory(info, 0, ram);
    info.reserved.push(PhysAddr(0)..PhysAddr(0x1000));
    info.power = Power::Bcm2835(PhysAddr(watchdog));
    for core in 0..4 {
        if info.cpus[0].hardware_id != core {
            let start = CpuStart::SpinTable(PhysAddr(0xd8 + 8 * core));
            info.cpus.push(CpuInfo { hardware_id: core, start });
        }
    }
    info.cpus_present = info.cpus.len();
}

fn gic(distributor: u64, own: u64) -> InterruptController {
    let (distributor, own) = (PhysAddr(distributor), PhysAddr(own));
    InterruptController::Gic { version: 2, distributor, own, size: 0x2000 }
}

fn memory(info: &mut BootInfo, start: u64, size: u64) {
    info.memory.extend(regions::range(start, size).ok());
}
