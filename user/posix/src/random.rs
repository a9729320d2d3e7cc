//! Bytes that nobody can guess: a generator of this server's own, so that whoever reads some asks nobody else.
//!
//! Its seeds are the service's. A thread fetches one at the beginning, and another whenever so much was read or so
//! much time has passed since the last, and puts it where the next read finds it. So nobody waits for the service
//! after the beginning, whether it is slow, or dies, or is not there.

use crate::errno::Result;
use crate::time::SECOND;
use alloc::sync::Arc;
use core::cell::{Cell, RefCell};
use protocol::calls::{self, Patience};
use random::requests::Seed;
use random::{Generator, Strength};
use rt::Port;
use rt::abi::{FOREVER, PortRights};
use rt::sync::Lock;
use rt::thread::{self, Options};
use rt::time::{nap, now};

/// Bytes that are read between two seeds, and nanoseconds that pass.
const AMOUNT: u64 = 1 << 20;
const AGE: u64 = 300 * SECOND;
/// How long the first seed is waited for.
const FIRST: u64 = SECOND;
/// How long the service may take before somebody is told.
const PATIENCE: Patience = Patience { late: 2 * SECOND, times: u32::MAX };

/// Where the thread puts a seed.
type Seeds = Arc<Lock<Option<[u64; 4]>>>;

/// The generator.
pub struct Random {
    generator: RefCell<Generator>,
    /// What the thread has fetched, and how it is told that a seed is wanted; none if there is no service.
    seeds: Seeds,
    bell: Option<Port>,
    /// Bytes until another seed is wanted, and when it is wanted.
    left: Cell<u64>,
    due: Cell<u64>,
}

impl Random {
    /// One that is seeded by the service, if there is one. `complain` is called when that is late.
    pub fn new(
        service: Option<&'static Port>,
        complain: impl FnMut() + Send + 'static,
    ) -> Result<Random> {
        let seeds = Seeds::default();
        let bell = match service {
            Some(service) => Some(fetch(service, complain, seeds.clone())?),
            None => None,
        };
        let (left, due) = (Cell::new(AMOUNT), Cell::new(now() + AGE));
        Ok(Random { generator: RefCell::default(), seeds, bell, left, due })
    }

    /// Waits for the first seed.
    pub fn begin(&self) {
        let end = now() + FIRST;
        while self.bell.is_some() && self.seeds.lock().is_none() && now() < end {
            nap();
        }
    }

    /// Fills a buffer.
    pub fn fill(&self, out: &mut [u8]) {
        let mut generator = self.generator.borrow_mut();
        if let Some(seed) = self.seeds.lock().take() {
            generator.mix(seed.map(u64::to_le_bytes).as_flattened(), Strength::Strong);
        }
        let (now, length) = (now(), out.len() as u64);
        if generator.fill(out).is_err() {
            // Nobody has given any: it is as with any clock, somebody might guess.
            generator.mix(&now.to_le_bytes(), Strength::Weak);
            generator.fill(out).expect("something was mixed in");
        }
        if self.left.get() < length || self.due.get() <= now {
            // It is there as long as this.
            let _ = self.bell.as_ref().map(|bell| bell.signal(1));
            self.left.set(AMOUNT);
            self.due.set(now + AGE);
        }
        self.left.set(self.left.get().saturating_sub(length));
    }

    /// So many of them.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// Mixes in what somebody says is random.
    pub fn mix(&self, bytes: &[u8]) {
        self.generator.borrow_mut().mix(bytes, Strength::Weak);
    }
}

/// Starts the thread, which fetches a seed; what tells it that another is wanted.
fn fetch(
    service: &'static Port,
    mut complain: impl FnMut() + Send + 'static,
    seeds: Seeds,
) -> Result<Port> {
    let bell = Port::create(0)?;
    let rings = bell.duplicate(PortRights::RECEIVE)?;
    let thread = thread::spawn(Options::default(), move || {
        while let Ok(seed) = calls::ask(service, Seed {}, PATIENCE, &mut complain) {
            *seeds.lock() = Some(seed);
            // Whatever ends the wait, a seed more does no harm.
            let _ = rings.receive(FOREVER);
        }
    })?;
    // It runs as long as this server.
    core::mem::forget(thread);
    Ok(bell)
}
