//! Typed arenas: where all objects of a kind live, named by place and generation. An [`Id`] whose
//! object is gone names nothing, whatever has its slot by then.
//!
//! Slots lie side by side in a window of addresses that grows by pages and never shrinks: a slot
//! never moves. Ids are made by arenas only, and there is one arena for each type: so the place that an
//! id says is always that of a slot, and finding its object is an addition and a comparison. Words
//! that come from elsewhere go through [`Arena::named`].
//!
//! Invariant: a slot that holds an object has that one's id as its name. The name of one that holds
//! none is odd, which no id is; it has the next generation, and the next slot of the free list.

use super::Ram;
use crate::abi::Error;
use crate::arch::phys::Objects;
use crate::layout::{ARENA_SIZE, ARENAS};
use crate::units::{PAGE_SIZE, Result, VirtAddr};
use core::fmt;
use core::marker::PhantomData;
use core::mem::{MaybeUninit, needs_drop};
use core::num::NonZeroU64;
use core::ops::{Index, IndexMut, Range};

/// The name of an object of type `T`: the generation, which is never zero, above the place of its slot
/// in bytes.
#[repr(transparent)]
pub struct Id<T> {
    word: NonZeroU64,
    kind: PhantomData<fn() -> T>,
}

/// All objects of type `T`.
pub struct Arena<T> {
    /// Where the window begins: a place is the lower half of an address, whose upper half is all ones.
    first: u32,
    /// Slots that were made.
    made: u32,
    /// The first free slot, or `END`.
    free: u32,
    live: u32,
    /// Bytes of the window that are mapped.
    size: u64,
    objects: Objects,
    kind: PhantomData<T>,
}

#[repr(C)]
struct Slot<T> {
    name: u64,
    value: MaybeUninit<T>,
}

/// How many windows there are: one for each arena.
pub const WINDOWS: usize = 15;
/// Windows begin at multiples of this, and are no larger.
const SPAN: u32 = ARENA_SIZE as u32;
/// In the name of a slot: it holds nothing.
const FREE: u64 = 1;
/// The place after the last free slot.
const END: u32 = u32::MAX - 1;

// SAFETY: the slots are the arena's alone, whichever CPU it is used on.
unsafe impl<T: Send> Send for Arena<T> {}

impl<T> Arena<T> {
    /// Bytes an object takes.
    pub const COST: u64 = size::<T>() as u64;

    /// An arena in the `nth` window, which nobody else has, and of which nothing is mapped yet.
    pub fn new(nth: usize) -> Arena<T> {
        assert!(nth < WINDOWS);
        const { assert!(!needs_drop::<T>(), "an arena forgets its objects") };
        const { assert!(align_of::<Slot<T>>() as u64 <= PAGE_SIZE, "windows begin at a page") };
        const { assert!(ARENAS >> 32 == 0xffff_ffff) };
        let (first, objects) = (ARENAS as u32 + nth as u32 * SPAN, Objects::window());
        Arena { first, made: 0, free: END, live: 0, size: 0, objects, kind: PhantomData }
    }

    /// How many objects there are.
    pub fn count(&self) -> u64 {
        self.live.into()
    }

    /// Puts an object in.
    pub fn insert(&mut self, value: T, ram: &mut Ram) -> Result<Id<T>> {
        let id = self.reserve(ram)?;
        // SAFETY: the id is this arena's.
        let slot = unsafe { self.slot_mut(id.place()) };
        let next = slot.name as u32 & !(FREE as u32);
        slot.name = id.to_bits();
        slot.value.write(value);
        self.free = next;
        self.live += 1;
        Ok(id)
    }

    /// Makes sure that the next object will fit, and says what its name will be.
    pub fn reserve(&mut self, ram: &mut Ram) -> Result<Id<T>> {
        if self.free == END {
            let made = self.made as usize * size::<T>();
            while (self.size as usize) < made + size::<T>() {
                self.grow(ram).ok_or(Error::NoMemory)?;
            }
            let fresh = self.first + made as u32;
            // SAFETY: it is mapped, and becomes one of the slots that were made.
            unsafe { self.slot_mut(fresh) }.name = 1 << 32 | u64::from(END) | FREE;
            self.free = fresh;
            self.made += 1;
        }
        // SAFETY: what is in the free list was made.
        let name = unsafe { self.slot(self.free) }.name;
        // SAFETY: names have a generation.
        Ok(unsafe { Id::new(name >> 32 << 32 | u64::from(self.free)) })
    }

    /// Takes an object out.
    pub fn remove(&mut self, id: Id<T>) -> Option<T> {
        let next = self.free;
        let slot = self.holding(id)?;
        // Generations that come round again are 2^32 objects in one slot apart.
        let generation = (id.generation() + 1) as u32;
        slot.name = u64::from(generation.max(1)) << 32 | u64::from(next) | FREE;
        // SAFETY: it held an object; from here on it is free.
        let value = unsafe { slot.value.assume_init_read() };
        self.free = id.place();
        self.live -= 1;
        Some(value)
    }

    /// An object, if it is still there.
    #[inline(always)]
    pub fn get(&self, id: Id<T>) -> Option<&T> {
        // SAFETY: the id is this arena's.
        let slot = unsafe { self.slot(id.place()) };
        // SAFETY: a slot that is named by an id holds an object.
        (slot.name == id.to_bits()).then(|| unsafe { slot.value.assume_init_ref() })
    }

    /// An object, if it is still there.
    #[inline(always)]
    pub fn get_mut(&mut self, id: Id<T>) -> Option<&mut T> {
        // SAFETY: a slot that is named by an id holds an object.
        self.holding(id).map(|slot| unsafe { slot.value.assume_init_mut() })
    }

    /// Two objects at once, if both are there and differ.
    #[inline(always)]
    pub fn pair(&mut self, a: Id<T>, b: Id<T>) -> Option<(&mut T, &mut T)> {
        if a.place() == b.place() {
            return None;
        }
        let a: *mut T = self.get_mut(a)?;
        let b: *mut T = self.get_mut(b)?;
        // SAFETY: both borrowed from `self`, and in different slots.
        unsafe { Some((&mut *a, &mut *b)) }
    }

    /// Another object than `one`, which is of this arena as well, if it is still there.
    #[inline(always)]
    pub fn other(&mut self, one: &T, id: Id<T>) -> Option<&mut T> {
        let slot = self.objects.at(id.place()).cast::<Slot<T>>();
        // SAFETY: the id is this arena's: a slot begins there; its name is not part of `one`, whichever it is of.
        let (name, value) = unsafe { ((*slot).name, (&raw mut (*slot).value).cast::<T>()) };
        // SAFETY: it holds an object, which is not the one that the caller has.
        (name == id.to_bits() && !core::ptr::eq(value, one)).then(|| unsafe { &mut *value })
    }

    /// The object whose id as a word is `word`, which may be anything.
    #[inline(always)]
    pub fn named(&self, word: u64) -> Option<(Id<T>, &T)> {
        const { assert!(size::<T>().is_power_of_two()) };
        let place = word as u32;
        let offset = place.wrapping_sub(self.first);
        // What is between two slots has bits that go to the top.
        if offset.rotate_right(size::<T>().trailing_zeros()) >= self.made {
            return None;
        }
        // SAFETY: one of the slots that were made begins there.
        let slot = unsafe { self.slot(place) };
        if slot.name != word {
            return None;
        }
        // SAFETY: the name is even, as the place is: it is that of an object.
        unsafe { Some((Id::new(word), slot.value.assume_init_ref())) }
    }

    /// All objects, with their names.
    pub fn iter(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        self.within(0..self.made)
    }

    /// How many slots were made.
    pub fn slots(&self) -> u32 {
        self.made
    }

    /// The objects in some slots, with their names.
    pub fn within(&self, slots: Range<u32>) -> impl Iterator<Item = (Id<T>, &T)> {
        (slots.start..slots.end.min(self.made)).filter_map(|nth| {
            let place = self.place(nth);
            // SAFETY: among the slots that were made.
            let slot = unsafe { self.slot(place) };
            // SAFETY: an even name is that of an object.
            let named = || unsafe { (Id::new(slot.name), slot.value.assume_init_ref()) };
            (slot.name & FREE == 0).then(named)
        })
    }

    /// Maps another page of the window, which never shrinks and never moves.
    fn grow(&mut self, ram: &mut Ram) -> Option<()> {
        if self.size == Objects::ROOM {
            return None;
        }
        let Ram { memory, frames, space, .. } = ram;
        let start = ARENAS + u64::from(self.first - ARENAS as u32);
        let at = VirtAddr(start + self.size);
        space.table.map_fresh(at, memory, frames).ok()?;
        self.size += PAGE_SIZE;
        ram.object_pages += 1;
        Some(())
    }

    fn place(&self, nth: u32) -> u32 {
        self.first + nth * size::<T>() as u32
    }

    #[inline(always)]
    fn holding(&mut self, id: Id<T>) -> Option<&mut Slot<T>> {
        // SAFETY: the id is this arena's.
        let slot = unsafe { self.slot_mut(id.place()) };
        (slot.name == id.to_bits()).then_some(slot)
    }

    /// # Safety
    /// A slot begins at this place.
    #[inline(always)]
    unsafe fn slot(&self, place: u32) -> &Slot<T> {
        debug_assert!(place < self.place(self.made), "an id of another arena");
        // SAFETY: slots that were made are mapped, and have names.
        unsafe { &*self.objects.at(place).cast() }
    }

    /// # Safety
    /// A slot begins at this place, or would: it is mapped.
    #[inline(always)]
    unsafe fn slot_mut(&mut self, place: u32) -> &mut Slot<T> {
        debug_assert!(u64::from(place - self.first) < self.size, "another arena's id");
        // SAFETY: the slots are ours; any word is a name.
        unsafe { &mut *self.objects.at(place).cast() }
    }
}

/// Bytes of a slot.
const fn size<T>() -> usize {
    assert!(align_of::<Slot<T>>() > FREE as usize);
    size_of::<Slot<T>>()
}

impl<T> Id<T> {
    /// What tells it from others of its kind that are there at the same time.
    pub fn index(self) -> usize {
        (self.place() % SPAN) as usize / size::<T>()
    }

    /// As one word, for a handle of a process.
    #[inline(always)]
    pub fn to_bits(self) -> u64 {
        self.word.get()
    }

    /// Whether it is this one that is meant, if any.
    #[inline(always)]
    pub fn is(self, other: Option<Id<T>>) -> bool {
        other.map_or(0, Id::to_bits) == self.to_bits()
    }

    #[inline(always)]
    fn place(self) -> u32 {
        self.word.get() as u32
    }

    fn generation(self) -> u64 {
        self.word.get() >> 32
    }

    /// # Safety
    /// The upper half, a generation, is not zero; the lower is the place of a slot.
    #[inline(always)]
    unsafe fn new(word: u64) -> Id<T> {
        // SAFETY: the caller's promise.
        Id { word: unsafe { NonZeroU64::new_unchecked(word) }, kind: PhantomData }
    }
}

impl<T> Index<Id<T>> for Arena<T> {
    type Output = T;

    #[inline(always)]
    fn index(&self, id: Id<T>) -> &T {
        let Some(object) = self.get(id) else { missing() };
        object
    }
}

impl<T> IndexMut<Id<T>> for Arena<T> {
    #[inline(always)]
    fn index_mut(&mut self, id: Id<T>) -> &mut T {
        let Some(object) = self.get_mut(id) else { missing() };
        object
    }
}

#[cold]
#[inline(never)]
fn missing() -> ! {
    panic!("the object does not exist")
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Id<T> {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    #[inline(always)]
    fn eq(&self, other: &Id<T>) -> bool {
        self.word == other.word
    }
}

impl<T> Eq for Id<T> {}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}.{}", self.index(), self.generation())
    }
}
