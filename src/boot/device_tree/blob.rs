//! The bytes of a flattened device tree, of which nobody believes a word (chapter 5): its header, the
//! memory it reserves, and a walk over its nodes.
//!
//! What a walk gets through has a single root, nodes that nest and end, properties that lie inside the
//! tree, and short printable names; and it ends where it says. The blob may lie anywhere. The total size
//! is read and the padding behind the blocks never is: QEMU's tree is 8 KiB in a blob of 1 MiB.

use super::place::Place;
use crate::boot::Malformed;

/// How deep nodes may nest below the root.
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
pub fn total_size(start: &[u8]) -> Result<usize, Malformed> {
    let field = |at| word(start, at).ok_or("cut short");
    if field(0)? != MAGIC {
        return Err("not found");
    }
    match field(4)? as usize {
        size @ HEADER..=MAX_TOTAL => Ok(size),
        _ => Err("impossible total size"),
    }
}

/// A tree with a sound header.
pub(super) struct Blob<'a> {
    structure: &'a [u8],
    strings: &'a [u8],
    reservations: &'a [[u8; 16]],
}

impl<'a> Blob<'a> {
    /// The tree at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Result<Blob<'a>, Malformed> {
        let tree = bytes.get(..total_size(bytes)?);
        let tree = tree.ok_or("longer than its memory")?;
        // The header is there: no total size is smaller.
        let field = |at| word(tree, at).unwrap_or_default() as usize;
        let block = |at, size, what| tree.get(at..at + size).ok_or(what);
        let (version, compatible) = (field(20), field(24));
        if version < 17 || compatible > 17 {
            return Err("unknown version");
        }
        let structure = block(field(8), field(36), "structure block outside of it")?;
        let strings = block(field(12), field(32), "strings block outside of it")?;
        if strings.last().is_some_and(|&last| last != 0) {
            return Err("strings block without end");
        }
        let (entries, _) = tree.get(field(16)..).unwrap_or_default().as_chunks();
        let end = entries.iter().position(|entry| *entry == [0; 16]);
        let reservations = end.and_then(|end| entries.get(..end));
        let reservations = reservations.ok_or("reservation block without end")?;
        Ok(Blob { structure, strings, reservations })
    }

    /// The entries of the reservation block (section 5.3).
    pub fn reservations(&self) -> impl Iterator<Item = (u64, u64)> {
        self.reservations.iter().map(|entry| (number(&entry[..8]), number(&entry[8..])))
    }

    /// Hands over each node, parents before children.
    pub fn walk(&self, take: &mut dyn FnMut(&Place<'a>)) -> Result<(), Malformed> {
        let mut cursor = Cursor(self.structure);
        let mut place = Place::default();
        // None: the root has not begun. Some(0): it has ended.
        let mut depth: Option<usize> = None;
        loop {
            match (cursor.word()?, depth) {
                (BEGIN_NODE, Some(0)) => return Err("a second root"),
                (BEGIN_NODE, Some(deep)) if deep > MAX_DEPTH => return Err("nested too deep"),
                (BEGIN_NODE, _) => {
                    if cursor.0.starts_with(&[0]) != depth.is_none() {
                        return Err("only the root has no name");
                    }
                    let deep = depth.unwrap_or(0);
                    place.go(deep, cursor.node(self.strings)?);
                    take(&place);
                    depth = Some(deep + 1);
                }
                (END_NODE, Some(deep @ 1..)) => depth = Some(deep - 1),
                (PROP, _) => return Err("a property outside of its node"),
                (NOP, _) => {}
                (END, Some(0)) if cursor.0.is_empty() => return Ok(()),
                (END, _) => return Err("ends too early"),
                _ => return Err("not a token"),
            }
        }
    }
}

/// A node that a walk has come to.
#[derive(Clone, Copy, Default)]
pub(super) struct Node<'a> {
    /// Its name, with the unit address.
    pub name: &'a str,
    /// Its properties: tokens and what belongs to them.
    properties: &'a [u8],
    strings: &'a [u8],
}

impl<'a> Node<'a> {
    /// The value of a property. The work grows with what the node has.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        let mut cursor = Cursor(self.properties);
        loop {
            if cursor.word().ok()? == PROP {
                let (at, value) = cursor.property().ok()?;
                let found = self.strings.get(at..)?;
                if found.get(name.len()) == Some(&0) && found.starts_with(name.as_bytes()) {
                    return Some(value);
                }
            }
        }
    }
    /// A property's text without its terminator; empty where there is none.
    pub fn text(&self, name: &str) -> &'a [u8] {
        self.get(name).and_then(|value| value.split(|&byte| byte == 0).next()).unwrap_or_default()
    }

    /// A property that is one cell.
    pub fn cell(&self, name: &str) -> Option<u32> {
        self.get(name)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// A property that is one number, of one cell or two.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name).filter(|value| matches!(value.len(), 4 | 8)).map(number)
    }

    /// The name without the unit address.
    pub fn plain_name(&self) -> &'a str {
        self.name.split('@').next().unwrap_or_default()
    }

    /// What the node is compatible with, the most particular first.
    pub fn compatible(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.get("compatible").unwrap_or_default().split(|&byte| byte == 0)
    }

    /// Whether it is there to be used: `status` is absent or says so (section 2.3.4).
    pub fn is_enabled(&self) -> bool {
        matches!(self.text("status"), b"" | b"okay" | b"ok")
    }
}

/// What is still to be read.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn word(&mut self) -> Result<u32, Malformed> {
        let (word, rest) = self.0.split_first_chunk().ok_or("cut short")?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*word))
    }

    /// The node whose token has been read, with its properties.
    fn node(&mut self, strings: &'a [u8]) -> Result<Node<'a>, &'static str> {
        let bytes = self.0.iter().take(MAX_NAME + 1).position(|byte| !byte.is_ascii_graphic());
        let name = bytes.and_then(|bytes| str::from_utf8(&self.0[..bytes]).ok());
        let name = name.filter(|name| self.0.get(name.len()) == Some(&0));
        let name = name.ok_or("a node's name is not one")?;
        self.take(name.len() + 1)?;
        let all = self.0;
        loop {
            let mut next = Cursor(self.0);
            match next.word()? {
                PROP => {
                    let (at, _) = next.property()?;
                    // Where it ends need not be looked for: the strings do in any case.
                    if strings.get(at).is_none_or(|first| !first.is_ascii_graphic()) {
                        return Err("a property's name is not one");
                    }
                }
                NOP => {}
                _ => break,
            }
            self.0 = next.0;
        }
        let properties = &all[..all.len() - self.0.len()];
        Ok(Node { name, properties, strings })
    }

    /// The property whose token has been read: where its name is in the strings, and its value.
    #[inline]
    fn property(&mut self) -> Result<(usize, &'a [u8]), &'static str> {
        let (length, name) = (self.word()?, self.word()?);
        Ok((name as usize, self.take(length as usize)?))
    }

    /// Some bytes, and the padding to the next word.
    #[inline]
    fn take(&mut self, length: usize) -> Result<&'a [u8], &'static str> {
        let long = "longer than the tree";
        let (bytes, _) = self.0.split_at_checked(length).ok_or(long)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).ok_or(long)?;
        Ok(bytes)
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

/// A number of any cells; what is above 64 bits is lost.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// Reads numbers off the front of a property.
pub(super) struct Cells<'a>(pub &'a [u8]);

impl Cells<'_> {
    /// The next number, of `cells` cells. `None` where the property ends before it does, or where
    /// it does not fit: numbers of three cells are PCI's, and nobody here asks for those.
    pub fn take(&mut self, cells: u32) -> Option<u64> {
        let cells = (cells <= 2).then_some(cells as usize)?;
        let (value, rest) = self.0.split_at_checked(4 * cells)?;
        self.0 = rest;
        Some(number(value))
    }
}
