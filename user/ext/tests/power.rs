//! Power cuts at every write of a workload: the volume is as after one of the last syncs, whoever
//! replays the journal, and `e2fsck` finds nothing wrong with it.

mod support;

use ext::Ext;
use files::FileSystem;
use std::collections::BTreeMap;
use support::model::World;
use support::tree::{File, Files, tree};
use support::{Event, Paper, cut, fsck, is_clean, mkfs, mount, unmount};
use volume::fake::Random;

const JOURNALED: &[(&str, &[&str])] = &[
    ("ext4", &["-b", "4096"]),
    ("ext4", &["-b", "1024"]),
    ("ext3", &["-b", "1024"]),
    ("ext4", &["-b", "2048", "-O", "^metadata_csum,^64bit"]),
];

/// Files by their names alone, for what has a name is all that counts.
fn named(files: &Files) -> BTreeMap<u64, File> {
    files.iter().filter(|(_, file)| file.links > 0).map(|(n, f)| (*n, f.clone())).collect()
}

/// A workload: what was on the disk first, what happened to it, and what was there after each sync,
/// with the number of events until then.
struct Story {
    base: Vec<u8>,
    events: Vec<Event>,
    syncs: Vec<(usize, BTreeMap<u64, File>)>,
}

fn story(kind: &str, words: &[&str], seed: u64) -> Story {
    // The cache is so large that nothing goes to the disk but when it is told to.
    let mut world = World::new(mkfs(kind, words, 16 << 10, None), seed, 4096);
    world.careful = true;
    for _ in 0..60 {
        world.operation();
    }
    world.ext().sync().expect("a sync");
    let mut disk = world.ext.take().expect("it is mounted").into_disk();
    disk.events = Some(Vec::new());
    let base = disk.image.clone();
    let files = named(&world.files);
    world.ext = Some(Ext::mount(disk, false).unwrap_or_else(|refusal| panic!("{refusal}")).0);
    let mut syncs = vec![(0, files)];
    for _ in 0..8 {
        let events = |world: &mut World| world.ext().disk().events.as_ref().expect("events").len();
        let before = events(&mut world);
        for _ in 0..25 {
            world.operation();
        }
        assert_eq!(events(&mut world), before);
        world.ext().sync().expect("a sync");
        let events = events(&mut world);
        syncs.push((events, named(&world.files)));
    }
    let events = world.ext().disk().events.take().expect("events");
    Story { base, events, syncs }
}

/// What is found is what was there after the last sync before the cut, or after the next one.
fn compare(story: &Story, after: usize, image: Vec<u8>, what: &str) {
    let last = story.syncs.iter().rposition(|(events, _)| *events <= after).expect("the first");
    let found = tree(&mut mount(image));
    let next = story.syncs.get(last + 1).is_some_and(|(_, files)| *files == found);
    assert!(story.syncs[last].1 == found || next, "{what}: neither the old nor the new state");
}

/// Cuts the power after one in so many events: `OCHRE_EVERY`.
#[test]
fn every_write() {
    let step = std::env::var("OCHRE_EVERY").map_or(31, |step| step.parse().expect("a number"));
    for (nth, (kind, words)) in JOURNALED.iter().enumerate() {
        let story = story(kind, words, nth as u64 + 1);
        let mut random = Random::new(nth as u64);
        for after in (random.below(step) as usize..=story.events.len()).step_by(step as usize) {
            let what = format!("{kind} {words:?}, cut after {after} of {}", story.events.len());
            // e2fsck brings home what is in the journal.
            let image = cut(&story.base, &story.events, after, false, &mut random);
            let (status, said, image) = fsck(&image, &["-p", "-E", "journal_only"]);
            assert!(status & !1 == 0, "{what}: {said}");
            let (status, said, image) = fsck(&image, &["-p"]);
            assert!(status & !1 == 0, "{what}: {said}");
            is_clean(&image, &what);
            compare(&story, after, image, &what);
            // We do, from sectors that are torn.
            let image = cut(&story.base, &story.events, after, true, &mut random);
            let (ext, _) = Ext::mount(Paper::new(image, 1024), false).expect("a mount");
            let image = unmount(ext);
            is_clean(&image, &what);
            compare(&story, after, image, &what);
        }
    }
}

/// Cut once more while the journal is brought home.
#[test]
fn cut_while_replaying() {
    let story = story("ext4", &["-b", "1024"], 9);
    let mut random = Random::new(9);
    for after in (0..story.events.len()).step_by(23) {
        let image = cut(&story.base, &story.events, after, false, &mut random);
        let mut disk = Paper::new(image.clone(), 1024);
        disk.events = Some(Vec::new());
        let (mut ext, _) = Ext::mount(disk, false).expect("a mount");
        let events = ext.disk().events.take().expect("events");
        let again = random.below(events.len() as u64 + 1) as usize;
        let image = cut(&image, &events, again, false, &mut random);
        let image = unmount(mount(image));
        let what = format!("cut after {after} and {again}");
        is_clean(&image, &what);
        compare(&story, after, image, &what);
    }
}
