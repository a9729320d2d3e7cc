//! The kernel's page table against a model that is a map.

use crate::support::{Pool, cases};
use ochre::arch::paging::set_top_leaf_level;
use ochre::arch::{Access, PhysMem};
use ochre::mm::page_table::Mapping;
use ochre::mm::{MapError, PageTable};
use ochre::units::{Frame, PhysAddr, VirtAddr};
use proptest::prelude::*;
use std::collections::BTreeMap;

const SMALL: u64 = 4 << 10;
const LARGE: u64 = 2 << 20;
const HUGE: u64 = 1 << 30;

/// A range to map: where, what, how much, and for what.
type Step = (u64, u64, u64, Access);

/// Addresses close to each other and to the borders of tables.
fn address() -> impl Strategy<Value = u64> {
    let base = prop_oneof![
        Just(0xffff_8000_0000_0000),
        Just(0xffff_8000_0000_0000 + HUGE - 4 * SMALL),
        Just(0xffff_ff00_8000_0000),
        Just(0xffff_ff00_8000_0000 - LARGE),
    ];
    let step = prop_oneof![4 => Just(SMALL), 4 => Just(LARGE), 1 => Just(HUGE), 1 => Just(1)];
    (base, step, 0u64..6).prop_map(|(base, step, count)| base.saturating_add(step * count))
}

fn access() -> impl Strategy<Value = Access> {
    any::<u8>().prop_map(Access::from_bits_truncate)
}

fn step() -> impl Strategy<Value = Step> {
    let len = prop_oneof![Just(0), Just(SMALL), Just(3 * SMALL), Just(LARGE + SMALL), Just(HUGE)];
    let phys = prop_oneof![Just(0), Just(SMALL), Just(LARGE), Just(HUGE)];
    (address(), phys, len, access())
}

/// Pages by their first address.
#[derive(Default)]
struct Model {
    pages: BTreeMap<u64, Mapping>,
    largest: u64,
}

impl Model {
    fn at(&self, at: u64) -> Option<Mapping> {
        let (&start, &page) = self.pages.range(..=at).next_back()?;
        (at - start < page.bytes).then_some(page)
    }

    fn map(&mut self, (at, phys, len, access): Step) -> Result<(), MapError> {
        if access.contains(Access::WRITE | Access::EXECUTE) {
            return Err(MapError::WritableCode);
        }
        if !(at | phys | len).is_multiple_of(SMALL) {
            return Err(MapError::Misaligned);
        }
        if len > 0 && (self.at(at).is_some() || self.pages.range(at..at + len).next().is_some()) {
            return Err(MapError::AlreadyMapped);
        }
        let mut done = 0;
        while done < len {
            let fits = |bytes: &u64| {
                *bytes <= self.largest
                    && *bytes <= len - done
                    && ((at + done) | (phys + done)).is_multiple_of(*bytes)
            };
            let bytes = [HUGE, LARGE, SMALL].into_iter().find(fits).expect("a small page fits");
            self.pages.insert(at + done, Mapping { start: PhysAddr(phys + done), bytes, access });
            done += bytes;
        }
        Ok(())
    }
}

struct Machine {
    memory: PhysMem,
    pool: Pool,
    table: PageTable,
}

fn machine() -> Machine {
    let mut memory = PhysMem::simulate(Frame(16)..Frame(144));
    let mut pool = Pool::new(16..144);
    let table = PageTable::new(&mut memory, &mut pool).expect("there is room");
    Machine { memory, pool, table }
}

impl Machine {
    fn map(&mut self, (at, phys, len, access): Step) -> Result<(), MapError> {
        let phys = PhysAddr(phys)..PhysAddr(phys + len);
        self.table.map(VirtAddr(at), phys, access, &mut self.memory, &mut self.pool)
    }

    fn query(&self, at: u64) -> Option<Mapping> {
        self.table.query(VirtAddr(at), &self.memory)
    }

    /// Every page of the model is there.
    fn agrees(&self, model: &Model) {
        for (&at, page) in &model.pages {
            assert_eq!(self.query(at), Some(*page));
            assert_eq!(self.query(at + (page.bytes - 1)), Some(*page));
        }
    }
}

proptest! {
    #![proptest_config(cases(500))]

    /// Each step is tried with hardly any frames left, and then with all there are.
    #[test]
    fn agrees_with_a_map(
        steps in prop::collection::vec((step(), address(), 0usize..5), 1..if cfg!(miri) { 6 } else { 60 }),
        top in 1u8..3,
    ) {
        set_top_leaf_level(top);
        let mut machine = machine();
        let mut model = Model { largest: if top == 1 { HUGE } else { LARGE }, ..Model::default() };
        for (step, other, left) in steps {
            let held = machine.pool.hold_back(left);
            let first = machine.map(step);
            machine.pool.put_back(held);
            // What fails maps nothing; but a table without pages may be in the way of a large one then.
            let was = if first.is_ok() { first } else { machine.agrees(&model); machine.map(step) };
            if was.is_ok() || !matches!(was, Err(MapError::NoMemory | MapError::AlreadyMapped)) {
                prop_assert_eq!(was, model.map(step));
            }
            machine.agrees(&model);
            prop_assert_eq!(machine.query(other), model.at(other));
        }
    }
}

#[test]
fn eight_gigabytes_take_eight_tables_of_large_pages() {
    set_top_leaf_level(2);
    let mut machine = machine();
    let before = machine.pool.out();
    let access = Access::WRITE | Access::GLOBAL;
    assert_eq!(machine.map((0xffff_8000_0000_0000, 0, 8 * HUGE, access)), Ok(()));
    assert_eq!(machine.pool.out() - before, 1 + 8);
    for at in (0..8 * HUGE).step_by(if cfg!(miri) { 977 } else { 1 } * LARGE as usize) {
        let page = Mapping { start: PhysAddr(at), bytes: LARGE, access };
        assert_eq!(machine.query(0xffff_8000_0000_0000 + at + 12345), Some(page));
    }
}

#[test]
fn the_largest_pages_that_fit_are_used() {
    set_top_leaf_level(1);
    let mut machine = machine();
    let (start, len) = (HUGE - LARGE - SMALL, SMALL + LARGE + HUGE + LARGE + SMALL);
    assert_eq!(machine.map((start, start, len, Access::empty())), Ok(()));
    let size = |at: u64| machine.query(at).map(|page| page.bytes);
    assert_eq!(size(start), Some(SMALL));
    assert_eq!(size(start + SMALL), Some(LARGE));
    assert_eq!(size(HUGE), Some(HUGE));
    assert_eq!(size(2 * HUGE), Some(LARGE));
    assert_eq!(size(2 * HUGE + LARGE), Some(SMALL));
    assert_eq!(size(start + len), None);
    assert_eq!(size(start - 1), None);
}

#[test]
fn the_last_page_of_the_address_space_can_be_had() {
    let mut machine = machine();
    let page = Mapping { start: PhysAddr(5 * SMALL), bytes: SMALL, access: Access::empty() };
    assert_eq!(machine.map((0xffff_ffff_ffff_f000, page.start.0, SMALL, page.access)), Ok(()));
    assert_eq!(machine.query(u64::MAX), Some(page));
}
