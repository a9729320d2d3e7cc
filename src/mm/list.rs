//! Lists of an arena's objects, each of which names its neighbours. An object may be in several lists:
//! whoever has one says which of its neighbours are meant.

use super::{Arena, Id};

/// The objects before and after one in a list; none if it is in none.
pub type Neighbours<T> = (Option<Id<T>>, Option<Id<T>>);

impl<T> Arena<T> {
    /// Puts an object that is in no list into the one that begins with `first`: after `before`, or as the
    /// first.
    #[inline(always)]
    pub fn link(
        &mut self,
        first: &mut Option<Id<T>>,
        before: Option<Id<T>>,
        id: Id<T>,
        neighbours: impl Fn(&mut T) -> &mut Neighbours<T>,
    ) {
        let after = match before {
            Some(before) => neighbours(&mut self[before]).1.replace(id),
            None => first.replace(id),
        };
        if let Some(after) = after {
            neighbours(&mut self[after]).0 = Some(id);
        }
        *neighbours(&mut self[id]) = (before, after);
    }

    /// Takes an object out of the list that begins with `first`, and tells which one was before it.
    #[inline(always)]
    pub fn unlink(
        &mut self,
        first: &mut Option<Id<T>>,
        id: Id<T>,
        neighbours: impl Fn(&mut T) -> &mut Neighbours<T>,
    ) -> Option<Id<T>> {
        let (before, after) = core::mem::take(neighbours(&mut self[id]));
        if let Some(after) = after {
            neighbours(&mut self[after]).0 = before;
        }
        match before {
            Some(before) => neighbours(&mut self[before]).1 = after,
            None => *first = after,
        }
        before
    }
}
