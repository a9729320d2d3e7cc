//! How a request becomes calls of a file system, and their results an answer. How they come and go
//! is a [`Window`]'s business.

use crate::requests::{
    Create, Follow, Link, List, Lookup, Read, Release, Rename, Request, Set, Stat, Truncate,
    Unlink, Write,
};
use crate::{Failure, FileSystem, MOST, Node, Receipt, Result, Sink, Source};
use alloc::vec::Vec;
use protocol::{Again, Ask, Parcel, Put, Reader};

/// Bytes that go along with a request at most, beside those of a file: when it is made, numbers,
/// attributes, a name, where a link leads.
const HEAD: usize = 8 << 10;
/// Bytes that are before those of a file: when it is made, which file, the place.
const BEFORE: usize = 24;

/// A request as it arrives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The operation's label.
    pub label: u32,
    /// How many bytes go along, and come back at most.
    pub lengths: [u64; 2],
    /// Its own number, or 0.
    pub number: u64,
}

/// The bytes that go along with a request, and those that come back.
pub trait Window {
    /// Copies bytes that go along.
    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> Result<()>;
    /// Copies bytes that come back.
    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<()>;
}

/// Does what is asked for: how many bytes come back, and how many were taken.
pub fn answer(
    files: &mut impl FileSystem,
    asked: &Asked,
    window: &mut impl Window,
) -> Result<(u64, u64)> {
    let head = head(asked, window)?;
    let mut from = Reader { bytes: &head, ..Reader::default() };
    let now = from.take().ok_or(Failure::Invalid)?;
    let request = Request::read(asked.label, &mut from)?;
    let known = if asked.number == 0 { None } else { files.receipt(asked.number) };
    if let Some(receipt) = known {
        return tell(asked, window, receipt.told()).map(|told| (told, receipt.count));
    }
    files.begin(now);
    let changes = request.again() == Again::Receipt;
    let done = perform(files, request, asked, window);
    match &done {
        Ok(done) if changes => {
            files.commit(&Receipt::new(asked.number, done.count as u64, &done.told));
        }
        Ok(_) => {}
        Err(_) => files.abort(),
    }
    let Done { count, told, put } = done?;
    if put > 0 {
        return Ok((put as u64, count as u64));
    }
    tell(asked, window, &told).map(|told| (told, count as u64))
}

/// What goes along with a request, but bytes of a file.
fn head(asked: &Asked, window: &mut impl Window) -> Result<Vec<u8>> {
    let given = asked.lengths[0] as usize;
    let (held, most) = match asked.label {
        Write::LABEL => (BEFORE, BEFORE + MOST),
        _ => (given, HEAD),
    };
    if !(held..=most).contains(&given) {
        return Err(Failure::Invalid);
    }
    let mut head = alloc::vec![0; held];
    window.read(0, &mut head)?;
    Ok(head)
}

/// Tells as much as there is room for.
fn tell(asked: &Asked, window: &mut impl Window, told: &[u8]) -> Result<u64> {
    let told = &told[..told.len().min(asked.lengths[1] as usize)];
    if !told.is_empty() {
        window.write(0, told)?;
    }
    Ok(told.len() as u64)
}

/// What was done.
#[derive(Default)]
struct Done {
    /// Bytes that were written to a file.
    count: usize,
    /// What is to be told.
    told: Vec<u8>,
    /// Bytes that were told already.
    put: usize,
}

impl Done {
    fn told(told: impl Put) -> Done {
        Done { told: Parcel::of(told).to_bytes(), ..Done::default() }
    }
}

fn perform(
    files: &mut impl FileSystem,
    request: Request<'_>,
    asked: &Asked,
    window: &mut impl Window,
) -> Result<Done> {
    let [given, room] = asked.lengths.map(|length| length as usize);
    Ok(match request {
        Request::Lookup(Lookup { directory, name }) => Done::told(files.lookup(directory, name)?),
        Request::Stat(Stat { file }) => Done::told(files.stat(file)?),
        Request::Set(Set { file, wish }) => Done::told(files.set(file, &wish)?),
        Request::Room(_) => Done::told(files.space()?),
        Request::Follow(Follow { link }) => Done { told: files.target(link)?, ..Done::default() },
        Request::List(List { directory, place }) => {
            Done { told: list(files, directory, place, room)?, ..Done::default() }
        }
        Request::Read(Read { file, place }) => {
            let mut to = Moved { window, done: 0, end: room.min(MOST), base: 0 };
            files.read(file, place, &mut to)?;
            Done { put: to.done, ..Done::default() }
        }
        Request::Write(Write { file, place }) => {
            let mut from = Moved { window, done: 0, end: given - BEFORE, base: BEFORE };
            Done { count: files.write(file, place, &mut from)?, ..Done::default() }
        }
        Request::Create(Create { directory, attributes, name, target }) => {
            Done::told(files.create(directory, name, &attributes, target)?)
        }
        Request::Rename(Rename { from, to, name, new }) => {
            Done::told(files.rename(from, name, to, new)?)
        }
        Request::Link(Link { directory, file, name }) => {
            Done::told(files.link(directory, file, name)?)
        }
        Request::Unlink(Unlink { directory, name }) => Done::told(files.unlink(directory, name)?),
        Request::Truncate(Truncate { file, size }) => Done::told(files.truncate(file, size)?),
        Request::Sync(_) => Done::told(files.sync()?),
        Request::Release(Release { file }) => Done::told(files.release(file)?),
    })
}

/// As many entries as fit.
fn list(files: &mut impl FileSystem, node: Node, mut at: u64, room: usize) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(entry) = files.entry(node, at)? {
        let bytes = Parcel::of(&entry).to_bytes();
        if all.len() + bytes.len() > room.min(MOST) {
            break;
        }
        all.extend(bytes);
        at = entry.next;
    }
    Ok(all)
}

/// Bytes of a file that move through a window.
struct Moved<'a, W> {
    window: &'a mut W,
    done: usize,
    end: usize,
    base: usize,
}

impl<W: Window> Sink for Moved<'_, W> {
    fn room(&self) -> usize {
        self.end - self.done
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        let bytes = bytes.get(..bytes.len().min(self.room())).unwrap_or(bytes);
        self.window.write((self.base + self.done) as u64, bytes)?;
        self.done += bytes.len();
        Ok(())
    }
}

impl<W: Window> Source for Moved<'_, W> {
    fn left(&self) -> usize {
        self.end - self.done
    }

    fn take(&mut self, bytes: &mut [u8]) -> Result<()> {
        if bytes.len() > self.left() {
            return Err(Failure::Invalid);
        }
        self.window.read((self.base + self.done) as u64, bytes)?;
        self.done += bytes.len();
        Ok(())
    }
}
