//! The simulated machine has no TLB: it counts what it is told to forget, for tests to check.

use crate::arch::Flush;
use crate::units::Asid;
use std::cell::RefCell;

thread_local! {
    static FLUSHED: RefCell<Vec<Flushed>> = const { RefCell::new(Vec::new()) };
}

/// A flush that was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Flushed {
    /// Some pages of one address space.
    Pages(Flush, Asid),
    /// All of one address space.
    Space(Asid),
    /// Everything.
    All,
}

/// New entries are seen at once here.
pub fn publish() {}

/// Forgets some pages of one address space.
pub fn flush(stale: Flush, asid: Asid) {
    FLUSHED.with_borrow_mut(|list| list.push(Flushed::Pages(stale, asid)));
}

/// Forgets all of one address space.
pub fn flush_space(asid: Asid) {
    FLUSHED.with_borrow_mut(|list| list.push(Flushed::Space(asid)));
}

/// Forgets everything.
pub fn flush_all() {
    FLUSHED.with_borrow_mut(|list| list.push(Flushed::All));
}

/// Nothing is ever asked of this CPU by another one.
pub fn serve() {}

/// What was flushed since this was last asked.
pub fn take_flushed() -> Vec<Flushed> {
    FLUSHED.take()
}
