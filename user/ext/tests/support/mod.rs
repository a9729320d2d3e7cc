//! What the tests of ext have in common: images made and checked by e2fsprogs, and a disk.
#![expect(dead_code, reason = "not every test needs all of it")]

pub mod model;
pub mod tree;
pub mod world;

use ext::Ext;
use files::{Failure, FileSystem, Result};
use std::fs;
use std::panic::{set_hook, take_hook};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use volume::fake::{KILLED, Random};
use volume::{Disk, PAGE, Page, bytes, bytes_mut};

/// What happened to a disk.
#[derive(Clone)]
pub enum Event {
    Write(usize, Vec<u8>),
    Flush,
}

/// A disk in memory, with its cache, that remembers what happened to it.
pub struct Paper {
    cache: Vec<Page>,
    pub image: Vec<u8>,
    pub events: Option<Vec<Event>>,
    /// How often the cache was looked at, and how often it may be.
    pub steps: u64,
    pub most: Option<u64>,
}

impl Paper {
    pub fn new(image: Vec<u8>, pages: usize) -> Paper {
        Paper { cache: vec![[0; PAGE / 8]; pages], image, events: None, steps: 0, most: None }
    }

    /// The power was gone: nothing is left but the disk.
    pub fn lose_cache(&mut self) {
        self.cache.iter_mut().for_each(|page| page.fill(0));
    }
}

impl Disk for Paper {
    fn cache(&mut self) -> &mut [Page] {
        self.steps += 1;
        assert!(self.most.is_none_or(|most| self.steps < most), "{KILLED}");
        &mut self.cache
    }

    fn sectors(&self) -> u64 {
        self.image.len() as u64 / 512
    }

    fn read(&mut self, page: u64, at: usize, count: usize) -> Result<()> {
        let first = page as usize * PAGE;
        let end = (first + count * PAGE).min(self.image.len());
        let from = self.image.get(first..end).ok_or(Failure::Broken)?;
        let to = bytes_mut(&mut self.cache[at..at + count]);
        to[..from.len()].copy_from_slice(from);
        to[from.len()..].fill(0);
        Ok(())
    }

    fn write(&mut self, page: u64, at: usize, count: usize) -> Result<()> {
        let first = page as usize * PAGE;
        let end = (first + count * PAGE).min(self.image.len());
        let from = &bytes(&self.cache[at..at + count])[..end - first];
        self.image.get_mut(first..end).ok_or(Failure::Broken)?.copy_from_slice(from);
        if let Some(events) = &mut self.events {
            for (nth, page) in from.chunks(PAGE).enumerate() {
                events.push(Event::Write(first + nth * PAGE, page.to_vec()));
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if let Some(events) = &mut self.events {
            events.push(Event::Flush);
        }
        Ok(())
    }
}

/// A disk whose power was cut after so many events: of those since the last flush, some are lost, as a
/// whole or by sectors.
pub fn cut(
    base: &[u8],
    events: &[Event],
    after: usize,
    torn: bool,
    random: &mut Random,
) -> Vec<u8> {
    let mut image = base.to_vec();
    let flushed = events[..after].iter().rposition(|event| matches!(event, Event::Flush));
    for (nth, event) in events[..after].iter().enumerate() {
        let Event::Write(at, page) = event else { continue };
        let safe = flushed.is_some_and(|flushed| nth < flushed);
        let all = safe || !torn && !random.once_in(2);
        for (sector, part) in page.chunks(512).enumerate() {
            if all || torn && !random.once_in(2) {
                image[at + sector * 512..][..part.len()].copy_from_slice(part);
            }
        }
    }
    image
}

/// Panics of programs that are killed are not worth a line.
pub fn quiet() {
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

/// A folder for a test, which goes with it.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let nth = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("ochre-ext-{}-{nth}", std::process::id()));
        fs::create_dir(&path).expect("a folder");
        Folder(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs a program of e2fsprogs: its status, and what it says.
pub fn run(program: &str, words: &[&str], file: &Path) -> (i32, String) {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let command = Command::new(program).args(words).arg(file).env("PATH", path).output();
    let output = command.unwrap_or_else(|error| panic!("{program}: {error}: see tools/setup"));
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
}

/// An image of so many KiB, made by `mkfs.ext4` or its like.
pub fn mkfs(kind: &str, words: &[&str], kib: usize, tree: Option<&Path>) -> Vec<u8> {
    let folder = Folder::new();
    let file = folder.path("image");
    fs::File::create(&file).and_then(|file| file.set_len(kib as u64 * 1024)).expect("an image");
    let mut all = vec!["-q", "-F"];
    all.extend(words);
    if let Some(tree) = tree {
        all.extend(["-d", tree.to_str().expect("a path")]);
    }
    let (status, said) = run(&format!("mkfs.{kind}"), &all, &file);
    assert_eq!(status, 0, "mkfs.{kind} {words:?}: {said}");
    fs::read(file).expect("the image")
}

/// What `e2fsck` says of an image, and the image after that.
pub fn fsck(image: &[u8], words: &[&str]) -> (i32, String, Vec<u8>) {
    let folder = Folder::new();
    let file = folder.path("image");
    fs::write(&file, image).expect("an image");
    let (status, said) = run("e2fsck", words, &file);
    if status != 0 && std::env::var_os("KEEP").is_some() {
        fs::copy(&file, "/tmp/ext/bad.img").expect("a copy");
    }
    (status, said, fs::read(&file).expect("the image"))
}

/// An image that `e2fsck` finds nothing wrong with.
pub fn is_clean(image: &[u8], what: &str) {
    let (status, said, _) = fsck(image, &["-fn"]);
    assert!(status == 0, "{what}: e2fsck: {status}\n{said}");
}

/// The kinds of file systems that tests go through.
pub const KINDS: &[(&str, &[&str])] = &[
    ("ext4", &[]),
    ("ext4", &["-b", "1024"]),
    ("ext4", &["-b", "2048", "-I", "128"]),
    ("ext4", &["-O", "^64bit,^metadata_csum,uninit_bg,^orphan_file"]),
    ("ext4", &["-O", "^has_journal"]),
    ("ext4", &["-b", "1024", "-O", "meta_bg,^resize_inode,sparse_super2"]),
    ("ext4", &["-b", "4096", "-O", "^extent,^64bit,^flex_bg", "-g", "1024"]),
    ("ext4", &["-b", "1024", "-g", "1024", "-O", "^metadata_csum_seed"]),
    ("ext3", &["-b", "4096"]),
    ("ext3", &["-b", "1024", "-I", "128"]),
    ("ext2", &["-b", "1024"]),
    ("ext2", &["-b", "4096", "-O", "^filetype,^dir_index"]),
];

/// Mounts an image with a cache of so many pages.
pub fn mount_with(image: Vec<u8>, pages: usize) -> Ext<Paper> {
    Ext::mount(Paper::new(image, pages), false).unwrap_or_else(|refusal| panic!("{refusal}")).0
}

/// Mounts an image with a cache of 4 MiB.
pub fn mount(image: Vec<u8>) -> Ext<Paper> {
    mount_with(image, 1024)
}

/// Unmounts it; the image.
pub fn unmount(mut ext: Ext<Paper>) -> Vec<u8> {
    ext.leave().expect("a disk that can be taken away");
    ext.into_disk().image
}
