//! The host controller: Arasan's in BCM2835 (BCM2835 ARM Peripherals, chapter 5), whose registers are those
//! of SDHCI (SD Host Controller Specification 3.0, chapter 2), but must be accessed as words.

use block::{Failure, Result, SECTOR};
use rt::Error;
use rt::registers::Registers;
use rt::service::Window;
use rt::time::{MILLISECOND, SECOND, nap, now};

const BLOCKS: u64 = 0x04;
const ARGUMENT: u64 = 0x08;
const COMMAND: u64 = 0x0c;
const RESPONSE: [u64; 4] = [0x10, 0x14, 0x18, 0x1c];
const DATA: u64 = 0x20;
const STATE: u64 = 0x24;
const CONTROL: u64 = 0x28;
const CLOCK: u64 = 0x2c;
const EVENTS: u64 = 0x30;
const EVENTS_SEEN: u64 = 0x34;
const EVENTS_HEARD: u64 = 0x38;
/// All of them end before this.
const LAST: u64 = 0xfc;

/// Of the state: a command is under way, the data lines are in use.
const COMMAND_BUSY: u32 = 1 << 0;
const DATA_BUSY: u32 = 1 << 1;
/// Of the control: four data lines; power on, at 3.3 V.
const FOUR_LINES: u32 = 1 << 1;
const POWER: u32 = 0xf << 8;
/// Of the clock: the controller's own runs, does so steadily, the card's runs; the longest timeout; reset.
const CLOCK_ON: u32 = 1 << 0;
const CLOCK_STEADY: u32 = 1 << 1;
const CARD_CLOCK_ON: u32 = 1 << 2;
const TIMEOUT: u32 = 0xe << 16;
const RESET: u32 = 1 << 24;
/// Events: a command is done, a transfer is; a block can be written, or read; something failed, and that it
/// was that no answer came.
pub const COMMANDED: u32 = 1 << 0;
pub const TRANSFERRED: u32 = 1 << 1;
pub const WRITABLE: u32 = 1 << 4;
pub const READABLE: u32 = 1 << 5;
const FAILED: u32 = 1 << 15;
const NO_ANSWER: u32 = 1 << 16;

/// What the controller's clock is at most, and the card's until it is known, and after that, in Hz.
const BASE: u32 = 250_000_000;
pub const SLOW: u32 = 400_000;
pub const FAST: u32 = 25_000_000;

/// How long a command may take, and a block or a transfer.
const SOON: u64 = 100 * MILLISECOND;
const LATE: u64 = 2 * SECOND;
/// How often to look before sleeping in between.
const EAGER: u32 = 100;

/// How a card answers a command (SD Physical Layer 4.9), as the command register has it.
#[derive(Clone, Copy)]
pub enum Answer {
    None = 0,
    /// R2.
    Long = 0x0009,
    /// R3, which is not protected by a sum.
    Open = 0x0002,
    /// R1, R6, R7.
    Short = 0x001a,
    /// R1b, after which the card is busy.
    Busy = 0x001b,
}

/// How data goes along with a command, as the transfer mode has it.
#[derive(Clone, Copy)]
pub enum Blocks {
    Read = 1 << 4,
    Write = 0,
}
/// There is data; the blocks are counted, there are several, and after the last the controller ends it.
const WITH_DATA: u32 = 1 << 21;
const COUNTED: u32 = 1 << 1 | 1 << 2 | 1 << 5;

pub struct Host(Registers);

impl Host {
    pub fn new(window: Window) -> core::result::Result<Host, Error> {
        let registers = Registers::new(window)?;
        if registers.has::<u32>(LAST) { Ok(Host(registers)) } else { Err(Error::Invalid) }
    }

    /// Resets it, and whatever it was doing.
    pub fn reset(&self) -> Result<()> {
        self.set(CLOCK, RESET);
        self.until(CLOCK, SOON, |clock| clock & RESET == 0)?;
        self.set(CONTROL, POWER);
        self.set(EVENTS_HEARD, 0);
        self.set(EVENTS_SEEN, !0);
        self.set_clock(SLOW)
    }

    /// Lets the card's clock run at this many Hz, or less.
    pub fn set_clock(&self, hertz: u32) -> Result<()> {
        let divisor = BASE.div_ceil(2 * hertz);
        let divisor = (divisor & 0xff) << 8 | (divisor >> 8 & 3) << 6;
        self.set(CLOCK, TIMEOUT);
        self.set(CLOCK, TIMEOUT | divisor | CLOCK_ON);
        self.until(CLOCK, SOON, |clock| clock & CLOCK_STEADY != 0)?;
        self.set(CLOCK, TIMEOUT | divisor | CLOCK_ON | CARD_CLOCK_ON);
        Ok(())
    }

    /// Uses four data lines from now on.
    pub fn use_four_lines(&self) {
        self.set(CONTROL, POWER | FOUR_LINES);
    }

    /// Makes a command. Fails with [`Failure::Gone`] if nobody answers.
    pub fn command(&self, index: u32, argument: u32, answer: Answer) -> Result<[u32; 4]> {
        self.issue(index, argument, answer, 0)
    }

    /// Makes one with which so many blocks go along.
    pub fn transfer(
        &self,
        index: u32,
        argument: u32,
        blocks: Blocks,
        count: u64,
    ) -> Result<[u32; 4]> {
        self.set(BLOCKS, (count as u32) << 16 | SECTOR as u32);
        self.issue(index, argument, Answer::Short, WITH_DATA | COUNTED | blocks as u32)
    }

    fn issue(&self, index: u32, argument: u32, answer: Answer, data: u32) -> Result<[u32; 4]> {
        self.until(STATE, LATE, |state| state & (COMMAND_BUSY | DATA_BUSY) == 0)?;
        self.set(EVENTS, !0);
        self.set(ARGUMENT, argument);
        self.set(COMMAND, index << 24 | (answer as u32) << 16 | data);
        self.event(COMMANDED, SOON)?;
        if matches!(answer, Answer::Busy) {
            self.event(TRANSFERRED, LATE)?;
        }
        Ok(RESPONSE.map(|at| self.get(at)))
    }

    /// Waits for an event, and takes it.
    pub fn data_event(&self, event: u32) -> Result<()> {
        self.event(event, LATE)
    }

    fn event(&self, event: u32, limit: u64) -> Result<()> {
        let events = self.until(EVENTS, limit, |events| events & (event | FAILED) != 0)?;
        match events {
            _ if events & FAILED == 0 => {
                self.set(EVENTS, event);
                Ok(())
            }
            _ if events & NO_ANSWER != 0 => Err(Failure::Gone),
            _ => Err(Failure::Broken),
        }
    }

    /// The next word of a block.
    pub fn read_word(&self) -> u32 {
        self.get(DATA)
    }

    /// The next word of a block.
    pub fn write_word(&self, word: u32) {
        self.set(DATA, word);
    }

    /// Looks at a register until it is as it should be.
    fn until(&self, at: u64, limit: u64, is_so: impl Fn(u32) -> bool) -> Result<u32> {
        for _ in 0..EAGER {
            let value = self.get(at);
            if is_so(value) {
                return Ok(value);
            }
        }
        let end = now() + limit;
        loop {
            let value = self.get(at);
            if is_so(value) {
                return Ok(value);
            }
            if now() >= end {
                return Err(Failure::Broken);
            }
            nap();
        }
    }

    fn get(&self, at: u64) -> u32 {
        self.0.get(at)
    }

    fn set(&self, at: u64, value: u32) {
        self.0.set(at, value);
    }
}
