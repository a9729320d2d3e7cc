//! The heap: pages that are added at its end when it runs out. What is short comes from lists of pieces
//! of the same size, and goes back there; the rest from a list of all that is free.

use crate::abi::{Error, MAP_WRITE, PAGE};
use crate::object::Memory;
use crate::space::HEAP;
use crate::sync::Lock;
use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{NonNull, null_mut};

/// Pages that are added at least.
const STEP: u64 = 64;
/// Lengths of short pieces are multiples of this, and so are their addresses.
const GRAIN: usize = 16;
/// Lists of short pieces.
const LISTS: usize = 32;
/// Bytes that are cut into short pieces at a time.
const CHUNK: Layout = match Layout::from_size_align(4096, GRAIN) {
    Ok(layout) => layout,
    Err(_) => panic!("the alignment is a power of two"),
};

#[global_allocator]
static ALLOCATOR: Allocator = Allocator(Lock::new(Heap {
    long: linked_list_allocator::Heap::empty(),
    short: [None; LISTS],
    taken: 0,
}));

/// How often something was taken from the heap.
pub fn taken() -> u64 {
    ALLOCATOR.0.lock().taken
}

struct Allocator(Lock<Heap>);

struct Heap {
    long: linked_list_allocator::Heap,
    /// The first free piece of each length.
    short: [Option<NonNull<Piece>>; LISTS],
    /// How often something was taken.
    taken: u64,
}

/// A free piece: it begins with where the next one is.
struct Piece(Option<NonNull<Piece>>);

// SAFETY: the pieces are the heap's own, and reached by whoever has the lock.
unsafe impl Send for Heap {}

// SAFETY: each list hands out what it owns, once, and owns only the pages that `grow` mapped for it and
// what was given back.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut heap = self.0.lock();
        heap.taken += 1;
        let found = match list_of(layout) {
            Some(list) => heap.take(list).ok(),
            None => heap.allocate(layout).ok(),
        };
        found.map_or(null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let Some(pointer) = NonNull::new(pointer) else { return };
        let mut heap = self.0.lock();
        match list_of(layout) {
            Some(list) => heap.put(list, pointer),
            // SAFETY: the caller got it from `alloc` with this layout.
            None => unsafe { heap.long.deallocate(pointer, layout) },
        }
    }
}

/// The list that has pieces of a layout, if it is a short one.
fn list_of(layout: Layout) -> Option<usize> {
    let list = layout.size().max(1).div_ceil(GRAIN) - 1;
    (list < LISTS && layout.align() <= GRAIN).then_some(list)
}

impl Heap {
    /// Takes a piece of a list.
    fn take(&mut self, list: usize) -> Result<NonNull<u8>, Error> {
        if self.short[list].is_none() {
            self.fill(list)?;
        }
        let piece = self.short[list].ok_or(Error::NoMemory)?;
        // SAFETY: what is in a list is free, and begins with where the next one is.
        self.short[list] = unsafe { piece.read() }.0;
        Ok(piece.cast())
    }

    /// Puts a free piece into a list.
    fn put(&mut self, list: usize, piece: NonNull<u8>) {
        let piece = piece.cast::<Piece>();
        // SAFETY: it is free, aligned, and long enough for an address.
        unsafe { piece.write(Piece(self.short[list])) };
        self.short[list] = Some(piece);
    }

    /// Cuts a chunk into pieces for a list.
    fn fill(&mut self, list: usize) -> Result<(), Error> {
        let (chunk, length) = (self.allocate(CHUNK)?, (list + 1) * GRAIN);
        for nth in 0..CHUNK.size() / length {
            // SAFETY: it is inside of the chunk.
            self.put(list, unsafe { chunk.add(nth * length) });
        }
        Ok(())
    }

    /// Takes bytes of the rest, which grows if there are not enough.
    fn allocate(&mut self, layout: Layout) -> Result<NonNull<u8>, Error> {
        self.long.allocate_first_fit(layout).or_else(|()| {
            grow(&mut self.long, layout)?;
            self.long.allocate_first_fit(layout).map_err(|()| Error::NoMemory)
        })
    }
}

/// Adds pages that hold at least the layout, and what the list keeps beside it.
fn grow(heap: &mut linked_list_allocator::Heap, layout: Layout) -> Result<(), Error> {
    let wanted = (layout.size() + layout.align()) as u64 + PAGE;
    let pages = wanted.div_ceil(PAGE).next_multiple_of(STEP);
    let memory = Memory::create(pages)?;
    let (end, bytes) = (HEAP + heap.size() as u64, (pages * PAGE) as usize);
    crate::process().map(&memory, end, 0, pages, MAP_WRITE)?;
    drop(memory);
    if heap.size() == 0 {
        // SAFETY: the pages are mapped there, and stay for as long as the program runs.
        unsafe { heap.init(end as *mut u8, bytes) };
    } else {
        // SAFETY: the pages lie behind the last, where nothing else is mapped.
        unsafe { heap.extend(bytes) };
    }
    Ok(())
}
