//! Switching off, and telling an emulator how it went.

pub use crate::arch::mapped::power::{exit, init, off, restart};

use crate::arch::Exit;
use crate::boot::{Power, PsciCall};
use crate::dev::{Mmio, Windows};
use crate::units::PAGE_SIZE;
use core::arch::asm;
use spin::Once;

/// PSCI's `SYSTEM_OFF` and `SYSTEM_RESET`.
const PSCI_SYSTEM_OFF: u64 = 0x8400_0008;
const PSCI_SYSTEM_RESET: u64 = 0x8400_0009;

/// BCM2835 power management: watchdog, reset control, reset status. Writes carry a password.
const PM_RESET_CONTROL: u64 = 0x1c;
const PM_RESET_STATUS: u64 = 0x20;
const PM_WATCHDOG: u64 = 0x24;
const PM_PASSWORD: u32 = 0x5a00_0000;
const PM_FULL_RESET: u32 = 0x20;
/// The firmware halts instead of booting from "partition 63".
const PM_HALT: u32 = 0x555;

/// The watchdog's registers, where the way is through them.
static WATCHDOG: Once<Mmio> = Once::new();

/// Maps the registers that switching off needs.
pub fn map(power: Power, map: &mut Windows<'_>) {
    if let Power::Bcm2835(at) = power
        && let Some(registers) = map(at, PAGE_SIZE)
    {
        WATCHDOG.call_once(|| registers);
    }
}

/// Switches off as firmware says.
pub(in crate::arch) fn switch_off(power: Power) {
    stop(power, PSCI_SYSTEM_OFF, PM_HALT);
}

/// Resets as firmware says.
pub(in crate::arch) fn reset(power: Power) {
    stop(power, PSCI_SYSTEM_RESET, 0);
}

/// By a call, or by the watchdog; firmware boots from a partition after that, or halts.
fn stop(power: Power, function: u64, partition: u32) {
    if let Power::Psci(call) = power {
        psci(call, function, 0, 0, 0);
    } else if let Some(watchdog) = WATCHDOG.get() {
        watchdog.write(PM_RESET_STATUS, PM_PASSWORD | partition);
        watchdog.write(PM_WATCHDOG, PM_PASSWORD | 10);
        watchdog.write(PM_RESET_CONTROL, PM_PASSWORD | PM_FULL_RESET);
    }
}

/// `SYS_EXIT_EXTENDED` with `ADP_Stopped_ApplicationExit` and the status: semihosting.
pub(in crate::arch) fn tell_emulator(status: Exit) {
    let block: [u64; 2] = [0x20026, status as u64];
    // SAFETY: the emulator reads the block and does not come back.
    unsafe {
        asm!("hlt #0xf000", inout("x0") 0x20u64 => _, in("x1") &raw const block, options(nostack, readonly))
    };
}

/// Calls firmware as PSCI says. Returns its status; what it clobbers is declared.
pub(super) fn psci(how: PsciCall, function: u64, a: u64, b: u64, c: u64) -> i64 {
    let status: i64;
    // SAFETY: PSCI calls preserve all but x0-x17 (SMCCC 1.1) and do not touch our memory.
    unsafe {
        match how {
            PsciCall::Hvc => asm!("hvc #0", inout("x0") function => status, inout("x1") a => _,
                inout("x2") b => _, inout("x3") c => _, clobber_abi("C"), options(nostack)),
            PsciCall::Smc => asm!("smc #0", inout("x0") function => status, inout("x1") a => _,
                inout("x2") b => _, inout("x3") c => _, clobber_abi("C"), options(nostack)),
        }
    }
    status
}
