//! Translation caches. Each CPU can only empty its own, so a shootdown is a request to the others,
//! one at a time, by IPI: they need no lock to answer, and one that waits for a lock with interrupts
//! off answers from there by calling [`serve`].
//!
//! The one race worth drawing is between a request and a CPU that answers late:
//!
//! ```text
//!   asking CPU                              answering CPU
//!   table entry = new          (1)
//!   drop its own pages
//!   REQUEST.lock()
//!   write the request          (2)
//!   PENDING = others (release) (3)  ---->   PENDING (acquire) has me?     (4)
//!   IPI to others                           read the request, drop pages  (5)
//!                                           PENDING &= !me (release)      (6)
//!   PENDING (acquire) == 0?    (7)  <----
//!   REQUEST.unlock()
//! ```
//!
//! (4) sees (3) only with (1) and (2), so what is refilled after (5) is new. (7) sees (6) only after
//! (5), so nobody uses the old pages once `flush` returns. Between (4) and (6) a CPU takes no
//! interrupt: if its IPI were served in between, (6) would come twice, and the second might answer the
//! *next* request without looking at it. (2) may only be overwritten after (7), when nobody reads it.
//!
//! A CPU that joins empties its TLB after it has set its bit in `ONLINE`: a request that missed the
//! bit came before that, with its table entry (1) already written.
//!
//! What belongs to user code is asked of those CPUs alone that have its address space loaded. Who that is
//! stands still meanwhile, for it takes the kernel's lock to load one as it does to change its table:
//!
//! ```text
//!   CPU that has loaded it      asking CPU              CPU that loads it later
//!   loaded = it
//!   CR3 = it
//!   unlock             ---->    lock
//!                               table entry = new (1)
//!                               loaded is it? ask
//!                               unlock          ---->   lock
//!                                                       loaded = it
//!                                                       CR3 = it: walks the new table
//! ```
//!
//! A CPU that has loaded another one since remembers nothing: all translations belong to PCID 0, and a
//! write to CR3 drops what is not global.

use super::cpu;
use super::interrupts::{self, SHOOTDOWN};
use super::paging::ASIDS;
use super::trap::descriptors::{LOCALS, Local};
use crate::units::{Asid, CpuId, PAGE_SIZE, VirtAddr};
use ::x86_64::instructions::interrupts::without_interrupts;
use ::x86_64::instructions::tlb;
use ::x86_64::registers::control::{Cr4, Cr4Flags};
use core::ops::Range;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use spin::mutex::SpinMutex;
use spin::relax::RelaxStrategy;

/// What is being asked: `COUNT` pages from `START` on, or more if `COUNT` says so. Written by the holder of `REQUEST`.
static START: AtomicU64 = AtomicU64::new(0);
static COUNT: AtomicU64 = AtomicU64::new(0);
/// Everything.
const EVERYTHING: u64 = u64::MAX;
/// What is not global, which is all that user code may use.
const NOT_GLOBAL: u64 = u64::MAX - 1;

/// The CPUs that have yet to answer, one bit each.
static PENDING: AtomicU32 = AtomicU32::new(0);
/// The CPUs that take part.
static ONLINE: AtomicU32 = AtomicU32::new(0);
/// The right to ask.
static REQUEST: SpinMutex<(), Serving> = SpinMutex::new(());

/// What is loaded to run the address space that has a tag, or had it last.
static SEATS: [AtomicU64; ASIDS as usize] = [const { AtomicU64::new(0) }; ASIDS as usize];

/// Whoever waits for the right to ask answers in the meantime.
struct Serving;

impl RelaxStrategy for Serving {
    fn relax() {
        serve();
        core::hint::spin_loop();
    }
}

/// Entries that were empty and are no more are seen by every CPU that looks after this: x86 caches
/// no absence, and stores are seen in order.
pub fn publish() {}

/// No CPU uses what was in the tables for these pages of user code once this returns.
pub fn flush(pages: Range<VirtAddr>, _tables: bool, asid: Asid) {
    // INVLPG drops what is remembered of tables as well (SDM vol. 3, 4.10.4.1).
    shoot_down(Some(asid), pages.start.0, (pages.end.0 - pages.start.0) / PAGE_SIZE);
}

/// No CPU uses any translation of this address space once this returns.
pub fn flush_space(asid: Asid) {
    shoot_down(Some(asid), 0, NOT_GLOBAL);
}

/// No CPU uses any old translation, of any address space, once this returns.
pub fn flush_all() {
    shoot_down(None, 0, EVERYTHING);
}

/// Answers another CPU's request, if there is one: a single load where there is none. May be called
/// in any context but an NMI.
pub fn serve() {
    let me = bit(cpu::current());
    if PENDING.load(Ordering::Acquire) & me == 0 {
        return;
    }
    without_interrupts(|| {
        // Looked at again: it may have been answered before interrupts were off.
        if PENDING.load(Ordering::Acquire) & me != 0 {
            drop_pages(START.load(Ordering::Relaxed), COUNT.load(Ordering::Relaxed));
            PENDING.fetch_and(!me, Ordering::Release);
        }
    });
}

/// From now on the CPU we run on is asked. It must be able to take IPIs as soon as interrupts are on.
pub(super) fn join() {
    ONLINE.fetch_or(bit(cpu::current()), Ordering::SeqCst);
    drop_everything();
}

/// The CPUs that take part, but for the one we run on.
pub(super) fn others() -> impl Iterator<Item = CpuId> {
    members(ONLINE.load(Ordering::SeqCst) & !bit(cpu::current()))
}

/// All other CPUs have been stopped for good: they are not asked any more, nor waited for.
pub(super) fn leave_alone() {
    ONLINE.store(bit(cpu::current()), Ordering::SeqCst);
    PENDING.store(0, Ordering::SeqCst);
}

/// An address space has this tag from now on.
pub(super) fn name(asid: Asid, seat: u64) {
    SEATS[usize::from(asid.0)].store(seat, Ordering::Relaxed);
}

/// What is loaded to run the address space that has this tag.
pub(super) fn seat(asid: Asid) -> u64 {
    SEATS[usize::from(asid.0)].load(Ordering::Relaxed)
}

/// This CPU is about to load an address space.
#[inline(always)]
pub(super) fn loading(seat: u64) {
    Local::current().loaded.store(seat, Ordering::Relaxed);
}

/// Has translations dropped here, and where else they may be: on all CPUs, or on those that have the
/// address space loaded `whose` they are.
fn shoot_down(whose: Option<Asid>, start: u64, count: u64) {
    drop_pages(start, count);
    // Orders the change of the table (1) before the look at who is there: partner is `join`.
    fence(Ordering::SeqCst);
    let seat = whose.map(seat);
    let loaded = |id: &CpuId| LOCALS[id.index()].loaded.load(Ordering::Relaxed);
    let asked = others()
        .filter(|id| seat.is_none_or(|seat| loaded(id) == seat))
        .fold(0, |all, id| all | bit(id));
    if asked == 0 {
        return;
    }
    // The trap of an interrupt might wait for a lock whose holder waits for this one.
    without_interrupts(|| {
        let _request = REQUEST.lock();
        START.store(start, Ordering::Relaxed);
        COUNT.store(count, Ordering::Relaxed);
        PENDING.store(asked, Ordering::Release);
        members(asked).for_each(|id| interrupts::send(id, SHOOTDOWN));
        while PENDING.load(Ordering::Acquire) != 0 {
            core::hint::spin_loop();
        }
    });
}

fn drop_pages(start: u64, count: u64) {
    match count {
        EVERYTHING => drop_everything(),
        // A write to CR3, even of what is in it, drops what is not global.
        NOT_GLOBAL => tlb::flush_all(),
        _ => (0..count).for_each(|page| {
            tlb::flush(::x86_64::VirtAddr::new_truncate(start + page * PAGE_SIZE));
        }),
    }
}

/// Global translations survive a write to CR3 but not the change of CR4.PGE (SDM vol. 3, 4.10.4.1).
fn drop_everything() {
    let cr4 = Cr4::read();
    if cr4.contains(Cr4Flags::PAGE_GLOBAL) {
        // SAFETY: turns global pages off and on again, and nothing else.
        unsafe {
            Cr4::write(cr4 - Cr4Flags::PAGE_GLOBAL);
            Cr4::write(cr4);
        }
    } else {
        tlb::flush_all();
    }
}

fn bit(id: CpuId) -> u32 {
    1 << id.0
}

fn members(mut set: u32) -> impl Iterator<Item = CpuId> {
    core::iter::from_fn(move || {
        let first = set.trailing_zeros() as u8;
        set &= set.checked_sub(1)?;
        Some(CpuId(first))
    })
}
