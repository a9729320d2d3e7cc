//! An SD card, from its reset to its data (SD Physical Layer Simplified Specification 6.0, chapter 4).

use crate::host::{Answer, Blocks, FAST, Host, READABLE, TRANSFERRED, WRITABLE};
use block::{Extent, Failure, Geometry, Result, SECTOR};
use rt::time::{MILLISECOND, SECOND, now, sleep};

/// Commands (4.7.4), and those that follow 55.
const RESET: u32 = 0;
const IDENTIFY: u32 = 2;
const GIVE_ADDRESS: u32 = 3;
const SELECT: u32 = 7;
const CHECK_VOLTAGE: u32 = 8;
const DESCRIBE: u32 = 9;
const SET_LENGTH: u32 = 16;
const READ: u32 = 18;
const WRITE: u32 = 25;
const APPLICATION: u32 = 55;
const SET_LINES: u32 = 6;
const START: u32 = 41;

/// 2.7 to 3.6 V, and a pattern that comes back.
const VOLTAGE: u32 = 0x1aa;
/// What the host can: large cards, 3.2 to 3.4 V. What the card is: ready, large.
const LARGE: u32 = 1 << 30;
const VOLTAGES: u32 = 0x30_0000;
const READY: u32 = 1 << 31;
/// What in a card's status is an error.
const ERRORS: u32 = 0xfdf9_8008;
/// Four data lines.
const FOUR: u32 = 2;

/// How long a card may take to get ready.
const PATIENCE: u64 = SECOND;

pub struct Card {
    pub geometry: Geometry,
    /// It counts sectors, and not bytes.
    large: bool,
}

impl Card {
    /// Resets the controller and the card, and asks that how it is; [`Failure::Gone`] if there is none.
    pub fn start(host: &Host) -> Result<Card> {
        host.reset()?;
        host.command(RESET, 0, Answer::None)?;
        // Cards of before version 2 do not know this one, and are not large.
        let modern = match host.command(CHECK_VOLTAGE, VOLTAGE, Answer::Short) {
            Ok([answer, ..]) if answer & 0xfff == VOLTAGE => LARGE,
            Ok(_) => return Err(Failure::Broken),
            Err(_) => {
                host.reset()?;
                host.command(RESET, 0, Answer::None)?;
                0
            }
        };
        let large = get_ready(host, modern)?;
        host.command(IDENTIFY, 0, Answer::Long)?;
        let address = host.command(GIVE_ADDRESS, 0, Answer::Short)?[0] & 0xffff_0000;
        let geometry = geometry(host.command(DESCRIBE, address, Answer::Long)?)?;
        host.set_clock(FAST)?;
        host.command(SELECT, address, Answer::Busy)?;
        host.command(APPLICATION, address, Answer::Short)?;
        host.command(SET_LINES, FOUR, Answer::Short)?;
        host.use_four_lines();
        host.command(SET_LENGTH, SECTOR as u32, Answer::Short)?;
        Ok(Card { geometry, large })
    }

    /// Reads sectors to an address.
    pub fn read(&self, host: &Host, extent: Extent, address: u64) -> Result<()> {
        self.begin(host, READ, Blocks::Read, extent)?;
        for sector in 0..extent.count {
            host.data_event(READABLE)?;
            for word in words(address, sector) {
                // SAFETY: it is within a mapping that lives, aligned, and nobody's reference.
                unsafe { word.write_volatile(host.read_word()) };
            }
        }
        host.data_event(TRANSFERRED)
    }

    /// Writes sectors from an address.
    pub fn write(&self, host: &Host, extent: Extent, address: u64) -> Result<()> {
        self.begin(host, WRITE, Blocks::Write, extent)?;
        for sector in 0..extent.count {
            host.data_event(WRITABLE)?;
            for word in words(address, sector) {
                // SAFETY: as above.
                host.write_word(unsafe { word.read_volatile() });
            }
        }
        host.data_event(TRANSFERRED)
    }

    fn begin(&self, host: &Host, command: u32, blocks: Blocks, extent: Extent) -> Result<()> {
        let unit = if self.large { 1 } else { SECTOR };
        let place = u32::try_from(extent.sector * unit).map_err(|_| Failure::OutOfRange)?;
        let [status, ..] = host.transfer(command, place, blocks, extent.count)?;
        if status & ERRORS == 0 { Ok(()) } else { Err(Failure::Broken) }
    }
}

/// The words of a sector in memory.
fn words(address: u64, sector: u64) -> impl Iterator<Item = *mut u32> {
    let first = address + sector * SECTOR;
    (first..first + SECTOR).step_by(4).map(|address| address as *mut u32)
}

/// Waits until a card is ready (4.2.3); whether it is a large one.
fn get_ready(host: &Host, modern: u32) -> Result<bool> {
    let end = now() + PATIENCE;
    while now() < end {
        host.command(APPLICATION, 0, Answer::Short)?;
        let [state, ..] = host.command(START, VOLTAGES | modern, Answer::Open)?;
        if state & READY != 0 {
            return Ok(state & LARGE != 0);
        }
        sleep(MILLISECOND);
    }
    Err(Failure::Broken)
}

/// What a card says of itself (5.3), as the controller has it: without the sum, the lowest word first.
fn geometry(words: [u32; 4]) -> Result<Geometry> {
    let bits = words.into_iter().rev().fold(0u128, |bits, word| bits << 32 | u128::from(word));
    // The sum and one more bit are missing.
    let field = |low: u32, count: u32| (bits >> (low - 8)) as u64 & ((1 << count) - 1);
    let sectors = match field(126, 2) {
        0 => {
            let length = field(80, 4).checked_sub(9).ok_or(Failure::Broken)?;
            (field(62, 12) + 1) << (field(47, 3) + 2 + length)
        }
        1 => (field(48, 22) + 1) << 10,
        _ => return Err(Failure::Broken),
    };
    Ok(Geometry { sectors, read_only: field(12, 2) != 0 })
}
