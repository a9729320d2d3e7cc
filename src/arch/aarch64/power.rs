//! Switching off, and telling an emulator how it went.

use super::cpu;
use crate::arch::Exit;
use crate::boot::{BootInfo, Power, PsciCall};
use crate::dev::Mmio;
use crate::units::{PAGE_SIZE, PhysAddr, VirtAddr};
use core::arch::asm;
use spin::Once;

/// PSCI's `SYSTEM_OFF`.
const PSCI_SYSTEM_OFF: u64 = 0x8400_0008;

/// BCM2835 power management: watchdog, reset control, reset status. Writes carry a password.
const PM_RESET_CONTROL: u64 = 0x1c;
const PM_RESET_STATUS: u64 = 0x20;
const PM_WATCHDOG: u64 = 0x24;
const PM_PASSWORD: u32 = 0x5a00_0000;
const PM_FULL_RESET: u32 = 0x20;
/// The firmware halts instead of booting from "partition 63".
const PM_HALT: u32 = 0x555;

/// How this machine stops.
struct Way {
    power: Power,
    /// An emulator listens to semihosting calls.
    semihosting: bool,
}

static WAY: Once<Way> = Once::new();

/// The watchdog's registers, where the way is through them.
static WATCHDOG: Once<Mmio> = Once::new();

/// Notes how this machine is switched off, and whether an emulator takes exit statuses.
pub fn init(info: &BootInfo, emulator: bool) {
    WAY.call_once(|| Way { power: info.power, semihosting: emulator });
}

/// Maps the registers that switching off needs.
pub fn map(map: &mut dyn FnMut(PhysAddr, u64) -> Option<VirtAddr>) {
    if let Some(Way { power: Power::Bcm2835(at), .. }) = WAY.get()
        && let Some(base) = map(*at, PAGE_SIZE)
    {
        // SAFETY: the window was mapped as device memory for good, for this alone.
        WATCHDOG.call_once(|| unsafe { Mmio::new(base) });
    }
}

/// Switches off; an emulator exits with success.
pub fn off() -> ! {
    match WAY.get() {
        Some(Way { semihosting: true, .. }) => exit(Exit::Success),
        Some(Way { power: Power::Psci(call), .. }) => {
            psci(*call, PSCI_SYSTEM_OFF, 0, 0, 0);
        }
        Some(Way { power: Power::Bcm2835(_), .. }) => halt_by_watchdog(),
        _ => {}
    }
    cpu::park()
}

fn halt_by_watchdog() {
    if let Some(watchdog) = WATCHDOG.get() {
        watchdog.write(PM_RESET_STATUS, PM_PASSWORD | PM_HALT);
        watchdog.write(PM_WATCHDOG, PM_PASSWORD | 10);
        watchdog.write(PM_RESET_CONTROL, PM_PASSWORD | PM_FULL_RESET);
    }
}

/// Ends an emulator with a status, where there is one that listens; else stops this CPU.
pub fn exit(status: Exit) -> ! {
    if let Some(Way { semihosting: true, .. }) = WAY.get() {
        semihosting_exit(status);
    }
    cpu::park()
}

/// `SYS_EXIT_EXTENDED` with `ADP_Stopped_ApplicationExit` and the status.
fn semihosting_exit(status: Exit) {
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
