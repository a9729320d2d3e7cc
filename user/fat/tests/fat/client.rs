//! A client of a file system, as the protocol of files has it, and disks for it.

use fat::{Fat, Mounted};
use files::requests::{
    Create, List, Lookup, Read, Release, Rename, Set, Stat, Sync, Truncate, Unlink, Write,
};
use files::{Attributes, Failure, MOST, Node, Request, Result, Tells, Window, answer};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use volume::fake::Fake;

/// When requests are made.
pub const NOW: i64 = 1_700_000_000_000_000_000;

/// What goes along with a request, and what comes back.
struct Windows<'a>(&'a [u8], &'a mut [u8]);

impl Window for Windows<'_> {
    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        let from = self.0.get(offset as usize..).ok_or(Failure::Invalid)?;
        bytes.copy_from_slice(from.get(..bytes.len()).ok_or(Failure::Invalid)?);
        Ok(())
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        let to = self.1.get_mut(offset as usize..).ok_or(Failure::Invalid)?;
        to.get_mut(..bytes.len()).ok_or(Failure::Invalid)?.copy_from_slice(bytes);
        Ok(())
    }
}

/// A client of one file system.
pub struct Client {
    pub fat: Option<Fat<Fake>>,
    pub number: u64,
}

impl Client {
    pub fn new(fat: Fat<Fake>) -> Client {
        Client { fat: Some(fat), number: 0 }
    }

    pub fn fat(&mut self) -> &mut Fat<Fake> {
        self.fat.as_mut().expect("it is mounted")
    }

    /// Makes a request, or makes it again.
    pub fn ask(&mut self, request: Request, again: bool) -> Result<Tells> {
        self.number += u64::from(request.changes() && !again);
        let number = if request.changes() { self.number } else { 0 };
        let request = request.stamped(number, NOW);
        let (asked, given) = request.given();
        let mut bytes = vec![0; asked.lengths[1] as usize];
        let done = answer(self.fat(), &asked, &mut Windows(given, &mut bytes));
        let (length, count) = done?;
        bytes.truncate(length as usize);
        Ok(Tells { count, bytes })
    }

    fn once(&mut self, request: Request) -> Result<Tells> {
        self.ask(request, false)
    }

    pub fn lookup(&mut self, directory: Node, name: &str) -> Result<Attributes> {
        let name = name.as_bytes();
        self.once(Request::of(Lookup { directory, name }))?.attributes()
    }

    pub fn stat(&mut self, file: Node) -> Result<Attributes> {
        self.once(Request::of(Stat { file }))?.attributes()
    }

    pub fn set(&mut self, file: Node, wish: &Attributes) -> Result<Attributes> {
        self.once(Request::of(Set { file, wish: *wish }))?.attributes()
    }

    pub fn create(&mut self, directory: Node, name: &str, mode: u32) -> Result<Attributes> {
        self.once(create(directory, name, mode))?.attributes()
    }

    pub fn unlink(&mut self, directory: Node, name: &str) -> Result<()> {
        let name = name.as_bytes();
        self.once(Request::of(Unlink { directory, name })).map(|_| ())
    }

    pub fn rename(&mut self, from: Node, name: &str, to: Node, new: &str) -> Result<()> {
        let (name, new) = (name.as_bytes(), new.as_bytes());
        self.once(Request::of(Rename { from, to, name, new })).map(|_| ())
    }

    pub fn truncate(&mut self, file: Node, size: u64) -> Result<()> {
        self.once(Request::of(Truncate { file, size })).map(|_| ())
    }

    pub fn release(&mut self, file: Node) -> Result<()> {
        self.once(Request::of(Release { file })).map(|_| ())
    }

    pub fn sync(&mut self) -> Result<()> {
        self.once(Request::of(Sync {})).map(|_| ())
    }

    /// Writes all of it.
    pub fn write(&mut self, file: Node, mut place: u64, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let piece = &bytes[..bytes.len().min(MOST)];
            let Tells { count, .. } = self.once(Request::of(Write { file, place }).with(piece))?;
            assert!(count > 0);
            (place, bytes) = (place + count, &bytes[count as usize..]);
        }
        Ok(())
    }

    /// Reads from a place on, to the end.
    pub fn read(&mut self, file: Node, mut place: u64) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let Tells { bytes, .. } = self.once(Request::of(Read { file, place }).room(MOST))?;
            if bytes.is_empty() {
                return Ok(all);
            }
            place += bytes.len() as u64;
            all.extend(bytes);
        }
    }

    /// Names, numbers and kinds, as they are listed.
    pub fn list(&mut self, directory: Node) -> Result<Vec<(String, Node, u32)>> {
        let (mut all, mut place) = (Vec::new(), 0);
        loop {
            let told = self.once(Request::of(List { directory, place }).room(MOST))?;
            if told.bytes.is_empty() {
                return Ok(all);
            }
            for entry in told.entries() {
                place = entry.next;
                all.push((String::from_utf8(entry.name).unwrap(), entry.node, entry.mode));
            }
        }
    }

    /// Takes the disk away, as it is.
    pub fn into_disk(mut self) -> Fake {
        self.fat.take().expect("it is mounted").into_disk()
    }
}

/// Asks for a new file.
pub fn create(directory: Node, name: &str, mode: u32) -> Request {
    let attributes = Attributes { mode, times: [NOW; 3], ..Attributes::default() };
    Request::of(Create { directory, attributes, name: name.as_bytes(), target: b"" })
}

/// Mounts a disk.
pub fn mount(disk: Fake) -> Mounted<Fake> {
    Fat::mount(disk, false).expect("it can be mounted")
}

/// A file that goes with this.
pub struct Image(pub PathBuf);

impl Image {
    pub fn new(bytes: &[u8]) -> Image {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let nth = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ochre-fat-{}-{nth}.img", std::process::id());
        // In memory, where that can be had.
        let shm = Path::new("/dev/shm");
        let folder = if shm.is_dir() { shm.to_path_buf() } else { std::env::temp_dir() };
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("an image can be written");
        Image(path)
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Runs a tool: whether it was content, and what it said.
pub fn run(tool: &str, arguments: &[&str], image: &Image) -> (bool, String) {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let output = Command::new(tool)
        .args(arguments.iter().map(|it| it.replace("IMAGE", image.0.to_str().unwrap())))
        .env("PATH", path)
        .env("MTOOLS_SKIP_CHECK", "1")
        .output()
        .unwrap_or_else(|why| panic!("{tool}: {why}; `make setup` installs it"));
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// A disk of so many KiB, made by mkfs.vfat with these arguments.
pub fn make(kib: usize, arguments: &[&str]) -> Vec<u8> {
    let image = Image::new(&vec![0; kib << 10]);
    let (fine, said) = run("mkfs.vfat", &[arguments, &["IMAGE"]].concat(), &image);
    assert!(fine, "{said}");
    std::fs::read(&image.0).expect("the image")
}

/// What fsck.fat has to say against a disk.
pub fn fsck(bytes: &[u8]) -> Option<String> {
    let (fine, said) = run("fsck.fat", &["-n", "IMAGE"], &Image::new(bytes));
    (!fine).then_some(said)
}
