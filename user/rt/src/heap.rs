//! The heap: one memory, mapped as a whole, whose pages are taken as they are needed. What is short comes
//! from lists of pieces of the same size, and goes back there; the rest from a list of all that is free.
//!
//! A page that cannot be had is found out before anybody touches it: asking for too much fails. A program
//! that must go on then [sets aside](set_aside) a piece, which is used when there is nothing else,
//! and looks whether it [is short](is_short) of memory before it begins anything new.

use crate::abi::{Error, MAP_WRITE, PAGE};
use crate::object::Memory;
use crate::space::{HEAP, MAPPINGS};
use crate::sync::Lock;
use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

mod pieces;

use pieces::{LISTS, Piece, length_of, list_of};

/// Pages that are added at least.
const STEP: u64 = 16;
/// Pages of tables that pages may need at most.
const TABLES: u64 = 4;
/// Bytes that are cut into short pieces at a time, at a multiple of their length.
const CHUNK: usize = PAGE as usize;
const CHUNK_LAYOUT: Layout = layout(CHUNK, CHUNK);

#[global_allocator]
static ALLOCATOR: Allocator = Allocator(Lock::new(Heap {
    memory: None,
    pages: 0,
    long: linked_list_allocator::Heap::empty(),
    short: [None; LISTS],
    chunks: [0; LISTS],
    aside: Aside { piece: None, length: 0, left: 0 },
    times: 0,
}));

/// The piece that was set aside is in use.
static SHORT: AtomicBool = AtomicBool::new(false);

const fn layout(size: usize, align: usize) -> Layout {
    match Layout::from_size_align(size, align) {
        Ok(layout) => layout,
        Err(_) => panic!("the alignment is a power of two"),
    }
}

/// What the heap has, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// What it has taken.
    pub taken: usize,
    /// What the program has of it.
    pub used: usize,
}

/// How often something was taken from the heap.
pub fn times() -> u64 {
    ALLOCATOR.0.lock().times
}

/// How much there is of the heap, and how much is in use.
pub fn usage() -> Usage {
    let heap = ALLOCATOR.0.lock();
    let lists = (0..LISTS).map(|list| {
        let free = pieces::count(heap.short[list]) * length_of(list);
        free + heap.chunks[list] * (CHUNK % length_of(list))
    });
    let aside = if heap.aside.piece.is_some() { heap.aside.length } else { 0 };
    Usage { taken: heap.long.size(), used: heap.long.used() - lists.sum::<usize>() - aside }
}

/// Sets aside a piece of so many bytes, and leaves so many of the quota to what is no heap.
pub fn set_aside(length: usize, left: u64) {
    let mut heap = ALLOCATOR.0.lock();
    heap.aside = Aside { piece: None, length, left };
    SHORT.store(!heap.put_aside(), Relaxed);
}

/// Whether what was set aside had to be used, and cannot be had again yet.
#[inline]
pub fn is_short() -> bool {
    SHORT.load(Relaxed) && !ALLOCATOR.0.lock().put_aside()
}

/// Whether so many bytes can be had, beside what is set aside.
pub fn has(length: usize) -> bool {
    let mut heap = ALLOCATOR.0.lock();
    let layout = in_lines(layout(length, GRAIN));
    let found = heap.allocate(layout);
    // SAFETY: it was allocated just now.
    found.inspect(|&piece| unsafe { heap.long.deallocate(piece, layout) }).is_ok()
}

/// Lengths of short pieces are multiples of this, and so are their addresses.
const GRAIN: usize = 16;
/// The same for the others: copies go by so much, and are slower from the middle of it.
const LINE: usize = 64;

/// A layout as the list of all that is free gives it.
fn in_lines(layout: Layout) -> Layout {
    layout.align_to(LINE).unwrap_or(layout).pad_to_align()
}

struct Allocator(Lock<Heap>);

struct Heap {
    /// Its pages, and how many of them are taken.
    memory: Option<Memory>,
    pages: u64,
    long: linked_list_allocator::Heap,
    /// The first free piece of each length, and how many chunks were cut for it.
    short: [Option<NonNull<Piece>>; LISTS],
    chunks: [usize; LISTS],
    aside: Aside,
    /// How often something was taken.
    times: u64,
}

/// What is set aside.
struct Aside {
    piece: Option<NonNull<u8>>,
    length: usize,
    /// Bytes of the quota that the heap does not take.
    left: u64,
}

impl Aside {
    fn layout(&self) -> Layout {
        in_lines(layout(self.length, GRAIN))
    }
}

// SAFETY: the pieces are the heap's own, and reached by whoever has the lock.
unsafe impl Send for Heap {}

// SAFETY: each list hands out what it owns, once, and owns only the pages that `grow` took for it and
// what was given back.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut heap = self.0.lock();
        heap.times += 1;
        let found = heap.find(layout).or_else(|error| {
            heap.use_aside().ok_or(error)?;
            heap.find(layout)
        });
        found.map_or(null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let Some(pointer) = NonNull::new(pointer) else { return };
        let mut heap = self.0.lock();
        match list_of(layout) {
            // SAFETY: the caller has no use for it any more, and it is as long as the list's pieces.
            Some(list) => unsafe { pieces::put(&mut heap.short[list], pointer) },
            // SAFETY: the caller got it from `alloc` with this layout.
            None => unsafe { heap.long.deallocate(pointer, in_lines(layout)) },
        }
    }
}

/// Takes a page, with all that is needed to touch it. Whether it is there.
fn take_page(memory: &Memory, page: u64) -> bool {
    let taken = memory.write(page * PAGE, &[0]).is_ok();
    if taken {
        // SAFETY: it is mapped there, and nobody's yet.
        unsafe { ((HEAP + page * PAGE) as *const u8).read_volatile() };
    }
    taken
}

impl Heap {
    /// Takes bytes from a list.
    fn find(&mut self, layout: Layout) -> Result<NonNull<u8>, Error> {
        let Some(list) = list_of(layout) else { return self.allocate(in_lines(layout)) };
        if self.short[list].is_none() {
            self.fill(list)?;
        }
        // SAFETY: what is in the list is free.
        unsafe { pieces::take(&mut self.short[list]) }.ok_or(Error::NoMemory)
    }

    /// Cuts a chunk into pieces for a list.
    fn fill(&mut self, list: usize) -> Result<(), Error> {
        let chunk = self.allocate(CHUNK_LAYOUT)?;
        self.chunks[list] += 1;
        for nth in 0..CHUNK / length_of(list) {
            // SAFETY: it is inside of the chunk, which is nobody's.
            unsafe { pieces::put(&mut self.short[list], chunk.add(nth * length_of(list))) };
        }
        Ok(())
    }

    /// Takes bytes of the rest, which grows if there are not enough.
    fn allocate(&mut self, layout: Layout) -> Result<NonNull<u8>, Error> {
        let try_it =
            |heap: &mut Heap| heap.long.allocate_first_fit(layout).map_err(|()| Error::NoMemory);
        let found = try_it(self).or_else(|_| {
            self.grow(layout)?;
            try_it(self)
        });
        found.or_else(|error| if self.reclaim() { try_it(self) } else { Err(error) })
    }

    /// Gives chunks back of which no piece is in use. Whether there were any.
    fn reclaim(&mut self) -> bool {
        let before = self.long.free();
        for list in 0..LISTS {
            let Heap { short, long, chunks, .. } = self;
            // SAFETY: what is in the list is free, and was cut from such chunks.
            let whole =
                unsafe { pieces::take_whole_chunks(&mut short[list], CHUNK, length_of(list)) };
            for chunk in whole {
                chunks[list] -= 1;
                // SAFETY: it was allocated with this layout, and nobody has a piece of it.
                unsafe { long.deallocate(chunk, CHUNK_LAYOUT) };
            }
        }
        self.long.free() > before
    }

    /// Takes pages that hold at least the layout, and what the list keeps beside it.
    fn grow(&mut self, layout: Layout) -> Result<(), Error> {
        let info = crate::process().info()?;
        let memory = match self.memory.take() {
            Some(memory) => memory,
            None => {
                let pages = (info.quota / PAGE).min((MAPPINGS - HEAP) / PAGE - 1);
                let memory = Memory::create(pages)?;
                crate::process().map(&memory, HEAP, 0, pages, MAP_WRITE)?;
                memory
            }
        };
        let wanted = (layout.size() + layout.align()) as u64 + PAGE;
        let pages = wanted.div_ceil(PAGE).next_multiple_of(STEP);
        let there = info.quota - info.used >= self.aside.left + (pages + TABLES) * PAGE;
        let taken = if there {
            (0..pages).take_while(|nth| take_page(&memory, self.pages + nth)).count()
        } else {
            0
        };
        self.memory = Some(memory);
        if taken > 0 {
            // SAFETY: the pages lie behind the last, where nothing else is, and are the heap's for ever.
            unsafe { self.add_pages(taken as u64) };
        }
        if taken as u64 == pages { Ok(()) } else { Err(Error::NoMemory) }
    }

    /// Adds the next pages.
    ///
    /// # Safety
    /// They are there, and nobody has them.
    unsafe fn add_pages(&mut self, pages: u64) {
        let bytes = (pages * PAGE) as usize;
        if self.pages == 0 {
            // SAFETY: the caller says so.
            unsafe { self.long.init(HEAP as *mut u8, bytes) };
        } else {
            // SAFETY: the caller says so, and they lie behind the last.
            unsafe { self.long.extend(bytes) };
        }
        self.pages += pages;
    }

    /// Sets the piece aside again, if it is not. Whether it is then.
    fn put_aside(&mut self) -> bool {
        if self.aside.piece.is_none() && self.aside.length > 0 {
            self.aside.piece = self.allocate(self.aside.layout()).ok();
            SHORT.store(self.aside.piece.is_none(), Relaxed);
        }
        self.aside.piece.is_some() || self.aside.length == 0
    }

    /// Puts what was set aside to use.
    fn use_aside(&mut self) -> Option<()> {
        let piece = self.aside.piece.take()?;
        // SAFETY: it was allocated with this layout.
        unsafe { self.long.deallocate(piece, self.aside.layout()) };
        SHORT.store(true, Relaxed);
        Some(())
    }
}
