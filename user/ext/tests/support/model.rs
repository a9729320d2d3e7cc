//! A file system that is simple: what ext should be like after the same requests.

use super::tree::{File, Files, difference, look, tree};
use super::world::{Requests, is_done, new};
use super::{Paper, mount_with, unmount};
use ext::Ext;
use files::{Attributes, DIRECTORY, Failure, FileSystem, KIND, LINK, Node, REGULAR, ROOT};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use volume::fake::Random;

pub struct World {
    pub ext: Option<Ext<Paper>>,
    pub files: Files,
    pub random: Random,
    /// Whether bytes that are there are never changed.
    pub careful: bool,
    /// How often the server was killed, and how often that was after the request was done.
    pub kills: [u64; 2],
    clock: i64,
}

impl World {
    pub fn new(image: Vec<u8>, seed: u64, pages: usize) -> World {
        let mut ext = mount_with(image, pages);
        let files = tree(&mut ext);
        World {
            ext: Some(ext),
            files,
            random: Random::new(seed),
            careful: false,
            kills: [0; 2],
            clock: 1_700_000_000,
        }
    }

    pub fn ext(&mut self) -> &mut Ext<Paper> {
        self.ext.as_mut().expect("it is mounted")
    }

    /// All is as it should be.
    pub fn check(&mut self) {
        let found = tree(self.ext());
        let named: Vec<_> = self.files.iter().filter(|(_, file)| file.links > 0).collect();
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            named.iter().map(|(n, _)| *n).collect::<Vec<_>>()
        );
        for (node, file) in named {
            assert!(found[node] == *file, "{node}: {}", difference(&found[node], file));
        }
    }

    fn some(&mut self, is: impl Fn(&File) -> bool) -> Option<Node> {
        let all: Vec<_> = self.files.iter().filter(|(_, file)| is(file)).map(|(n, _)| *n).collect();
        let nth = self.random.below(all.len() as u64) as usize;
        all.get(nth).copied()
    }

    fn directory(&mut self) -> Node {
        self.some(|file| file.mode & KIND == DIRECTORY && file.links > 0).unwrap_or(ROOT)
    }

    fn new_name(&mut self) -> Vec<u8> {
        let length = if self.random.once_in(6) {
            200 + self.random.below(56)
        } else {
            1 + self.random.below(12)
        };
        let number = self.random.below(10_000).to_string().into_bytes();
        number.into_iter().chain(std::iter::repeat(b'x')).take(length as usize).collect()
    }

    fn old_name(&mut self, directory: Node) -> Vec<u8> {
        let names = &self.files[&directory].names;
        let nth = self.random.below(names.len() as u64) as usize;
        names.keys().nth(nth).cloned().unwrap_or(b"none".to_vec())
    }

    /// Does something; whether there was room for it.
    pub fn operation(&mut self) -> bool {
        self.clock += 1;
        match self.random.below(20) {
            0..=4 => self.create(),
            5..=8 => self.write(),
            9 => self.truncate(),
            10 | 11 => self.unlink(),
            12..=14 => self.rename(),
            15 => self.link(),
            16 => self.set(),
            17 | 18 => self.release(),
            _ => self.look(),
        }
    }

    fn create(&mut self) -> bool {
        let (directory, name) = (self.directory(), self.new_name());
        let mode = match self.random.below(10) {
            0 | 1 => DIRECTORY | 0o755,
            2 => LINK | 0o777,
            3 => 0o010_644,
            _ => REGULAR | 0o4640,
        };
        let length =
            if self.random.once_in(2) { self.random.below(60) } else { self.random.below(900) };
        let target: Vec<_> =
            if mode & KIND == LINK { vec![b't'; 1 + length as usize] } else { vec![] };
        let wish = new(mode, self.clock * 1_000_000_007);
        let exists = self.files[&directory].names.contains_key(&name);
        let done = self.ext().change(|ext| ext.create(directory, &name, &wish, &target));
        match done {
            Err(Failure::Exists) if exists => return true,
            Err(Failure::NoSpace) if !exists => return false,
            Ok(_) if !exists => {}
            other => panic!("create: {other:?}"),
        }
        let made = done.expect("a file");
        let is_directory = mode & KIND == DIRECTORY;
        let file = File {
            mode,
            owner: wish.owner,
            time: made.times[1],
            links: if is_directory { 2 } else { 1 },
            bytes: target,
            names: BTreeMap::new(),
            parent: if is_directory { directory } else { 0 },
        };
        assert!(self.files.insert(made.node, file).is_none(), "{} is used", made.node);
        let parent = self.files.get_mut(&directory).expect("a directory");
        parent.names.insert(name, made.node);
        parent.links += u32::from(is_directory);
        true
    }

    fn write(&mut self) -> bool {
        let Some(node) = self.some(|file| file.mode & KIND == REGULAR) else { return true };
        let size = self.files[&node].bytes.len() as u64;
        let at = match self.random.below(4) {
            _ if self.careful => size,
            0 => self.random.below(size + 1),
            1 => size + self.random.below(100_000),
            _ => size,
        };
        let most = if self.random.once_in(4) { 150_000 } else { 6_000 };
        let (count, first) = (self.random.below(most) as usize, self.random.next());
        let bytes: Vec<_> =
            (0..count as u64).map(|nth| (first ^ (nth * 7) ^ (nth >> 8)) as u8).collect();
        let mut taken = 0;
        let mut failure = None;
        while taken < count && failure.is_none() {
            let mut some = &bytes[taken..count.min(taken + files::MOST)];
            match self.ext().change(|ext| ext.write(node, at + taken as u64, &mut some)) {
                Ok(more) => taken += more,
                Err(why) => failure = Some(why),
            }
        }
        assert!(
            matches!(failure, None | Some(Failure::NoSpace | Failure::TooLarge)),
            "{failure:?}"
        );
        let file = self.files.get_mut(&node).expect("a file");
        if taken > 0 {
            let end = at as usize + taken;
            file.bytes.resize(file.bytes.len().max(end), 0);
            file.bytes[at as usize..end].copy_from_slice(&bytes[..taken]);
        }
        failure.is_none()
    }

    fn truncate(&mut self) -> bool {
        let Some(node) = self.some(|file| file.mode & KIND == REGULAR) else { return true };
        let old = self.files[&node].bytes.len() as u64;
        let size = match self.random.below(3) {
            0 if !self.careful => old + self.random.below(50_000),
            1 if !self.careful => self.random.below(old + 1),
            _ => 0,
        };
        self.ext().change(|ext| ext.truncate(node, size)).expect("it can be cut");
        self.files.get_mut(&node).expect("a file").bytes.resize(size as usize, 0);
        true
    }

    /// A name of a file goes, in the model.
    fn drop_name(&mut self, directory: Node, name: &[u8]) {
        let parent = self.files.get_mut(&directory).expect("a directory");
        let node = parent.names.remove(name).expect("a name");
        let file = self.files.get_mut(&node).expect("a file");
        if file.mode & KIND == DIRECTORY {
            file.links = 0;
            self.files.get_mut(&directory).expect("a directory").links -= 1;
        } else {
            file.links -= 1;
        }
    }

    fn unlink(&mut self) -> bool {
        let directory = self.directory();
        let name = self.old_name(directory);
        let node = self.files[&directory].names.get(&name).copied();
        let full = node.is_some_and(|node| !self.files[&node].names.is_empty());
        match self.ext().change(|ext| ext.unlink(directory, &name)) {
            Ok(()) if node.is_some() && !full => self.drop_name(directory, &name),
            Err(Failure::NotFound) if node.is_none() => {}
            Err(Failure::NotEmpty) if full => {}
            other => panic!("unlink: {other:?}"),
        }
        if self.careful { self.release() } else { true }
    }

    fn is_within(&self, mut node: Node, other: Node) -> bool {
        while node != other && node != ROOT {
            node = self.files[&node].parent;
        }
        node == other
    }

    fn rename(&mut self) -> bool {
        let (from, to) = (self.directory(), self.directory());
        let name = self.old_name(from);
        let new = if self.random.once_in(3) { self.old_name(to) } else { self.new_name() };
        let done = self.ext().change(|ext| ext.rename(from, &name, to, &new));
        let Some(node) = self.files[&from].names.get(&name).copied() else {
            assert_eq!(done, Err(Failure::NotFound));
            return true;
        };
        let is_directory = self.files[&node].mode & KIND == DIRECTORY;
        let victim = self.files[&to].names.get(&new).copied();
        let expected = if is_directory && from != to && self.is_within(to, node) {
            Err(Failure::Invalid)
        } else {
            match victim.map(|victim| (victim, &self.files[&victim])) {
                Some((victim, _)) if victim == node => Ok(false),
                Some((_, file)) => match (file.mode & KIND == DIRECTORY, is_directory) {
                    (true, false) => Err(Failure::IsDirectory),
                    (false, true) => Err(Failure::NotDirectory),
                    (true, true) if !file.names.is_empty() => Err(Failure::NotEmpty),
                    _ => Ok(true),
                },
                None => Ok(true),
            }
        };
        if done == Err(Failure::NoSpace) {
            return false;
        }
        assert_eq!(done, expected.map(|_| ()), "rename");
        if expected == Ok(true) {
            if victim.is_some() {
                self.drop_name(to, &new);
            }
            self.files.get_mut(&from).expect("a directory").names.remove(&name);
            self.files.get_mut(&to).expect("a directory").names.insert(new, node);
            if is_directory && from != to {
                self.files.get_mut(&from).expect("a directory").links -= 1;
                self.files.get_mut(&to).expect("a directory").links += 1;
            }
            if is_directory {
                self.files.get_mut(&node).expect("a file").parent = to;
            }
        }
        true
    }

    fn link(&mut self) -> bool {
        let Some(node) = self.some(|file| file.mode & KIND != DIRECTORY && file.links > 0) else {
            return true;
        };
        let (directory, name) = (self.directory(), self.new_name());
        match self.ext().change(|ext| ext.link(directory, node, &name)) {
            Err(Failure::Exists) if self.files[&directory].names.contains_key(&name) => {
                return true;
            }
            Err(Failure::NoSpace) => return false,
            done => done.expect("a link"),
        }
        self.files.get_mut(&node).expect("a file").links += 1;
        self.files.get_mut(&directory).expect("a directory").names.insert(name, node);
        true
    }

    fn set(&mut self) -> bool {
        let Some(node) = self.some(|_| true) else { return true };
        let (mode, time) = (self.random.below(0o10000) as u32, self.clock * 1_000_000_000);
        let owner = [self.random.below(1 << 32) as u32, 70_000];
        let wish = Attributes { mode, owner, times: [time; 3], ..Attributes::default() };
        self.ext().change(|ext| ext.set(node, &wish)).expect("attributes");
        let file = self.files.get_mut(&node).expect("a file");
        (file.mode, file.owner, file.time) = (file.mode & KIND | mode, owner, time);
        true
    }

    /// What has no name any more is closed.
    pub fn release(&mut self) -> bool {
        while let Some(node) = self.some(|file| file.links == 0) {
            self.ext().change(|ext| ext.release(node)).expect("it goes");
            self.files.remove(&node);
            assert_eq!(self.ext().stat(node), Err(Failure::NotFound));
        }
        true
    }

    fn look(&mut self) -> bool {
        let Some(node) = self.some(|_| true) else { return true };
        let parent = self.files[&node].parent;
        let found = look(self.ext(), node, parent);
        let file = &self.files[&node];
        assert!(found == *file, "{node}: {}", difference(&found, file));
        true
    }

    /// Does something, while the server is killed; the next one is asked to do the same.
    pub fn killed(&mut self) {
        let random = self.random.clone();
        let steps = self.random.below(if random.clone().once_in(4) { 1_000 } else { 80 });
        let clock = self.clock;
        let disk = self.ext().disk();
        disk.most = Some(disk.steps + steps);
        let done = catch_unwind(AssertUnwindSafe(|| self.operation()));
        self.ext().disk().most = None;
        if done.is_ok() {
            return;
        }
        self.succeed();
        self.kills[0] += 1;
        if is_done(self.ext()) {
            self.kills[1] += 1;
            self.files = tree(self.ext());
        } else {
            (self.random, self.clock) = (random, clock);
            self.random.below(1);
            self.operation();
        }
    }

    /// The server is killed, and another goes on with what it has left.
    pub fn succeed(&mut self) {
        let disk = self.ext.take().expect("it is mounted").into_disk();
        self.ext = Some(Ext::mount(disk, false).unwrap_or_else(|refusal| panic!("{refusal}")).0);
    }

    /// It is unmounted; the image.
    pub fn unmount(&mut self) -> Vec<u8> {
        unmount(self.ext.take().expect("it is mounted"))
    }
}
