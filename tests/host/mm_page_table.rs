//! The page-table walker against a model that is a map.

use crate::support::{Pool, cases};
use ochre::arch::paging::set_top_leaf_level;
use ochre::arch::tlb::{Flushed, take_flushed};
use ochre::arch::{Access, PhysMem};
use ochre::mm::page_table::{Mapping, PageSize};
use ochre::mm::{MapError, PageTable};
use ochre::units::{Asid, Frame, PhysAddr, VirtAddr};
use proptest::prelude::*;
use std::collections::BTreeMap;

const SMALL: u64 = 4 << 10;
const LARGE: u64 = 2 << 20;
const HUGE: u64 = 1 << 30;
const SIZES: [PageSize; 3] = [PageSize::Small, PageSize::Large, PageSize::Huge];

#[derive(Clone, Debug)]
enum Step {
    Map(u64, u64, PageSize, Access),
    MapRange(u64, u64, u64, Access),
    Unmap(u64),
    Protect(u64, Access),
    Query(u64),
}

/// Addresses close to each other and to the borders of tables, in both halves.
fn address() -> impl Strategy<Value = u64> {
    let base = prop_oneof![
        Just(0),
        Just(HUGE - 4 * SMALL),
        Just(0x7fff_ffff_f000 - LARGE),
        Just(0xffff_8000_0000_0000),
        Just(0xffff_ffff_8000_0000),
        Just(0xffff_ffff_ffff_f000 - LARGE),
        Just(0x1234_5678_9abc_d000),
    ];
    let step = prop_oneof![Just(SMALL), Just(LARGE), Just(HUGE), Just(1)];
    (base, step, 0u64..6).prop_map(|(base, step, count)| base.saturating_add(step * count))
}

fn access() -> impl Strategy<Value = Access> {
    any::<u8>().prop_map(Access::from_bits_truncate)
}

fn step() -> impl Strategy<Value = Step> {
    let frame = prop_oneof![0u64..4, Just(512), Just(512 * 512), Just((1 << 36) - 1)];
    let len = prop_oneof![Just(0), Just(SMALL), Just(3 * SMALL), Just(LARGE + SMALL), Just(HUGE)];
    let phys = prop_oneof![Just(0), Just(SMALL), Just(LARGE), Just(HUGE), Just((1 << 48) - SMALL)];
    prop_oneof![
        4 => (address(), frame, prop::sample::select(&SIZES[..]), access())
            .prop_map(|(at, frame, size, access)| Step::Map(at, frame, size, access)),
        4 => (address(), phys, len, access())
            .prop_map(|(at, phys, len, access)| Step::MapRange(at, phys, len, access)),
        4 => address().prop_map(Step::Unmap),
        2 => (address(), access()).prop_map(|(at, access)| Step::Protect(at, access)),
        4 => address().prop_map(Step::Query),
    ]
}

/// Pages by their first address.
#[derive(Default)]
struct Model {
    pages: BTreeMap<u64, Mapping>,
    largest: u64,
}

fn is_canonical(at: u64) -> bool {
    !(1 << 47..0xffff_8000_0000_0000).contains(&at)
}

impl Model {
    fn at(&self, at: u64) -> Option<(u64, Mapping)> {
        let (&start, &page) = self.pages.range(..=at).next_back()?;
        (at - start < page.size.bytes()).then_some((start, page))
    }

    fn page_to_change(&self, at: u64) -> Result<Mapping, MapError> {
        if !is_canonical(at) {
            return Err(MapError::NotCanonical);
        }
        let (start, page) = self.at(at).ok_or(MapError::NotMapped)?;
        match at {
            at if at == start => Ok(page),
            at if !at.is_multiple_of(SMALL) => Err(MapError::Misaligned),
            _ => Err(MapError::InsideLargePage),
        }
    }

    fn check(
        &self,
        at: u64,
        phys: u64,
        len: u64,
        unit: u64,
        access: Access,
    ) -> Result<(), MapError> {
        if access.contains(Access::WRITE | Access::EXECUTE) {
            return Err(MapError::WritableCode);
        }
        if !(at | phys | len).is_multiple_of(unit) {
            return Err(MapError::Misaligned);
        }
        let Some(last) = at.checked_add(len - 1) else { return Err(MapError::NotCanonical) };
        if !is_canonical(at) || !is_canonical(last) || at >> 63 != last >> 63 {
            return Err(MapError::NotCanonical);
        }
        if phys + len > 1 << 48 {
            return Err(MapError::OutOfRange);
        }
        let next = self.pages.range(at..=last).next();
        match self.at(at).is_some() || next.is_some() {
            true => Err(MapError::AlreadyMapped),
            false => Ok(()),
        }
    }

    fn map(&mut self, at: u64, page: Mapping) -> Result<(), MapError> {
        let len = page.size.bytes();
        if len > self.largest {
            return Err(MapError::Unsupported);
        }
        self.check(at, page.frame.start().0, len, len, page.access)?;
        self.pages.insert(at, page);
        Ok(())
    }

    fn map_range(&mut self, at: u64, phys: u64, len: u64, access: Access) -> Result<(), MapError> {
        if len == 0 {
            return Ok(());
        }
        self.check(at, phys, len, SMALL, access)?;
        let mut done = 0;
        while done < len {
            let fits = |size: &&PageSize| {
                let bytes = size.bytes();
                bytes <= self.largest
                    && bytes <= len - done
                    && ((at + done) | (phys + done)).is_multiple_of(bytes)
            };
            let size = *SIZES.iter().rev().find(fits).expect("a small page fits");
            let page = Mapping { frame: PhysAddr(phys + done).frame(), size, access };
            self.pages.insert(at + done, page);
            done += size.bytes();
        }
        Ok(())
    }

    fn protect(&mut self, at: u64, access: Access) -> Result<(), MapError> {
        if access.contains(Access::WRITE | Access::EXECUTE) {
            return Err(MapError::WritableCode);
        }
        let page = self.page_to_change(at)?;
        if (page.access ^ access).intersects(Access::DEVICE | Access::GLOBAL) {
            return Err(MapError::Unsupported);
        }
        self.pages.insert(at, Mapping { access, ..page });
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
    fn map(&mut self, at: u64, page: Mapping) -> Result<(), MapError> {
        self.table.map(VirtAddr(at), page, &mut self.memory, &mut self.pool)
    }

    fn map_range(&mut self, at: u64, phys: u64, len: u64, access: Access) -> Result<(), MapError> {
        let phys = PhysAddr(phys)..PhysAddr(phys + len);
        self.table.map_range(VirtAddr(at), phys, access, &mut self.memory, &mut self.pool)
    }

    fn unmap(&mut self, at: u64) -> Result<Mapping, MapError> {
        let page = self.table.unmap(VirtAddr(at), &mut self.memory)?;
        Ok(page.retire(Asid(7), &mut self.pool))
    }

    fn query(&self, at: u64) -> Option<Mapping> {
        self.table.query(VirtAddr(at), &self.memory)
    }

    /// Every page of the model is there, and nothing else is in reach of the steps.
    fn agrees(&self, model: &Model) {
        for (&at, page) in &model.pages {
            assert_eq!(self.query(at), Some(*page));
            assert_eq!(self.query(at + (page.size.bytes() - 1)), Some(*page));
        }
    }
}

/// Does what is asked of both, first with hardly any frames left, then with all there are.
fn play(machine: &mut Machine, model: &mut Model, step: Step, left: usize) {
    match step {
        Step::Map(at, frame, size, access) => {
            let page = Mapping { frame: Frame(frame), size, access };
            add(machine, model, left, |m| m.map(at, page), |m| m.map(at, page));
        }
        Step::MapRange(at, phys, len, access) => add(
            machine,
            model,
            left,
            |m| m.map_range(at, phys, len, access),
            |m| m.map_range(at, phys, len, access),
        ),
        Step::Unmap(at) => {
            let expected = model.page_to_change(at);
            assert_eq!(machine.unmap(at), expected);
            if let Ok(page) = expected {
                model.pages.remove(&at);
                check_flush(at, page);
            }
        }
        Step::Protect(at, access) => {
            let result = machine.table.protect(VirtAddr(at), access, &mut machine.memory);
            assert_eq!(result.as_ref().err().copied(), model.protect(at, access).err());
            if let Ok(flush) = result {
                assert_eq!((flush.pages.start, flush.tables), (VirtAddr(at), false));
            }
        }
        Step::Query(at) => {
            let expected = is_canonical(at).then(|| model.at(at)).flatten();
            assert_eq!(machine.query(at), expected.map(|(_, page)| page));
        }
    }
}

fn add(
    machine: &mut Machine,
    model: &mut Model,
    left: usize,
    mut map: impl FnMut(&mut Machine) -> Result<(), MapError>,
    expected: impl FnOnce(&mut Model) -> Result<(), MapError>,
) {
    let held = machine.pool.hold_back(left);
    let out = machine.pool.out();
    let mut result = map(machine);
    machine.pool.put_back(held);
    if result == Err(MapError::NoMemory) {
        assert_eq!(machine.pool.out(), out);
        machine.agrees(model);
        result = map(machine);
    }
    if result == Err(MapError::NoMemory) {
        return;
    }
    let expected = expected(model);
    assert_eq!(result, expected);
    if expected.is_err() {
        assert_eq!(machine.pool.out(), out);
    }
}

fn check_flush(at: u64, page: Mapping) {
    match take_flushed().as_slice() {
        [Flushed::Pages(flush, Asid(7))] => {
            assert_eq!((flush.pages.start, flush.step), (VirtAddr(at), page.size.bytes()));
        }
        other => panic!("one page was unmapped, and flushed was {other:?}"),
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn agrees_with_a_map(
        steps in prop::collection::vec((step(), 0usize..5), 1..if cfg!(miri) { 6 } else { 60 }),
        top in 1u8..3,
    ) {
        set_top_leaf_level(top);
        take_flushed();
        let mut machine = machine();
        let mut model = Model { largest: if top == 1 { HUGE } else { LARGE }, ..Model::default() };
        for (step, left) in steps {
            play(&mut machine, &mut model, step, left);
            machine.agrees(&model);
        }
        while let Some((at, page)) = model.pages.pop_first() {
            prop_assert_eq!(machine.unmap(at), Ok(page));
        }
        prop_assert_eq!(machine.pool.out(), 1, "only the root is left");
    }
}

#[test]
fn eight_gigabytes_take_eight_tables_of_large_pages() {
    set_top_leaf_level(2);
    let mut machine = machine();
    let before = machine.pool.out();
    let access = Access::WRITE | Access::GLOBAL;
    assert_eq!(machine.map_range(0xffff_8000_0000_0000, 0, 8 * HUGE, access), Ok(()));
    assert_eq!(machine.pool.out() - before, 1 + 8);
    for at in (0..8 * HUGE).step_by(if cfg!(miri) { 977 } else { 1 } * LARGE as usize) {
        let page = Mapping { frame: PhysAddr(at).frame(), size: PageSize::Large, access };
        assert_eq!(machine.query(0xffff_8000_0000_0000 + at + 12345), Some(page));
    }
}

#[test]
fn the_largest_pages_that_fit_are_used() {
    set_top_leaf_level(1);
    let mut machine = machine();
    let (start, len) = (HUGE - LARGE - SMALL, SMALL + LARGE + HUGE + LARGE + SMALL);
    assert_eq!(machine.map_range(start, start, len, Access::empty()), Ok(()));
    let size = |at: u64| machine.query(at).map(|page| page.size);
    assert_eq!(size(start), Some(PageSize::Small));
    assert_eq!(size(start + SMALL), Some(PageSize::Large));
    assert_eq!(size(HUGE), Some(PageSize::Huge));
    assert_eq!(size(2 * HUGE), Some(PageSize::Large));
    assert_eq!(size(2 * HUGE + LARGE), Some(PageSize::Small));
    assert_eq!(size(start + len), None);
    assert_eq!(size(start - 1), None);
}

#[test]
fn the_last_page_of_the_address_space_can_be_had() {
    let mut machine = machine();
    let at = 0xffff_ffff_ffff_f000;
    let page = Mapping { frame: Frame(5), size: PageSize::Small, access: Access::empty() };
    assert_eq!(machine.map(at, page), Ok(()));
    assert_eq!(machine.query(u64::MAX), Some(page));
    assert_eq!(machine.unmap(at), Ok(page));
    assert_eq!(machine.pool.out(), 1);
}
