//! ACPI, as QEMU's `q35` says it and as it should not be said.

use crate::fw_device_tree::notes;
use crate::fw_memory::{Memory, longs, words};
use crate::fw_random::{Random, cases};
use ochre::boot::acpi::{NO_ROOT, NO_TABLES, read};
use ochre::boot::{BootInfo, CpuStart, InterruptController, LineKinds, Power};
use ochre::units::PhysAddr;

const RSDP: u64 = 0xf_5a00;

fn seal(bytes: &mut [u8], at: usize) {
    bytes[at] = 0;
    let sum = bytes.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte));
    bytes[at] = sum.wrapping_neg();
}

fn table(signature: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut table = [&signature[..], &words(&[36 + body.len() as u32]), &[0; 28], body].concat();
    seal(&mut table, 9);
    table
}

fn old_root(rsdt: u32) -> Vec<u8> {
    let mut root = [&b"RSD PTR \0BOCHS \0"[..], &words(&[rsdt])].concat();
    seal(&mut root, 8);
    root
}

fn new_root(rsdt: u32, xsdt: u64) -> Vec<u8> {
    let mut root = [&b"RSD PTR \0OCHRE \x02"[..], &words(&[rsdt, 36])].concat();
    seal(&mut root[..20], 8);
    root.extend([longs(&[xsdt]), vec![0; 4]].concat());
    seal(&mut root, 32);
    root
}

fn local(id: u8, flags: u32) -> Vec<u8> {
    [vec![0, 8, id, id], words(&[flags])].concat()
}

fn local_x2(id: u32, flags: u32) -> Vec<u8> {
    [vec![9, 16, 0, 0], words(&[id, flags, id])].concat()
}

fn io(at: u32, first: u32) -> Vec<u8> {
    [vec![1, 12, 0, 0], words(&[at, first])].concat()
}

fn madt(entries: &[Vec<u8>]) -> Vec<u8> {
    table(b"APIC", &[words(&[0xfee0_0000, 1]), entries.concat()].concat())
}

fn fadt(dsdt: u32, control: u32, timer: u32) -> Vec<u8> {
    let mut body = vec![0; 244 - 36];
    let mut put =
        |at: usize, word: u32| body[at - 36..at - 32].copy_from_slice(&word.to_le_bytes());
    put(40, dsdt);
    put(64, control);
    put(76, timer);
    table(b"FACP", &body)
}

fn hpet() -> Vec<u8> {
    table(b"HPET", &[words(&[0x8086_a201, 0]), longs(&[0xfed0_0000]), vec![0; 4]].concat())
}

fn dsdt(s5: &[u8]) -> Vec<u8> {
    let decoy = b"\x5b\x80_S5_\x08_S3_\x12\x06\x04\x01\x01\0\0";
    table(b"DSDT", &[&decoy[..], b"\x08_S5_", s5, b"\xa4\x00"].concat())
}

fn machine(entries: &[Vec<u8>], s5: &[u8]) -> Memory {
    let rsdt = table(b"RSDT", &words(&[0x2000, 0x3000, 0x4000, 0x5000]));
    Memory::default()
        .with(RSDP, &old_root(0x1000))
        .with(0x1000, &rsdt)
        .with(0x2000, &fadt(0x6000, 0x604, 0x608))
        .with(0x3000, &madt(entries))
        .with(0x4000, &hpet())
        .with(0x5000, &table(b"MCFG", &[0; 24]))
        .with(0x6000, &dsdt(s5))
}

const S5: &[u8] = b"\x12\x06\x04\0\0\0\0";

fn q35() -> Memory {
    let over = |line, flags| vec![2, 10, 0, line, line, 0, 0, 0, flags, 0];
    let over = [over(0, 0), over(10, 0b1101), over(11, 0b1111), over(20, 0b0101), over(40, 0b1111)]
        .concat();
    let nmi = vec![4, 6, 0xff, 0, 0, 1];
    let cpus = [local(0, 1), local(1, 1), local(2, 0), local_x2(0x123, 1)];
    machine(&[cpus.concat(), io(0xfec1_0000, 24), io(0xfec0_0000, 0), over, nmi], S5)
}

fn info(memory: &Memory) -> (Result<(), &'static str>, BootInfo) {
    let mut info = BootInfo::new("test");
    let result = read(memory, Some(PhysAddr(RSDP)), 0, &mut info);
    (result, info)
}

#[test]
fn everything_in_its_place() {
    let (result, info) = info(&q35());
    assert_eq!(result, Ok(()));
    let cpus: Vec<_> = info.cpus.iter().map(|cpu| (cpu.hardware_id, cpu.start)).collect();
    let start = CpuStart::InitSipi;
    assert_eq!(cpus, [(0, CpuStart::Boot), (1, start), (0x123, start)]);
    assert_eq!(info.cpus_present, 3);
    let (local, io) = (PhysAddr(0xfee0_0000), Some(PhysAddr(0xfec0_0000)));
    // 10 and 11 are PCI's, 20 is not.
    let kinds = LineKinds { level: 0xffef_0c00, low: 0xffef_0800 };
    assert_eq!(info.interrupts, InterruptController::Apic { local, io, kinds });
    assert_eq!(info.pm_timer, Some(0x608));
    assert_eq!(info.power, Power::Acpi { port: 0x604, value: 0x2000 });
    assert_eq!(notes(&info), [""; 0]);
}

#[test]
fn the_root_is_found_without_a_hint() {
    let mut info = BootInfo::new("test");
    assert_eq!(read(&q35(), None, 1, &mut info), Ok(()));
    assert_eq!((info.cpus[0].hardware_id, info.cpus[1].hardware_id), (1, 0));
    assert_eq!(read(&Memory::default(), None, 5, &mut info), Err(NO_ROOT));
    assert_eq!((info.cpus.len(), info.cpus[0].hardware_id), (1, 5));
}

/// Revision 2 leads to the XSDT, and back to the RSDT if that is broken.
#[test]
fn two_roots() {
    let mut memory = q35();
    memory.0[0].1 = new_root(0x1000, 0x7000);
    assert_eq!(info(&memory).1.cpus.len(), 3, "no XSDT there");
    let xsdt = table(b"XSDT", &longs(&[0x4000]));
    assert_eq!(info(&memory.clone().with(0x7000, &xsdt)).1.cpus.len(), 1, "its XSDT has no MADT");
    memory.0[0].1[33] ^= 1;
    assert_eq!(info(&memory.with(0x7000, &xsdt)).1.cpus.len(), 3, "its checksum is wrong");
}

#[test]
fn sleep_types() {
    let value = |s5: &[u8]| info(&machine(&[local(0, 1)], s5)).1.power;
    let off = |sleep_type: u16| Power::Acpi { port: 0x604, value: sleep_type << 10 | 0x2000 };
    assert_eq!(value(b"\x12\x06\x04\x0a\x05\0\0"), off(5));
    assert_eq!(value(b"\x12\x46\x00\x04\x01\0\0"), off(1));
    for bad in [&b"\x12\x06\x04\x0a\x08"[..], b"\x12\x06\x04\x0b\x05\0", b"\x11\x06\x04\0", b""] {
        assert_eq!(value(bad), Power::None, "{bad:x?}");
    }
}

#[test]
fn extended_fields_win() {
    let mut memory = q35();
    let fadt = &mut memory.0[2].1;
    fadt[208] = 1;
    fadt[212..216].copy_from_slice(&0xb008_u32.to_le_bytes());
    seal(fadt, 9);
    let pm_timer = Some(0xb008);
    assert_eq!(info(&memory).1.pm_timer, pm_timer);
}

#[test]
fn broken_tables_cost_what_they_say() {
    let broken = |piece: usize, at: usize| {
        let mut memory = q35();
        memory.0[piece].1[at] ^= 0x40;
        info(&memory).1
    };
    let madt = broken(3, 40);
    assert_eq!(madt.cpus.len(), 1);
    let expected =
        ["ACPI: table at 0x3000 has a wrong checksum", "ACPI: no MADT, so only this CPU is known"];
    assert_eq!(notes(&madt), expected);
    let length = broken(4, 7);
    assert_eq!(length.pm_timer, Some(0x608));
    assert_eq!(notes(&length), ["ACPI: table at 0x4000 has an impossible length"]);
    let dsdt = broken(6, 50);
    let lost = "ACPI: no known way to switch the machine off";
    assert_eq!(notes(&dsdt), ["ACPI: the DSDT has a wrong checksum", lost]);
    let mut memory = q35();
    memory.0[1].1[3] ^= 1;
    assert_eq!(info(&memory).0, Err(NO_TABLES));
    memory.0[0].1[0] ^= 1;
    assert_eq!(info(&memory).0, Err(NO_ROOT));
}

#[test]
fn strange_madts() {
    let strange = |entries: &[Vec<u8>]| info(&machine(entries, S5)).1;
    let zero = strange(&[local(0, 1), vec![0, 0], local(1, 1)]);
    assert_eq!(zero.cpus.len(), 1);
    assert_eq!(notes(&zero), ["ACPI: MADT entry of 0 bytes: the rest is ignored"]);
    let long = strange(&[local(0, 1), vec![0, 9, 1, 1, 1, 0, 0, 0]]);
    assert_eq!(notes(&long), ["ACPI: MADT entry of 9 bytes: the rest is ignored"]);
    let short = strange(&[local(0, 1), vec![9, 8, 0, 0, 1, 0, 0, 0]]);
    assert_eq!(notes(&short), ["ACPI: MADT entry of type 9 is cut short"]);
    let twice = strange(&[local(0, 1), local(1, 1), local_x2(1, 1), local(0xff, 1)]);
    assert_eq!((twice.cpus.len(), twice.cpus_present), (2, 2));
    assert_eq!(notes(&twice), ["ACPI: CPU 0x1 is listed twice"]);
    let absent = strange(&[local(1, 1)]);
    assert_eq!(notes(&absent), ["the boot CPU 0x0 is not in the MADT"]);
    assert_eq!((absent.cpus.len(), absent.cpus_present), (2, 2));
    let many: Vec<_> = (0..12).map(|id| local(id, 1)).collect();
    let many = strange(&many);
    assert_eq!((many.cpus.len(), many.cpus_present), (8, 12));
    assert_eq!(notes(&many), ["4 CPUs beyond the limit of 8: not used"]);
    let moved = strange(&[local(0, 1), [vec![5, 12, 0, 0], longs(&[1 << 33])].concat()]);
    let local = PhysAddr(1 << 33);
    assert_eq!(
        moved.interrupts,
        InterruptController::Apic { local, io: None, kinds: LineKinds::USUAL }
    );
}

#[test]
fn mutated() {
    let memory = q35();
    let mut passed = 0;
    for case in 0..cases(10_000) {
        let mut random = Random::new(case);
        let mut broken = memory.mutated(&mut random);
        // Half of them get past the checksums.
        if case % 2 == 0 {
            for (at, piece) in broken.0.iter_mut().filter(|(_, piece)| piece.len() > 36) {
                seal(piece, if *at == RSDP { 8 } else { 9 });
            }
        }
        let (result, info) = info(&broken);
        passed += usize::from(result.is_ok());
        assert_eq!(info.cpus[0].hardware_id, 0);
        assert!(info.cpus_present >= info.cpus.len());
    }
    assert!(cfg!(miri) || passed > cases(10_000) as usize / 2, "{passed}");
}
