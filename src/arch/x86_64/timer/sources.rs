//! Counters of known frequency: HPET, ACPI PM timer, and channel 2 of the PIT.

use crate::boot::{BootInfo, Timer};
use crate::dev::Mmio;
use crate::units::{PAGE_SIZE, PhysAddr, VirtAddr};
use ::x86_64::instructions::port::Port;
use arrayvec::ArrayVec;

/// How many of them there can be.
pub(super) const SOURCES: usize = 3;
/// How often a counter is asked before it is taken not to count.
pub(super) const PATIENCE: u32 = 1_000_000;
/// How often one must not have moved to be taken to stand still.
const STANDING: u32 = 1000;

/// A counter that counts up, modulo a power of two.
pub(super) struct Source {
    pub(super) name: &'static str,
    /// In Hz.
    pub(super) frequency: u64,
    pub(super) mask: u64,
    counter: Counter,
}

enum Counter {
    Hpet(Mmio),
    PmTimer(u16),
    Pit,
}

impl Source {
    /// What it counts now.
    pub(super) fn read(&self) -> u64 {
        let count = match &self.counter {
            Counter::Hpet(registers) => registers.read64(HPET_COUNTER),
            // SAFETY: ACPI says that the PM timer is there; reading it changes nothing.
            Counter::PmTimer(port) => unsafe { Port::<u32>::new(*port).read() }.into(),
            Counter::Pit => pit_elapsed(),
        };
        count & self.mask
    }

    /// Counts from one value to another.
    pub(super) fn between(&self, from: u64, to: u64) -> u64 {
        to.wrapping_sub(from) & self.mask
    }

    /// How long it takes for so many counts.
    pub(super) fn nanos(&self, counts: u64) -> u128 {
        u128::from(counts) * 1_000_000_000 / u128::from(self.frequency)
    }

    fn counts(&self) -> bool {
        let from = self.read();
        (0..STANDING).any(|_| self.read() != from)
    }
}

/// Those that this machine has and that count, the best first.
pub(super) fn find(
    info: &BootInfo,
    map: &mut dyn FnMut(PhysAddr, u64) -> Option<VirtAddr>,
) -> ArrayVec<Source, SOURCES> {
    let (pm_timer, hpet) = match info.timer {
        Timer::Apic { pm_timer, hpet } => (pm_timer, hpet),
        Timer::Generic { .. } => (None, None),
    };
    let hpet = hpet
        .and_then(|at| map(at, PAGE_SIZE))
        // SAFETY: ACPI says what is there, and it was mapped as device memory for good.
        .and_then(|base| start_hpet(unsafe { Mmio::new(base) }));
    let pm_timer = pm_timer.map(|port| Source {
        name: "ACPI PM timer",
        frequency: 3_579_545,
        // Some have 32 bits, all have these (ACPI 6.5, 4.8.3.3).
        mask: 0xff_ffff,
        counter: Counter::PmTimer(port),
    });
    [hpet, pm_timer, Some(start_pit())].into_iter().flatten().filter(Source::counts).collect()
}

/// Registers of the HPET (IA-PC HPET 1.0a, 2.3).
const HPET_CAPABILITIES: u64 = 0x00;
const HPET_64_BITS: u64 = 1 << 13;
const HPET_CONFIGURATION: u64 = 0x10;
const HPET_ENABLE: u64 = 1;
const HPET_COUNTER: u64 = 0xf0;

/// Femtoseconds in a second; the longest period an HPET may have.
const FEMTOSECONDS: u64 = 1_000_000_000_000_000;
const HPET_LONGEST: u64 = 100_000_000;

fn start_hpet(registers: Mmio) -> Option<Source> {
    let capabilities = registers.read64(HPET_CAPABILITIES);
    let period = capabilities >> 32;
    if period == 0 || period > HPET_LONGEST {
        return None;
    }
    registers.write64(HPET_CONFIGURATION, registers.read64(HPET_CONFIGURATION) | HPET_ENABLE);
    let mask = if capabilities & HPET_64_BITS != 0 { u64::MAX } else { u32::MAX.into() };
    Some(Source {
        name: "HPET",
        frequency: FEMTOSECONDS / period,
        mask,
        counter: Counter::Hpet(registers),
    })
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
fn start_pit() -> Source {
    // SAFETY: channel 2 of the PIT and the speaker are nobody else's.
    unsafe {
        let gate = Port::<u8>::new(GATE).read();
        Port::new(GATE).write(gate & !SPEAKER | GATE_OPEN);
        Port::new(PIT_COMMAND).write(PIT_COUNT_DOWN);
        Port::new(PIT_CHANNEL_2).write(0xff_u8);
        Port::new(PIT_CHANNEL_2).write(0xff_u8);
    }
    Source { name: "PIT", frequency: 1_193_182, mask: 0xffff, counter: Counter::Pit }
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
