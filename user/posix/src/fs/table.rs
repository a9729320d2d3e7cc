//! What has which name in a directory, found by a digest of the name, and each with a place in the order
//! in which they came, which stays the same however many come and go.

use super::Inode;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;

/// What has a name.
pub struct Named {
    /// The name.
    pub name: Box<[u8]>,
    /// Where it is among the others.
    pub place: u64,
    /// What has it.
    pub inode: Rc<Inode>,
    digest: u64,
}

/// Names, all of them different.
#[derive(Default)]
pub struct Table {
    /// As many as a power of two, and at least as many as there are names; or none.
    buckets: Vec<Vec<Named>>,
    /// The digest of the name at each place.
    places: BTreeMap<u64, u64>,
}

/// A number for a name, which hardly any other has: FNV-1a, with the upper half in the lower.
fn digest(name: &[u8]) -> u64 {
    let step = |sum: u64, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    let sum = name.iter().fold(0xcbf2_9ce4_8422_2325, step);
    sum ^ sum >> 32
}

impl Table {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Where names with a digest are.
    fn bucket(&self, digest: u64) -> usize {
        digest as usize & self.buckets.len().wrapping_sub(1)
    }

    /// What has a name.
    pub fn find(&self, name: &[u8]) -> Option<&Rc<Inode>> {
        let digest = digest(name);
        let same = |named: &&Named| named.digest == digest && *named.name == *name;
        let bucket = self.buckets.get(self.bucket(digest))?;
        bucket.iter().find(same).map(|named| &named.inode)
    }

    /// The first at or after a place.
    pub fn first(&self, place: u64) -> Option<&Named> {
        let (&place, &digest) = self.places.range(place..).next()?;
        let bucket = self.buckets.get(self.bucket(digest))?;
        bucket.iter().find(|named| named.place == place)
    }

    /// Gives a name to something, at a place that is free.
    pub fn insert(&mut self, place: u64, name: &[u8], inode: &Rc<Inode>) {
        if self.places.len() >= self.buckets.len() {
            self.grow();
        }
        let digest = digest(name);
        let at = self.bucket(digest);
        self.buckets[at].push(Named { name: name.into(), place, inode: inode.clone(), digest });
        self.places.insert(place, digest);
    }

    fn grow(&mut self) {
        let mut buckets = Vec::new();
        buckets.resize_with((2 * self.buckets.len()).max(4), Vec::new);
        for named in core::mem::replace(&mut self.buckets, buckets).into_iter().flatten() {
            let at = self.bucket(named.digest);
            self.buckets[at].push(named);
        }
    }

    /// Takes a name away, if it is there.
    pub fn remove(&mut self, name: &[u8]) -> Option<Named> {
        let at = self.bucket(digest(name));
        let bucket = self.buckets.get_mut(at)?;
        let nth = bucket.iter().position(|named| *named.name == *name)?;
        let named = bucket.swap_remove(nth);
        self.places.remove(&named.place);
        Some(named)
    }

    /// All that have names.
    pub fn into_inodes(self) -> impl Iterator<Item = Rc<Inode>> {
        self.buckets.into_iter().flatten().map(|named| named.inode)
    }
}
