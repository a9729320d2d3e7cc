//! Disks on which something is wrong: no panic, no endless loop, whatever is asked for.

use crate::client::{Client, make};
use fat::Fat;
use files::requests::{Read, Write};
use files::{Attributes, DIRECTORY, Failure, MOST, REGULAR, ROOT, Request};
use volume::fake::{Fake, Random};

const CACHE: usize = 17 + 2 + 120;
/// Steps at the disk and its cache that mounting takes at most, or a look at one file.
const STEPS: u64 = 1_500_000;

/// Disks with a few files on them, which are small, and where their structure ends.
fn disks() -> Vec<(Vec<u8>, u64)> {
    let kinds: [(usize, &[&str], u64); 3] = [
        (1440, &["-F", "12"], 60 << 10),
        (5 << 10, &["-F", "16", "-s", "1"], 200 << 10),
        (33 << 10, &["-F", "32", "-s", "1"], 700 << 10),
    ];
    let fill = |(kib, arguments, end): (usize, &[&str], u64)| {
        let mounted = Fat::mount(Fake::new(make(kib, arguments), CACHE), false).unwrap();
        let mut client = Client::new(mounted.files);
        let mut parent = ROOT;
        for nth in 0..6 {
            let name = format!("A directory that is number {nth}");
            let folder = client.create(parent, &name, DIRECTORY | 0o755).unwrap().node;
            for nth in 0..8 {
                let file =
                    client.create(folder, &format!("file {nth}.text"), REGULAR).unwrap().node;
                client.write(file, 0, &vec![nth as u8; 700 * nth]).unwrap();
            }
            parent = if nth % 2 == 0 { folder } else { ROOT };
        }
        client.sync().unwrap();
        (client.into_disk().image().to_vec(), end)
    };
    kinds.into_iter().map(fill).collect()
}

/// Puts something wrong somewhere.
fn damage(image: &mut [u8], end: u64, random: &mut Random) {
    for _ in 0..1 + random.below(12) {
        // The boot sector and the first entries decide most.
        let range = match random.below(4) {
            0 => 90,
            1 => 4096,
            _ => end,
        };
        let at = random.below(range) as usize;
        let width = 1 << random.below(3);
        let value = match random.below(4) {
            0 => 0,
            1 => u64::MAX,
            2 => random.below(64),
            _ => random.next(),
        };
        image[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
    }
}

/// Does all that can be done to what can be reached.
fn use_all(client: &mut Client, random: &mut Random) -> Result<(), Failure> {
    let mut left = vec![ROOT];
    let mut seen = 0;
    while let Some(node) = left.pop() {
        for (name, _, _) in client.list(node).unwrap_or_default().into_iter().take(200) {
            let Ok(told) = client.lookup(node, &name) else { continue };
            seen += 1;
            client.fat().volume().disk().kill_in = Some(STEPS);
            if seen > 300 {
                return Ok(());
            }
            if told.mode & DIRECTORY != 0 {
                left.push(told.node);
                let _ = client.create(told.node, "something new that has a long name", REGULAR);
            } else {
                let (file, place) = (told.node, random.below(told.size + 1));
                let _ = client.ask(Request::of(Read { file, place }).room(MOST), false);
                let place = random.below(5000);
                let _ = client.ask(Request::of(Write { file, place }).with(&[7; 3000]), false);
            }
            let _ = match random.below(6) {
                0 => client.truncate(told.node, random.below(20_000)),
                1 => client.unlink(node, &name),
                2 => client.rename(node, &name, ROOT, "moved here"),
                3 => client.set(told.node, &Attributes::default()).map(|_| ()),
                4 => client.release(told.node),
                _ => Ok(()),
            };
        }
    }
    client.sync()
}

fn run(cases: u64, base: u64) {
    let disks = disks();
    let (mut mounted, mut synced) = (0, 0);
    for seed in 0..cases {
        let mut random = Random::new(base + seed);
        let kind = match seed % 40 {
            0 => 2,
            1..10 => 1,
            _ => 0,
        };
        let (image, end) = &disks[kind];
        let mut image = image.clone();
        damage(&mut image, *end, &mut random);
        let mut disk = Fake::new(image, CACHE);
        // Whatever takes more steps than that counts as endless: it panics.
        disk.kill_in = Some(STEPS);
        let Ok(it) = Fat::mount(disk, random.once_in(8)) else { continue };
        mounted += 1;
        let mut client = Client::new(it.files);
        synced += u64::from(use_all(&mut client, &mut random).is_ok());
    }
    println!("{mounted} of {cases} could be mounted, {synced} were used and synced");
    assert!(mounted > cases / 3 && synced > cases / 4);
}

#[test]
fn ten_thousand_broken_disks_do_no_harm() {
    run(std::env::var("OCHRE_BROKEN").map_or(10_000, |it| it.parse().unwrap()), 0);
}

#[test]
fn noise_is_no_disk() {
    let mut random = Random::new(1);
    for _ in 0..500 {
        let image: Vec<u8> = (0..64 << 10).map(|_| random.next() as u8).collect();
        let _ = Fat::mount(Fake::new(image, CACHE), false).map(|_| ());
    }
    let why = Fat::mount(Fake::new(vec![0; 64 << 10], CACHE), false).err();
    assert_eq!(why.unwrap().failure, Failure::Invalid);
}

#[test]
fn sectors_that_cannot_be_read_are_told() {
    let (image, end) = disks().swap_remove(0);
    for bad in 0..end / 512 + 40 {
        let mut disk = Fake::new(image.clone(), CACHE);
        disk.bad = vec![bad];
        let Ok(mounted) = Fat::mount(disk, bad % 2 == 0) else { continue };
        let mut client = Client::new(mounted.files);
        let _ = use_all(&mut client, &mut Random::new(bad));
    }
}
