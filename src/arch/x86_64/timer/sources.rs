//! Counters of known frequency: the ACPI PM timer, and channel 2 of the PIT.

use crate::boot::BootInfo;
use ::x86_64::instructions::port::Port;
use arrayvec::ArrayVec;

/// How many of them there can be.
pub(super) const SOURCES: usize = 2;
/// How often a counter is asked before it is taken not to count.
pub(super) const PATIENCE: u32 = 1_000_000;
/// How often one must not have moved to be taken to stand still.
const STANDING: u32 = 1000;

/// A counter that counts up, modulo a power of two.
pub(super) struct Source {
    /// In Hz.
    pub(super) frequency: u64,
    mask: u64,
    /// The PM timer's port; none for the PIT.
    port: Option<u16>,
}

impl Source {
    /// What it counts now.
    pub(super) fn read(&self) -> u64 {
        match self.port {
            // SAFETY: ACPI says that the PM timer is there; reading it changes nothing.
            Some(port) => unsafe { Port::<u32>::new(port).read() }.into(),
            None => pit_elapsed(),
        }
    }

    /// Counts from one value to another.
    pub(super) fn between(&self, from: u64, to: u64) -> u64 {
        to.wrapping_sub(from) & self.mask
    }

    fn counts(&self) -> bool {
        let from = self.read();
        (0..STANDING).any(|_| self.read() != from)
    }
}

/// Those that this machine has and that count, the best first.
pub(super) fn find(info: &BootInfo) -> ArrayVec<Source, SOURCES> {
    // Some have 32 bits, all have these (ACPI 6.5, 4.8.3.3).
    let port = info.pm_timer;
    let pm_timer = port.map(|_| Source { frequency: 3_579_545, mask: 0xff_ffff, port });
    start_pit();
    let pit = Source { frequency: 1_193_182, mask: 0xffff, port: None };
    pm_timer.into_iter().chain([pit]).filter(Source::counts).collect()
}

/// The PIT's channel 2, its command port, and the port that gates it (Intel 8254).
const PIT_CHANNEL_2: u16 = 0x42;
const PIT_COMMAND: u16 = 0x43;
/// Channel 2, low byte then high byte, mode 0: count down once.
const PIT_COUNT_DOWN: u8 = 0b1011_0000;
/// Channel 2: keep the count for the next two reads.
const PIT_LATCH: u8 = 0b1000_0000;
const GATE: u16 = 0x61;
const GATE_OPEN: u8 = 1;
const SPEAKER: u8 = 2;

/// Starts channel 2, silently; it takes 55 ms to come around.
fn start_pit() {
    // SAFETY: channel 2 of the PIT and the speaker are nobody else's.
    unsafe {
        let gate = Port::<u8>::new(GATE).read();
        Port::new(GATE).write(gate & !SPEAKER | GATE_OPEN);
        Port::new(PIT_COMMAND).write(PIT_COUNT_DOWN);
        Port::new(PIT_CHANNEL_2).write(0xff_u8);
        Port::new(PIT_CHANNEL_2).write(0xff_u8);
    }
}

fn pit_elapsed() -> u64 {
    // SAFETY: as in `start_pit`; latching makes the two bytes belong together.
    let bytes = unsafe {
        Port::new(PIT_COMMAND).write(PIT_LATCH);
        let mut channel = Port::<u8>::new(PIT_CHANNEL_2);
        [channel.read(), channel.read()]
    };
    u64::from(u16::MAX - u16::from_le_bytes(bytes))
}
