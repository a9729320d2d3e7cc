//! The laws of region lists, held against a map of single pages.

use ochre::boot::regions::{
    MEMORY_LIMIT, add_memory, free, order_memory, order_reserved, range, reserve,
};
use ochre::boot::{PhysRange, Regions};
use ochre::units::PhysAddr;
use proptest::prelude::*;

/// Bytes in a unit of these laws: four to a page, so that edges lie within pages too.
const UNIT: u64 = 1024;
const UNITS: u64 = 256;

fn ranges(most: usize) -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((0..UNITS, 1..64_u64), 0..=most)
}

fn config() -> ProptestConfig {
    let cases = if cfg!(miri) { 4 } else { 512 };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// The pages that the units of `ranges` fill, or only touch.
fn pages(ranges: &[(u64, u64)], filled: bool) -> Vec<bool> {
    let mut units = vec![false; 4 * UNITS as usize];
    for &(start, size) in ranges {
        units[start as usize..(start + size) as usize].fill(true);
    }
    let page =
        |page: &[bool]| if filled { page.iter().all(|&on| on) } else { page.contains(&true) };
    units.chunks(4).map(page).collect()
}

fn map(list: impl IntoIterator<Item = PhysRange>) -> Vec<bool> {
    let mut pages = vec![false; UNITS as usize];
    for range in list {
        assert!(range.start < range.end && range.start.0 % 4096 == 0 && range.end.0 % 4096 == 0);
        pages[range.start.0 as usize / 4096..range.end.0 as usize / 4096].fill(true);
    }
    pages
}

fn memory(ranges: &[(u64, u64)]) -> Regions {
    let mut list = Regions::new();
    for &(start, size) in ranges {
        add_memory(&mut list, start * UNIT, size * UNIT).unwrap();
    }
    order_memory(&mut list);
    list
}

fn reserved(ranges: &[(u64, u64)]) -> Regions {
    let mut list = Regions::new();
    for &(start, size) in ranges {
        reserve(&mut list, range(start * UNIT, size * UNIT).unwrap());
    }
    order_reserved(&mut list);
    list
}

fn in_order(list: &[PhysRange]) -> bool {
    list.windows(2).all(|pair| pair[0].end < pair[1].start)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn memory_is_the_pages_that_are_filled(banks in ranges(32)) {
        let list = memory(&banks);
        prop_assert!(in_order(&list));
        prop_assert_eq!(map(list), pages(&banks, true));
    }

    #[test]
    fn reserved_is_the_pages_that_are_touched(taken in ranges(32)) {
        let list = reserved(&taken);
        prop_assert!(in_order(&list));
        prop_assert_eq!(map(list), pages(&taken, false));
    }

    /// More reservations than fit may keep back more than was asked for, and never less.
    #[test]
    fn no_reservation_is_lost(taken in ranges(90)) {
        let list = map(reserved(&taken));
        prop_assert!(pages(&taken, false).iter().zip(list).all(|(&asked, kept)| kept || !asked));
    }

    #[test]
    fn free_is_memory_without_reserved(banks in ranges(32), taken in ranges(32)) {
        let (memory, reserved) = (memory(&banks), reserved(&taken));
        let found: Vec<_> = free(&memory, &reserved).collect();
        prop_assert!(in_order(&found));
        let expected: Vec<bool> = pages(&banks, true)
            .iter()
            .zip(pages(&taken, false))
            .map(|(&there, taken)| there && !taken)
            .collect();
        prop_assert_eq!(map(found), expected);
    }
}

#[test]
fn ranges_that_cannot_be() {
    assert_eq!(range(5, 0), Err("is empty"));
    assert_eq!(range(u64::MAX, 2), Err("ends beyond the last address"));
    assert_eq!(range(u64::MAX - 1, 1), Ok(PhysAddr(u64::MAX - 1)..PhysAddr(u64::MAX)));
}

#[test]
fn the_ends_of_the_address_space() {
    let mut list = Regions::new();
    add_memory(&mut list, MEMORY_LIMIT - 4096, 8192).unwrap();
    add_memory(&mut list, u64::MAX - 1, 1).unwrap();
    add_memory(&mut list, 1, 4096).unwrap();
    let changes = order_memory(&mut list);
    assert!(changes.cut && !changes.overlaps);
    assert_eq!(list[..], [PhysAddr(MEMORY_LIMIT - 4096)..PhysAddr(MEMORY_LIMIT)]);
    let mut list = Regions::new();
    reserve(&mut list, PhysAddr(u64::MAX - 1)..PhysAddr(u64::MAX));
    reserve(&mut list, PhysAddr(0)..PhysAddr(1));
    order_reserved(&mut list);
    assert_eq!(list[0], PhysAddr(0)..PhysAddr(4096));
}
