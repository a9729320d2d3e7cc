//! Random operations, on disks of all kinds: against the model, with kills and with power cuts.

use crate::client::{Client, fsck, make, mount};
use crate::model::{Model, TOP, Tree};
use files::ROOT;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use volume::Found;
use volume::fake::{Fake, KILLED, Random};

const CACHE: usize = 17 + 2 + 250;

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

fn start(image: Vec<u8>, seed: u64) -> (Client, Model) {
    quiet();
    let mounted = mount(Fake::new(image, CACHE));
    assert!(mounted.has_journal && mounted.found == Found::Nothing);
    (Client::new(mounted.files), Model::new(seed, 50_000))
}

fn check(client: &mut Client, model: &mut Model) {
    model.check(client);
    client.sync().unwrap();
    let image = client.fat().volume().disk().image().to_vec();
    assert_eq!(fsck(&image), None);
}

fn random_operations(kib: usize, arguments: &[&str], seeds: std::ops::Range<u64>, largest: u64) {
    let image = make(kib, arguments);
    for seed in seeds {
        let (mut client, mut model) = start(image.clone(), seed);
        model.largest = largest;
        for _ in 0..4 {
            for _ in 0..100 {
                model.step(&mut client);
            }
            check(&mut client, &mut model);
        }
        // All of it is on the disk.
        let mut disk = client.into_disk();
        disk.lose_cache();
        let mut client = Client::new(mount(disk).files);
        for id in std::mem::take(&mut model.open) {
            model.tree.items.remove(&id);
        }
        model.nodes = [(TOP, ROOT)].into();
        check(&mut client, &mut model);
    }
}

#[test]
fn fat12_does_what_the_model_does() {
    random_operations(1440, &["-F", "12"], 0..12, 50_000);
    random_operations(4 << 10, &["-F", "12", "-s", "16"], 20..26, 200_000);
}

#[test]
fn fat16_does_what_the_model_does() {
    random_operations(9 << 10, &["-F", "16", "-s", "2", "-a"], 0..12, 50_000);
    random_operations(20 << 10, &["-F", "16", "-s", "8"], 20..26, 400_000);
}

#[test]
fn fat32_does_what_the_model_does() {
    random_operations(34 << 10, &["-F", "32", "-s", "1"], 0..8, 50_000);
    random_operations(66 << 10, &["-F", "32", "-s", "2", "-a"], 20..24, 1_000_000);
}

/// Runs until it is done or killed; whether it was done.
fn killed_after(client: &mut Client, steps: u64, mut work: impl FnMut(&mut Client)) -> bool {
    client.fat().volume().disk().kill_in = Some(steps);
    let done = catch_unwind(AssertUnwindSafe(|| work(client)));
    if let Err(why) = &done {
        let text = why.downcast_ref::<String>().cloned().unwrap_or_default();
        assert!(text.contains(KILLED), "{text}");
    }
    let mut disk = client.fat.take().unwrap().into_disk();
    disk.kill_in = None;
    let mounted = mount(disk);
    assert!(matches!(mounted.found, Found::Work(..)), "{:?}", mounted.found);
    client.fat = Some(mounted.files);
    done.is_ok()
}

/// A server is killed again and again; whoever asked it asks its successor the same.
#[test]
fn a_kill_is_not_noticed() {
    let images = [make(1440, &["-F", "12"]), make(9 << 10, &["-F", "16", "-s", "2"])];
    let mut kills = 0;
    for seed in 0..120 {
        let (mut client, mut model) = start(images[seed as usize % 2].clone(), seed);
        for _ in 0..60 {
            let steps = 1 + model.random.below(400);
            let wish = model.random.clone();
            // The same operation on a copy, to be made for good when nobody kills its server.
            let mut before = snapshot(&model, &wish);
            let number = client.number;
            if killed_after(&mut client, steps, |client| {
                before.step(client);
            }) {
                model = before;
                continue;
            }
            kills += 1;
            // It was in its last request, whichever that was: all the others are answered by the receipt or
            // give what they gave.
            replay(&mut client, &mut model, &wish, number);
        }
        check(&mut client, &mut model);
    }
    assert!(kills > 1000, "{kills} kills");
}

fn snapshot(model: &Model, random: &Random) -> Model {
    let mut copy = Model::new(0, model.largest);
    (copy.tree, copy.nodes, copy.open) =
        (model.tree.clone(), model.nodes.clone(), model.open.clone());
    (copy.random, copy.most) = (random.clone(), model.most);
    copy.skip_to(model);
    copy
}

/// Makes an operation again. One has at most one request with a number.
fn replay(client: &mut Client, model: &mut Model, random: &Random, number: u64) {
    let mut again = snapshot(model, random);
    client.number = number;
    again.step(client);
    *model = again;
}

/// The power is cut at any write: what is there then is what was there at a sync or later, and fsck has
/// nothing to say.
#[test]
fn a_power_cut_leaves_a_whole_disk() {
    let images = [
        make(1440, &["-F", "12"]),
        make(9 << 10, &["-F", "16", "-s", "2"]),
        make(34 << 10, &["-F", "32", "-s", "1"]),
    ];
    let (mut cuts, mut clean) = (0, 0);
    for seed in 0..150 {
        let (mut client, mut model) = start(images[seed as usize % 3].clone(), seed);
        for _ in 0..model.random.below(60) {
            model.step(&mut client);
        }
        client.sync().unwrap();
        let synced = model.tree.clone();
        let mut states = vec![synced.clone()];
        for _ in 0..model.random.below(30) {
            model.step(&mut client);
            states.push(model.tree.clone());
        }
        client.fat().volume().disk().cut_in = Some(model.random.below(400));
        let done = client.sync();
        let mut disk = client.into_disk();
        disk.cut(&mut model.random);
        cuts += u64::from(done.is_err());
        clean += u64::from(done.is_err() && fsck(disk.image()).is_none());
        let mut client = Client::new(mount(disk).files);
        client.sync().unwrap();
        assert_eq!(fsck(client.fat().volume().disk().image()), None, "seed {seed}");
        let found = found(&mut client);
        let shape = found.shape();
        let states = if done.is_ok() { &states[states.len() - 1..] } else { &states[..] };
        let state = states.iter().rev().find(|state| state.shape() == shape);
        let state = state.unwrap_or_else(|| panic!("seed {seed}: no state looks like {shape:?}"));
        // What was synced, and did not change since, is there.
        for path in shape.iter().filter(|it| it.1.is_some()).map(|it| it.0) {
            let (id, here) = (state.at(path).unwrap(), found.at(path).unwrap());
            let last = states.last().unwrap().items.get(&id);
            let same = synced.items.get(&id) == last && last.is_some();
            if same || done.is_ok() {
                assert!(found.bytes(here) == state.bytes(id), "seed {seed}: the bytes of {path}");
            }
        }
    }
    println!(
        "{cuts} cuts in a sync; fsck was content with {clean} of them before the journal was read"
    );
    assert!(cuts > 50, "{cuts}");
}

/// The tree that a server has.
fn found(client: &mut Client) -> Tree {
    let mut tree = Tree::new();
    let mut left = vec![(TOP, ROOT)];
    while let Some((id, node)) = left.pop() {
        for (name, _, mode) in client.list(node).unwrap() {
            let (below, told) = (tree.items.len(), client.lookup(node, &name).unwrap());
            if mode & files::KIND == files::DIRECTORY {
                tree.items.insert(below, crate::model::Item::Directory(Default::default()));
                left.push((below, told.node));
            } else {
                let bytes = client.read(told.node, 0).unwrap();
                tree.items.insert(below, crate::model::Item::File(bytes));
            }
            tree.names_mut(id).insert(crate::model::fold(&name), (name, below));
        }
    }
    tree
}
