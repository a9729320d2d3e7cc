//! A client of a file system, as the protocol of files has it, and disks for it.

use fat::{Fat, Mounted};
use files::{Asked, Attributes, Failure, MOST, Node, Operation, Result, Window, answer};
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
    pub fn ask(
        &mut self,
        operation: Operation,
        numbers: [u64; 2],
        bytes: &[u8],
        again: bool,
    ) -> Result<(Vec<u8>, u64)> {
        self.number += u64::from(operation.changes() && !again);
        let number = if operation.changes() { self.number } else { 0 };
        let head = [numbers[0], numbers[1], NOW as u64].map(u64::to_le_bytes).concat();
        let given = [&head, bytes].concat();
        let is_large = matches!(operation, Operation::Read | Operation::List);
        let mut told = vec![0; if is_large { MOST } else { Attributes::BYTES }];
        let lengths = [given.len() as u64, told.len() as u64];
        let asked = Asked { label: operation as u32, lengths, number };
        let done = answer(self.fat(), &asked, &mut Windows(&given, &mut told));
        let (length, count) = done?;
        told.truncate(length as usize);
        Ok((told, count))
    }

    fn plain(&mut self, operation: Operation, numbers: [u64; 2], bytes: &[u8]) -> Result<Vec<u8>> {
        self.ask(operation, numbers, bytes, false).map(|(told, _)| told)
    }

    pub fn lookup(&mut self, directory: Node, name: &str) -> Result<Attributes> {
        let told = self.plain(Operation::Lookup, [directory, 0], name.as_bytes())?;
        Attributes::decode(&told)
    }

    pub fn stat(&mut self, node: Node) -> Result<Attributes> {
        Attributes::decode(&self.plain(Operation::Stat, [node, 0], b"")?)
    }

    pub fn set(&mut self, node: Node, wish: &Attributes) -> Result<Attributes> {
        Attributes::decode(&self.plain(Operation::Set, [node, 0], &wish.encode())?)
    }

    pub fn create(&mut self, directory: Node, name: &str, mode: u32) -> Result<Attributes> {
        let times = [NOW; 3];
        let wish = Attributes { mode, times, ..Attributes::default() };
        let bytes = [&wish.encode(), name.as_bytes(), &[0]].concat();
        Attributes::decode(&self.plain(Operation::Create, [directory, 0], &bytes)?)
    }

    pub fn unlink(&mut self, directory: Node, name: &str) -> Result<()> {
        self.plain(Operation::Unlink, [directory, 0], name.as_bytes()).map(|_| ())
    }

    pub fn rename(&mut self, from: Node, name: &str, to: Node, new: &str) -> Result<()> {
        let bytes = [name.as_bytes(), &[0], new.as_bytes()].concat();
        self.plain(Operation::Rename, [from, to], &bytes).map(|_| ())
    }

    pub fn truncate(&mut self, node: Node, size: u64) -> Result<()> {
        self.plain(Operation::Truncate, [node, size], b"").map(|_| ())
    }

    pub fn release(&mut self, node: Node) -> Result<()> {
        self.plain(Operation::Release, [node, 0], b"").map(|_| ())
    }

    pub fn sync(&mut self) -> Result<()> {
        self.plain(Operation::Sync, [0, 0], b"").map(|_| ())
    }

    /// Writes all of it.
    pub fn write(&mut self, node: Node, mut at: u64, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let piece = &bytes[..bytes.len().min(MOST)];
            let (_, count) = self.ask(Operation::Write, [node, at], piece, false)?;
            assert!(count > 0);
            (at, bytes) = (at + count, &bytes[count as usize..]);
        }
        Ok(())
    }

    /// Reads from a place on, to the end.
    pub fn read(&mut self, node: Node, mut at: u64) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let told = self.plain(Operation::Read, [node, at], b"")?;
            if told.is_empty() {
                return Ok(all);
            }
            at += told.len() as u64;
            all.extend(told);
        }
    }

    /// Names, numbers and kinds, as they are listed.
    pub fn list(&mut self, directory: Node) -> Result<Vec<(String, Node, u32)>> {
        let (mut all, mut place) = (Vec::new(), 0);
        loop {
            let told = self.plain(Operation::List, [directory, place], b"")?;
            let mut rest = &told[..];
            if rest.is_empty() {
                return Ok(all);
            }
            while !rest.is_empty() {
                let word =
                    |nth: usize| u64::from_le_bytes(rest[8 * nth..8 * nth + 8].try_into().unwrap());
                let (next, node, length) = (word(0), word(1), word(2));
                let end = 24 + (length >> 32) as usize;
                let name = String::from_utf8(rest[24..end].to_vec()).unwrap();
                all.push((name, node, length as u32));
                place = next;
                rest = &rest[end.next_multiple_of(8)..];
            }
        }
    }

    /// Takes the disk away, as it is.
    pub fn into_disk(mut self) -> Fake {
        self.fat.take().expect("it is mounted").into_disk()
    }
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
