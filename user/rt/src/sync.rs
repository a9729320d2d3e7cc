//! A lock. Whoever waits for it lets others run, so its holder must be of no lower priority.

use crate::time::yield_now;
use spin::mutex::SpinMutex;
use spin::relax::RelaxStrategy;

/// Excludes threads from each other for a short time.
pub type Lock<T> = SpinMutex<T, Yielding>;

/// How to wait: let others of the same priority run.
pub struct Yielding;

impl RelaxStrategy for Yielding {
    fn relax() {
        yield_now();
    }
}
