//! Walks the four levels of a page table: looks a page up, counts the tables a request needs, fills
//! them in. The recursion is three calls deep at most, and within a table the entries of a run of
//! pages are written in one loop.

use super::FrameSource;
use super::page_table::{MapError, Mapping, PageSize};
use crate::arch::{Access, Entry, PhysMem, TableEntry};
use crate::units::{Frame, PAGE_SIZE, VirtAddr};
use arrayvec::ArrayVec;

/// The level of the tables whose entries are always pages.
pub(super) const LAST_LEVEL: u8 = 3;
/// Entries in a table.
const ENTRIES: usize = 512;
/// What entries have room for: both architectures name 48 bits of physical address.
const PHYS_END: u64 = 1 << 48;

/// Bytes that one entry of a table at `level` stands for.
pub(super) const fn entry_size(level: u8) -> u64 {
    PAGE_SIZE << (9 * (LAST_LEVEL - level))
}

fn index(at: u64, level: u8) -> usize {
    (at / entry_size(level)) as usize % ENTRIES
}

/// Both architectures agree on these: bits 48 to 63 are copies of bit 47.
fn is_canonical(at: u64) -> bool {
    ((at << 16) as i64 >> 16) as u64 == at
}

/// What is never mapped.
pub(super) fn check_access(access: Access) -> Result<(), MapError> {
    if access.contains(Access::WRITE | Access::EXECUTE) {
        return Err(MapError::WritableCode);
    }
    Ok(())
}

/// Addresses to map, one after the other, with pages of the given levels. Never empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub at: u64,
    pub phys: u64,
    pub len: u64,
    /// First and last level that may have pages.
    pub leaves: (u8, u8),
}

/// The part of a request that one step within one table does.
enum Step {
    /// A run of pages: entries from `index` on, the first of them mapping `phys`.
    Pages { index: usize, count: usize, phys: u64 },
    /// The part below one entry.
    Below { index: usize, part: Request },
}

impl Request {
    /// Whether it can be mapped at all.
    pub fn check(&self) -> Result<(), MapError> {
        let smallest = entry_size(self.leaves.1);
        if !(self.at | self.phys | self.len).is_multiple_of(smallest) {
            return Err(MapError::Misaligned);
        }
        let last = self.at.checked_add(self.len - 1).ok_or(MapError::NotCanonical)?;
        let one_half = (self.at ^ last) >> 47 == 0;
        if !is_canonical(self.at) || !one_half {
            return Err(MapError::NotCanonical);
        }
        match self.phys.checked_add(self.len) {
            Some(end) if end <= PHYS_END => Ok(()),
            _ => Err(MapError::OutOfRange),
        }
    }

    /// The next step in a table at `level`, which holds all of the request.
    fn step(&mut self, level: u8) -> Option<Step> {
        if self.len == 0 {
            return None;
        }
        let size = entry_size(level);
        let index = index(self.at, level);
        let may_end_here = (self.leaves.0..=self.leaves.1).contains(&level);
        let (done, step) =
            if may_end_here && self.len >= size && (self.at | self.phys).is_multiple_of(size) {
                let count = self.len / size;
                (count * size, Step::Pages { index, count: count as usize, phys: self.phys })
            } else {
                let len = self.len.min(size - self.at % size);
                (len, Step::Below { index, part: Request { len, ..*self } })
            };
        self.at = self.at.wrapping_add(done);
        self.phys += done;
        self.len -= done;
        Some(step)
    }
}

/// How many tables have to be added below `table` (`None`: it has to be added itself, and has been
/// counted); an error where something is in the way.
pub(super) fn plan(
    memory: &PhysMem,
    table: Option<Frame>,
    level: u8,
    mut request: Request,
) -> Result<usize, MapError> {
    let mut added = 0;
    while let Some(step) = request.step(level) {
        match step {
            Step::Pages { index, count, .. } => {
                let Some(table) = table else { continue };
                if (index..index + count).any(|at| read(memory, table, at).is_present()) {
                    return Err(MapError::AlreadyMapped);
                }
            }
            Step::Below { index, part } => {
                let entry = table.map_or(Entry::EMPTY, |table| read(memory, table, index));
                let below = match entry.is_present() {
                    true if entry.is_leaf(level) => return Err(MapError::AlreadyMapped),
                    true => Some(entry.frame()),
                    false => None,
                };
                added += below.is_none() as usize + plan(memory, below, level + 1, part)?;
            }
        }
    }
    Ok(added)
}

/// Writes the entries that `plan` found missing, with as many tables of `reserve` as it counted.
pub(super) fn fill(
    memory: &mut PhysMem,
    table: Frame,
    level: u8,
    mut request: Request,
    access: Access,
    reserve: &mut Reserve,
) {
    while let Some(step) = request.step(level) {
        match step {
            Step::Pages { index, count, phys } => {
                let frames = (Frame(phys / PAGE_SIZE).0..).step_by(frames_per_entry(level));
                for (at, frame) in (index..index + count).zip(frames) {
                    write(memory, table, at, Entry::leaf(Frame(frame), level, access));
                }
            }
            Step::Below { index, part } => {
                let entry = read(memory, table, index);
                let below = if entry.is_present() {
                    entry.frame()
                } else {
                    let below = reserve.next_zeroed(memory);
                    write(memory, table, index, Entry::table(below));
                    below
                };
                fill(memory, below, level + 1, part, access, reserve);
            }
        }
    }
}

/// The way from the root to a page.
pub(super) struct Path {
    /// The tables, as many as the page's level has above it, and the one that maps it.
    tables: ArrayVec<Frame, 4>,
    entry: Entry,
}

/// The way to the page that `at` lies in.
pub(super) fn find(memory: &PhysMem, root: Frame, at: VirtAddr) -> Result<Path, MapError> {
    if !is_canonical(at.0) {
        return Err(MapError::NotCanonical);
    }
    let mut tables = ArrayVec::new();
    let mut table = root;
    for level in 0..=LAST_LEVEL {
        tables.push(table);
        let entry = read(memory, table, index(at.0, level));
        if !entry.is_present() {
            break;
        }
        if entry.is_leaf(level) {
            return Ok(Path { tables, entry });
        }
        table = entry.frame();
    }
    Err(MapError::NotMapped)
}

/// The way to the page that begins at `at`.
pub(super) fn find_page(memory: &PhysMem, root: Frame, at: VirtAddr) -> Result<Path, MapError> {
    let path = find(memory, root, at)?;
    if !at.0.is_multiple_of(PAGE_SIZE) {
        return Err(MapError::Misaligned);
    }
    if !at.0.is_multiple_of(entry_size(path.level())) {
        return Err(MapError::InsideLargePage);
    }
    Ok(path)
}

impl Path {
    /// What the page is.
    pub fn mapping(&self) -> Mapping {
        Mapping {
            frame: self.entry.frame(),
            size: PageSize::of_level(self.level()),
            access: self.entry.access(),
        }
    }

    /// Gives the page other rights.
    pub fn replace(&self, memory: &mut PhysMem, at: VirtAddr, access: Access) {
        let level = self.level();
        let entry = Entry::leaf(self.entry.frame(), level, access);
        write(memory, self.tables[level as usize], index(at.0, level), entry);
    }

    /// Takes the page away, and tells which tables went with it because nothing else is in them.
    pub fn clear(&self, memory: &mut PhysMem, at: VirtAddr) -> ArrayVec<Frame, 3> {
        let mut emptied = ArrayVec::new();
        for (level, &table) in self.tables.iter().enumerate().rev() {
            let index = index(at.0, level as u8);
            write(memory, table, index, Entry::EMPTY);
            if level == 0 || !is_empty(memory, table, index) {
                break;
            }
            emptied.push(table);
        }
        emptied
    }

    fn level(&self) -> u8 {
        self.tables.len() as u8 - 1
    }
}

/// Whether a table is empty. Looks to both sides from `near`, the entry that was cleared last, so
/// that clearing a whole table, in whatever order, looks at few entries each time.
fn is_empty(memory: &PhysMem, table: Frame, near: usize) -> bool {
    let vacant = |at: usize| at >= ENTRIES || !read(memory, table, at).is_present();
    (1..ENTRIES).all(|away| vacant(near.wrapping_sub(away)) && vacant(near + away))
}

/// Frames taken for tables before anything is changed: a list, each naming the next in its first
/// bytes.
pub(super) struct Reserve {
    first: Option<Frame>,
}

impl Reserve {
    /// Takes `count` frames, or none.
    pub fn take(
        count: usize,
        memory: &mut PhysMem,
        source: &mut impl FrameSource,
    ) -> Option<Reserve> {
        let mut reserve = Reserve { first: None };
        for _ in 0..count {
            let Some(frame) = source.take() else {
                while let Some(frame) = reserve.next(memory) {
                    source.give(frame);
                }
                return None;
            };
            // SAFETY: the source gave it to us.
            unsafe { memory.write(frame, 0, reserve.first.map_or(0, |next| next.start().0 | 1)) };
            reserve.first = Some(frame);
        }
        Some(reserve)
    }

    fn next(&mut self, memory: &PhysMem) -> Option<Frame> {
        let frame = self.first?;
        // SAFETY: `take` has it from the source.
        let next = unsafe { memory.read(frame, 0) };
        self.first = (next & 1 != 0).then_some(Frame(next / PAGE_SIZE));
        Some(frame)
    }

    fn next_zeroed(&mut self, memory: &mut PhysMem) -> Frame {
        let frame = self.next(memory).expect("`plan` counted the tables that `fill` adds");
        // SAFETY: `take` has it from the source, and it is no table yet.
        unsafe { memory.zero(frame) };
        frame
    }
}

const fn frames_per_entry(level: u8) -> usize {
    (entry_size(level) / PAGE_SIZE) as usize
}

fn read(memory: &PhysMem, table: Frame, at: usize) -> Entry {
    // SAFETY: the root or what an entry of a table names: a frame that the source gave for it.
    Entry::from_bits(unsafe { memory.read(table, at) })
}

fn write(memory: &mut PhysMem, table: Frame, at: usize, entry: Entry) {
    // SAFETY: as in `read`; it is the page table's own, which its method has borrowed.
    unsafe { memory.write(table, at, entry.bits()) };
}
