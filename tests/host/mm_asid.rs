//! Tags of address spaces: no two that could be in TLBs at the same time share one.

use crate::support::cases;
use ochre::mm::asid::{Asids, Tag};
use ochre::units::{Asid, MAX_CPUS};
use proptest::prelude::*;

const SPACES: usize = 40;
const TAGS: u16 = 16;

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn no_translation_is_taken_for_anothers(
        steps in prop::collection::vec((0..MAX_CPUS, 0..=SPACES), 1..if cfg!(miri) { 40 } else { 400 }),
    ) {
        let mut asids = Asids::new(TAGS);
        let mut tags = [Tag::default(); SPACES];
        let mut running: [Option<(usize, Asid)>; MAX_CPUS] = [None; MAX_CPUS];
        // Whose translations every TLB might hold, by tag, since the last flush of all.
        let mut cached: [Option<usize>; TAGS as usize] = [None; TAGS as usize];
        for (cpu, space) in steps {
            if space == SPACES {
                running[cpu] = None;
                continue;
            }
            running[cpu] = None;
            let others = running.map(|run| run.map_or(Tag::default(), |(space, _)| tags[space]));
            let flush_all = asids.switch(&mut tags[space], &others);
            let asid = tags[space].asid;
            running[cpu] = Some((space, asid));
            prop_assert!(asid != Asid::KERNEL && asid.0 < TAGS);
            if flush_all {
                cached = Default::default();
                for (space, asid) in running.into_iter().flatten() {
                    cached[asid.0 as usize] = Some(space);
                }
            }
            let owner = cached[asid.0 as usize].replace(space);
            prop_assert!(owner.is_none() || owner == Some(space), "{owner:?} is {space}");
            for (other, of_other) in running.into_iter().flatten() {
                prop_assert_eq!(other == space, of_other == asid);
            }
        }
    }
}

#[test]
fn a_tag_lasts_until_they_run_out() {
    let mut asids = Asids::new(256);
    let mut first = Tag::default();
    let alone = [Tag::default(); MAX_CPUS];
    assert!(!asids.switch(&mut first, &alone));
    let before = first;
    for _ in 0..254 {
        assert!(!asids.switch(&mut Tag::default(), &alone));
        assert!(!asids.switch(&mut first, &alone));
        assert_eq!(first, before);
    }
    assert!(asids.switch(&mut Tag::default(), &alone));
    assert!(!asids.switch(&mut first, &alone));
}
