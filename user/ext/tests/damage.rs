//! Images in which something was changed: whatever they say, requests end soon, and fail if they must.

mod support;

use ext::Ext;
use files::{FileSystem, Node, ROOT};
use std::fs;
use std::os::unix::fs::symlink;
use support::world::{Requests, Taken, new};
use support::{Folder, Paper, fsck, mkfs, run};
use volume::fake::Random;

/// Images that are changed; `OCHRE_DAMAGE` is how often all together, `OCHRE_SEED` with which seed.
const BASES: &[(&str, &[&str], usize)] = &[
    ("ext4", &["-b", "1024", "-N", "256"], 3 << 10),
    ("ext4", &["-b", "1024", "-N", "256", "-O", "^metadata_csum"], 3 << 10),
    ("ext4", &["-N", "256", "-O", "^metadata_csum"], 1 << 10),
    (
        "ext4",
        &["-b", "1024", "-N", "256", "-g", "512", "-O", "^metadata_csum,uninit_bg,^has_journal"],
        2 << 10,
    ),
    ("ext3", &["-b", "1024", "-N", "256"], 3 << 10),
    ("ext2", &["-b", "1024", "-N", "128"], 1 << 10),
];

/// Steps that one request may take: each looks at a page of the cache.
const STEPS: u64 = 1_000_000;

fn bases() -> Vec<Vec<u8>> {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("a/b/c")).expect("folders");
    for nth in 0..60 {
        fs::write(folder.path(&format!("a/file-with-a-name-{nth}")), vec![nth; nth as usize * 40])
            .expect("a file");
    }
    fs::write(folder.path("a/b/large"), vec![1; 300_000]).expect("a file");
    symlink("y".repeat(200), folder.path("a/long")).expect("a link");
    let images = BASES.iter().map(|(kind, words, kib)| {
        let image = mkfs(kind, words, *kib, Some(&folder.0));
        // Some directories have an index, and some journals something in them.
        if *kib == 3 << 10 { with_journal(&fsck(&image, &["-fyD"]).2) } else { image }
    });
    images.collect()
}

/// An image whose journal has some of its blocks, and revocations.
fn with_journal(image: &[u8]) -> Vec<u8> {
    let folder = Folder::new();
    let (file, block, script) = (folder.path("image"), folder.path("block"), folder.path("script"));
    fs::write(&file, image).expect("an image");
    fs::write(&block, &image[..60 << 10]).expect("blocks");
    let write = |from: u32| {
        let blocks: Vec<_> = (from..from + 60).map(|block| block.to_string()).collect();
        format!("jw -b {} {}", blocks.join(","), block.display())
    };
    let text = ["jo", "jw -r 2100,2101", &write(2050), "jw -r 2052", &write(2100), "jc"].join("\n");
    fs::write(&script, text).expect("a script");
    let (status, said) = run("debugfs", &["-w", "-f", script.to_str().expect("a path")], &file);
    assert_eq!(status, 0, "{said}");
    let image = fs::read(&file).expect("the image");
    let replayed =
        Ext::mount(Paper::new(image.clone(), 256), true).map(|(_, mounted)| mounted.replayed);
    assert!(replayed.is_ok_and(|blocks| blocks > 100), "{said}");
    image
}

/// Changes something where there is something.
fn damage(image: &mut [u8], random: &mut Random) {
    for _ in 0..1 + random.below(12) {
        let at = loop {
            let near = if random.once_in(3) { 8 << 10 } else { image.len() as u64 };
            let at = random.below(near) as usize & !3;
            if image[at & !63..][..64].iter().any(|&byte| byte != 0 && byte != 0xff) {
                break at;
            }
        };
        let word = match random.below(6) {
            0 => 0,
            1 => u32::MAX,
            2 => random.below(64) as u32,
            3 => random.below(4096) as u32,
            4 => 1 << random.below(32),
            _ => random.next() as u32,
        };
        let length = 1 << random.below(3);
        image[at..at + length].copy_from_slice(&word.to_le_bytes()[..length]);
        if random.once_in(20) {
            let from = random.below(image.len() as u64) as usize & !1023;
            image.copy_within(from..from + 1024, at & !1023);
        }
    }
}

/// Does a request, and sees that it ends soon.
fn soon<R>(
    ext: &mut Ext<Paper>,
    act: impl FnOnce(&mut Ext<Paper>) -> files::Result<R>,
) -> Option<R> {
    let before = ext.disk().steps;
    let done = ext.change(act);
    let steps = ext.disk().steps - before;
    assert!(steps < STEPS, "{steps} steps");
    done.ok()
}

/// All kinds of requests; the names that were found.
fn use_it(ext: &mut Ext<Paper>, random: &mut Random) -> Vec<(Node, Vec<u8>, Node)> {
    let (mut found, mut next) = (vec![(ROOT, Vec::new(), ROOT)], 0);
    while next < found.len() && found.len() < 150 {
        let node = found[next].2;
        next += 1;
        let mut at = 0;
        while let Some(Some(entry)) = soon(ext, |ext| ext.entry(node, at)) {
            at = entry.next;
            found.push((node, entry.name, entry.node));
            if found.len() > 150 {
                break;
            }
        }
        soon(ext, |ext| ext.stat(node));
        soon(ext, |ext| ext.target(node));
        for at in [0, 1 << 20, random.below(1 << 40)] {
            soon(ext, |ext| ext.read(node, at, &mut Taken(Vec::new(), files::MOST)));
        }
    }
    let kinds = [0o100_644, 0o040_755, 0o120_777];
    for nth in 0..40_u64 {
        let pick = found[random.below(found.len() as u64) as usize].clone();
        let (directory, name, node) = pick;
        let other = found[random.below(found.len() as u64) as usize].2;
        let fresh = format!("new-{nth}");
        let wish = new(kinds[nth as usize % 3], 0);
        match random.below(8) {
            0 | 1 => drop(soon(ext, |ext| ext.create(other, fresh.as_bytes(), &wish, b"target"))),
            2 => drop(soon(ext, |ext| ext.write(node, random.below(400_000), &mut &[3; 5000][..]))),
            3 => drop(soon(ext, |ext| ext.unlink(directory, &name))),
            4 => drop(soon(ext, |ext| ext.rename(directory, &name, other, fresh.as_bytes()))),
            5 => drop(soon(ext, |ext| ext.truncate(node, random.below(100_000)))),
            6 => drop(soon(ext, |ext| ext.release(node))),
            _ => drop(soon(ext, |ext| ext.link(other, node, fresh.as_bytes()))),
        }
    }
    soon(ext, |ext| ext.sync());
    found
}

#[test]
fn anything() {
    let number =
        |name, default| std::env::var(name).map_or(default, |n| n.parse().expect("a number"));
    let (runs, first) = (number("OCHRE_DAMAGE", 10_000), number("OCHRE_SEED", 1));
    let bases = bases();
    let mut mounted = 0;
    for seed in first..first + runs {
        let mut random = Random::new(seed);
        let mut image = bases[seed as usize % bases.len()].clone();
        damage(&mut image, &mut random);
        let done = std::panic::catch_unwind(|| {
            let mut random = Random::new(seed);
            let mut disk = Paper::new(image, 256);
            disk.most = Some(50 * STEPS);
            let Ok((mut ext, _)) = Ext::mount(disk, false) else { return false };
            use_it(&mut ext, &mut random);
            ext.leave().is_ok()
        });
        mounted += u64::from(done.unwrap_or_else(|_| panic!("OCHRE_SEED={seed} OCHRE_DAMAGE=1")));
    }
    assert!(mounted > runs / 4 || runs < 50, "{mounted} of {runs} were of use");
}
