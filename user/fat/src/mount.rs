//! How a file system begins: with what its predecessor left, with the journal, with hidden files of its
//! own; and how it gets to the disk.

use crate::Fat;
use crate::boot::Shape;
use crate::chains::Chains;
use crate::le::{put_u32, u32_at};
use crate::names;
use crate::nodes::Nodes;
use crate::record::{JOURNAL, LIMBO, OURS, Record};
use crate::table::{FREE, HINT};
use files::{Attributes, Failure, Result};
use volume::{Disk, Found, Log, PAGE, SECTOR, Unjournaled, Volume};

const ALL: u64 = PAGE as u64;
/// Pages of a disk that has a journal, and of a journal at least; it has one in so many of the disk's.
const LEAST_DISK: u64 = 256;
const LEAST: u64 = 16;
const SHARE: u64 = 32;
/// Bytes of the directory of removed files at least.
const ROOMY: u64 = 8 << 10;
/// Where free clusters are counted: the marks of that, how many there are, the next of them.
const INFO: usize = 512;
const MARKS: [(usize, u32); 2] = [(0, 0x4161_5252), (484, 0x6141_7272)];
const INFO_FREE: usize = 488;
const INFO_NEXT: usize = 492;

/// Why a disk is not mounted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// As a person would say it.
    pub why: &'static str,
    /// What whoever asks is told.
    pub failure: Failure,
}

impl Refusal {
    /// The disk makes no sense.
    fn strange(why: &'static str) -> Refusal {
        Refusal { why, failure: Failure::Invalid }
    }

    /// The disk does not work.
    fn broken(failure: Failure) -> Refusal {
        Refusal { why: "the disk cannot be read or written", failure }
    }
}

/// A file system that was mounted, and what there is to tell of it.
#[derive(Debug)]
pub struct Mounted<D> {
    /// The file system.
    pub files: Fat<D>,
    /// What was in the kept memory.
    pub found: Found,
    /// How many pages the journal brought home.
    pub replayed: usize,
    /// Whether it has a journal.
    pub has_journal: bool,
}

impl<D: Disk> Fat<D> {
    /// Begins, or says why there is nothing to begin with.
    pub fn mount(disk: D, is_read_only: bool) -> core::result::Result<Mounted<D>, Refusal> {
        let small = |_| Refusal::strange("the cache is too small");
        let (mut volume, found) = Volume::open(disk).map_err(small)?;
        let bytes = volume.disk().sectors() * SECTOR;
        let boot = volume.page(0).map_err(Refusal::broken)?;
        let shape = Shape::read(boot, bytes).map_err(Refusal::strange)?;
        let nodes = Nodes::load(&mut volume).map_err(small)?;
        let mut files = Fat {
            volume,
            shape,
            chains: Chains::default(),
            nodes,
            log: None,
            limbo: None,
            is_read_only,
            now: 0,
            last_read: (0, 0),
        };
        let replayed = files.begin(found).map_err(Refusal::broken)?;
        Ok(Mounted { has_journal: files.log.is_some(), files, found, replayed })
    }

    /// Everything that is not there yet.
    fn begin(&mut self, found: Found) -> Result<usize> {
        let is_first = !matches!(found, Found::Work(..));
        // A disk whose root makes no sense has no journal; its other files may still be of use.
        self.log = self.find_log().unwrap_or(None);
        let mut replayed = 0;
        if let Some(log) = self.log.filter(|_| !self.is_read_only) {
            let scratch = self.volume.scratch();
            replayed = log.replay(self.volume.disk(), scratch)?;
            self.volume.refresh();
            self.chains.clear();
        }
        self.read_info(is_first)?;
        if self.is_read_only {
            return Ok(replayed);
        }
        self.flush()?;
        // Without room for them it goes without them.
        if self.log.is_none() && self.make_log().is_err() {
            self.give_up();
        }
        match self.find_own(LIMBO).unwrap_or(None) {
            Some((_, record)) if self.directory_of(&record).is_ok() => {
                self.limbo = Some(self.first_of(&record));
            }
            Some(_) => {}
            None if self.make_limbo().is_err() => self.give_up(),
            None => {}
        }
        if let Some(limbo) = self.limbo.filter(|_| is_first)
            && self.bury_all(limbo).is_err()
        {
            self.give_up();
        }
        Ok(replayed)
    }

    fn give_up(&mut self) {
        self.volume.abort();
        self.chains.clear();
    }

    /// The journal, if there is one and its clusters are side by side.
    fn find_log(&mut self) -> Result<Option<Log>> {
        let Some((_, record)) = self.find_own(JOURNAL)? else { return Ok(None) };
        let (head, bytes) = (self.first_of(&record), record.size());
        let wanted = self.shape.clusters(bytes);
        let Some((first, count)) = self.follow(head, 0, wanted)? else { return Ok(None) };
        Ok(if count == wanted { self.log_at(first, bytes) } else { None })
    }

    /// The journal in so many bytes from a cluster on.
    fn log_at(&self, first: u32, bytes: u64) -> Option<Log> {
        let from = self.shape.at(first);
        let (first, end) = (from.div_ceil(ALL), (from + bytes) / ALL);
        (first + LEAST <= end).then(|| Log::new(first, end - first))
    }

    /// Makes the journal.
    fn make_log(&mut self) -> Result<()> {
        let pages = (self.volume.pages() / SHARE).clamp(LEAST, Log::MOST);
        let clusters = self.shape.clusters(pages * ALL + ALL - 1);
        let plenty = self.free()? > 4 * u64::from(clusters);
        if self.volume.pages() < LEAST_DISK || !plenty || self.find_own(JOURNAL)?.is_some() {
            return Ok(());
        }
        let first = self.take_run(clusters)?;
        let bytes = u64::from(clusters) * self.shape.cluster;
        let mut record = Record::new(JOURNAL, OURS, first);
        record.set_size(bytes);
        self.insert_own(&record)?;
        let page = self.shape.at(first).div_ceil(ALL);
        self.volume.data(page, true)?.fill(0);
        self.volume.commit(None);
        self.flush()?;
        self.log = self.log_at(first, bytes);
        Ok(())
    }

    /// Makes the directory where removed files are.
    fn make_limbo(&mut self) -> Result<()> {
        let mut record = self.make_directory(self.shape.root, &Attributes::default())?;
        record.0[..11].copy_from_slice(&LIMBO);
        record.0[11] |= OURS;
        self.insert_own(&record)?;
        let limbo = self.first_of(&record);
        // A full disk must not keep anybody from removing files.
        let (mut count, mut last) = (1, limbo);
        while count < self.shape.clusters(ROOMY) {
            last = self.take(Some(last))?;
            self.blank(last)?;
            count += 1;
        }
        self.volume.commit(None);
        self.flush()?;
        self.limbo = Some(limbo);
        Ok(())
    }

    fn insert_own(&mut self, record: &Record) -> Result<u64> {
        let (units, length) = names::short(record);
        self.insert(self.shape.root, &units[..length], record)
    }

    /// What the disk says of its free clusters, if whoever wrote it last was done. It counts for the
    /// first of those who serve it only: the others know better.
    fn read_info(&mut self, is_first: bool) -> Result<()> {
        let Some(info) = self.shape.info else { return Ok(()) };
        let was_done = self.was_done()?;
        let bytes = self.bytes(info, INFO)?;
        let marked = MARKS.iter().all(|&(at, mark)| u32_at(bytes, at) == mark);
        let (free, next) = (u32_at(bytes, INFO_FREE), u32_at(bytes, INFO_NEXT));
        if !marked {
            self.shape.info = None;
        } else if is_first {
            let free = if free < self.shape.last && was_done { u64::from(free) + 1 } else { 0 };
            (self.volume.words()[FREE], self.volume.words()[HINT]) = (free, next.into());
            self.volume.commit(None);
        }
        Ok(())
    }

    /// Says on the disk how many clusters are free.
    fn write_info(&mut self) -> Result<()> {
        let [free, hint, ..] = *self.volume.words();
        let Some(info) = self.shape.info.filter(|_| free > 0) else { return Ok(()) };
        let (free, next) = (free as u32 - 1, hint as u32);
        let bytes = self.bytes(info, INFO)?;
        if (u32_at(bytes, INFO_FREE), u32_at(bytes, INFO_NEXT)) != (free, next) {
            let bytes = self.bytes_mut(info, INFO)?;
            put_u32(bytes, INFO_FREE, free);
            put_u32(bytes, INFO_NEXT, next);
            self.volume.commit(None);
        }
        Ok(())
    }

    /// Whether it is time to go to the disk.
    pub(crate) fn is_full(&self) -> bool {
        match &self.log {
            Some(log) => self.volume.is_full(log),
            None => self.volume.is_full(&Unjournaled),
        }
    }

    /// Has all that was committed on the disk, and nothing half.
    pub(crate) fn flush(&mut self) -> Result<()> {
        if self.volume.dirty() == 0 {
            return Ok(());
        }
        self.write_info()?;
        match &mut self.log {
            Some(log) => self.volume.sync(log),
            None => self.volume.sync(&mut Unjournaled),
        }
    }
}
