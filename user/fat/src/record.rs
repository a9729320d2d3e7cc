//! An entry of a directory: 32 bytes. Microsoft's FAT specification 1.03, section 6.

use crate::le::{put_u16, put_u32, u16_at, u32_at};
use files::{Attributes, DIRECTORY, REGULAR};

/// Bytes of an entry.
pub const BYTES: usize = 32;
/// The first byte of an entry that was removed.
pub const REMOVED: u8 = 0xe5;
/// Bits of what an entry is.
pub const READ_ONLY: u8 = 1;
/// See above.
pub const HIDDEN: u8 = 2;
/// See above.
pub const SYSTEM: u8 = 4;
/// See above.
pub const LABEL: u8 = 8;
/// See above.
pub const FOLDER: u8 = 16;
/// See above.
pub const ARCHIVE: u8 = 32;
/// What a part of a long name is.
pub const LONG: u8 = READ_ONLY | HIDDEN | SYSTEM | LABEL;

/// What our own files are, and their names: the journal, and the directory of removed files.
pub const OURS: u8 = HIDDEN | SYSTEM;
/// See above.
pub const JOURNAL: [u8; 11] = *b"OCHRE   JNL";
/// See above.
pub const LIMBO: [u8; 11] = *b"OCHRE   DEL";

/// Permissions of files, and of those that cannot be written.
const ALL: u32 = 0o755;
const NONE_WRITES: u32 = 0o555;
const WRITES: u32 = 0o222;

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400;
/// Days from 1970 to 1980, and to 2108.
const FIRST_DAY: i64 = 3652;
const END_DAY: i64 = 50_404;

/// An entry that is no part of a long name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record(pub [u8; BYTES]);

impl Record {
    /// A new one of a short name.
    pub fn new(name: [u8; 11], bits: u8, first: u32) -> Record {
        let mut raw = [0; BYTES];
        raw[..11].copy_from_slice(&name);
        raw[11] = bits;
        let mut record = Record(raw);
        record.set_first(first);
        record
    }

    /// Its short name.
    pub fn name(&self) -> [u8; 11] {
        let mut name = [0; 11];
        name.copy_from_slice(&self.0[..11]);
        name
    }

    /// What it is.
    pub fn bits(&self) -> u8 {
        self.0[11]
    }

    pub fn is_directory(&self) -> bool {
        self.bits() & FOLDER != 0
    }

    /// Whether it is a file or a directory at all.
    pub fn is_live(&self) -> bool {
        ![0, REMOVED].contains(&self.0[0]) && self.bits() & LABEL == 0
    }

    /// Whether it is one of our own files, which nobody else sees.
    pub fn is_ours(&self) -> bool {
        self.bits() & OURS == OURS && [JOURNAL, LIMBO].contains(&self.name())
    }

    /// Whether it is `.` or `..`.
    pub fn is_dot(&self) -> bool {
        self.0[0] == b'.'
    }

    /// The first cluster, or 0.
    pub fn first(&self) -> u32 {
        u32::from(u16_at(&self.0, 20)) << 16 | u32::from(u16_at(&self.0, 26))
    }

    pub fn set_first(&mut self, first: u32) {
        put_u16(&mut self.0, 20, (first >> 16) as u16);
        put_u16(&mut self.0, 26, first as u16);
    }

    /// Bytes of a file.
    pub fn size(&self) -> u64 {
        u32_at(&self.0, 28).into()
    }

    pub fn set_size(&mut self, size: u64) {
        put_u32(&mut self.0, 28, size as u32);
    }

    /// Mode and times become those, as far as there is such a thing.
    pub fn set(&mut self, wish: &Attributes) {
        if !self.is_directory() {
            let only = if wish.mode & WRITES == 0 { READ_ONLY } else { 0 };
            self.0[11] = self.0[11] & !READ_ONLY | only;
        }
        let [read, changed, _] = wish.times.map(stamp);
        put_u16(&mut self.0, 18, read.0);
        put_u16(&mut self.0, 24, changed.0);
        put_u16(&mut self.0, 22, changed.1);
    }

    /// It was changed now, if anybody knows when that is.
    pub fn touch(&mut self, now: i64) {
        if now != 0 {
            let (date, second) = stamp(now);
            put_u16(&mut self.0, 24, date);
            put_u16(&mut self.0, 22, second);
        }
    }

    /// It was made now.
    pub fn set_made(&mut self, time: i64) {
        let (date, second) = stamp(time);
        let rest = time.rem_euclid(2 * SECOND) / (SECOND / 100);
        self.0[13] = rest as u8;
        put_u16(&mut self.0, 14, second);
        put_u16(&mut self.0, 16, date);
    }

    /// Kind and permissions.
    pub fn mode(&self) -> u32 {
        match self.bits() {
            bits if bits & FOLDER != 0 => DIRECTORY | ALL,
            bits if bits & READ_ONLY != 0 => REGULAR | NONE_WRITES,
            _ => REGULAR | ALL,
        }
    }

    /// When it was read, changed, and its attributes changed.
    pub fn times(&self) -> [i64; 3] {
        let changed = moment(u16_at(&self.0, 24), u16_at(&self.0, 22));
        [moment(u16_at(&self.0, 18), 0), changed, changed]
    }
}

/// Date and time of a moment, in days and in units of two seconds.
fn stamp(time: i64) -> (u16, u16) {
    let seconds = time.div_euclid(SECOND).clamp(FIRST_DAY * DAY, END_DAY * DAY - 1);
    let (day, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = date(day);
    let date = (year - 1980) << 9 | month << 5 | day;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let time = hour << 11 | minute << 5 | (second / 2);
    (date as u16, time as u16)
}

/// Year, month and day, by the days since 1970; of the proleptic Gregorian calendar.
fn date(days: i64) -> (i64, i64, i64) {
    // Years begin in March, so that the leap day is their last.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

/// The moment of a date and a time.
fn moment(date: u16, time: u16) -> i64 {
    let (year, month, day) =
        (1980 + (date >> 9), (date >> 5 & 15).clamp(1, 12), (date & 31).max(1));
    let (year, month, day) = (i64::from(year), i64::from(month), i64::from(day));
    let (from, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap = from / 4 - from / 100 + from / 400;
    let days = 365 * from + leap + (153 * month + 2) / 5 + day - 1 - 719_468;
    let time = i64::from(time);
    let seconds = (time >> 11) * 3600 + (time >> 5 & 63) * 60 + (time & 31) * 2;
    (days * DAY + seconds) * SECOND
}
