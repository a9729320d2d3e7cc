//! Devices in device trees: QEMU's, the Pi's, and broken ones.

use crate::fw_device_tree::{GICV2, RPI3, RPI4};
use crate::fw_random::{Random, cases, mutate};
use crate::fw_tree::Tree;
use devices::tree::devices;
use devices::{Device, Window};

/// The slot in the middle has a disk, the last one a source of random numbers.
fn slots(physical: u64) -> Option<u32> {
    Some(match (physical & 0x1ff, physical & !0x1ff) {
        (0, _) => 0x7472_6976,
        (8, 0x0a00_2000) => 2,
        (8, 0x0a00_3e00) => 4,
        _ => 0,
    })
}

fn named<'a>(all: &'a [Device], what: &str) -> Vec<&'a Device> {
    all.iter().filter(|device| device.is(what)).collect()
}

#[test]
fn the_slots_of_virt_that_have_a_device() {
    let all = devices(GICV2, &mut slots).unwrap();
    let [disk, random] = named(&all, "virtio,mmio")[..] else { panic!("{all:?}") };
    assert_eq!(disk.name, "virtio_mmio@a002000");
    assert_eq!(disk.compatible, ["virtio-blk", "virtio,mmio"]);
    assert_eq!(disk.windows, [Window { physical: 0x0a00_2000, bytes: 0x200 }]);
    assert_eq!(disk.interrupt, Some(32 + 16 + 16));
    assert!(random.is("virtio-rng"));
    let [uart] = named(&all, "arm,pl011")[..] else { panic!("{all:?}") };
    assert_eq!(uart.windows, [Window { physical: 0x0900_0000, bytes: 0x1000 }]);
    assert_eq!(uart.interrupt, Some(33));
    // Nobody knows what is in a slot that cannot be read.
    let unread = devices(GICV2, &mut |_| None).unwrap();
    assert!(named(&unread, "virtio,mmio").is_empty());
}

#[test]
fn the_card_of_the_pi() {
    let tree = Tree::new()
        .cells("#address-cells", &[1])
        .cells("#size-cells", &[1])
        .cells("interrupt-parent", &[7])
        .node("soc")
        .cells("#address-cells", &[1])
        .cells("#size-cells", &[1])
        .cells("ranges", &[0x7e00_0000, 0x3f00_0000, 0x0100_0000])
        .node("interrupt-controller@7e00b200")
        .text("compatible", "brcm,bcm2836-armctrl-ic")
        .cells("reg", &[0x7e00_b200, 0x200])
        .cells("phandle", &[7])
        .end()
        .node("mmc@7e300000")
        .text("compatible", "brcm,bcm2835-sdhci")
        .cells("reg", &[0x7e30_0000, 0x100])
        .cells("interrupts", &[2, 30])
        .end()
        .node("off@7e400000")
        .text("compatible", "brcm,bcm2835-sdhci")
        .cells("reg", &[0x7e40_0000, 0x100])
        .text("status", "disabled")
        .end()
        .node("lost@1000000")
        .text("compatible", "behind,no-range")
        .cells("reg", &[0x0100_0000, 0x100])
        .end()
        .end()
        .build();
    let all = devices(&tree, &mut slots).unwrap();
    assert_eq!(all.len(), 2, "{all:?}");
    let card = named(&all, "brcm,bcm2835-sdhci")[0];
    assert_eq!(card.windows, [Window { physical: 0x3f30_0000, bytes: 0x100 }]);
    assert_eq!(card.interrupt, Some(64 + 62));
}

#[test]
fn lines_that_there_are_not_are_none() {
    for interrupts in [&[1, 5, 4][..], &[0, 988, 4], &[0], &[]] {
        let tree = Tree::machine()
            .node("intc")
            .text("compatible", "arm,cortex-a15-gic")
            .cells("phandle", &[1])
            .end()
            .node("x@1000")
            .text("compatible", "x")
            .reg(&[(0x1000, 0x1000)])
            .cells("interrupt-parent", &[1])
            .cells("interrupts", interrupts)
            .end()
            .build();
        assert_eq!(devices(&tree, &mut slots).unwrap()[0].interrupt, None, "{interrupts:?}");
    }
}

#[test]
fn ten_thousand_broken_trees() {
    let mut random = Random::new(5);
    for case in 0..cases(10_000) {
        let mut blob = [GICV2, RPI3, RPI4][case as usize % 3].to_vec();
        mutate(&mut blob, &mut random);
        let mut reads = 0;
        let found = devices(&blob, &mut |at| {
            reads += 1;
            slots(at)
        });
        for device in found.iter().flatten() {
            assert!(!device.compatible.is_empty() && !device.windows.is_empty());
            assert!(device.windows.iter().all(|it| it.physical.checked_add(it.bytes).is_some()));
        }
        assert!(reads <= 512);
    }
}
