//! Disks with something about them that is not as it should be.

use crate::driver::Driver;
use crate::{COMPLAINTS, Wrong, check, client, geometry};
use block::{Extent, Failure};
use core::sync::atomic::Ordering::Relaxed;
use devices::Device;

const FIRST: Extent = Extent { sector: 0, count: 8, offset: 0 };

/// It can be read, and not written.
pub fn read_only(driver: &Driver) -> Result<(), Wrong> {
    check(geometry(driver)?.read_only, "it says that it can only be read")?;
    let (mut client, _memory) = client(driver, 0, 1)?;
    check(client.write(FIRST) == Err(Failure::ReadOnly), "it is not written")?;
    client.read(FIRST)?;
    Ok(client.flush()?)
}

/// Sector 64 cannot be read, and whatever is not there neither.
pub fn broken(driver: &Driver) -> Result<(), Wrong> {
    let (mut client, _memory) = client(driver, 0, 1)?;
    let sectors = client.describe()?.sectors;
    for _ in 0..3 {
        let broken = Extent { sector: 60, ..FIRST };
        check(client.read(broken) == Err(Failure::Broken), "a sector is broken")?;
        client.read(FIRST)?;
    }
    let far = Extent { sector: sectors - 7, ..FIRST };
    check(client.read(far) == Err(Failure::OutOfRange), "the disk ends")?;
    let short = Extent { offset: crate::PAGES * rt::abi::PAGE - 512, ..FIRST };
    check(client.read(short) == Err(Failure::OutOfRange), "the memory ends")?;
    client.read(Extent { sector: sectors - 8, ..FIRST })?;
    Ok(())
}

/// What is written at its ends is read there, and only there.
pub fn ends(driver: &Driver) -> Result<(), Wrong> {
    let (mut client, memory) = client(driver, 0, 1)?;
    let last = client.describe()?.sectors - FIRST.count;
    for (sector, byte) in [(0, b'a'), (last, b'z')] {
        memory.write(0, &[byte; 4096])?;
        client.write(Extent { sector, ..FIRST })?;
    }
    client.flush()?;
    for (sector, byte) in [(0, b'a'), (last, b'z'), (FIRST.count, 0), (last - FIRST.count, 0)] {
        client.read(Extent { sector, ..FIRST })?;
        let mut bytes = [!byte; 4096];
        memory.read(0, &mut bytes)?;
        check(bytes == [byte; 4096], "a sector has what was written there")?;
    }
    Ok(())
}

/// As much as a client's memory has.
const ALL: Extent = Extent { sector: 0, count: 256, offset: 0 };

/// A transfer takes four seconds: its client complains, and has its data in the end.
pub fn slow(driver: &Driver) -> Result<(), Wrong> {
    let (mut client, _memory) = client(driver, 0, 1)?;
    // It is what was moved before that the next one has to wait for.
    client.read(ALL)?;
    let before = COMPLAINTS.load(Relaxed);
    client.read(FIRST)?;
    check((1..=3).contains(&(COMPLAINTS.load(Relaxed) - before)), "there were complaints")
}

/// A transfer takes for ever: it is given up, and the disk goes on.
pub fn stuck(driver: &Driver) -> Result<(), Wrong> {
    let (mut client, _memory) = client(driver, 0, 1)?;
    client.read(ALL)?;
    let before = COMPLAINTS.load(Relaxed);
    check(client.read(FIRST) == Err(Failure::Broken), "it is given up")?;
    // After seven seconds. The next time would be after fourteen.
    check((3..=6).contains(&(COMPLAINTS.load(Relaxed) - before)), "after its time")?;
    check(client.describe()?.sectors > 0, "the disk is there")
}

/// There is no card.
pub fn absent(driver: &Driver) -> Result<(), Wrong> {
    let (mut client, _memory) = client(driver, 0, 1)?;
    check(client.describe() == Err(Failure::Gone), "there is none")?;
    check(client.write(FIRST) == Err(Failure::Gone), "none is written")
}

/// It is taken away, as a person would do it.
#[cfg(target_arch = "x86_64")]
pub fn gone(driver: &Driver, device: &Device) -> Result<(), Wrong> {
    /// Where QEMU's `pc` is told to let go of the devices in some slots of bus 0.
    const EJECT: u16 = 0xae08;
    let (mut client, _memory) = client(driver, 0, 1)?;
    client.read(FIRST)?;
    let slot = device.pci.ok_or(Wrong::That("it is on the PCI bus"))?.device;
    rt::IoPorts::create(&rt::machine(), EJECT, 4)?.write(EJECT, 4, 1 << slot)?;
    for _ in 0..3 {
        check(client.read(FIRST) == Err(Failure::Gone), "it is gone")?;
    }
    check(client.describe() == Err(Failure::Gone), "and nothing is known of it")
}

/// Nobody takes away a disk of a board.
#[cfg(not(target_arch = "x86_64"))]
pub fn gone(_: &Driver, _: &Device) -> Result<(), Wrong> {
    Err(Wrong::That("this machine's disk can be taken away"))
}
