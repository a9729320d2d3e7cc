//! Two clients write and read, each in its partition, while the driver is killed again and again; then one
//! writes the whole disk, for the host to look at.

use crate::driver::Driver;
use crate::{PAGES, Wrong, check, client, complain};
use alloc::sync::Arc;
use alloc::vec::Vec;
use block::{Badge, Client, Extent, SECTOR};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use rt::abi::PAGE;
use rt::files::Words;
use rt::time::{now, sleep};
use rt::{Memory, println, thread};

/// How often the driver is killed, where the command line does not say.
const KILLS: u64 = 100;
/// How long it lives at most, in nanoseconds.
const LIFE: u64 = 3_000_000;
/// Pages of a disk that is memory.
const DISK: u64 = 1024;
/// Sectors that a client has in its memory.
const ROOM: u64 = PAGES * PAGE / SECTOR;

/// What the clients and whoever looks at them share.
#[derive(Default)]
struct Shared {
    end: AtomicBool,
    /// Transfers that were fine, and whether one was not.
    fine: AtomicU64,
    wrong: AtomicBool,
}

pub fn storm(driver: &mut Driver, words: &Words) -> Result<(), Wrong> {
    let (mut whole, memory) = client(driver, 0, 1)?;
    let sectors = whole.describe()?.sectors;
    let parts = [whole.partition(0)?, whole.partition(1)?];
    let [Some(first), Some(second)] = parts else { return Err(Wrong::That("two partitions")) };
    check(whole.partition(2)?.is_none(), "no third partition")?;
    let shared = Arc::new(Shared::default());
    let mut threads = Vec::new();
    for (part, number) in [(first, 2), (second, 3)] {
        let port = driver.connection(Badge { partition: part.number, client: number })?;
        let shared = shared.clone();
        let work = move || work(port, part.sectors, number, &shared);
        threads.push(thread::spawn(thread::Options::default(), work)?);
    }
    let mut random = Random(words.number("seed").unwrap_or(1));
    let mut pauses = Vec::new();
    for _ in 0..words.number("count").unwrap_or(KILLS) {
        sleep(random.below(LIFE));
        let began = now();
        driver.kill()?;
        driver.start_another()?;
        check(whole.describe()?.sectors == sectors, "the same disk as before")?;
        pauses.push(now() - began);
    }
    shared.end.store(true, Relaxed);
    threads.into_iter().for_each(|thread| thread.join());
    check(!shared.wrong.load(Relaxed), "what was written is what is read")?;
    pauses.sort_unstable();
    println!("{} kills, {} transfers", pauses.len(), shared.fine.load(Relaxed));
    if let Some(longest) = pauses.last() {
        println!("recovery: half in {} ns, all in {longest}", pauses[pauses.len() / 2]);
    }
    write_all(&mut whole, &memory, sectors)
}

/// A disk that is memory, with two partitions; and its pages.
pub fn disk() -> Result<(Memory, u64), Wrong> {
    let memory = Memory::create(DISK)?;
    let half = (DISK * PAGE / SECTOR / 2) as u32;
    for (nth, first) in [(0, 64), (1, half)] {
        let entry = [0x83 << 32, u64::from(first) | u64::from(half - 64) << 32];
        let bytes: Vec<u8> = entry.into_iter().flat_map(u64::to_le_bytes).collect();
        memory.write(446 + 16 * nth, &bytes)?;
    }
    memory.write(510, &[0x55, 0xaa])?;
    Ok((memory, DISK))
}

/// What a client does until the end.
fn work(port: rt::Port, sectors: u64, number: u64, shared: &Shared) {
    let result =
        Memory::contiguous(&rt::machine(), PAGES).map_err(Wrong::from).and_then(|(memory, _)| {
            let mut client = Client::new(port, &memory, complain)?;
            let mut random = Random(number);
            // What was written to each sector last; at first it is unknown.
            let mut written = alloc::vec![0u8; sectors as usize];
            while !shared.end.load(Relaxed) {
                transfer(&mut client, &memory, &mut random, &mut written)?;
                shared.fine.fetch_add(1, Relaxed);
            }
            Ok(())
        });
    if let Err(wrong) = result {
        println!("client {number}: {wrong:?}");
        shared.wrong.store(true, Relaxed);
    }
}

/// Writes some sectors, or reads and compares them.
fn transfer(
    client: &mut Client,
    memory: &Memory,
    random: &mut Random,
    written: &mut [u8],
) -> Result<(), Wrong> {
    let count = 1 + random.below(ROOM / 2);
    let sector = random.below(written.len() as u64 - count);
    let offset = random.below(ROOM / 2) * SECTOR;
    let extent = Extent { sector, count, offset };
    let places = &mut written[sector as usize..][..count as usize];
    let mut bytes = alloc::vec![0; extent.bytes() as usize];
    if random.below(16) == 0 {
        client.flush()?;
    }
    if random.below(2) == 0 {
        let value = 1 + random.below(255) as u8;
        bytes.fill(value);
        places.fill(value);
        memory.write(offset, &bytes)?;
        client.write(extent)?;
    } else {
        client.read(extent)?;
        memory.read(offset, &mut bytes)?;
        for (place, sector) in places.iter().zip(bytes.chunks_exact(SECTOR as usize)) {
            let same = sector.iter().all(|byte| byte == place);
            check(*place == 0 || same, "a sector has what was written to it")?;
        }
    }
    Ok(())
}

/// Writes what the host knows, to the end.
fn write_all(client: &mut Client, memory: &Memory, sectors: u64) -> Result<(), Wrong> {
    for sector in (0..sectors).step_by(ROOM as usize) {
        let count = ROOM.min(sectors - sector);
        let words = sector * SECTOR / 8..(sector + count) * SECTOR / 8;
        let bytes: Vec<u8> = words.flat_map(|word| Random(word).next().to_le_bytes()).collect();
        memory.write(0, &bytes)?;
        client.write(Extent { sector, count, offset: 0 })?;
    }
    Ok(client.flush()?)
}

/// SplitMix64: the same seed is the same acts.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}
