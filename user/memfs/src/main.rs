//! A file system in its own memory: the smallest server of the protocol of files. Whoever starts it
//! gives it the port where its requests arrive as its first word.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use files::{
    Attributes, DIRECTORY, Entry, Failure, FileSystem, KIND, LINK, Node, REGULAR, ROOT, Result,
    Sink, Source, Space, serve,
};
use rt::object::Object;
use rt::service::Inbox;
use rt::{Port, Start};

/// Bytes of all files together, and how many files there are at most.
const ROOM: u64 = 1 << 20;
const FILES: u64 = 1024;
/// Bytes of a block, and of a name.
const BLOCK: u64 = 512;
const NAME: usize = 255;

rt::entry!(main);

fn main(start: Start) -> u64 {
    let port = Port::from_raw(start.words[0]);
    let mut files = Files::new();
    let error = serve(Inbox::new(&port), &mut files);
    rt::println!("memfs: the port is gone: {error:?}");
    1
}

/// All files, by their numbers.
struct Files {
    files: BTreeMap<Node, File>,
    last: Node,
    used: u64,
}

struct File {
    attributes: Attributes,
    /// What it has in it, or where it leads.
    bytes: Vec<u8>,
    /// The names of a directory, each with the place that it had when it came.
    names: BTreeMap<Vec<u8>, (u64, Node)>,
    next: u64,
}

impl File {
    fn new(attributes: Attributes, bytes: &[u8]) -> File {
        File { attributes, bytes: bytes.to_vec(), names: BTreeMap::new(), next: 1 }
    }

    fn is_directory(&self) -> bool {
        self.attributes.mode & KIND == DIRECTORY
    }

    fn put(&mut self, name: &[u8], node: Node) {
        self.names.insert(name.to_vec(), (self.next, node));
        self.next += 1;
    }

    fn stat(&self) -> Attributes {
        let size = if self.is_directory() { self.names.len() } else { self.bytes.len() } as u64;
        Attributes { size, taken: size.next_multiple_of(BLOCK), ..self.attributes }
    }
}

impl Files {
    fn new() -> Files {
        let mode = DIRECTORY | 0o755;
        let root = Attributes { node: ROOT, mode, links: 2, ..Attributes::default() };
        Files { files: [(ROOT, File::new(root, b""))].into(), last: ROOT, used: 0 }
    }

    fn file(&mut self, node: Node) -> Result<&mut File> {
        self.files.get_mut(&node).ok_or(Failure::NotFound)
    }

    fn directory(&mut self, node: Node) -> Result<&mut File> {
        let file = self.file(node)?;
        if file.is_directory() { Ok(file) } else { Err(Failure::NotDirectory) }
    }

    fn regular(&mut self, node: Node) -> Result<&mut File> {
        let file = self.file(node)?;
        match file.attributes.mode & KIND {
            REGULAR => Ok(file),
            DIRECTORY => Err(Failure::IsDirectory),
            _ => Err(Failure::Invalid),
        }
    }

    fn find(&mut self, directory: Node, name: &[u8]) -> Result<Node> {
        let names = &self.directory(directory)?.names;
        names.get(name).map(|&(_, node)| node).ok_or(Failure::NotFound)
    }

    /// Refuses a name that there cannot be.
    fn vacant(&mut self, directory: Node, name: &[u8]) -> Result<()> {
        if name.len() > NAME {
            return Err(Failure::NameTooLong);
        }
        match self.find(directory, name) {
            Ok(_) => Err(Failure::Exists),
            Err(Failure::NotFound) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// A file has so many bytes.
    fn resize(&mut self, node: Node, size: u64) -> Result<()> {
        let old = self.regular(node)?.bytes.len() as u64;
        let used = (self.used - old).checked_add(size).filter(|&used| used <= ROOM);
        self.used = used.ok_or(Failure::NoSpace)?;
        self.regular(node)?.bytes.resize(size as usize, 0);
        Ok(())
    }
}

impl FileSystem for Files {
    fn lookup(&mut self, directory: Node, name: &[u8]) -> Result<Attributes> {
        let node = self.find(directory, name)?;
        self.stat(node)
    }

    fn stat(&mut self, node: Node) -> Result<Attributes> {
        self.file(node).map(|file| file.stat())
    }

    fn read(&mut self, node: Node, at: u64, to: &mut dyn Sink) -> Result<()> {
        let file = self.regular(node)?;
        let rest = file.bytes.get(at as usize..).unwrap_or(&[]);
        let count = rest.len().min(to.room());
        to.put(&rest[..count])
    }

    fn entry(&mut self, directory: Node, place: u64) -> Result<Option<Entry>> {
        let names = &self.directory(directory)?.names;
        let later = names.iter().filter(|(_, (at, _))| *at >= place);
        let Some((name, &(at, node))) = later.min_by_key(|(_, (at, _))| *at) else {
            return Ok(None);
        };
        let name = name.clone();
        let mode = self.file(node)?.attributes.mode & KIND;
        Ok(Some(Entry { name, node, mode, next: at + 1 }))
    }

    fn space(&mut self) -> Result<Space> {
        let (blocks, free) = (ROOM / BLOCK, (ROOM - self.used) / BLOCK);
        let left = FILES.saturating_sub(self.files.len() as u64);
        Ok(Space { block: BLOCK, blocks: [blocks, free], files: [FILES, left], name: NAME as u64 })
    }

    fn set(&mut self, node: Node, wish: &Attributes) -> Result<Attributes> {
        let attributes = &mut self.file(node)?.attributes;
        attributes.mode = attributes.mode & KIND | wish.mode & !KIND;
        (attributes.owner, attributes.times) = (wish.owner, wish.times);
        self.stat(node)
    }

    fn write(&mut self, node: Node, at: u64, from: &mut dyn Source) -> Result<usize> {
        let old = self.regular(node)?.bytes.len() as u64;
        let end = at.checked_add(from.left() as u64).ok_or(Failure::TooLarge)?;
        let end = if end <= old { end } else { end.min(old + (ROOM - self.used)) };
        let count = end.checked_sub(at).filter(|&count| count > 0 || from.left() == 0);
        let count = count.ok_or(Failure::NoSpace)? as usize;
        self.resize(node, old.max(end))?;
        from.take(&mut self.regular(node)?.bytes[at as usize..end as usize])?;
        Ok(count)
    }

    fn create(
        &mut self,
        directory: Node,
        name: &[u8],
        wish: &Attributes,
        target: &[u8],
    ) -> Result<Attributes> {
        self.vacant(directory, name)?;
        if self.files.len() as u64 >= FILES {
            return Err(Failure::NoSpace);
        }
        let is_directory = wish.mode & KIND == DIRECTORY;
        if !is_directory && ![REGULAR, LINK].contains(&(wish.mode & KIND)) {
            return Err(Failure::Unsupported);
        }
        self.last += 1;
        let (node, links) = (self.last, if is_directory { 2 } else { 1 });
        self.files.insert(node, File::new(Attributes { node, links, ..*wish }, target));
        let parent = self.directory(directory)?;
        parent.put(name, node);
        parent.attributes.links += u32::from(is_directory);
        self.stat(node)
    }

    fn link(&mut self, directory: Node, node: Node, name: &[u8]) -> Result<()> {
        self.vacant(directory, name)?;
        self.file(node)?.attributes.links += 1;
        self.directory(directory)?.put(name, node);
        Ok(())
    }

    fn unlink(&mut self, directory: Node, name: &[u8]) -> Result<()> {
        let node = self.find(directory, name)?;
        let file = self.file(node)?;
        if !file.names.is_empty() {
            return Err(Failure::NotEmpty);
        }
        let is_directory = file.is_directory();
        file.attributes.links -= if is_directory { 2 } else { 1 };
        let parent = self.directory(directory)?;
        parent.names.remove(name);
        parent.attributes.links -= u32::from(is_directory);
        Ok(())
    }

    fn rename(&mut self, from: Node, name: &[u8], to: Node, new: &[u8]) -> Result<()> {
        let node = self.find(from, name)?;
        match self.find(to, new) {
            Ok(other) if other == node => return Ok(()),
            Ok(_) => self.unlink(to, new)?,
            Err(Failure::NotFound) if new.len() <= NAME => {}
            Err(Failure::NotFound) => return Err(Failure::NameTooLong),
            Err(failure) => return Err(failure),
        }
        let moves = u32::from(self.file(node)?.is_directory());
        let source = self.directory(from)?;
        source.names.remove(name);
        source.attributes.links -= moves;
        let target = self.directory(to)?;
        target.put(new, node);
        target.attributes.links += moves;
        Ok(())
    }

    fn truncate(&mut self, node: Node, size: u64) -> Result<()> {
        self.resize(node, size)
    }

    fn target(&mut self, node: Node) -> Result<Vec<u8>> {
        let file = self.file(node)?;
        if file.attributes.mode & KIND != LINK {
            return Err(Failure::Invalid);
        }
        Ok(file.bytes.clone())
    }

    fn release(&mut self, node: Node) -> Result<()> {
        if let Some(file) = self.files.get(&node).filter(|file| file.attributes.links == 0) {
            let counted = file.attributes.mode & KIND == REGULAR;
            self.used -= if counted { file.bytes.len() as u64 } else { 0 };
            self.files.remove(&node);
        }
        Ok(())
    }
}
