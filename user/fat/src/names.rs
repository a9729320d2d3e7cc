//! Names: long ones in UTF-16, spread over entries, and short ones of eight and three bytes.
//! Microsoft's FAT specification 1.03, section 7.

use crate::le::{put_u16, u16_at};
use crate::record::{BYTES, LONG, Record};
use alloc::vec::Vec;
use files::{Failure, Result};

/// UTF-16 units of a name, and in one entry.
pub const UNITS: usize = 255;
const PART: usize = 13;
/// Entries of a long name at most.
const PARTS: usize = 20;
/// Where the units of a part are.
const PLACES: [usize; PART] = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
/// The bit of the part that comes first, which is the last one of the name.
const LAST: u8 = 0x40;
/// Bits of a short name in small letters: its base, and what comes after the dot.
const SMALL_BASE: u8 = 8;
const SMALL_REST: u8 = 16;
/// What stands for the byte that would say that an entry was removed.
const KANJI: u8 = 5;

/// Code page 437 from 128 on, in which short names are.
const OEM: [u16; 128] = [
    0xc7, 0xfc, 0xe9, 0xe2, 0xe4, 0xe0, 0xe5, 0xe7, 0xea, 0xeb, 0xe8, 0xef, 0xee, 0xec, 0xc4, 0xc5,
    0xc9, 0xe6, 0xc6, 0xf4, 0xf6, 0xf2, 0xfb, 0xf9, 0xff, 0xd6, 0xdc, 0xa2, 0xa3, 0xa5, 0x20a7,
    0x192, 0xe1, 0xed, 0xf3, 0xfa, 0xf1, 0xd1, 0xaa, 0xba, 0xbf, 0x2310, 0xac, 0xbd, 0xbc, 0xa1,
    0xab, 0xbb, 0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563,
    0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c,
    0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567, 0x2568, 0x2564,
    0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c,
    0x2590, 0x2580, 0x3b1, 0xdf, 0x393, 0x3c0, 0x3a3, 0x3c3, 0xb5, 0x3c4, 0x3a6, 0x398, 0x3a9,
    0x3b4, 0x221e, 0x3c6, 0x3b5, 0x2229, 0x2261, 0xb1, 0x2265, 0x2264, 0x2320, 0x2321, 0xf7,
    0x2248, 0xb0, 0x2219, 0xb7, 0x221a, 0x207f, 0xb2, 0x25a0, 0xa0,
];

/// A unit as names are compared: small letters are like capitals.
pub fn fold(unit: u16) -> u16 {
    if unit < 128 {
        (unit as u8).to_ascii_uppercase().into()
    } else {
        other(unit, char::to_uppercase)
    }
}

fn lower(unit: u16) -> u16 {
    other(unit, char::to_lowercase)
}

/// The other one of a letter, if it is one unit.
fn other<T: Iterator<Item = char>>(unit: u16, case: impl FnOnce(char) -> T) -> u16 {
    let Some(letter) = char::from_u32(unit.into()) else { return unit };
    let mut letters = case(letter);
    match (letters.next(), letters.next()) {
        (Some(one), None) => u16::try_from(u32::from(one)).unwrap_or(unit),
        _ => unit,
    }
}

/// The name that somebody wants, in UTF-16, without dots at its end.
pub fn parse(name: &[u8]) -> Result<Vec<u16>> {
    let text = str::from_utf8(name).map_err(|_| Failure::Invalid)?;
    let units: Vec<u16> = text.trim_end_matches('.').encode_utf16().collect();
    let bad = |unit: &u16| *unit < 32 || (*unit < 128 && b"\"*/:<>?\\|".contains(&(*unit as u8)));
    match units.len() {
        0 => Err(Failure::Invalid),
        _ if units.iter().any(bad) => Err(Failure::Invalid),
        length if length > UNITS => Err(Failure::NameTooLong),
        _ => Ok(units),
    }
}

/// A name as others see it.
pub fn text(units: &[u16]) -> Vec<u8> {
    let letters = char::decode_utf16(units.iter().copied());
    let letters = letters.map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER));
    letters.collect::<alloc::string::String>().into_bytes()
}

/// Whether two names are the same.
pub fn same(one: &[u16], other: &[u16]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a == b || fold(*a) == fold(*b))
}

/// The sum by which the parts of a long name belong to a short one.
fn check(name: &[u8; 11]) -> u8 {
    name.iter().fold(0, |sum: u8, &byte| sum.rotate_right(1).wrapping_add(byte))
}

/// A short name in UTF-16.
pub fn short(record: &Record) -> ([u16; 12], usize) {
    let name = record.name();
    let (mut units, mut length) = ([0; 12], 0);
    for (part, small) in [(&name[..8], SMALL_BASE), (&name[8..], SMALL_REST)] {
        let part = part.trim_ascii_end();
        if length > 0 && !part.is_empty() {
            units[length] = u16::from(b'.');
            length += 1;
        }
        for &byte in part {
            let byte = if byte == KANJI && length == 0 { 0xe5 } else { byte };
            let unit = if byte < 128 { byte.into() } else { OEM[usize::from(byte) - 128] };
            units[length] = if record.0[12] & small != 0 { lower(unit) } else { unit };
            length += 1;
        }
    }
    (units, length)
}

/// Collects the parts of a long name, as they come in a directory.
#[derive(Debug)]
pub struct Long {
    units: [u16; PART * PARTS],
    length: usize,
    /// The part that came last; 1 when all have come.
    part: u8,
    sum: u8,
    /// The index of the first part.
    pub first: u64,
}

impl Long {
    pub fn new() -> Long {
        Long { units: [0; PART * PARTS], length: 0, part: 0, sum: 0, first: 0 }
    }

    /// Nothing of it counts.
    pub fn clear(&mut self) {
        self.part = 0;
    }

    /// Another part.
    pub fn add(&mut self, index: u64, raw: &[u8; BYTES]) {
        let (part, sum) = (raw[0] & !LAST, raw[13]);
        let fits = part > 0 && usize::from(part) <= PARTS;
        if raw[0] & LAST != 0 && fits {
            (self.first, self.sum, self.length) = (index, sum, usize::from(part) * PART);
        } else if self.part != part + 1 || self.sum != sum || !fits {
            return self.clear();
        }
        self.part = part;
        let start = (usize::from(part) - 1) * PART;
        for (nth, place) in PLACES.into_iter().enumerate() {
            self.units[start + nth] = u16_at(raw, place);
        }
        if raw[0] & LAST != 0 {
            let units = &self.units[start..self.length];
            self.length = start + units.iter().position(|&unit| unit == 0).unwrap_or(PART);
        }
    }

    /// The name, if it belongs to a short one.
    pub fn of(&self, record: &Record) -> Option<&[u16]> {
        let whole = self.part == 1 && self.length > 0 && self.sum == check(&record.name());
        whole.then(|| &self.units[..self.length])
    }
}

/// The parts of a long name, as they come in a directory.
pub fn parts(units: &[u16], short: &[u8; 11]) -> Vec<[u8; BYTES]> {
    let (count, sum) = (units.len().div_ceil(PART), check(short));
    let part = |nth: usize| {
        let mut raw = [0; BYTES];
        let last = if nth + 1 == count { LAST } else { 0 };
        (raw[0], raw[11], raw[13]) = (last | (nth as u8 + 1), LONG, sum);
        for (at, place) in PLACES.into_iter().enumerate() {
            let at = nth * PART + at;
            let padding = if at == units.len() { 0 } else { 0xffff };
            put_u16(&mut raw, place, units.get(at).copied().unwrap_or(padding));
        }
        raw
    };
    (0..count).rev().map(part).collect()
}

/// The short name that a new file could have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Alias {
    name: [u8; 11],
    base: usize,
    /// Something of the name is not in it, so that it needs a number.
    pub lossy: bool,
    /// It is the name itself: there is no need of a long one.
    pub exact: bool,
}

impl Alias {
    pub fn of(units: &[u16]) -> Alias {
        let dot = units.iter().rposition(|&unit| unit == u16::from(b'.')).filter(|&dot| dot > 0);
        let (base, rest) = units.split_at(dot.unwrap_or(units.len()));
        let mut alias = Alias { name: [b' '; 11], base: 0, lossy: false, exact: true };
        alias.base = alias.put(0, 8, base);
        let rest = rest.get(1..).unwrap_or(&[]);
        alias.put(8, 3, rest);
        if alias.base == 0 {
            (alias.name[0], alias.base, alias.lossy) = (b'_', 1, true);
        }
        alias.exact &= !alias.lossy && (dot.is_none() || !rest.is_empty());
        alias
    }

    /// Puts as much as there is room for; how much.
    fn put(&mut self, at: usize, room: usize, units: &[u16]) -> usize {
        let mut length = 0;
        for &unit in units {
            let byte = u8::try_from(unit).ok().filter(u8::is_ascii);
            let good =
                byte.filter(|it| it.is_ascii_alphanumeric() || b"!#$%&'()-@^_`{}~".contains(it));
            let skipped = matches!(byte, Some(b' ' | b'.'));
            self.lossy |= good.is_none() || length == room;
            self.exact &= good.is_some_and(|byte| !byte.is_ascii_lowercase());
            if !skipped && length < room {
                self.name[at + length] = good.map_or(b'_', |byte| byte.to_ascii_uppercase());
                length += 1;
            }
        }
        length
    }

    /// With a number at the end of its base, or as it is for 0.
    pub fn numbered(&self, number: u32) -> [u8; 11] {
        let mut name = self.name;
        if number == 0 {
            return name;
        }
        let digits = number.ilog10() as usize + 1;
        let from = self.base.min(8 - 1 - digits);
        name[from..8].fill(b' ');
        name[from] = b'~';
        let mut rest = number;
        for place in name[from + 1..=from + digits].iter_mut().rev() {
            (*place, rest) = (b'0' + (rest % 10) as u8, rest / 10);
        }
        name
    }

    /// The number with which it would be this name.
    pub fn number(&self, name: &[u8; 11]) -> Option<u32> {
        if *name == self.name {
            return Some(0);
        }
        let base = name[..8].trim_ascii_end();
        let tilde = base.iter().rposition(|&byte| byte == b'~')?;
        let digits = str::from_utf8(&base[tilde + 1..]).ok()?;
        let number = digits.parse().ok().filter(|number| (1..1_000_000).contains(number))?;
        (self.numbered(number) == *name).then_some(number)
    }
}
