//! What is asked for, in the protocol of files.

use crate::Fat;
use crate::boot::Root;
use crate::change;
use crate::nodes::Nodes;
use crate::record::Record;
use files::{
    Attributes, DIRECTORY, Entry, Failure, FileSystem, KIND, Node, ROOT, Receipt, Result, Sink,
    Source, Space,
};
use volume::{Disk, Unjournaled};

/// Bits of a mode that no file of a FAT can have.
const STRANGE: u32 = 0o7000;

impl<D: Disk> Fat<D> {
    /// What a file is.
    fn attributes(&mut self, at: u64, record: &Record) -> Result<Attributes> {
        let node = self.number(at)?;
        let mut attributes = Attributes {
            node,
            mode: record.mode(),
            links: 1,
            size: record.size(),
            times: record.times(),
            ..Attributes::default()
        };
        if record.is_directory() {
            let directory = self.directory_of(record)?;
            self.measure(directory, &mut attributes)?;
        }
        attributes.taken = attributes.size.next_multiple_of(self.shape.cluster);
        Ok(attributes)
    }

    /// How long a directory is, and how many names it has.
    fn measure(&mut self, directory: Root, attributes: &mut Attributes) -> Result<()> {
        attributes.links = 2 + self.folders(directory)?;
        attributes.size = match directory {
            Root::Fixed(_, entries) => 32 * entries,
            Root::Chain(head) => u64::from(self.length(head)?.0) * self.shape.cluster,
        };
        Ok(())
    }

    /// Does something that changes the disk. If there is no room, but will be after a sync, it is
    /// done again then.
    fn attempt<T>(&mut self, mut change: impl FnMut(&mut Self) -> Result<T>) -> Result<T> {
        if self.is_read_only {
            return Err(Failure::ReadOnly);
        }
        if self.is_full() {
            // The last commit could not get to the disk; perhaps it is there again.
            self.flush()?;
        }
        match change(self) {
            Err(Failure::NoSpace) if self.volume.held().ranges() > 0 => {
                self.undo();
                self.flush()?;
                change(self)
            }
            done => done,
        }
    }

    /// The names of a directory have changed.
    fn touch(&mut self, directory: Node) -> Result<()> {
        if directory == ROOT {
            return Ok(());
        }
        let (at, mut record) = self.record(directory)?;
        record.touch(self.now);
        self.set_record(at, &record)
    }

    /// What was changed since the last commit is as it was.
    fn undo(&mut self) {
        self.volume.abort();
        self.chains.clear();
        // Notes are in memory; if they were not, there would be none.
        self.nodes = Nodes::load(&mut self.volume).unwrap_or_default();
    }
}

impl<D: Disk> FileSystem for Fat<D> {
    fn lookup(&mut self, directory: Node, name: &[u8]) -> Result<Attributes> {
        let directory = self.directory(directory)?;
        let found = self.find(directory, &change::lookup(name)?)?.ok_or(Failure::NotFound)?;
        let attributes = self.attributes(found.at, &found.record)?;
        self.volume.commit(None);
        Ok(attributes)
    }

    fn stat(&mut self, node: Node) -> Result<Attributes> {
        if node != ROOT {
            let (at, record) = self.record(node)?;
            return Ok(Attributes { node, ..self.attributes(at, &record)? });
        }
        let mut attributes = Attributes { node, mode: DIRECTORY | 0o755, ..Attributes::default() };
        self.measure(self.shape.root, &mut attributes)?;
        attributes.taken = attributes.size;
        Ok(attributes)
    }

    fn read(&mut self, node: Node, at: u64, to: &mut dyn Sink) -> Result<()> {
        self.read_at(node, at, to)
    }

    fn entry(&mut self, directory: Node, place: u64) -> Result<Option<Entry>> {
        let directory = self.directory(directory)?;
        let Some((found, name)) = self.first_from(directory, place)? else { return Ok(None) };
        let (node, mode) = (self.guess(found.at), found.record.mode() & KIND);
        Ok(Some(Entry { name, node, mode, next: found.index + 1 }))
    }

    fn space(&mut self) -> Result<Space> {
        let free = self.free()?;
        self.volume.commit(None);
        let all = u64::from(self.shape.last) - 1;
        Ok(Space { block: self.shape.cluster, blocks: [all, free], files: [0; 2], name: 255 })
    }

    fn set(&mut self, node: Node, wish: &Attributes) -> Result<Attributes> {
        if wish.owner != [0; 2] || wish.mode & STRANGE != 0 {
            return Err(Failure::Unsupported);
        }
        self.attempt(|this| {
            if node != ROOT {
                let (at, mut record) = this.record(node)?;
                record.set(wish);
                this.set_record(at, &record)?;
            }
            this.stat(node)
        })
    }

    fn write(&mut self, node: Node, at: u64, from: &mut dyn Source) -> Result<usize> {
        self.attempt(|this| this.write_at(node, at, from))
    }

    fn create(
        &mut self,
        directory: Node,
        name: &[u8],
        wish: &Attributes,
        _target: &[u8],
    ) -> Result<Attributes> {
        self.attempt(|this| {
            let parent = this.directory(directory)?;
            let (at, record) = this.make(parent, name, wish)?;
            this.touch(directory)?;
            this.attributes(at, &record)
        })
    }

    fn unlink(&mut self, directory: Node, name: &[u8]) -> Result<()> {
        self.attempt(|this| {
            let parent = this.directory(directory)?;
            let found = this.named(parent, name)?;
            this.discard(parent, &found)?;
            this.touch(directory)
        })
    }

    fn rename(&mut self, from: Node, name: &[u8], to: Node, new: &[u8]) -> Result<()> {
        self.attempt(|this| {
            let (source, target) = (this.directory(from)?, this.directory(to)?);
            this.move_to(source, name, target, new)?;
            this.touch(from)?;
            this.touch(to)
        })
    }

    fn truncate(&mut self, node: Node, size: u64) -> Result<()> {
        self.attempt(|this| {
            let (at, record) = this.regular(node)?;
            match size > record.size() {
                true => this.extend(node, size)?,
                false => drop(this.shrink(at, size)?),
            }
            let (at, mut record) = this.regular(node)?;
            record.touch(this.now);
            this.set_record(at, &record)
        })
    }

    fn sync(&mut self) -> Result<()> {
        self.flush()?;
        self.volume.told()
    }

    fn leave(&mut self) -> Result<()> {
        self.flush()?;
        if !self.is_read_only {
            self.volume.close(&mut Unjournaled)?;
        }
        self.volume.told()
    }

    fn release(&mut self, node: Node) -> Result<()> {
        if self.is_gone(node) {
            self.bury(node)?;
        }
        self.forget(node)
    }

    fn begin(&mut self, now: i64) {
        self.now = now;
    }

    fn receipt(&mut self, number: u64) -> Option<Receipt> {
        Some(*self.volume.receipt()).filter(|receipt| receipt.number == number)
    }

    fn commit(&mut self, receipt: &Receipt) {
        self.volume.commit(Some(receipt));
        if self.is_full() {
            // What does not get to the disk now is not lost: the next sync tells of it.
            let _ = self.flush();
        }
    }

    fn abort(&mut self) {
        self.undo();
    }
}
