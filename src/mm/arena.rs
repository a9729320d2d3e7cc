//! Typed arenas: where all objects of a kind live, named by index and generation. An [`Id`] whose
//! object is gone names nothing, whatever has its slot by then.
//!
//! Slots lie side by side in a window of addresses that grows by pages and never shrinks: a slot
//! never moves, and finding one is a multiplication and a comparison.
//!
//! Invariant: a slot's generation is odd while it holds an object; slots that hold none are in the
//! free list.

use super::Ram;
use super::window::Window;
use crate::abi::Error;
use core::fmt;
use core::marker::PhantomData;
use core::mem::{self, MaybeUninit};
use core::num::NonZeroU32;
use core::ops::{Index, IndexMut};
use core::ptr::NonNull;

/// The name of an object of type `T`.
#[repr(C, align(8))]
pub struct Id<T> {
    index: u32,
    /// Odd.
    generation: NonZeroU32,
    kind: PhantomData<fn() -> T>,
}

/// All objects of type `T`.
pub struct Arena<T> {
    window: Window,
    slots: NonNull<Slot<T>>,
    /// Slots that have ever been used.
    made: u32,
    /// The first free slot.
    free: Option<u32>,
    live: u32,
}

struct Slot<T> {
    generation: u32,
    /// In a free slot, the free one after it, counted from 1.
    next: u32,
    value: MaybeUninit<T>,
}

// SAFETY: the slots are the arena's alone, whichever CPU it is used on.
unsafe impl<T: Send> Send for Arena<T> {}

impl<T> Arena<T> {
    /// Bytes an object takes.
    pub const COST: u64 = size_of::<Slot<T>>() as u64;

    /// An arena in a window nobody else has.
    pub fn new(window: Window) -> Arena<T> {
        let slots = window.start().cast();
        assert!(slots.is_aligned(), "windows begin at a page");
        Arena { window, slots, made: 0, free: None, live: 0 }
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.live as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Puts an object in.
    pub fn insert(&mut self, value: T, ram: &mut Ram) -> Result<Id<T>, Error> {
        self.reserve(ram)?;
        let index = self.free.unwrap_or(self.made);
        // SAFETY: `reserve` saw to it that this slot is mapped; it is free, or has never been used.
        let slot = unsafe { self.slots.add(index as usize).as_mut() };
        if self.free.is_some() {
            self.free = slot.next.checked_sub(1);
        } else {
            self.made += 1;
            slot.generation = 0;
        }
        slot.generation = slot.generation.wrapping_add(1);
        slot.value.write(value);
        self.live += 1;
        Id::new(index, slot.generation).ok_or(Error::NoMemory)
    }

    /// Makes sure that the next object will fit.
    pub fn reserve(&mut self, ram: &mut Ram) -> Result<(), Error> {
        let needed = (self.made as usize + 1) * size_of::<Slot<T>>();
        while self.free.is_none() && self.window.size() < needed {
            self.window.grow(ram).ok_or(Error::NoMemory)?;
        }
        Ok(())
    }

    /// Takes an object out.
    pub fn remove(&mut self, id: Id<T>) -> Option<T> {
        let free = self.free.map_or(0, |index| index + 1);
        let slot = self.slot(id)?;
        // Generations that come round again are 2^31 objects in one slot apart.
        slot.generation = slot.generation.wrapping_add(1);
        slot.next = free;
        // SAFETY: it held an object; from here on it is free.
        let value = unsafe { slot.value.assume_init_read() };
        self.free = Some(id.index);
        self.live -= 1;
        Some(value)
    }

    /// An object, if it is still there.
    #[inline(always)]
    pub fn get(&self, id: Id<T>) -> Option<&T> {
        if id.index >= self.made {
            return None;
        }
        // SAFETY: it is among the slots that were made, and holds an object if its generation is
        // the id's, which is odd.
        unsafe {
            let slot = self.slots.add(id.index as usize).as_ref();
            (slot.generation == id.generation.get()).then(|| slot.value.assume_init_ref())
        }
    }

    /// An object, if it is still there.
    #[inline(always)]
    pub fn get_mut(&mut self, id: Id<T>) -> Option<&mut T> {
        // SAFETY: a slot whose generation is that of an id holds an object.
        self.slot(id).map(|slot| unsafe { slot.value.assume_init_mut() })
    }

    /// Two objects at once, if both are there and differ.
    #[inline(always)]
    pub fn pair(&mut self, a: Id<T>, b: Id<T>) -> Option<(&mut T, &mut T)> {
        if a.index == b.index {
            return None;
        }
        let a: *mut T = self.get_mut(a)?;
        let b: *mut T = self.get_mut(b)?;
        // SAFETY: both borrowed from `self`, and in different slots.
        unsafe { Some((&mut *a, &mut *b)) }
    }

    /// All objects, with their names.
    pub fn iter(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        (0..self.made).filter_map(|index| {
            // SAFETY: among the slots that were made.
            let slot = unsafe { self.slots.add(index as usize).as_ref() };
            let id = Id::new(index, slot.generation)?;
            // SAFETY: an odd generation says that there is an object.
            Some((id, unsafe { slot.value.assume_init_ref() }))
        })
    }

    #[inline(always)]
    fn slot(&mut self, id: Id<T>) -> Option<&mut Slot<T>> {
        if id.index >= self.made {
            return None;
        }
        // SAFETY: it is among the slots that were made.
        let slot = unsafe { self.slots.add(id.index as usize).as_mut() };
        (slot.generation == id.generation.get()).then_some(slot)
    }
}

impl<T> Drop for Arena<T> {
    fn drop(&mut self) {
        if !mem::needs_drop::<T>() {
            return;
        }
        for index in 0..self.made {
            // SAFETY: among the slots that were made; an odd generation says that it has an object.
            unsafe {
                let slot = self.slots.add(index as usize).as_mut();
                if slot.generation % 2 == 1 {
                    slot.value.assume_init_drop();
                }
            }
        }
    }
}

impl<T> Id<T> {
    /// The name of nothing, which no object ever has.
    pub const NOTHING: Id<T> =
        Id { index: u32::MAX, generation: NonZeroU32::MAX, kind: PhantomData };

    /// Where it is among its kind: two objects at the same time have different ones.
    pub fn index(self) -> usize {
        self.index as usize
    }

    /// As one word, for a handle of a process or an object of any kind.
    pub fn to_bits(self) -> u64 {
        u64::from(self.generation.get()) << 32 | u64::from(self.index)
    }

    /// What `to_bits` made; of anything else maybe a name of nothing, maybe none.
    #[inline(always)]
    pub fn from_bits(bits: u64) -> Option<Id<T>> {
        Id::new(bits as u32, (bits >> 32) as u32)
    }

    #[inline(always)]
    fn new(index: u32, generation: u32) -> Option<Id<T>> {
        if generation.is_multiple_of(2) {
            return None;
        }
        NonZeroU32::new(generation).map(|generation| Id { index, generation, kind: PhantomData })
    }
}

impl<T> Index<Id<T>> for Arena<T> {
    type Output = T;

    #[inline(always)]
    fn index(&self, id: Id<T>) -> &T {
        self.get(id).expect("the object exists")
    }
}

impl<T> IndexMut<Id<T>> for Arena<T> {
    #[inline(always)]
    fn index_mut(&mut self, id: Id<T>) -> &mut T {
        self.get_mut(id).expect("the object exists")
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Id<T> {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Id<T>) -> bool {
        self.to_bits() == other.to_bits()
    }
}

impl<T> Eq for Id<T> {}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}.{}", self.index, self.generation)
    }
}
