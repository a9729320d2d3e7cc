//! What is kept of files that other servers have, and can be read again. It may take what nobody else needs, and is
//! given back before anybody is refused memory: a guest, or a file in memory.

use super::room::Room;
use crate::errno::Result;
use crate::process::quota;
use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;
use core::cell::RefCell;
use rt::time::{self, MILLISECOND};

/// Bytes that are given back at least, so that it is not done for every page.
const AT_LEAST: u64 = 1 << 20;
/// How long to wait until the kernel has taken apart what was given back.
const PATIENCE: u64 = 100 * MILLISECOND;

/// Whoever keeps something that can be had again.
pub trait Keeper {
    /// Gives back so many bytes, if there are as many, those first that were used long ago; how many.
    fn give_back(&self, bytes: u64) -> u64;
}

/// All that is kept so.
pub struct Caches {
    /// Its memory.
    pub room: Rc<Room>,
    keepers: RefCell<Vec<Weak<dyn Keeper>>>,
}

impl Caches {
    /// Nothing yet. Three quarters of what there is may be used for it.
    pub fn new() -> Result<Rc<Caches>> {
        let room = Room::new([3, 4], None)?;
        Ok(Rc::new(Caches { room, keepers: RefCell::default() }))
    }

    /// One more that keeps something.
    pub fn add(&self, keeper: Weak<dyn Keeper>) {
        let mut keepers = self.keepers.borrow_mut();
        keepers.retain(|known| known.strong_count() > 0);
        keepers.push(keeper);
    }

    /// Has so many bytes given back, so that this server can give them to somebody else.
    pub fn reclaim(&self, bytes: u64) {
        self.room.give_back();
        let free = quota::free();
        if free >= bytes {
            return;
        }
        let (wanted, mut given) = ((bytes - free).max(AT_LEAST), 0);
        for keeper in self.keepers.borrow().iter().filter_map(Weak::upgrade) {
            if given < wanted {
                given += keeper.give_back(wanted - given);
            }
        }
        let end = time::now().saturating_add(PATIENCE);
        while given > 0 && quota::free() < bytes && time::now() < end {
            time::nap();
            self.room.give_back();
        }
    }
}
