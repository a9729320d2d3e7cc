//! Device trees that are well formed and do not tell the truth: each lie ends in a note.

use crate::fw_device_tree::{notes, span};
use crate::fw_tree::Tree;
use ochre::boot::device_tree::read;
use ochre::boot::{BootInfo, Console, CpuStart, InterruptController, PsciCall};
use ochre::units::PhysAddr;

const GIB: u64 = 1 << 30;

/// Reads a machine with a gigabyte of memory and what `more` adds.
fn machine(more: impl FnOnce(Tree) -> Tree) -> BootInfo {
    read(&more(Tree::machine().memory(&[(GIB, GIB)])).build(), 0).unwrap()
}

fn memory(banks: &[(u64, u64)]) -> BootInfo {
    read(&Tree::machine().memory(banks).build(), 0).unwrap()
}

#[track_caller]
fn says(info: &BootInfo, note: &str) {
    assert!(notes(info).contains(&note), "{note:?} is not among {:#?}", notes(info));
}

#[test]
fn no_memory() {
    let info = read(&Tree::machine().build(), 0).unwrap();
    assert!(info.memory.is_empty());
    says(&info, "device tree: no memory in it");
}

#[test]
fn impossible_banks() {
    let info = memory(&[(0x1000, 0), (u64::MAX - 0xfff, 0x2000), (1 << 60, 1 << 50), (GIB, GIB)]);
    assert_eq!(info.memory[..], [span(GIB..2 * GIB)]);
    says(&info, "memory at 0x1000 is empty: ignored");
    says(&info, "memory at 0xfffffffffffff000 ends beyond the last address: ignored");
    says(&info, "memory above 1 TiB: ignored");
}

#[test]
fn huge_bank() {
    let info = memory(&[(0, 1 << 60)]);
    assert_eq!(info.memory[..], [span(0..1 << 40)]);
    says(&info, "memory above 1 TiB: ignored");
}

#[test]
fn overlapping_banks() {
    let info = memory(&[(GIB, GIB), (0x6000_0000, GIB), (GIB, 0x1000)]);
    assert_eq!(info.memory[..], [span(GIB..0xa000_0000)]);
    says(&info, "memory banks overlap: taken as one");
}

#[test]
fn more_banks_than_there_is_room_for() {
    let banks: Vec<_> = (0..40).map(|bank| (bank << 24, 1 << 20)).collect();
    let info = memory(&banks);
    assert_eq!(info.memory.len(), 32);
    says(&info, "memory at 0x20000000 is one too many: ignored");
}

#[test]
fn memory_cut_short() {
    let tree = Tree::machine().node("memory@7").text("device_type", "memory");
    let info = read(&tree.cells("reg", &[0, 0x4000_0000, 0, 0x1000, 0]).end().build(), 0).unwrap();
    assert_eq!(info.memory[..], [span(GIB..GIB + 0x1000)]);
    says(&info, "memory@7: its reg is malformed");
}

/// Cells of another width, or of none, never make a reader loop or overflow.
#[test]
fn strange_cells() {
    for (address, size) in [(0, 0), (0, 1), (3, 1), (u32::MAX, u32::MAX), (2, 3), (1, u32::MAX)] {
        let tree = Tree::new().cells("#address-cells", &[address]).cells("#size-cells", &[size]);
        let info = read(&tree.memory(&[(GIB, GIB)]).build(), 0).unwrap();
        assert!(info.memory.is_empty());
        says(&info, "memory@0: its reg is malformed");
        says(&info, "device tree: no memory in it");
    }
}

#[test]
fn reservations() {
    let info = machine(|tree| {
        tree.reserve(0x4000_0800, 0x1000)
            .reserve(0x5000_0000, 0)
            .reserve(u64::MAX, 2)
            .node("reserved-memory")
            .cells("#address-cells", &[1])
            .cells("#size-cells", &[1])
            .node("a@48000000")
            .cells("reg", &[0x4800_0000, 0x1001, 0x4900_0000, 0x1000])
            .end()
            .node("b")
            .cells("reg", &[0x4900_0000])
            .end()
            .node("c@60000000")
            .cells("reg", &[0x6000_0000, 0x100])
            .property("no-map", &[])
            .end()
            .end()
    });
    let reserved =
        [0x4000_0000..0x4000_2000, 0x4800_0000..0x4800_2000, 0x4900_0000..0x4900_1000].map(span);
    assert_eq!(info.reserved[..], reserved);
    assert_eq!(info.memory[..], [span(GIB..0x6000_0000), span(0x6000_1000..2 * GIB)]);
    says(&info, "reservation at 0x50000000 is empty: ignored");
    says(&info, "reservation at 0xffffffffffffffff ends beyond the last address: ignored");
    says(&info, "reserved-memory/b: its reg is malformed");
}

/// However many reservations there are, none of their bytes is ever given away.
#[test]
fn more_reservations_than_there_is_room_for() {
    let starts: Vec<u64> = (0..100).map(|n| GIB + ((n * 37) % 100) * 0x1_0000).collect();
    let tree = starts.iter().fold(Tree::machine(), |tree, &at| tree.reserve(at, 0x1000));
    let info = read(&tree.build(), 0).unwrap();
    for start in starts {
        let page = span(start..start + 0x1000);
        assert!(info.reserved.iter().any(|one| one.start <= page.start && page.end <= one.end));
    }
}

fn cpu(tree: Tree, id: u32, method: &str) -> Tree {
    let tree = tree.node(&format!("cpu@{id:x}")).text("device_type", "cpu").cells("reg", &[id]);
    if method.is_empty() { tree.end() } else { tree.text("enable-method", method).end() }
}

fn cpus(tree: Tree) -> Tree {
    tree.node("cpus").cells("#address-cells", &[1]).cells("#size-cells", &[0])
}

fn psci(tree: Tree, method: &str) -> Tree {
    tree.node("psci").text("compatible", "arm,psci-0.2").text("method", method).end()
}

#[test]
fn cpus_that_cannot_be() {
    let info = machine(|tree| {
        let tree = [(0, "psci"), (1, "psci"), (1, "psci"), (0, "psci"), (2, "magic"), (3, "")]
            .into_iter()
            .fold(cpus(psci(tree, "smc")), |tree, (id, method)| cpu(tree, id, method));
        let tree = cpu(tree, 0x8000_0007, "psci");
        let tree = cpu(tree, 4, "spin-table");
        let off = tree.node("cpu@5").text("device_type", "cpu").cells("reg", &[5]);
        let off = off.text("enable-method", "psci").text("status", "disabled").end();
        off.node("cpu@6").text("device_type", "cpu").end().end()
    });
    let used: Vec<_> = info.cpus.iter().map(|cpu| (cpu.hardware_id, cpu.start)).collect();
    assert_eq!(used, [(0, CpuStart::Boot), (1, CpuStart::Psci(PsciCall::Smc))]);
    assert_eq!(info.cpus_present, 10);
    says(&info, "cpu@1: listed twice, not used");
    says(&info, "cpu@0: listed twice, not used");
    says(&info, "cpu@2: no known way to start it, not used");
    says(&info, "cpu@3: no known way to start it, not used");
    says(&info, "cpu@80000007: its reg is no affinity, not used");
    says(&info, "cpu@4: no release address, not used");
    says(&info, "cpu@5: disabled, not used");
    says(&info, "cpu@6: its reg is malformed, not used");
}

#[test]
fn more_cpus_than_the_kernel_can_use() {
    let all = |tree| (0..12).fold(cpus(psci(tree, "hvc")), |tree, id| cpu(tree, id, "psci")).end();
    let tree = all(Tree::machine().memory(&[(GIB, GIB)])).build();
    let info = read(&tree, 11).unwrap();
    assert_eq!((info.cpus.len(), info.cpus_present), (8, 12));
    assert_eq!((info.cpus[0].hardware_id, info.cpus[0].start), (11, CpuStart::Boot));
    assert_eq!(info.cpus[7].hardware_id, 6);
    says(&info, "4 CPUs beyond the limit of 8: not used");
}

#[test]
fn psci_that_is_not_there() {
    let info = machine(|tree| cpu(cpus(tree), 1, "psci").end());
    says(&info, "the boot CPU 0x0 is not in the device tree");
    says(&info, "cpu@1: it wants PSCI and there is none, not used");
    assert_eq!(info.cpus.len(), 1);
    says(&machine(|tree| psci(tree, "call")), "psci: neither hvc nor smc, not used");
}

fn chosen(more: impl FnOnce(Tree) -> Tree) -> BootInfo {
    machine(|tree| more(tree.node("chosen")).end())
}

#[test]
fn command_lines() {
    let info = chosen(|tree| tree.property("bootargs", b"log=info \xff quiet\0"));
    assert_eq!(info.command_line.as_str(), "log=info ");
    says(&info, "command line: cut after 9 of 16 bytes");
    let info = chosen(|tree| tree.text("bootargs", &"x".repeat(600)));
    assert_eq!(info.command_line.len(), 512);
    says(&info, "command line: cut after 512 of 600 bytes");
    let unterminated = chosen(|tree| tree.property("bootargs", b"quiet"));
    assert_eq!(unterminated.command_line.as_str(), "quiet");
}

#[test]
fn initrds() {
    let info = |start: &[u32], end: &[u32]| {
        chosen(|tree| tree.cells("linux,initrd-start", start).cells("linux,initrd-end", end))
    };
    let good = info(&[0, 0x4800_0000], &[0x4800_0010]);
    assert_eq!(good.initrd, Some(span(0x4800_0000..0x4800_0010)));
    let reversed = info(&[0x4800_0010], &[0x4800_0000]);
    assert_eq!(reversed.initrd, None);
    says(&reversed, "initrd 0x48000010..0x48000000: empty, ignored");
    let outside = info(&[0x7fff_f000], &[0x8000_0001]);
    assert_eq!(outside.initrd, None);
    says(&outside, "initrd 0x7ffff000..0x80000001: not in memory, ignored");
    says(&info(&[0, 0, 0], &[0x4800_0000]), "initrd: only half described, ignored");
    let half = chosen(|tree| tree.cells("linux,initrd-end", &[0x4800_0000]));
    says(&half, "initrd: only half described, ignored");
    assert!(half.reserved.is_empty());
}

fn uart(tree: Tree, at: u64, compatible: &str) -> Tree {
    tree.node(&format!("serial@{at:x}")).text("compatible", compatible).reg(&[(at, 0x1000)]).end()
}

#[test]
fn consoles() {
    let two = |path: &str| {
        machine(|tree| {
            let tree = uart(uart(tree, 0x1000, "arm,pl011"), 0x2000, "brcm,bcm2835-aux-uart");
            let tree = uart(tree, 0x3000, "ns16550a").node("aliases");
            let tree = tree.text("good", "/serial@2000").text("bad", "/nowhere").end();
            if path.is_empty() { tree } else { tree.node("chosen").text("stdout-path", path).end() }
        })
    };
    let (pl011, mini) = (Console::Pl011(PhysAddr(0x1000)), Console::MiniUart(PhysAddr(0x2000)));
    for path in ["/serial@2000", "/serial@2000:115200n8", "good", "good:9600"] {
        let info = two(path);
        assert_eq!(info.console, mini, "{path}");
        assert_eq!(info.notes.iter().filter(|note| note.contains("console")).count(), 0);
    }
    // Without its unit address a name means the first that has it.
    assert_eq!(two("/serial").console, pl011);
    for path in ["bad", "unknown", "/serial@2000/x", "/", "/serial@", ":", "/serial@20000"] {
        let info = two(path);
        assert_eq!(info.console, pl011, "{path}");
        says(&info, "the chosen console is not there: taking the PL011 at 0x1000");
    }
    says(&two(""), "no console is chosen: taking the PL011 at 0x1000");
    says(&two("/serial@3000"), "the chosen console has no driver: taking the PL011 at 0x1000");
    let none = machine(|tree| tree);
    assert_eq!(none.console, Console::None);
    says(&none, "no console is chosen, and no other either");
}

/// What no bus leads to is not there.
#[test]
fn ranges() {
    let behind = |ranges: Option<&[u32]>| {
        let info = machine(|tree| {
            let tree = tree.node("soc").cells("#address-cells", &[1]).cells("#size-cells", &[1]);
            let tree = ranges.into_iter().fold(tree, |tree, cells| tree.cells("ranges", cells));
            let tree = tree.node("serial@9000").text("compatible", "arm,pl011");
            tree.cells("reg", &[0x9000, 0x1000]).end().end()
        });
        info.console
    };
    let at = |address| Console::Pl011(PhysAddr(address));
    assert_eq!(behind(Some(&[])), at(0x9000));
    assert_eq!(behind(Some(&[0, 1, 0x2000_0000, 0x9001])), at(0x1_2000_9000));
    assert_eq!(behind(Some(&[0, 0, 0, 0x9000, 0x9000, 0, 0x77, 1])), at(0x77));
    assert_eq!(behind(None), Console::None);
    assert_eq!(behind(Some(&[0, 1, 0, 0x9000])), Console::None);
    assert_eq!(behind(Some(&[0, 1, 0])), Console::None);
    assert_eq!(without_cells(), Console::None);
    assert_eq!(behind(Some(&[0, u32::MAX, u32::MAX, u32::MAX])), Console::None);
}

/// A bus whose ranges have entries of no bytes.
fn without_cells() -> Console {
    let tree = Tree::new().cells("#address-cells", &[0]).node("soc").cells("#address-cells", &[0]);
    let tree =
        tree.cells("#size-cells", &[0]).cells("ranges", &[1]).node("bus").cells("ranges", &[7]);
    let tree = tree.node("serial").text("compatible", "arm,pl011").cells("reg", &[0, 1, 2]);
    read(&tree.end().end().end().build(), 0).unwrap().console
}

#[test]
fn timers() {
    let info = |interrupts: &[u32], frequency: &[u32]| {
        machine(|tree| {
            let gic = tree.node("intc@0").text("compatible", "arm,gic-400");
            let gic = gic.cells("#interrupt-cells", &[3]).reg(&[(0, 1), (2, 3)]).end();
            let timer = gic.node("timer").text("compatible", "arm,armv8-timer");
            timer.cells("interrupts", interrupts).cells("clock-frequency", frequency).end()
        })
    };
    let good = info(&[1, 1, 4, 1, 2, 4, 1, 9, 4], &[54_000_000]);
    assert_eq!((good.timer_interrupt, good.timer_frequency), (25, Some(54_000_000)));
    for bad in [&[1, 1, 4, 1, 2, 4, 0, 9, 4][..], &[1, 1, 4, 1, 2, 4, 1, 16, 4], &[1, 1, 4], &[]] {
        let info = info(bad, &[0]);
        assert_eq!((info.timer_interrupt, info.timer_frequency), (27, None));
        says(&info, "timer: no virtual timer's interrupt, taking 27");
        says(&info, "timer: its clock-frequency is malformed, ignored");
    }
    let none = machine(|tree| tree);
    assert_eq!(none.interrupts, InterruptController::None);
    says(&none, "no timer in the device tree: taking the generic one");
    says(&none, "no interrupt controller the kernel knows");
}

#[test]
fn more_notes_than_there_is_room_for() {
    let banks: Vec<_> = (0..30).map(|bank| (bank, 0)).collect();
    let info = memory(&banks);
    assert_eq!(info.notes.len(), 16);
    assert_eq!(info.notes[14].as_str(), "memory at 0xe is empty: ignored");
    assert_eq!(info.notes[15].as_str(), "there is more that was odd than room to say it");
}
