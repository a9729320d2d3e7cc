//! The clock of a PC (Motorola MC146818), as firmware set it: in UTC, of this century.

use rt::IoPorts;

/// Which register, and what is in it.
const INDEX: u16 = 0x70;
const DATA: u16 = 0x71;
/// Registers: seconds, minutes, hours, day of the month, month, year of the century.
const FIELDS: [u64; 6] = [0, 2, 4, 7, 8, 9];
/// Whether the fields are about to change.
const STATUS_A: u64 = 0x0a;
const CHANGES: u64 = 1 << 7;
/// How they are written.
const STATUS_B: u64 = 0x0b;
const BINARY: u64 = 1 << 2;
const UP_TO_24: u64 = 1 << 1;
/// In hours up to 12.
const AFTERNOON: u64 = 1 << 7;
/// How often it is read until two readings are the same.
const ATTEMPTS: usize = 10_000;

/// Seconds since 1970.
pub fn seconds() -> Option<u64> {
    let ports = IoPorts::create(&rt::machine(), INDEX, 2).ok()?;
    let get = |register| {
        ports.write(INDEX, 1, register).ok()?;
        ports.read(DATA, 1).ok()
    };
    let fields = || {
        let mut fields = [0; 6];
        for (field, register) in fields.iter_mut().zip(FIELDS) {
            *field = get(register)?;
        }
        Some(fields)
    };
    let steady = || get(STATUS_A).filter(|status| status & CHANGES == 0).and_then(|_| fields());
    let read = (0..ATTEMPTS).find_map(|_| steady().filter(|first| steady() == Some(*first)))?;
    let format = get(STATUS_B)?;
    let number = |field: u64| {
        if format & BINARY != 0 { field } else { field % 16 + field / 16 * 10 }
    };
    let [second, minute, hour, day, month, year] = read;
    let hour = match format & UP_TO_24 {
        0 => number(hour & !AFTERNOON) % 12 + if hour & AFTERNOON != 0 { 12 } else { 0 },
        _ => number(hour),
    };
    let days = days(2000 + number(year), number(month), number(day))?;
    Some(((days * 24 + hour) * 60 + number(minute)) * 60 + number(second))
}

/// Days from the first of January 1970 to another day from 2000 on.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    /// Days before each month, without a leap day.
    const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let before = BEFORE.get(month.checked_sub(1)? as usize)?;
    // Every fourth year is a leap year until 2100.
    let leap = u64::from(month > 2 && year.is_multiple_of(4));
    let years = year - 1970;
    Some(years * 365 + (years + 1) / 4 + before + leap + day.checked_sub(1)?)
}
