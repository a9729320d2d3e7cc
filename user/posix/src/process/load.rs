//! How busy the system has been: the averages of `uptime`, over 1, 5 and 15 minutes.
//!
//! They are averages of how many CPUs guests have kept busy, and this server for them. Nothing ticks for that: whenever a process
//! begins or ends, or somebody asks, the time since the last look is taken to have been alike.

use crate::server::Server;
use crate::time::SECOND;
use core::cell::Cell;

/// What averages are counted in.
pub const ONE: u64 = 1 << 16;
/// Time that is dealt with in one step.
const STEP: u64 = 5 * SECOND;
/// What is left of an average after a step, in 65536ths: e to the power of -1/12, -1/60, -1/180.
const LEFT: [u64; 3] = [60296, 64453, 65173];
/// After so many steps nothing is left of what was before.
const ENOUGH: u64 = 2000;

/// The averages, and what they were last computed from.
#[derive(Default)]
pub struct Load {
    averages: Cell<[u64; 3]>,
    /// When that was, and how long had been run.
    moment: Cell<u64>,
    ran: Cell<u64>,
    /// Nanoseconds that processes ran which have ended.
    ended: Cell<u64>,
}

impl Load {
    /// A process has ended that ran for so many nanoseconds.
    pub fn ends(&self, ran: u64) {
        self.ended.set(self.ended.get() + ran);
    }
}

impl Server {
    /// Nanoseconds that guests have run, and this server has, on whichever CPU.
    pub fn ran(&self) -> [u64; 2] {
        let alive = self.processes().into_iter().filter(|process| process.is_alive());
        let guests = self.load.ended.get() + alive.map(|process| process.ran()).sum::<u64>();
        [guests, rt::process().info().map_or(0, |own| own.ran)]
    }

    /// Looks how much was done since the last look, if that was a while ago.
    pub fn look_at_load(&self) {
        let load = &self.load;
        let now = rt::time::now();
        let steps = (now - load.moment.get()) / STEP;
        if steps == 0 {
            return;
        }
        let time = (now - load.moment.replace(now)) as u128;
        let ran: u64 = self.ran().iter().sum();
        let busy = ran.saturating_sub(load.ran.replace(ran));
        let busy = (u128::from(busy) * u128::from(ONE) / time) as u64;
        let mut averages = load.averages.get();
        for (average, left) in averages.iter_mut().zip(LEFT) {
            for _ in 0..steps.min(ENOUGH) {
                *average = (*average * left + busy * (ONE - left)) / ONE;
            }
        }
        load.averages.set(averages);
    }

    /// The averages, in parts of [`ONE`].
    pub fn averages(&self) -> [u64; 3] {
        self.look_at_load();
        self.load.averages.get()
    }
}
