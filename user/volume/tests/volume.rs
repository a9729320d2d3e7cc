//! A volume against a model: random operations, kills at any step, power cuts at any write, damage.

use files::Receipt;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use volume::fake::{Fake, KILLED, Random};
use volume::{Disk, Found, Log, PAGE, Volume};

/// Pages of the disk that are used, those of the journal after them, notes, pages of the cache.
const USED: u64 = 150;
const JOURNAL: u64 = 40;
const NOTES: u64 = 3;
const CACHE: usize = 17 + 2 + 90;

/// What the pages and notes are filled with.
type State = Vec<u64>;

struct World {
    volume: Option<Volume<Fake>>,
    log: Log,
    random: Random,
    /// What holds, and the number of the last operation.
    now: State,
    number: u64,
    /// What was there at the last sync.
    synced: State,
}

/// Panics of programs that are killed are not worth a line.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = take_hook();
        set_hook(Box::new(move |info| {
            if !info.to_string().contains(KILLED) {
                hook(info);
            }
        }));
    });
}

fn stamp(page: &[u8; PAGE]) -> u64 {
    let words = page.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap()));
    let words: Vec<_> = words.collect();
    assert!(words.iter().all(|word| *word == words[0]), "a page is torn");
    words[0]
}

fn fill(page: &mut [u8; PAGE], stamp: u64) {
    page.chunks_exact_mut(8).for_each(|word| word.copy_from_slice(&stamp.to_le_bytes()));
}

impl World {
    fn new(seed: u64) -> World {
        quiet();
        let image = vec![0; (USED + JOURNAL) as usize * PAGE];
        let (volume, found) = Volume::open(Fake::new(image, CACHE)).unwrap();
        assert_eq!(found, Found::Nothing);
        let now = vec![0; (USED + NOTES) as usize];
        let (log, random) = (Log::new(USED, JOURNAL), Random::new(seed));
        World { volume: Some(volume), log, random, synced: now.clone(), now, number: 0 }
    }

    fn volume(&mut self) -> &mut Volume<Fake> {
        self.volume.as_mut().unwrap()
    }

    /// The number of the page that the model has at this place.
    fn page(&self, place: u64) -> u64 {
        if place < USED { place } else { place + JOURNAL }
    }

    /// One operation: what the state is after it, unless it is aborted.
    fn operation(&mut self) -> State {
        let mut next = self.now.clone();
        let number = self.number + 1;
        for nth in 0..self.random.below(9) {
            let place = self.random.below(USED + NOTES);
            let (page, kind) = (self.page(place), self.random.below(4));
            let stamp = number << 8 | nth;
            let volume = self.volume();
            let staged = match kind {
                0 => volume.fresh(page),
                1 if place < USED => volume.data(page, true),
                2 if place < USED => volume.data(page, false),
                _ => volume.change(page),
            };
            let bytes = staged.unwrap();
            assert!(kind < 2 || self::stamp(bytes) == next[place as usize]);
            fill(bytes, stamp);
            next[place as usize] = stamp;
        }
        if self.random.once_in(6) {
            self.volume().abort();
            return self.now.clone();
        }
        let receipt = Receipt::new(number, 3 * number, &number.to_le_bytes());
        self.volume().words()[1] = number;
        self.volume().commit(Some(&receipt));
        self.number = number;
        next
    }

    fn read_some(&mut self) {
        let place = self.random.below(USED + NOTES);
        let (page, now) = (self.page(place), self.now.clone());
        assert_eq!(stamp(self.volume().page(page).unwrap()), now[place as usize]);
        let first = self.random.below(USED);
        let (wanted, ahead) = (1 + self.random.below(20), self.random.below(40));
        let bytes = self.volume().run(first, wanted as usize, ahead as usize).unwrap();
        for (nth, page) in bytes.chunks(PAGE).enumerate() {
            let expected =
                now.get(first as usize + nth).copied().filter(|_| first + (nth as u64) < USED);
            assert!(expected.is_none_or(|expected| stamp(page.try_into().unwrap()) == expected));
        }
    }

    /// All pages are as the model has them.
    fn check(&mut self) {
        for place in 0..USED + NOTES {
            let page = self.page(place);
            let found = stamp(self.volume().page(page).unwrap());
            assert_eq!(found, self.now[place as usize], "page {page}");
        }
        let number = self.number;
        assert_eq!(self.volume().receipt().number, number);
        assert_eq!(self.volume().words()[1], number);
        let told = number.to_le_bytes();
        assert!(number == 0 || self.volume().receipt().told() == told);
    }

    fn sync(&mut self) {
        let mut log = self.log;
        self.volume().sync(&mut log).unwrap();
        self.synced = self.now.clone();
    }

    /// Something that is killed at some step: the successor has what was before, or what was after.
    fn killed(&mut self, steps: u64) {
        let before = (self.now.clone(), self.number);
        self.volume().disk().kill_in = Some(steps);
        let syncs = self.random.once_in(3);
        let done = catch_unwind(AssertUnwindSafe(|| {
            if syncs { self.sync() } else { self.now = self.operation() }
        }));
        if let Err(why) = &done {
            let text = why.downcast_ref::<String>().map_or("", |text| text);
            assert!(text.contains(KILLED), "{text}");
        }
        let mut disk = self.volume.take().unwrap().into_disk();
        disk.kill_in = None;
        let scratch = 2..18;
        let log = self.log;
        let (volume, found) = Volume::open(disk).unwrap();
        assert!(matches!(found, Found::Work(..)), "{found:?}");
        self.volume = Some(volume);
        let number = self.volume().receipt().number;
        assert!(number == before.1 || number == before.1 + 1);
        if done.is_err() && number == before.1 {
            (self.now, self.number) = before;
        } else if done.is_err() {
            // The commit was the last thing of it that counts: what it staged is in the model's future.
            self.number = number;
            self.now = (0..USED + NOTES)
                .map(|place| {
                    let page = self.page(place);
                    let found = stamp(self.volume().page(page).unwrap());
                    let was = before.0[place as usize];
                    assert!(found == was || found >> 8 == number);
                    found
                })
                .collect();
        }
        log.replay(self.volume().disk(), scratch).unwrap();
        self.check();
        self.sync();
    }

    /// The power is cut in a sync: the disk has what was there at this one, or the one before.
    fn cut(&mut self, writes: u64) {
        let mut log = self.log;
        self.volume().disk().cut_in = Some(writes);
        let done = self.volume().sync(&mut log);
        let mut disk = self.volume.take().unwrap().into_disk();
        disk.cut(&mut self.random);
        log.replay(&mut disk, 2..18).unwrap();
        disk.lose_cache();
        let (volume, found) = Volume::open(disk).unwrap();
        assert_eq!(found, Found::Nothing);
        self.volume = Some(volume);
        let (old, new) = (self.synced.clone(), self.now.clone());
        let mut found = Vec::new();
        for place in 0..USED {
            found.push(stamp(self.volume().page(place).unwrap()));
        }
        let is = |state: &State| state[..USED as usize] == found;
        assert!(is(&new) || done.is_err() && is(&old), "neither the old nor the new state");
        found.resize((USED + NOTES) as usize, 0);
        (self.synced, self.now, self.number) = (found.clone(), found, 0);
    }
}

fn cases(many: u64) -> u64 {
    if cfg!(miri) { 2 } else { many }
}

#[test]
fn it_does_what_the_model_does() {
    for seed in 0..cases(300) {
        let mut world = World::new(seed);
        for _ in 0..60 {
            world.now = world.operation();
            world.read_some();
            let log = world.log;
            if world.volume().is_full(&log) || world.random.once_in(10) {
                world.sync();
            }
        }
        world.check();
    }
}

#[test]
fn a_kill_leaves_whole_operations() {
    for seed in 0..cases(1500) {
        let mut world = World::new(seed);
        for _ in 0..8 {
            for _ in 0..world.random.below(4) {
                world.now = world.operation();
            }
            let steps = world.random.below(60);
            world.killed(steps);
        }
    }
}

#[test]
fn a_power_cut_leaves_what_was_there_at_a_sync() {
    for seed in 0..cases(1500) {
        let mut world = World::new(seed);
        for _ in 0..4 {
            for _ in 0..world.random.below(4) {
                // Pages of the structure alone: data has no order.
                let mut next = world.now.clone();
                for nth in 0..world.random.below(6) {
                    let place = world.random.below(USED);
                    let stamp = (world.number + 1) << 8 | nth;
                    fill(world.volume().change(place).unwrap(), stamp);
                    next[place as usize] = stamp;
                }
                world.number += 1;
                world.volume().commit(None);
                world.now = next;
            }
            if world.random.once_in(3) {
                world.sync();
            }
            let writes = world.random.below(300);
            world.cut(writes);
        }
    }
}

#[test]
fn damage_is_found_and_told() {
    let mut told = 0;
    for seed in 0..cases(1500) {
        let mut world = World::new(seed);
        let mut states = vec![world.now.clone()];
        for _ in 0..6 {
            world.now = world.operation();
            states.truncate(world.number as usize);
            states.push(world.now.clone());
        }
        let mut disk = world.volume.take().unwrap().into_disk();
        for _ in 0..1 + world.random.below(40) {
            let at = world.random.below(CACHE as u64) as usize;
            let at = if world.random.once_in(2) { at % 3 } else { at };
            let (nth, value) = (world.random.below(512) as usize, world.random.next());
            let nth = if at == 0 { nth % 64 } else { nth };
            disk.cache()[at][nth] ^= value;
        }
        let (volume, found) = Volume::open(disk).unwrap();
        world.volume = Some(volume);
        match found {
            Found::Damage(_) => {
                told += 1;
                assert_eq!(world.volume().dirty(), 0);
            }
            // What is believed is right. If the last record is gone, it is what was there before.
            _ => {
                world.number = world.volume().receipt().number;
                world.now = states[world.number as usize].clone();
                assert!(states.len() as u64 <= world.number + 2);
                world.check();
            }
        }
    }
    assert!(told > cases(1500) / 4, "{told}");
}

#[test]
fn what_cannot_be_read_ahead_does_no_harm() {
    let mut disk = Fake::new(vec![7; 64 * PAGE], CACHE);
    disk.bad = vec![10 * 8 + 3];
    let (mut volume, _) = Volume::open(disk).unwrap();
    assert_eq!(volume.run(8, 2, 16).unwrap().len(), PAGE);
    assert_eq!(volume.run(9, 1, 16).unwrap().len(), PAGE);
    assert!(volume.page(10).is_err() && volume.change(10).is_err());
    assert_eq!(volume.run(11, 40, 1).unwrap().len(), 40 * PAGE);
    assert!(volume.page(64 + (1 << 20)).is_err());
}

#[test]
fn a_page_that_cannot_be_written_is_told_of_and_keeps_nothing_else_back() {
    let mut disk = Fake::new(vec![0; (USED + JOURNAL) as usize * PAGE], CACHE);
    disk.worn = Some(12);
    let (mut volume, _) = Volume::open(disk).unwrap();
    let mut log = Log::new(USED, JOURNAL);
    for page in 10..15 {
        fill(volume.data(page, true).unwrap(), page);
    }
    fill(volume.change(20).unwrap(), 20);
    volume.commit(None);
    volume.sync(&mut log).unwrap();
    assert!(volume.told().is_err() && volume.told().is_ok() && volume.dirty() == 0);
    let on_disk = |volume: &mut Volume<Fake>, page: u64| {
        volume.disk().image()[page as usize * PAGE..][..8].to_vec()
    };
    for page in [10, 11, 13, 14, 20] {
        assert_eq!(on_disk(&mut volume, page), page.to_le_bytes());
    }
    assert_eq!(on_disk(&mut volume, 12), [0; 8]);
    // The structure is written whole, or stays dirty.
    volume.disk().worn = Some(20);
    fill(volume.change(20).unwrap(), 21);
    volume.commit(None);
    assert!(volume.sync(&mut log).is_err() && volume.dirty() == 1);
    volume.disk().worn = None;
    volume.sync(&mut log).unwrap();
    assert_eq!(on_disk(&mut volume, 20), 21u64.to_le_bytes());
}

#[test]
fn reading_in_order_asks_seldom() {
    let (mut volume, _) = Volume::open(Fake::new(vec![7; 4096 * PAGE], 1024)).unwrap();
    let mut page = 0;
    while page < 4096 {
        page += volume.run(page, 16, 64).unwrap().len() as u64 / PAGE as u64;
    }
    let reads = volume.disk().counts[0];
    assert!(reads < 4096 / 64 + 16, "{reads} reads");
}
