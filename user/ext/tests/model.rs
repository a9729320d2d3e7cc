//! ext against a model: random requests on all kinds of images, checked by `e2fsck`.

mod support;

use support::model::World;
use support::{KINDS, is_clean, mkfs};

/// Requests between two checks, and checks.
const BATCH: usize = 150;
const BATCHES: usize = 6;

fn go(kind: &str, words: &[&str], kib: usize, seed: u64) {
    let what = format!("{kind} {words:?}, seed {seed}");
    let mut world = World::new(mkfs(kind, words, kib, None), seed, 1024);
    for batch in 0..BATCHES {
        let full = (0..BATCH).filter(|_| !world.operation()).count();
        assert!(full == 0 || kib < 20_000, "{what}: no room");
        world.release();
        world.check();
        if world.random.once_in(2) {
            world.succeed();
            world.check();
        }
        let image = world.unmount();
        is_clean(&image, &format!("{what}, batch {batch}"));
        world.ext = Some(support::mount(image));
        world.check();
    }
}

/// All kinds of images, with seeds of which more can be asked for.
fn each(kib: usize, first: u64) {
    let seeds = std::env::var("OCHRE_SEEDS").map_or(1, |seeds| seeds.parse().expect("a number"));
    for seed in first..first + seeds {
        for (kind, words) in KINDS {
            go(kind, words, kib, seed);
        }
    }
}

#[test]
fn much_room() {
    each(32 << 10, 1);
}

#[test]
fn little_room() {
    each(6 << 10, 1000);
}

/// The server is killed at any step of any request; the next one goes on.
#[test]
fn killed() {
    support::quiet();
    let mut kills = [0; 2];
    for (nth, (kind, words)) in KINDS.iter().enumerate() {
        let what = format!("{kind} {words:?}");
        let mut world = World::new(mkfs(kind, words, 16 << 10, None), 77 + nth as u64, 300);
        for _ in 0..6 {
            for _ in 0..60 {
                world.killed();
            }
            world.check();
            kills = [kills[0] + world.kills[0], kills[1] + world.kills[1]];
            let image = world.unmount();
            // Files without names that nobody released are still there.
            let image = support::unmount(support::mount(image));
            is_clean(&image, &what);
            world = World::new(image, world.random.next(), 300);
        }
    }
    assert!(kills[0] > 500 && kills[1] > 20, "{kills:?} kills");
}
