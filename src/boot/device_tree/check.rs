//! One linear walk over a flattened device tree, before anybody believes a word of it.
//!
//! What passes has all its blocks inside its total size, a single root, nodes that nest and end,
//! properties that lie inside the tree, and short printable names; and it ends where it says. The
//! `fdt` crate can then walk it without meeting an end it does not expect, and no name is so long
//! that reading it once per property would take for ever.
//!
//! Devicetree Specification v0.4, chapter 5. The blob is read byte-wise: it may lie anywhere.

use super::DtError;

/// How deep nodes may nest below the root: what the `fdt` crate's walk over all nodes can follow.
pub(super) const MAX_DEPTH: usize = 15;
/// The specification says 31 bytes; firmware says more.
const MAX_NAME: usize = 127;
const HEADER: usize = 40;
const MAGIC: u32 = 0xd00d_feed;
/// arm64's boot protocol allows 2 MiB. Firmware leaves room for growth, which is not read.
const MAX_TOTAL: usize = 2 << 20;

const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROP: u32 = 3;
const NOP: u32 = 4;
const END: u32 = 9;

/// How long the tree that starts with these bytes (eight will do) claims to be.
pub fn total_size(start: &[u8]) -> Result<usize, DtError> {
    let mut header = Cursor { bytes: start, at: 0 };
    match header.word() {
        Ok(MAGIC) => {}
        Ok(_) => return Err(DtError::Magic),
        Err(_) => return Err(DtError::Header("cut short")),
    }
    match header.word() {
        Ok(size) if (HEADER..=MAX_TOTAL).contains(&(size as usize)) => Ok(size as usize),
        Ok(_) => Err(DtError::Header("impossible total size")),
        Err(_) => Err(DtError::Header("cut short")),
    }
}

/// The bytes of the tree, all checked, without what follows it.
pub(super) fn check(blob: &[u8]) -> Result<&[u8], DtError> {
    let tree = blob.get(..total_size(blob)?).ok_or(DtError::Header("longer than its memory"))?;
    let mut header = Cursor { bytes: tree, at: 8 };
    let mut field = || header.word().map_err(|_| DtError::Header("cut short"));
    let (structure_at, strings_at, _reservations_at) = (field()?, field()?, field()?);
    let (version, compatible, _boot_cpu) = (field()?, field()?, field()?);
    let (strings_size, structure_size) = (field()?, field()?);
    if version < 17 || compatible > 17 {
        return Err(DtError::Header("unknown version"));
    }
    let block = |at: u32, size: u32, what| {
        let (at, size) = (at as usize, size as usize);
        at.checked_add(size).and_then(|end| tree.get(at..end)).ok_or(DtError::Header(what))
    };
    let structure = block(structure_at, structure_size, "structure block outside of it")?;
    let strings = block(strings_at, strings_size, "strings block outside of it")?;
    if !reservations(tree).any(|entry| entry == (0, 0)) {
        return Err(DtError::Header("reservation block without end"));
    }
    check_structure(structure, strings)?;
    Ok(tree)
}

/// The entries of the reservation block (section 5.3), its terminator among them.
pub(super) fn reservations(tree: &[u8]) -> impl Iterator<Item = (u64, u64)> + use<'_> {
    let at = Cursor { bytes: tree, at: 16 }.word().unwrap_or(u32::MAX) as usize;
    let (entries, _) = tree.get(at..).unwrap_or_default().as_chunks::<16>();
    let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
    entries.iter().map(move |entry| (number(&entry[..8]), number(&entry[8..])))
}

fn check_structure(structure: &[u8], strings: &[u8]) -> Result<(), DtError> {
    let mut cursor = Cursor { bytes: structure, at: 0 };
    // None: the root has not begun. Some(0): it has ended.
    let mut depth: Option<usize> = None;
    let mut properties_may_come = false;
    loop {
        let at = cursor.at;
        let wrong = |what| DtError::Structure { at, what };
        match (cursor.word()?, depth) {
            (BEGIN_NODE, Some(0)) => return Err(wrong("a second root")),
            (BEGIN_NODE, Some(deep)) if deep > MAX_DEPTH => return Err(wrong("nested too deep")),
            (BEGIN_NODE, _) => {
                let named = cursor.name()?;
                if named == depth.is_none() {
                    return Err(wrong("only the root has no name"));
                }
                depth = Some(depth.unwrap_or(0) + 1);
                properties_may_come = true;
            }
            (END_NODE, Some(deep @ 1..)) => {
                depth = Some(deep - 1);
                properties_may_come = false;
            }
            (PROP, _) if properties_may_come => cursor.property(strings)?,
            (PROP, _) => return Err(wrong("a property outside of its node")),
            (NOP, _) => {}
            (END, Some(0)) if cursor.at == structure.len() => return Ok(()),
            (END, _) => return Err(wrong("ends too early")),
            _ => return Err(wrong("not a token")),
        }
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn word(&mut self) -> Result<u32, DtError> {
        let word = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk());
        let word = word.ok_or(DtError::Structure { at: self.at, what: "cut short" })?;
        self.at += 4;
        Ok(u32::from_be_bytes(*word))
    }

    /// Skips the name of a node. Says whether there is one.
    fn name(&mut self) -> Result<bool, DtError> {
        let length = name_length(self.bytes, self.at)
            .ok_or(DtError::Structure { at: self.at, what: "a node's name is not one" })?;
        self.skip(length + 1)?;
        Ok(length > 0)
    }

    /// Skips the property whose token has been read.
    fn property(&mut self, strings: &[u8]) -> Result<(), DtError> {
        let at = self.at;
        let (length, name) = (self.word()?, self.word()?);
        match name_length(strings, name as usize) {
            Some(1..) => self.skip(length as usize),
            _ => Err(DtError::Structure { at, what: "a property's name is not one" }),
        }
    }

    /// Skips bytes and the padding to the next word.
    fn skip(&mut self, bytes: usize) -> Result<(), DtError> {
        let end = bytes.checked_next_multiple_of(4).and_then(|step| self.at.checked_add(step));
        match end.filter(|&end| end <= self.bytes.len()) {
            Some(end) => self.at = end,
            None => {
                return Err(DtError::Structure { at: self.at, what: "longer than the tree" });
            }
        }
        Ok(())
    }
}

/// The length of the printable, NUL-terminated name at `at`; `None` where there is no such thing.
fn name_length(bytes: &[u8], at: usize) -> Option<usize> {
    let name = bytes.get(at..)?;
    let length = name.iter().take(MAX_NAME + 1).position(|byte| !byte.is_ascii_graphic())?;
    (name.get(length) == Some(&0)).then_some(length)
}
