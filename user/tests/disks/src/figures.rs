//! What reading costs: with one instruction a nanosecond, as the emulator counts, the instructions of
//! client, kernel and driver together.

use crate::driver::Driver;
use crate::{Wrong, client};
use block::{Extent, SECTOR};
use rt::println;
use rt::time::now;

/// How often, and what: a page, and what reading ahead reads.
const ROUNDS: u64 = 101;
const SIZES: [(&str, u64); 2] = [("disk-read-4k", 4 << 10), ("disk-read-64k", 64 << 10)];

pub fn all(driver: &mut Driver) -> Result<(), Wrong> {
    let (mut client, _memory) = client(driver, 0, 1)?;
    for (name, bytes) in SIZES {
        let mut taken = [0; ROUNDS as usize];
        for (nth, taken) in (0..).zip(&mut taken) {
            let count = bytes / SECTOR;
            let began = now();
            client.read(Extent { sector: nth % 8 * count, count, offset: 0 })?;
            *taken = now() - began;
        }
        taken.sort_unstable();
        println!("bench {name} {}", taken[ROUNDS as usize / 2]);
    }
    let mut taken = [0; 11];
    for taken in &mut taken {
        let began = now();
        driver.kill()?;
        driver.start_another()?;
        client.read(Extent { sector: 0, count: 1, offset: 0 })?;
        *taken = now() - began;
    }
    taken.sort_unstable();
    println!("bench disk-recovery {}", taken[taken.len() / 2]);
    Ok(())
}
