//! What a file system should do: a tree in memory, and random operations on both.

use crate::client::Client;
use files::requests::Write;
use files::{DIRECTORY, Failure, KIND, Node, REGULAR, ROOT, Request};
use std::collections::BTreeMap;
use volume::fake::Random;

/// Files and directories, by numbers of the model's own.
pub type Id = usize;

/// The root.
pub const TOP: Id = 0;

#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Names as they were given, by what they are compared as.
    Directory(BTreeMap<String, (String, Id)>),
    File(Vec<u8>),
}

/// A tree.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    pub items: BTreeMap<Id, Item>,
}

impl Tree {
    pub fn new() -> Tree {
        Tree { items: [(TOP, Item::Directory(BTreeMap::new()))].into() }
    }

    pub fn names(&self, id: Id) -> &BTreeMap<String, (String, Id)> {
        let Item::Directory(names) = &self.items[&id] else { panic!("{id} is no directory") };
        names
    }

    pub fn names_mut(&mut self, id: Id) -> &mut BTreeMap<String, (String, Id)> {
        let Some(Item::Directory(names)) = self.items.get_mut(&id) else { panic!("{id}") };
        names
    }

    pub fn bytes(&self, id: Id) -> &Vec<u8> {
        let Item::File(bytes) = &self.items[&id] else { panic!("{id} is no file") };
        bytes
    }

    fn bytes_mut(&mut self, id: Id) -> &mut Vec<u8> {
        let Some(Item::File(bytes)) = self.items.get_mut(&id) else { panic!("{id}") };
        bytes
    }

    fn is_directory(&self, id: Id) -> bool {
        matches!(self.items[&id], Item::Directory(_))
    }

    /// Whether a directory is another, or below it.
    fn is_within(&self, id: Id, other: Id) -> bool {
        id == other
            || self.is_directory(other)
                && self.names(other).values().any(|(_, below)| self.is_within(id, *below))
    }

    /// All paths with what is there, but for the bytes.
    pub fn shape(&self) -> BTreeMap<String, Option<usize>> {
        let mut all = BTreeMap::new();
        self.collect(TOP, "", &mut all);
        all
    }

    fn collect(&self, id: Id, path: &str, all: &mut BTreeMap<String, Option<usize>>) {
        for (name, below) in self.names(id).values() {
            let path = format!("{path}/{name}");
            let size = (!self.is_directory(*below)).then(|| self.bytes(*below).len());
            if size.is_none() {
                self.collect(*below, &path, all);
            }
            all.insert(path, size);
        }
    }

    /// The file of a path.
    pub fn at(&self, path: &str) -> Option<Id> {
        let mut id = TOP;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            id = self.names(id).get(&fold(part))?.1;
        }
        Some(id)
    }
}

/// A name as names are compared: letters have no case, but those that would become two.
pub fn fold(name: &str) -> String {
    let upper = |letter: char| Some(letter.to_uppercase()).filter(|it| it.len() == 1);
    name.chars()
        .map(|letter| upper(letter).and_then(|mut it| it.next()).unwrap_or(letter))
        .collect()
}

/// A tree, the numbers that its files have at the server, and numbers that look random.
pub struct Model {
    pub tree: Tree,
    pub nodes: BTreeMap<Id, Node>,
    /// Files without a name that are still open.
    pub open: Vec<Id>,
    pub random: Random,
    next: Id,
    /// Bytes of a file, and entries of all directories, at most.
    pub largest: u64,
    pub most: usize,
}

impl Model {
    pub fn new(seed: u64, largest: u64) -> Model {
        Model {
            tree: Tree::new(),
            nodes: [(TOP, ROOT)].into(),
            open: Vec::new(),
            random: Random::new(seed),
            next: TOP + 1,
            largest,
            most: 60,
        }
    }

    /// New files get the numbers that they would get in another model.
    pub fn skip_to(&mut self, other: &Model) {
        self.next = other.next;
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        if from.is_empty() {
            None
        } else {
            Some(from[self.random.below(from.len() as u64) as usize].clone())
        }
    }

    fn name(&mut self) -> String {
        let nth = self.random.below(12);
        match self.random.below(7) {
            0 => format!("FILE{nth}.TXT"),
            1 => format!("file{nth}.txt"),
            2 => format!("a name that is longer than eight and three {nth}"),
            3 => format!("ÄÖÜ straße {nth}.größe"),
            4 => format!("A Name That Is Longer Than Eight And Three {nth}"),
            5 => format!("日本語の名前{nth}"),
            _ => "x".repeat(1 + 20 * nth as usize),
        }
    }

    fn directories(&self) -> Vec<Id> {
        let named = |id: &&Id| self.tree.is_directory(**id);
        self.tree.items.keys().filter(named).copied().collect()
    }

    /// Directory, key, name and file of everything that has a name.
    fn entries(&self) -> Vec<(Id, String, Id)> {
        let of =
            |id: Id| self.tree.names(id).iter().map(move |(key, (_, it))| (id, key.clone(), *it));
        self.directories().into_iter().flat_map(of).collect()
    }

    /// The server's number of a file, which is looked up if it is not known.
    pub fn node(&mut self, client: &mut Client, id: Id) -> Node {
        if let Some(&node) = self.nodes.get(&id) {
            return node;
        }
        let (parent, key, _) = self.entries().into_iter().find(|it| it.2 == id).expect("a name");
        let parent = self.node(client, parent);
        let node = client.lookup(parent, &key).expect("it is there").node;
        self.nodes.insert(id, node);
        node
    }

    /// One random operation; whether anything was changed.
    pub fn step(&mut self, client: &mut Client) -> bool {
        let entries = self.entries();
        match self.random.below(if entries.len() < self.most { 14 } else { 10 }) {
            0 | 1 => self.remove(client),
            2 | 3 => self.rename(client),
            4 => self.truncate(client),
            5 => self.release(client),
            6..10 => self.write(client),
            _ => self.create(client),
        }
    }

    fn create(&mut self, client: &mut Client) -> bool {
        let parent = self.pick(&self.directories()).unwrap();
        let (name, node) = (self.name(), self.node(client, parent));
        let is_directory = self.random.once_in(4);
        let mode = if is_directory { DIRECTORY } else { REGULAR } | 0o755;
        let made = client.create(node, &name, mode);
        if self.tree.names(parent).contains_key(&fold(&name)) {
            assert_eq!(made.unwrap_err(), Failure::Exists);
            return false;
        }
        let made = match made {
            Err(Failure::NoSpace) => return false,
            made => made.unwrap(),
        };
        assert_eq!((made.mode & KIND, made.links), (mode & KIND, 1 + u32::from(is_directory)));
        let known = self.nodes.values().any(|&node| node == made.node);
        assert!(!known, "{} is the number of two", made.node);
        let item =
            if is_directory { Item::Directory(BTreeMap::new()) } else { Item::File(Vec::new()) };
        self.nodes.insert(self.next, made.node);
        self.tree.items.insert(self.next, item);
        self.tree.names_mut(parent).insert(fold(&name), (name, self.next));
        self.next += 1;
        true
    }

    fn gone(&mut self, id: Id) {
        if self.tree.is_directory(id) {
            self.tree.items.remove(&id);
            self.nodes.remove(&id);
        } else {
            self.open.push(id);
        }
    }

    fn remove(&mut self, client: &mut Client) -> bool {
        let Some((parent, key, id)) = self.pick(&self.entries()) else { return false };
        // Whoever removes a file knows it.
        self.node(client, id);
        let node = self.node(client, parent);
        let done = client.unlink(node, &key);
        if self.tree.is_directory(id) && !self.tree.names(id).is_empty() {
            assert_eq!(done, Err(Failure::NotEmpty));
            return false;
        }
        done.unwrap();
        self.tree.names_mut(parent).remove(&key);
        self.gone(id);
        true
    }

    fn rename(&mut self, client: &mut Client) -> bool {
        let Some((parent, key, id)) = self.pick(&self.entries()) else { return false };
        let (to, name) = (self.pick(&self.directories()).unwrap(), self.name());
        let nodes = [self.node(client, parent), self.node(client, to)];
        self.node(client, id);
        let other =
            self.tree.names(to).get(&fold(&name)).map(|it| it.1).filter(|&other| other != id);
        if let Some(other) = other {
            self.node(client, other);
        }
        let done = client.rename(nodes[0], &key, nodes[1], &name);
        let directory = |id| self.tree.is_directory(id);
        let expected = match other {
            Some(other) if directory(id) && !directory(other) => Err(Failure::NotDirectory),
            Some(other) if !directory(id) && directory(other) => Err(Failure::IsDirectory),
            Some(other) if directory(other) && !self.tree.names(other).is_empty() => {
                Err(Failure::NotEmpty)
            }
            _ if parent != to && self.tree.is_within(to, id) => Err(Failure::Invalid),
            _ => Ok(()),
        };
        if done == Err(Failure::NoSpace) {
            return false;
        }
        assert_eq!(done, expected);
        if done.is_err() {
            return false;
        }
        self.tree.names_mut(parent).remove(&key);
        self.tree.names_mut(to).insert(fold(&name), (name, id));
        if let Some(other) = other {
            self.gone(other);
        }
        true
    }

    fn file(&mut self) -> Option<Id> {
        let files: Vec<_> =
            self.tree.items.keys().filter(|id| !self.tree.is_directory(**id)).copied().collect();
        self.pick(&files)
    }

    fn write(&mut self, client: &mut Client) -> bool {
        let Some(id) = self.file() else { return false };
        let node = self.node(client, id);
        let size = self.tree.bytes(id).len() as u64;
        let at = if self.random.once_in(2) { size } else { self.random.below(size + size / 4 + 1) };
        let length = self.random.below(self.largest.saturating_sub(at).min(files::MOST as u64) + 1);
        let value = self.random.next() as u8;
        let bytes: Vec<u8> = (0..length).map(|nth| value.wrapping_add((nth / 512) as u8)).collect();
        let write = Request::of(Write { file: node, place: at }).with(&bytes);
        let done = client.ask(write, false);
        let written = match done {
            Err(Failure::NoSpace) => return self.grown(client, id),
            done => done.unwrap().count as usize,
        };
        assert!(written > 0 || length == 0);
        if written == 0 {
            return false;
        }
        let own = self.tree.bytes_mut(id);
        own.resize(own.len().max(at as usize + written), 0);
        own[at as usize..][..written].copy_from_slice(&bytes[..written]);
        true
    }

    /// Where there is no room a file may have got some zeroes nevertheless.
    fn grown(&mut self, client: &mut Client, id: Id) -> bool {
        let size = client.stat(self.nodes[&id]).unwrap().size as usize;
        let own = self.tree.bytes_mut(id);
        assert!(size >= own.len());
        own.resize(size, 0);
        true
    }

    fn truncate(&mut self, client: &mut Client) -> bool {
        let Some(id) = self.file() else { return false };
        let (node, size) = (self.node(client, id), self.random.below(self.largest));
        match client.truncate(node, size) {
            Err(Failure::NoSpace) => return self.grown(client, id),
            done => done.unwrap(),
        }
        self.tree.bytes_mut(id).resize(size as usize, 0);
        true
    }

    fn release(&mut self, client: &mut Client) -> bool {
        if let Some(nth) = self.pick(&(0..self.open.len()).collect::<Vec<_>>()) {
            let id = self.open.swap_remove(nth);
            self.tree.items.remove(&id);
            client.release(self.nodes.remove(&id).unwrap()).unwrap();
            return true;
        }
        let known: Vec<_> = self.nodes.keys().filter(|id| **id != TOP).copied().collect();
        let Some(id) = self.pick(&known) else { return false };
        client.release(self.nodes.remove(&id).unwrap()).unwrap();
        true
    }

    /// Both are the same, in all that can be seen.
    pub fn check(&mut self, client: &mut Client) {
        for id in self.directories() {
            let node = self.node(client, id);
            let mut found: Vec<_> = client.list(node).unwrap();
            found.sort();
            let mut names: Vec<_> = self.tree.names(id).values().cloned().collect();
            names.sort();
            let own: Vec<_> = names.iter().map(|it| &it.0).collect();
            assert_eq!(found.iter().map(|it| &it.0).collect::<Vec<_>>(), own);
            let folders = names.iter().filter(|it| self.tree.is_directory(it.1)).count();
            assert_eq!(client.stat(node).unwrap().links, 2 + folders as u32);
            for (name, id) in names {
                let told = client.lookup(node, &name).unwrap();
                let known = *self.nodes.entry(id).or_insert(told.node);
                assert_eq!(told.node, known, "{name} has another number");
            }
        }
        let files: Vec<_> =
            self.tree.items.keys().filter(|id| !self.tree.is_directory(**id)).copied().collect();
        for id in files {
            let node = self.node(client, id);
            let own = self.tree.bytes(id);
            assert_eq!(client.stat(node).unwrap().size, own.len() as u64);
            assert!(client.read(node, 0).unwrap() == *own, "the bytes of {id}");
        }
    }
}
