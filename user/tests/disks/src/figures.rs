//! What reading costs: with one instruction a nanosecond, as the emulator counts, the instructions of
//! client, kernel and driver together. Where the host's disk is late the driver waits more often, which is
//! no cost of Ochre's: what counts is the cheapest of many.

use crate::driver::Driver;
use crate::{Wrong, client};
use block::{Extent, SECTOR};
use rt::println;
use rt::time::now;

/// How often, and what: a page, and what reading ahead reads.
const READS: u64 = 101;
const RECOVERIES: u64 = 11;
const SIZES: [(&str, u64); 2] = [("disk-read-4k", 4 << 10), ("disk-read-64k", 64 << 10)];

pub fn all(driver: &mut Driver) -> Result<(), Wrong> {
    let (mut client, _memory) = client(driver, 0, 1)?;
    for (name, bytes) in SIZES {
        let count = bytes / SECTOR;
        let read = |nth| {
            client.read(Extent { sector: nth % 8 * count, count, offset: 0 })?;
            Ok(())
        };
        println!("bench {name} {}", least(READS, read)?);
    }
    let recover = |_| {
        driver.kill()?;
        driver.start_another()?;
        client.read(Extent { sector: 0, count: 1, offset: 0 })?;
        Ok(())
    };
    println!("bench disk-recovery {}", least(RECOVERIES, recover)?);
    Ok(())
}

/// What the cheapest of so many attempts takes.
fn least(times: u64, mut attempt: impl FnMut(u64) -> Result<(), Wrong>) -> Result<u64, Wrong> {
    let mut least = u64::MAX;
    for nth in 0..times {
        let began = now();
        attempt(nth)?;
        least = least.min(now() - began);
    }
    Ok(least)
}
