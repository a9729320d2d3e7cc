//! A TLB for each simulated CPU, which remembers every translation until it is told to forget it; and
//! what it was told, for tests to check.

use super::{PhysMem, cpu, user};
use crate::arch::Entry;
use crate::units::{
    Access, Asid, Fault, FaultReason, Frame, MAX_CPUS, PAGE_SIZE, PhysAddr, VirtAddr,
};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

/// What a CPU remembers: by tag and page, the frame and what may be done.
type Tlb = BTreeMap<(Asid, u64), (Frame, crate::arch::Access)>;

thread_local! {
    static FLUSHED: RefCell<Vec<Flushed>> = const { RefCell::new(Vec::new()) };
    static TLBS: RefCell<[Tlb; MAX_CPUS]> = const { RefCell::new([const { Tlb::new() }; MAX_CPUS]) };
}

/// A flush that was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Flushed {
    /// Some pages of one address space.
    Pages(Range<VirtAddr>, Asid),
    /// All of one address space.
    Space(Asid),
    /// Everything.
    All,
}

/// New entries are seen at once here.
pub fn publish() {}

/// Forgets some pages of one address space.
pub fn flush(pages: Range<VirtAddr>, _tables: bool, asid: Asid) {
    let range = pages.start.0 / PAGE_SIZE..pages.end.0 / PAGE_SIZE;
    forget(|of, page| of == asid && range.contains(&page));
    FLUSHED.with_borrow_mut(|list| list.push(Flushed::Pages(pages, asid)));
}

/// Forgets all of one address space.
pub fn flush_space(asid: Asid) {
    forget(|of, _| of == asid);
    FLUSHED.with_borrow_mut(|list| list.push(Flushed::Space(asid)));
}

/// Forgets everything.
pub fn flush_all() {
    forget(|_, _| true);
    FLUSHED.with_borrow_mut(|list| list.push(Flushed::All));
}

/// Nothing is ever asked of this CPU by another one.
pub fn serve() {}

/// What was flushed since this was last asked.
pub fn take_flushed() -> Vec<Flushed> {
    FLUSHED.take()
}

/// User code of this CPU accesses memory, by what the TLB remembers, or else by the tables. Panics if
/// the TLB remembers more than the tables say: the kernel has not told it.
pub fn user_access(address: u64, access: Access, ram: &PhysMem) -> Result<PhysAddr, Fault> {
    let fault = |reason| Fault { address: VirtAddr(address), access, reason };
    let (root, asid) = user::loaded().ok_or(fault(FaultReason::Unmapped { level: None }))?;
    let walked = walk(root, address, ram);
    let known = (asid, address / PAGE_SIZE);
    let remembered = TLBS.with_borrow(|all| all[cpu::current().index()].get(&known).copied());
    let (frame, allowed) = match remembered {
        Some((frame, allowed)) => {
            let good = walked.is_some_and(|(now, more)| now == frame && more.contains(allowed));
            assert!(good, "stale translation of {address:#x}: {remembered:?}, not {walked:?}");
            (frame, allowed)
        }
        None => walked.ok_or(fault(FaultReason::Unmapped { level: None }))?,
    };
    TLBS.with_borrow_mut(|all| all[cpu::current().index()].insert(known, (frame, allowed)));
    let needed = match access {
        Access::Read => crate::arch::Access::USER,
        Access::Write => crate::arch::Access::USER | crate::arch::Access::WRITE,
        Access::Execute => crate::arch::Access::USER | crate::arch::Access::EXECUTE,
    };
    if !allowed.contains(needed) {
        return Err(fault(FaultReason::Permission));
    }
    Ok(PhysAddr(frame.start().0 + address % PAGE_SIZE))
}

/// What the tables say of an address.
fn walk(root: Frame, address: u64, ram: &PhysMem) -> Option<(Frame, crate::arch::Access)> {
    let mut table = root;
    for level in 0..4 {
        let shift = 39 - 9 * u32::from(level);
        // SAFETY: the tables of a loaded address space are in RAM, and nobody changes them now.
        let bits = unsafe { ram.read(table, (address >> shift) as usize & 511) };
        let entry = Entry::from_bits(bits);
        if !entry.is_present() {
            return None;
        }
        if level == 3 || entry.is_leaf(level) {
            let within = (address & ((1 << shift) - 1)) / PAGE_SIZE;
            return Some((Frame(entry.frame().0 + within), entry.access()));
        }
        table = entry.frame();
    }
    None
}

fn forget(which: impl Fn(Asid, u64) -> bool) {
    TLBS.with_borrow_mut(|all| {
        all.iter_mut().for_each(|tlb| tlb.retain(|&(asid, page), _| !which(asid, page)));
    });
}

/// As it is when the machine is switched on.
pub(super) fn reset() {
    forget(|_, _| true);
    FLUSHED.take();
}
