//! How a request becomes calls of a file system, and their results an answer. How they come and go
//! is a [`Window`]'s business.

use crate::word;
use crate::{
    Attributes, Failure, FileSystem, MOST, NUMBERS, Node, Operation, Receipt, Result, Sink, Source,
};
use alloc::vec::Vec;

/// Bytes that go along with a request at most, beside those of a file: numbers, attributes, a name,
/// where a link leads.
const HEAD: usize = 8 << 10;

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
    let operation = Operation::of(asked.label).ok_or(Failure::Unsupported)?;
    let known = if asked.number == 0 { None } else { files.receipt(asked.number) };
    if let Some(receipt) = known {
        return tell(asked, window, receipt.told()).map(|told| (told, receipt.count));
    }
    let done = perform(files, operation, asked, window);
    match &done {
        Ok(done) if operation.changes() => {
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
    fn told(told: impl Into<Vec<u8>>) -> Done {
        Done { told: told.into(), ..Done::default() }
    }
}

fn perform(
    files: &mut impl FileSystem,
    operation: Operation,
    asked: &Asked,
    window: &mut impl Window,
) -> Result<Done> {
    let [given, room] = asked.lengths.map(|length| length as usize);
    let held = if operation == Operation::Write { NUMBERS } else { given };
    if held > HEAD || given < NUMBERS || given > NUMBERS + MOST.max(HEAD) {
        return Err(Failure::Invalid);
    }
    let mut head = alloc::vec![0; held];
    window.read(0, &mut head)?;
    let number = |nth| word(&head, nth).ok_or(Failure::Invalid);
    let (first, second, bytes) = (number(0)?, number(1)?, &head[NUMBERS..]);
    files.begin(number(2)? as i64);
    Ok(match operation {
        Operation::Lookup => Done::told(files.lookup(first, bytes)?.encode()),
        Operation::Stat => Done::told(files.stat(first)?.encode()),
        Operation::Set => Done::told(files.set(first, &Attributes::decode(bytes)?)?.encode()),
        Operation::List => Done::told(list(files, first, second, room)?),
        Operation::Target => Done::told(files.target(first)?),
        Operation::Space => Done::told(files.space()?.encode()),
        Operation::Read => {
            let mut to = Moved { window, done: 0, end: room.min(MOST), base: 0 };
            files.read(first, second, &mut to)?;
            Done { put: to.done, ..Done::default() }
        }
        Operation::Write => {
            let mut from = Moved { window, done: 0, end: given - NUMBERS, base: NUMBERS };
            Done { count: files.write(first, second, &mut from)?, ..Done::default() }
        }
        Operation::Create => {
            let attributes = Attributes::decode(bytes)?;
            let (name, target) = two(bytes.get(Attributes::BYTES..).ok_or(Failure::Invalid)?)?;
            Done::told(files.create(first, name, &attributes, target)?.encode())
        }
        Operation::Rename => {
            let (name, new) = two(bytes)?;
            files.rename(first, name, second, new)?;
            Done::default()
        }
        Operation::Link => files.link(first, second, bytes).map(|()| Done::default())?,
        Operation::Unlink => files.unlink(first, bytes).map(|()| Done::default())?,
        Operation::Truncate => files.truncate(first, second).map(|()| Done::default())?,
        Operation::Sync => files.sync().map(|()| Done::default())?,
        Operation::Release => files.release(first).map(|()| Done::default())?,
    })
}

/// Two names with a NUL between.
fn two(bytes: &[u8]) -> Result<(&[u8], &[u8])> {
    let at = bytes.iter().position(|&byte| byte == 0).ok_or(Failure::Invalid)?;
    Ok((&bytes[..at], &bytes[at + 1..]))
}

/// As many entries as fit.
fn list(files: &mut impl FileSystem, node: Node, mut at: u64, room: usize) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(entry) = files.entry(node, at)? {
        let bytes = entry.encode();
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
