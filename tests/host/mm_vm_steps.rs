//! What the model of virtual memory is put through: random steps, about as often as they find something.

use ochre::abi::USER_END;
use ochre::units::PAGE_SIZE;
use proptest::prelude::*;

/// Address spaces there are.
pub const SPACES: usize = 3;
/// Memories there are at a time.
pub const MEMORIES: usize = 4;
/// Where things are mapped: around the borders of tables, and at the ends.
const BASES: [u64; 5] =
    [0, (2 << 20) - 0xc000, (1 << 30) - 0x8000, (1 << 39) - 0xa000, USER_END - 0x20000];
const SIZES: [u64; 6] = [1, 2, 16, 24, 530, (1 << 18) + 20];

/// What is done.
#[derive(Clone, Debug)]
pub enum Step {
    Create(usize, u64),
    Drop(usize),
    Map(usize, usize, u64, u64, u64, u64),
    Unmap(usize, u64, u64),
    Protect(usize, u64, u64, u64),
    Touch(usize, u64, Option<u8>),
    CloneMemory(usize, usize, u64, u64),
    Resize(usize, u64),
    CloneSpace(usize, usize),
    Copy(usize, u64, usize, u64),
    Fill(usize, u64, u8),
    Fetch(usize, u64, usize, u64),
    Renew(usize),
    Enter(usize),
}

fn address() -> impl Strategy<Value = u64> {
    (0..BASES.len(), 0u64..32).prop_map(|(base, page)| BASES[base] + page * PAGE_SIZE)
}

fn page() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0u64..24, 1 => 500u64..530, 1 => 1u64 << 18..(1 << 18) + 20]
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 1u64..20, 1 => Just(700), 1 => Just(1 << 19)]
}

pub fn step() -> impl Strategy<Value = Step> {
    let space = || 0..SPACES;
    let memory = || 0..MEMORIES;
    let size = || prop::sample::select(&SIZES[..]);
    prop_oneof![
        2 => (memory(), size()).prop_map(|(m, n)| Step::Create(m, n)),
        1 => memory().prop_map(Step::Drop),
        6 => (space(), memory(), address(), page(), 1u64..24, 0u64..32)
            .prop_map(|(s, m, at, first, pages, access)| Step::Map(s, m, at, first, pages, access)),
        3 => (space(), address(), count()).prop_map(|(s, at, n)| Step::Unmap(s, at, n)),
        3 => (space(), address(), count(), 0u64..3).prop_map(|(s, at, n, a)| Step::Protect(s, at, n, a)),
        16 => (space(), address(), any::<Option<u8>>()).prop_map(|(s, at, w)| Step::Touch(s, at, w)),
        2 => (memory(), memory(), page(), count())
            .prop_map(|(to, from, first, n)| Step::CloneMemory(to, from, first, n)),
        2 => (memory(), prop_oneof![size(), 0u64..24]).prop_map(|(m, n)| Step::Resize(m, n)),
        2 => (space(), space()).prop_map(|(to, from)| Step::CloneSpace(to, from)),
        3 => (space(), address(), space(), address())
            .prop_map(|(s, from, t, to)| Step::Copy(s, from, t, to)),
        3 => (memory(), page(), any::<u8>()).prop_map(|(m, p, v)| Step::Fill(m, p, v)),
        2 => (memory(), page(), space(), address()).prop_map(|(m, p, s, at)| Step::Fetch(m, p, s, at)),
        1 => space().prop_map(Step::Renew),
        1 => space().prop_map(Step::Enter),
    ]
}
