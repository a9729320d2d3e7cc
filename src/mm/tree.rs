//! Balanced trees whose nodes are objects of an arena: in order by a key, and found, put in and taken
//! out in a number of steps that grows with the logarithm of how many there are (AVL).
//!
//! Invariant: keys are different and in order from left to right; the heights of the two sides of a
//! node differ by one at most, and its own is one more than the higher.

#[cfg(not(target_os = "none"))]
#[path = "../../tests/kernel/tree_check.rs"]
mod check;

use super::{Arena, Id};
use arrayvec::ArrayVec;

/// Nodes above one another at most: more would be more than an arena has room for.
const MAX_HEIGHT: usize = 47;

/// What orders nodes.
pub type Key = (u64, u32);

/// An object that can be in a tree.
pub trait Node: Sized {
    /// Where it belongs. As long as the order stays the same it may change in place.
    fn key(&self) -> Key;
    /// Its place in the tree.
    fn links(&self) -> &Links<Self>;
    /// To change it.
    fn links_mut(&mut self) -> &mut Links<Self>;
}

/// What a node knows of the tree: what is below it, smaller keys first.
pub struct Links<T> {
    below: [Option<Id<T>>; 2],
    height: u8,
}

/// A tree, by its root.
pub struct Tree<T> {
    root: Option<Id<T>>,
}

/// The way down to a place: the nodes, and to which side it goes on from each.
type Path<T> = ArrayVec<(Id<T>, usize), MAX_HEIGHT>;

impl<T> Links<T> {
    /// Of a node that is in no tree.
    pub const NONE: Links<T> = Links { below: [None; 2], height: 1 };
}

impl<T: Node> Tree<T> {
    /// A tree without nodes.
    pub const EMPTY: Tree<T> = Tree { root: None };

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// Puts in an object of the arena that is in no tree.
    pub fn insert(&mut self, arena: &mut Arena<T>, id: Id<T>) {
        let (key, mut path) = (arena[id].key(), Path::new());
        *arena[id].links_mut() = Links::NONE;
        self.follow(arena, key, &mut path);
        self.mend(arena, &path, Some(id));
    }

    /// Takes out an object that is in this tree.
    pub fn remove(&mut self, arena: &mut Arena<T>, id: Id<T>) {
        let mut path = Path::new();
        self.follow(arena, arena[id].key(), &mut path);
        let Links { below, height } = *arena[id].links();
        let rest = match below {
            [None, rest] | [rest, None] => rest,
            [Some(_), Some(right)] => {
                // The next in order takes its place, and has nothing to its own left.
                let place = path.len();
                path.push((id, 1));
                let mut next = right;
                while let Some(left) = arena[next].links().below[0] {
                    path.push((next, 0));
                    next = left;
                }
                let rest = arena[next].links().below[1];
                *arena[next].links_mut() = Links { below, height };
                path[place].0 = next;
                rest
            }
        };
        self.mend(arena, &path, rest);
    }

    /// The object with the greatest key that is not above this one.
    #[inline(always)]
    pub fn floor(&self, arena: &Arena<T>, key: Key) -> Option<Id<T>> {
        self.search(arena, 1, |other| other <= key)
    }

    /// The object with the least key above this one.
    pub fn next_after(&self, arena: &Arena<T>, key: Key) -> Option<Id<T>> {
        self.search(arena, 0, |other| other > key)
    }

    /// The object with the least key.
    #[inline(always)]
    pub fn first(&self, arena: &Arena<T>) -> Option<Id<T>> {
        self.search(arena, 0, |_| true)
    }

    /// The last object towards `side` of those that fit, which are all those to the other side.
    #[inline(always)]
    fn search(&self, arena: &Arena<T>, side: usize, fits: impl Fn(Key) -> bool) -> Option<Id<T>> {
        let (mut found, mut at) = (None, self.root);
        while let Some(id) = at {
            let node = &arena[id];
            let fits = fits(node.key());
            if fits {
                found = at;
            }
            at = node.links().below[if fits { side } else { 1 - side }];
        }
        found
    }

    /// The way to where this key is, or would be. It is too long to be handed about.
    fn follow(&self, arena: &Arena<T>, key: Key, path: &mut Path<T>) {
        let mut at = self.root;
        while let Some(id) = at
            && arena[id].key() != key
        {
            let side = (arena[id].key() < key) as usize;
            path.push((id, side));
            at = arena[id].links().below[side];
        }
    }

    /// Puts `end` at the end of a path, and the path in balance.
    fn mend(&mut self, arena: &mut Arena<T>, path: &Path<T>, end: Option<Id<T>>) {
        self.root = path.iter().rev().fold(end, |below, &(id, side)| {
            arena[id].links_mut().below[side] = below;
            Some(balance(arena, id))
        });
    }
}

fn height<T: Node>(arena: &Arena<T>, id: Option<Id<T>>) -> u8 {
    id.map_or(0, |id| arena[id].links().height)
}

fn heights<T: Node>(arena: &Arena<T>, id: Id<T>) -> [u8; 2] {
    arena[id].links().below.map(|below| height(arena, below))
}

fn recount<T: Node>(arena: &mut Arena<T>, id: Id<T>) {
    let [left, right] = heights(arena, id);
    arena[id].links_mut().height = 1 + left.max(right);
}

/// Puts a node in balance whose sides are; tells what has its place now.
fn balance<T: Node>(arena: &mut Arena<T>, id: Id<T>) -> Id<T> {
    let [left, right] = heights(arena, id);
    let high = (right > left) as usize;
    match arena[id].links().below[high] {
        Some(child) if left.abs_diff(right) > 1 => {
            let inner = heights(arena, child);
            if inner[1 - high] > inner[high] {
                arena[id].links_mut().below[high] = Some(rotate(arena, child, 1 - high));
            }
            rotate(arena, id, high)
        }
        _ => {
            recount(arena, id);
            id
        }
    }
}

/// Lifts what is on one side of a node into its place.
fn rotate<T: Node>(arena: &mut Arena<T>, id: Id<T>, side: usize) -> Id<T> {
    let Some(child) = arena[id].links().below[side] else { return id };
    arena[id].links_mut().below[side] = arena[child].links().below[1 - side];
    arena[child].links_mut().below[1 - side] = Some(id);
    recount(arena, id);
    recount(arena, child);
    child
}
