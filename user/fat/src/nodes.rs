//! The numbers of files. A file's number is its place: where its entry is, in entries from the beginning
//! of the disk. Those whose entries moved while somebody knew them are exceptions, and so are those
//! that came to a place whose number is still another's. Exceptions are in notes, so that they outlive the
//! server, and once more in maps.

use crate::Fat;
use crate::boot::Root;
use crate::record::{BYTES, Record};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use files::{Failure, Node, ROOT, Result};
use volume::{Disk, PAGE, Volume};

const ENTRY: u64 = BYTES as u64;
/// Words of an exception: the number, the place.
const WORDS: usize = 2;
const PER_PAGE: u64 = (PAGE / (8 * WORDS)) as u64;
/// Pages of them at most.
const PAGES: u64 = 64;
/// Numbers that are nobody's place.
const MADE: u64 = 1 << 62;
/// In a place: the file was removed.
const GONE: u64 = 1 << 63;

/// The words that go with each commit: how many exceptions there were at most, and numbers made.
const LENGTH: usize = 2;
/// See above.
pub const COUNTER: usize = 3;

/// An exception: its place, with [`GONE`], and where it is in the notes.
#[derive(Clone, Copy, Debug)]
struct Exception {
    place: u64,
    nth: u64,
}

/// All exceptions.
#[derive(Default, Debug)]
pub struct Nodes {
    by_number: BTreeMap<Node, Exception>,
    by_place: BTreeMap<u64, Node>,
    unused: Vec<u64>,
}

impl Nodes {
    /// Those in the notes of a volume.
    pub fn load(volume: &mut Volume<impl Disk>) -> Result<Nodes> {
        let mut nodes = Nodes::default();
        for nth in 0..volume.words()[LENGTH].min(PAGES * PER_PAGE) {
            let page = volume.note(nth / PER_PAGE);
            let at = (nth % PER_PAGE) as usize * WORDS;
            let words = volume.words_of(page)?;
            let (number, place) = (words[at], words[at + 1]);
            if number == 0 {
                nodes.unused.push(nth);
            } else {
                nodes.by_number.insert(number, Exception { place, nth });
                nodes.by_place.insert(place & !GONE, number);
            }
        }
        Ok(nodes)
    }
}

impl<D: Disk> Fat<D> {
    /// Writes an exception into the notes.
    fn note(&mut self, nth: u64, number: Node, place: u64) -> Result<()> {
        let page = self.volume.note(nth / PER_PAGE);
        let at = (nth % PER_PAGE) as usize * 8 * WORDS;
        let bytes = self.volume.change(page)?;
        bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
        bytes[at + 8..at + 16].copy_from_slice(&place.to_le_bytes());
        Ok(())
    }

    /// A file has this number, at this place.
    fn except(&mut self, number: Node, place: u64) -> Result<()> {
        let known = self.nodes.by_number.get(&number).copied();
        let nth = match known {
            Some(known) => {
                self.nodes.by_place.remove(&(known.place & !GONE));
                known.nth
            }
            None => self.unused_note()?,
        };
        self.note(nth, number, place)?;
        self.nodes.by_number.insert(number, Exception { place, nth });
        self.nodes.by_place.insert(place & !GONE, number);
        Ok(())
    }

    fn unused_note(&mut self) -> Result<u64> {
        if let Some(nth) = self.nodes.unused.pop() {
            return Ok(nth);
        }
        let length = &mut self.volume.words()[LENGTH];
        if *length == PAGES * PER_PAGE {
            return Err(Failure::NoSpace);
        }
        *length += 1;
        Ok(*length - 1)
    }

    /// The number of the file whose entry is at a place of the disk.
    pub(crate) fn number(&mut self, at: u64) -> Result<Node> {
        let place = at / ENTRY;
        if let Some(&number) = self.nodes.by_place.get(&place) {
            return Ok(number);
        }
        if !self.nodes.by_number.contains_key(&place) {
            return Ok(place);
        }
        // Its natural number is that of another file, which was here before.
        self.volume.words()[COUNTER] += 1;
        let number = MADE + self.volume.words()[COUNTER];
        self.except(number, place)?;
        Ok(number)
    }

    /// The number that an entry seems to have: right but for the one that nobody has looked for.
    pub(crate) fn guess(&self, at: u64) -> Node {
        let place = at / ENTRY;
        self.nodes.by_place.get(&place).copied().unwrap_or(place)
    }

    /// The entry of a file moves, perhaps to where files are that were removed.
    pub(crate) fn moved(&mut self, from: u64, to: u64, gone: bool) -> Result<()> {
        let number = self.number(from)?;
        let place = to / ENTRY;
        self.except(number, if gone { place | GONE } else { place })
    }

    /// The entry of a file is no more, and its number neither.
    pub(crate) fn vanished(&mut self, at: u64) -> Result<()> {
        match self.nodes.by_place.get(&(at / ENTRY)) {
            Some(&number) => self.forget(number),
            None => Ok(()),
        }
    }

    /// Nobody knows a number any more: the file has that of its place again.
    pub(crate) fn forget(&mut self, number: Node) -> Result<()> {
        let Some(exception) = self.nodes.by_number.remove(&number) else { return Ok(()) };
        self.nodes.by_place.remove(&(exception.place & !GONE));
        self.nodes.unused.push(exception.nth);
        self.note(exception.nth, 0, 0)
    }

    /// Whether a file was removed.
    pub(crate) fn is_gone(&self, node: Node) -> bool {
        self.nodes.by_number.get(&node).is_some_and(|exception| exception.place & GONE != 0)
    }

    /// Where the entry of a file is, and what it says. The root has none.
    pub(crate) fn record(&mut self, node: Node) -> Result<(u64, Record)> {
        let exception = self.nodes.by_number.get(&node);
        let place = exception.map_or(node, |exception| exception.place & !GONE);
        let at = place.checked_mul(ENTRY).ok_or(Failure::NotFound)?;
        self.record_at(at)
    }

    /// What the entry at a place says.
    pub(crate) fn record_at(&mut self, at: u64) -> Result<(u64, Record)> {
        if at < self.shape.table || at / PAGE as u64 >= self.volume.pages() {
            return Err(Failure::NotFound);
        }
        let mut raw = [0; BYTES];
        raw.copy_from_slice(self.bytes(at, BYTES)?);
        let record = Record(raw);
        if record.is_live() { Ok((at, record)) } else { Err(Failure::NotFound) }
    }

    /// Writes what the entry of a file says.
    pub(crate) fn set_record(&mut self, at: u64, record: &Record) -> Result<()> {
        self.bytes_mut(at, BYTES)?.copy_from_slice(&record.0);
        Ok(())
    }

    /// A directory, by its number.
    pub(crate) fn directory(&mut self, node: Node) -> Result<Root> {
        if node == ROOT {
            return Ok(self.shape.root);
        }
        let (_, record) = self.record(node)?;
        if !record.is_directory() {
            return Err(Failure::NotDirectory);
        }
        self.directory_of(&record)
    }

    /// A directory, by its entry.
    pub(crate) fn directory_of(&self, record: &Record) -> Result<Root> {
        let first = self.first_of(record);
        if self.shape.has(first) { Ok(Root::Chain(first)) } else { Err(Failure::Broken) }
    }
}
