//! The time as the clock of a PC has it (Motorola MC146818): in UTC, of this century, in one of several formats.

/// The registers: seconds, minutes, hours, day of the month, month, year of the century.
pub const FIELDS: [u64; 6] = [0, 2, 4, 7, 8, 9];

/// Of status B, which says how they are written: as binary numbers, not as two digits; in hours up to 24.
const BINARY: u64 = 1 << 2;
const UP_TO_24: u64 = 1 << 1;
/// In hours up to 12.
const AFTERNOON: u64 = 1 << 7;
/// Days before each month, without a leap day.
const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// Seconds since 1970 of fields in a format.
pub fn seconds(fields: [u64; 6], format: u64) -> Option<u64> {
    let number = |field: u64| {
        if format & BINARY != 0 { field } else { field % 16 + field / 16 * 10 }
    };
    let [second, minute, hour, day, month, year] = fields;
    let hour = match format & UP_TO_24 {
        0 => number(hour & !AFTERNOON) % 12 + if hour & AFTERNOON != 0 { 12 } else { 0 },
        _ => number(hour),
    };
    let days = days(2000 + number(year), number(month), number(day))?;
    Some(((days * 24 + hour) * 60 + number(minute)) * 60 + number(second))
}

/// Days from the first of January 1970 to another day from 2000 on.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let before = BEFORE.get(month.checked_sub(1)? as usize)?;
    // Every fourth year is a leap year until 2100.
    let leap = u64::from(month > 2 && year.is_multiple_of(4));
    let years = year - 1970;
    Some(years * 365 + (years + 1) / 4 + before + leap + day.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_that_date_tells() {
        // date -u -d '2026-11-21 19:40:05' +%s
        let moments = [
            ([0x05, 0x40, 0x19, 0x21, 0x11, 0x26], UP_TO_24, 1_795_290_005),
            ([5, 40, 19, 21, 11, 26], UP_TO_24 | BINARY, 1_795_290_005),
            ([0x05, 0x40, 0x87, 0x21, 0x11, 0x26], 0, 1_795_290_005),
            ([5, 40, 7 | 0x80, 21, 11, 26], BINARY, 1_795_290_005),
            ([0, 0, 0, 1, 1, 0], UP_TO_24 | BINARY, 946_684_800),
            ([0, 0, 12, 1, 1, 0], BINARY, 946_684_800),
            ([59, 59, 23, 29, 2, 24], UP_TO_24 | BINARY, 1_709_251_199),
            ([0, 0, 0, 1, 3, 24], UP_TO_24 | BINARY, 1_709_251_200),
            ([59, 59, 23, 31, 12, 99], UP_TO_24 | BINARY, 4_102_444_799),
        ];
        for (fields, format, wanted) in moments {
            assert_eq!(seconds(fields, format), Some(wanted), "{fields:?} {format}");
        }
    }

    #[test]
    fn no_month_and_no_day_are_no_moment() {
        assert_eq!(seconds([0, 0, 0, 1, 0, 26], UP_TO_24), None);
        assert_eq!(seconds([0, 0, 0, 1, 0x13, 26], UP_TO_24), None);
        assert_eq!(seconds([0, 0, 0, 0, 1, 26], UP_TO_24), None);
        // What there is where there is no clock.
        assert_eq!(seconds([0xff; 6], 0xff), None);
    }
}
