//! Real device trees: QEMU's (`-machine virt,dumpdtb=`, cut to what is used) and the Pis'.

use ochre::boot::device_tree::read;
use ochre::boot::{BootInfo, Console, CpuStart, InterruptController, Power, PsciCall};
use ochre::units::PhysAddr;
use std::ops::Range;

pub const GICV2: &[u8] = include_bytes!("../fixtures/virt-gicv2.dtb");
pub const GICV3: &[u8] = include_bytes!("../fixtures/virt-gicv3.dtb");
pub const EL2: &[u8] = include_bytes!("../fixtures/virt-el2-8cpu.dtb");
pub const SECURE: &[u8] = include_bytes!("../fixtures/virt-secure.dtb");
pub const NUMA: &[u8] = include_bytes!("../fixtures/virt-numa.dtb");
pub const INITRD: &[u8] = include_bytes!("../fixtures/virt-initrd.dtb");
pub const RPI3: &[u8] = include_bytes!("../fixtures/rpi3.dtb");
pub const RPI4: &[u8] = include_bytes!("../fixtures/rpi4.dtb");

pub fn span(range: Range<u64>) -> Range<PhysAddr> {
    PhysAddr(range.start)..PhysAddr(range.end)
}

pub fn notes(info: &BootInfo) -> Vec<&str> {
    info.notes.iter().map(|note| note.as_str()).collect()
}

#[test]
fn virt_with_one_cpu_and_gicv2() {
    let info = read(GICV2, 0x8000_0000).unwrap();
    assert_eq!(info.machine.as_str(), "linux,dummy-virt");
    assert_eq!(info.source, "device tree");
    assert_eq!(info.memory[..], [span(0x4000_0000..0x5000_0000)]);
    assert!(info.reserved.is_empty());
    assert_eq!(info.cpus.len(), 1);
    assert_eq!(info.cpus[0].hardware_id, 0);
    assert_eq!(info.cpus[0].start, CpuStart::Boot);
    assert_eq!(info.cpus_present, 1);
    assert_eq!(info.initrd, None);
    assert_eq!(info.command_line.as_str(), "log=info then=off");
    assert_eq!(info.console, Console::Pl011(PhysAddr(0x0900_0000)));
    let (distributor, own, size) = (PhysAddr(0x0800_0000), PhysAddr(0x0801_0000), 0x1_0000);
    assert_eq!(info.interrupts, InterruptController::Gic { version: 2, distributor, own, size });
    assert_eq!((info.timer_interrupt, info.timer_frequency), (27, None));
    assert_eq!(info.power, Power::Psci(PsciCall::Hvc));
    assert_eq!(notes(&info), [""; 0]);
}

#[test]
fn virt_with_four_cpus_and_gicv3() {
    let info = read(GICV3, 2).unwrap();
    let (distributor, own) = (PhysAddr(0x0800_0000), PhysAddr(0x080a_0000));
    assert_eq!(
        info.interrupts,
        InterruptController::Gic { version: 3, distributor, own, size: 0xf6_0000 }
    );
    // The boot CPU comes first, whichever it is.
    let cpus: Vec<_> = info.cpus.iter().map(|cpu| (cpu.hardware_id, cpu.start)).collect();
    let on = CpuStart::Psci(PsciCall::Hvc);
    assert_eq!(cpus, [(2, CpuStart::Boot), (0, on), (1, on), (3, on)]);
    assert_eq!(notes(&info), [""; 0]);
}

#[test]
fn virt_at_el2_with_eight_cpus_and_eight_gib() {
    let info = read(EL2, 0).unwrap();
    assert_eq!(info.memory[..], [span(0x4000_0000..0x2_4000_0000)]);
    assert_eq!(info.cpus.len(), 8);
    assert_eq!(info.cpus[7].hardware_id, 7);
    assert_eq!(info.cpus[7].start, CpuStart::Psci(PsciCall::Smc));
    assert_eq!(info.power, Power::Psci(PsciCall::Smc));
    assert_eq!(notes(&info), [""; 0]);
}

/// Secure memory and the secure UART are "disabled" as far as this world goes.
#[test]
fn virt_with_a_secure_world() {
    let info = read(SECURE, 0).unwrap();
    assert_eq!(info.memory[..], [span(0x4000_0000..0x4400_0000)]);
    assert_eq!(info.console, Console::Pl011(PhysAddr(0x0900_0000)));
    assert_eq!((info.cpus.len(), info.cpus_present), (2, 2));
    assert_eq!(info.cpus[1].start, CpuStart::Psci(PsciCall::Hvc));
    assert_eq!(info.power, Power::Psci(PsciCall::Hvc));
    assert_eq!(notes(&info), [""; 0]);
}

#[test]
fn virt_with_two_banks() {
    let info = read(NUMA, 0).unwrap();
    assert_eq!(info.memory[..], [span(0x4000_0000..0x6000_0000)]);
    assert_eq!(notes(&info), [""; 0]);
}

#[test]
fn virt_with_an_initrd() {
    let info = read(INITRD, 0).unwrap();
    assert_eq!(info.initrd, Some(span(0x4400_0000..0x4400_2000)));
    assert_eq!(info.reserved[..], [span(0x4400_0000..0x4400_2000)]);
    assert_eq!(info.command_line.as_str(), "");
}

#[test]
fn raspberry_pi_3() {
    let info = read(RPI3, 0x8000_0000).unwrap();
    assert_eq!(info.machine.as_str(), "Raspberry Pi 3 Model B");
    // The no-map reservation is no memory.
    assert_eq!(info.memory[..], [span(0..0x300_0000), span(0x300_2000..0x3b40_0000)]);
    let reserved = [span(0..0x1000), span(0x800_0000..0x800_2000), span(0x3b00_0000..0x3b40_0000)];
    assert_eq!(info.reserved[..], reserved);
    let cpus: Vec<_> = info.cpus.iter().map(|cpu| (cpu.hardware_id, cpu.start)).collect();
    let spin = |at| CpuStart::SpinTable(PhysAddr(at));
    assert_eq!(cpus, [(0, CpuStart::Boot), (1, spin(0xe0)), (2, spin(0xe8)), (3, spin(0xf0))]);
    assert_eq!(info.initrd, Some(span(0x800_0000..0x800_1234)));
    assert_eq!(info.command_line.as_str(), "log=debug hz=250");
    assert_eq!(info.console, Console::MiniUart(PhysAddr(0x3f21_5040)));
    assert_eq!(info.interrupts, InterruptController::Bcm2836(PhysAddr(0x4000_0000)));
    assert_eq!(info.power, Power::Bcm2835(PhysAddr(0x3f10_0000)));
    assert_eq!(notes(&info), [""; 0]);
}

#[test]
fn raspberry_pi_4() {
    let info = read(RPI4, 0).unwrap();
    assert_eq!(info.machine.as_str(), "Raspberry Pi 4 Model B Rev 1.1");
    let banks = [span(0..0x3b40_0000), span(0x4000_0000..0xfc00_0000), span(1 << 32..2 << 32)];
    assert_eq!(info.memory[..], banks);
    assert_eq!(info.reserved[..], [span(0..0x1000)]);
    assert_eq!(info.cpus.len(), 4);
    assert_eq!(info.console, Console::Pl011(PhysAddr(0xfe20_1000)));
    let (distributor, own, size) = (PhysAddr(0xff84_1000), PhysAddr(0xff84_2000), 0x2000);
    assert_eq!(info.interrupts, InterruptController::Gic { version: 2, distributor, own, size });
    assert_eq!((info.timer_interrupt, info.timer_frequency), (27, None));
    assert_eq!(info.power, Power::Bcm2835(PhysAddr(0xfe10_0000)));
    assert_eq!(notes(&info), [""; 0]);
}

/// Boot loaders delete by overwriting with NOP tokens. Nothing else may change by that.
#[test]
fn nop_tokens_are_stepped_over() {
    for name in ["kaslr-seed", "rng-seed", "always-on", "stdout-path"] {
        let mut blob = GICV2.to_vec();
        let at = property(&blob, name);
        let length = u32::from_be_bytes(blob[at + 4..at + 8].try_into().unwrap()) as usize;
        for word in blob[at..at + 12 + length.next_multiple_of(4)].chunks_mut(4) {
            word.copy_from_slice(&4_u32.to_be_bytes());
        }
        let info = read(&blob, 0).unwrap();
        assert_eq!(info.memory[..], [span(0x4000_0000..0x5000_0000)], "{name}");
        assert_eq!(info.command_line.as_str(), "log=info then=off", "{name}");
        assert_eq!(info.console, Console::Pl011(PhysAddr(0x0900_0000)), "{name}");
        let lost = usize::from(name == "stdout-path");
        assert_eq!(info.notes.len(), lost, "{name}: {:?}", info.notes);
    }
}

/// QEMU hands over a blob of 1 MiB; the rest of it says nothing.
#[test]
fn padding_says_nothing() {
    let mut blob = GICV2.to_vec();
    let size: u32 = if cfg!(miri) { 9 << 10 } else { 1 << 20 };
    blob.resize(size as usize, 0xff);
    blob[4..8].copy_from_slice(&size.to_be_bytes());
    assert_eq!(read(&blob, 0).unwrap().memory, read(GICV2, 0).unwrap().memory);
}

/// Where the token of the first property called `name` lies.
fn property(blob: &[u8], name: &str) -> usize {
    let word = |at: usize| u32::from_be_bytes(blob[at..at + 4].try_into().unwrap()) as usize;
    let (structure, strings) = (word(8), word(12));
    let wanted = [name.as_bytes(), b"\0"].concat();
    (structure..structure + word(36) - 12)
        .step_by(4)
        .find(|&at| {
            word(at) == 3 && blob[(strings + word(at + 8)).min(blob.len())..].starts_with(&wanted)
        })
        .unwrap()
}
