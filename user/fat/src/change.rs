//! Files and directories that come, go and move.

use crate::Fat;
use crate::boot::Root;
use crate::directory::Found;
use crate::names;
use crate::nodes::COUNTER;
use crate::record::{ARCHIVE, FOLDER, REMOVED, Record};
use alloc::vec::Vec;
use files::{Attributes, DIRECTORY, Failure, KIND, Node, REGULAR, Result};
use volume::Disk;

/// The names that every directory has of itself and of its parent.
const SELF: [u8; 11] = *b".          ";
const PARENT: [u8; 11] = *b"..         ";
/// Directories above another at most.
const DEPTH: usize = 1024;

impl<D: Disk> Fat<D> {
    /// Makes a file or a directory; where its entry is.
    pub(crate) fn make(
        &mut self,
        directory: Root,
        name: &[u8],
        wish: &Attributes,
    ) -> Result<(u64, Record)> {
        let name = names::parse(name)?;
        if self.find(directory, &name)?.is_some() {
            return Err(Failure::Exists);
        }
        let mut record = match wish.mode & KIND {
            REGULAR => Record::new([b' '; 11], ARCHIVE, 0),
            DIRECTORY => self.make_directory(directory, wish)?,
            _ => return Err(Failure::Unsupported),
        };
        record.set(wish);
        record.set_made(wish.times[1]);
        let at = self.insert(directory, &name, &record)?;
        self.record_at(at)
    }

    /// The entry of a new directory that has nothing but its parent.
    pub(crate) fn make_directory(&mut self, parent: Root, wish: &Attributes) -> Result<Record> {
        let cluster = self.take(None)?;
        self.blank(cluster)?;
        let at = self.shape.at(cluster);
        for (nth, (name, first)) in
            [(SELF, cluster), (PARENT, self.as_parent(parent))].into_iter().enumerate()
        {
            let mut record = Record::new(name, FOLDER, first);
            record.set(wish);
            record.set_made(wish.times[1]);
            self.set_record(at + 32 * nth as u64, &record)?;
        }
        Ok(Record::new([b' '; 11], FOLDER, cluster))
    }

    /// The first cluster of a directory as those in it have it: none for the root.
    fn as_parent(&self, directory: Root) -> u32 {
        match directory {
            Root::Chain(first) if directory != self.shape.root => first,
            _ => 0,
        }
    }

    /// The entry of a name that there must be.
    pub(crate) fn named(&mut self, directory: Root, name: &[u8]) -> Result<Found> {
        self.find(directory, &lookup(name)?)?.ok_or(Failure::NotFound)
    }

    /// Removes a name, and what has it.
    pub(crate) fn discard(&mut self, directory: Root, found: &Found) -> Result<()> {
        if found.record.is_directory() {
            let own = self.directory_of(&found.record)?;
            if self.first_from(own, 0)?.is_some() {
                return Err(Failure::NotEmpty);
            }
        } else if let Some(limbo) = self.limbo {
            let to = self.put_away(limbo, &found.record)?;
            self.moved(found.at, to, true)?;
            return self.remove(directory, found);
        }
        self.shrink(found.at, 0)?;
        self.vanished(found.at)?;
        self.remove(directory, found)
    }

    /// Puts a file where those are that were removed, and that somebody may have open.
    fn put_away(&mut self, limbo: u32, record: &Record) -> Result<u64> {
        let counter = &mut self.volume.words()[COUNTER];
        *counter += 1;
        let digits = alloc::format!("{:08X}", *counter as u32);
        let name: Vec<u16> = digits.encode_utf16().collect();
        self.insert(Root::Chain(limbo), &name, record)
    }

    /// Nobody has a file open any more that was removed.
    pub(crate) fn bury(&mut self, node: Node) -> Result<()> {
        let (at, _) = self.record(node)?;
        self.shrink(at, 0)?;
        self.bytes_mut(at, 1)?[0] = REMOVED;
        Ok(())
    }

    /// Removes what nobody can have open.
    pub(crate) fn bury_all(&mut self, limbo: u32) -> Result<()> {
        let mut index = 0;
        while let Some((found, _)) = self.first_from(Root::Chain(limbo), index)? {
            if !found.record.is_directory() {
                self.shrink(found.at, 0)?;
            }
            self.bytes_mut(found.at, 1)?[0] = REMOVED;
            self.step()?;
            index = found.index + 1;
        }
        Ok(())
    }

    /// Moves a name, and takes the place of what has the other.
    pub(crate) fn move_to(&mut self, from: Root, name: &[u8], to: Root, new: &[u8]) -> Result<()> {
        let found = self.named(from, name)?;
        let new = names::parse(new)?;
        let record = found.record;
        if let Some(other) = self.find(to, &new)?
            && other.at != found.at
        {
            match (record.is_directory(), other.record.is_directory()) {
                (true, false) => return Err(Failure::NotDirectory),
                (false, true) => return Err(Failure::IsDirectory),
                _ => self.discard(to, &other)?,
            }
        }
        if record.is_directory() && from != to {
            self.reparent(&record, to)?;
        }
        self.remove(from, &found)?;
        let at = self.insert(to, &new, &record)?;
        if at == found.at { Ok(()) } else { self.moved(found.at, at, false) }
    }

    /// A directory gets another parent, which must not be below it.
    fn reparent(&mut self, record: &Record, to: Root) -> Result<()> {
        let own = self.directory_of(record)?;
        let mut above = to;
        for _ in 0..DEPTH {
            if above == own {
                return Err(Failure::Invalid);
            }
            if above == self.shape.root {
                break;
            }
            let (_, parent) = self.parent_entry(above)?;
            let first = self.first_of(&parent);
            above = if first == 0 { self.shape.root } else { self.directory_of(&parent)? };
        }
        let (at, mut parent) = self.parent_entry(own)?;
        parent.set_first(self.as_parent(to));
        self.set_record(at, &parent)
    }

    /// The entry that a directory has of its parent.
    fn parent_entry(&mut self, directory: Root) -> Result<(u64, Record)> {
        let Root::Chain(first) = directory else { return Err(Failure::Broken) };
        let (at, record) = self.record_at(self.shape.at(first) + 32)?;
        if record.name() == PARENT { Ok((at, record)) } else { Err(Failure::Broken) }
    }
}

/// The name that somebody looks for. There is none that cannot be one.
pub fn lookup(name: &[u8]) -> Result<Vec<u16>> {
    names::parse(name).map_err(|failure| match failure {
        Failure::Invalid => Failure::NotFound,
        failure => failure,
    })
}
