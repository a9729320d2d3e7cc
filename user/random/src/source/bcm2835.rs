//! The generator of a Raspberry Pi up to the 3 (Linux's binding `brcm,bcm2835-rng`).

use super::{Source, collect};
use rt::registers::Registers;
use rt::service::Window;

/// Bytes of its registers.
pub const BYTES: u64 = 0x10;
/// Control: it generates.
const CONTROL: u64 = 0x0;
const GENERATES: u32 = 1;
/// Status: how many words there are, in the highest byte. What is written there is how many of the first
/// it throws away.
const STATUS: u64 = 0x4;
const COUNT: u32 = 24;
const WARM_UP: u32 = 0x4_0000;
const DATA: u64 = 0x8;
/// How often to look, with a nap between, until there is a word: it warms up for a second at most.
const PATIENCE: u32 = 100_000;

/// The one in this window. If it generates already it has warmed up for a predecessor.
pub fn source(window: Window) -> Option<Source> {
    let registers = Registers::new(window).ok()?;
    if registers.get::<u32>(CONTROL) & GENERATES == 0 {
        registers.set(STATUS, WARM_UP);
        registers.set(CONTROL, GENERATES);
    }
    let half = move || {
        let is_there = || registers.get::<u32>(STATUS) >> COUNT > 0;
        virtio::within(PATIENCE, is_there).then(|| u64::from(registers.get::<u32>(DATA)))
    };
    Some(Source::new("bcm2835-rng", move || collect(|| Some(half()? << 32 | half()?))))
}
