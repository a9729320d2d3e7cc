//! Looks whether a tree is one. Part of `src/mm/tree.rs` where tests are.

use super::{Key, Links, Node, Tree};
use crate::mm::{Arena, Id};

impl<T: Node> Tree<T> {
    /// Whether it is in order and in balance.
    pub fn check(&self, arena: &Arena<T>) -> Result<(), &'static str> {
        let mut last = None;
        check(arena, self.root, &mut last).map(|_| ())
    }
}

/// The height of what is below, if all is well there; `last` is the key before it, then its last.
fn check<T: Node>(
    arena: &Arena<T>,
    id: Option<Id<T>>,
    last: &mut Option<Key>,
) -> Result<u8, &'static str> {
    let Some(id) = id else { return Ok(0) };
    let Links { below: [left, right], height } = *arena[id].links();
    let left = check(arena, left, last)?;
    if last.replace(arena[id].key()) >= Some(arena[id].key()) {
        return Err("keys are in order");
    }
    let right = check(arena, right, last)?;
    if left.abs_diff(right) > 1 || height != 1 + left.max(right) {
        return Err("the tree is in balance");
    }
    Ok(height)
}
