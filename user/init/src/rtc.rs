//! The clock that goes on while the machine is off, where there is one. It is read once: from then on
//! the machine counts by itself.

#[cfg(target_arch = "x86_64")]
#[path = "rtc/cmos.rs"]
mod device;
#[cfg(target_arch = "aarch64")]
#[path = "rtc/pl031.rs"]
mod device;

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// When the monotonic clock began, in nanoseconds since 1970.
pub fn read() -> Option<u64> {
    let now = device::seconds()?.checked_mul(SECOND)?;
    now.checked_sub(rt::time::now())
}
