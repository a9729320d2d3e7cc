//! A disk, or a partition, as a file: the root of a file system that has nothing else. It is given its disk as
//! `block`, and memory that devices reach. Nothing is kept: what was written is on its way to the disk.
#![no_std]
#![no_main]

use files::{
    Attributes, Entry, Failure, FileSystem, Node, REGULAR, ROOT, Refused, Result, Sink, Source,
    Space, serve,
};
use rt::service::Grants;
use rt::{Start, println};
use volume::{Attached, Disk, PAGE, SECTOR, bytes, bytes_mut};

rt::entry!(main);

fn main(start: Start) -> u64 {
    let grants = Grants::read(&start);
    let error = match Attached::open(&grants) {
        Ok(disk) => serve(grants.inbox(), &mut Raw(disk)),
        Err(why) => serve(grants.inbox(), &mut Refused(why)),
    };
    println!("{}: {error:?}", grants.name());
    1
}

/// The disk.
struct Raw(Attached);

/// Pages of the disk that have some of its bytes, and where in them these begin and end.
struct Part {
    first: u64,
    count: usize,
    from: usize,
    to: usize,
}

impl Raw {
    fn size(&self) -> u64 {
        self.0.sectors() * SECTOR
    }

    /// Where so many bytes are from a place on, as many as there are and fit into the cache.
    fn part(&mut self, at: u64, length: usize) -> Part {
        let (first, from) = (at / PAGE as u64, (at % PAGE as u64) as usize);
        let room = self.0.cache().len() * PAGE - from;
        let left = self.size().saturating_sub(at);
        let to = from + left.min(length.min(room) as u64) as usize;
        Part { first, count: to.div_ceil(PAGE), from, to }
    }
}

impl FileSystem for Raw {
    fn lookup(&mut self, _: Node, _: &[u8]) -> Result<Attributes> {
        Err(Failure::NotDirectory)
    }

    fn stat(&mut self, node: Node) -> Result<Attributes> {
        if node != ROOT {
            return Err(Failure::NotFound);
        }
        let (size, mode) = (self.size(), REGULAR | 0o660);
        Ok(Attributes { node, mode, links: 1, size, taken: size, ..Attributes::default() })
    }

    fn read(&mut self, node: Node, at: u64, to: &mut dyn Sink) -> Result<()> {
        self.stat(node)?;
        let part = self.part(at, to.room());
        if part.from == part.to {
            return Ok(());
        }
        self.0.read(part.first, 0, part.count)?;
        to.put(&bytes(self.0.cache())[part.from..part.to])
    }

    fn write(&mut self, node: Node, at: u64, from: &mut dyn Source) -> Result<usize> {
        self.stat(node)?;
        if self.0.is_read_only() {
            return Err(Failure::ReadOnly);
        }
        let part = self.part(at, from.left());
        if part.from == part.to {
            return if from.left() == 0 { Ok(0) } else { Err(Failure::NoSpace) };
        }
        // What is beside it on its pages stays as it is.
        if !part.from.is_multiple_of(PAGE) || !part.to.is_multiple_of(PAGE) {
            self.0.read(part.first, 0, part.count)?;
        }
        from.take(&mut bytes_mut(self.0.cache())[part.from..part.to])?;
        self.0.write(part.first, 0, part.count)?;
        Ok(part.to - part.from)
    }

    fn entry(&mut self, _: Node, _: u64) -> Result<Option<Entry>> {
        Err(Failure::NotDirectory)
    }

    fn space(&mut self) -> Result<Space> {
        Ok(Space::default())
    }

    fn set(&mut self, node: Node, _: &Attributes) -> Result<Attributes> {
        self.stat(node)
    }

    fn sync(&mut self) -> Result<()> {
        self.0.flush()
    }
}
