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
