//! A lock. Whoever waits for it sleeps for a moment, so that its holder runs, whatever its priority.

use crate::time::nap;
use spin::mutex::SpinMutex;
use spin::relax::RelaxStrategy;

/// Excludes threads from each other for a short time.
pub type Lock<T> = SpinMutex<T, Yielding>;

/// How to wait: let others run.
pub struct Yielding;

impl RelaxStrategy for Yielding {
    fn relax() {
        nap();
    }
}
