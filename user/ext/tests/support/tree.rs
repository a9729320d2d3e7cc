//! The files of a file system, as it shows them.

use super::Paper;
use super::world::Requests;
use ext::Ext;
use files::{DIRECTORY, FileSystem, KIND, LINK, Node, REGULAR, ROOT};
use std::collections::BTreeMap;

/// A file: its attributes as far as they matter, and what it has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    pub mode: u32,
    pub owner: [u32; 2],
    pub time: i64,
    pub links: u32,
    pub bytes: Vec<u8>,
    pub names: BTreeMap<Vec<u8>, Node>,
    /// Where a directory is.
    pub parent: Node,
}

/// All files, by their numbers.
pub type Files = BTreeMap<Node, File>;

/// A file as ext has it.
pub fn look(ext: &mut Ext<Paper>, node: Node, parent: Node) -> File {
    let found = ext.stat(node).expect("a file");
    let mut file = File {
        mode: found.mode,
        owner: found.owner,
        time: found.times[1],
        links: found.links,
        bytes: Vec::new(),
        names: BTreeMap::new(),
        parent: if found.mode & KIND == DIRECTORY { parent } else { 0 },
    };
    match found.mode & KIND {
        DIRECTORY => {
            for (name, below, kind) in ext.list(node).expect("names") {
                assert_eq!(ext.stat(below).expect("a file").mode & KIND, kind);
                assert_eq!(ext.lookup(node, &name).expect("a file").node, below);
                assert!(file.names.insert(name, below).is_none(), "the same name twice");
            }
        }
        LINK => file.bytes = ext.target(node).expect("a target"),
        REGULAR => {
            file.bytes = ext.get(node).expect("bytes");
            assert_eq!(file.bytes.len() as u64, found.size);
        }
        _ => {}
    }
    file
}

/// All files that have names.
pub fn tree(ext: &mut Ext<Paper>) -> Files {
    let (mut files, mut left) = (Files::new(), vec![(ROOT, ROOT)]);
    while let Some((node, parent)) = left.pop() {
        if files.contains_key(&node) {
            continue;
        }
        let file = look(ext, node, parent);
        left.extend(file.names.values().map(|&below| (below, node)));
        files.insert(node, file);
    }
    files
}

/// What two files differ in.
pub fn difference(a: &File, b: &File) -> String {
    let at = a.bytes.iter().zip(&b.bytes).position(|(a, b)| a != b);
    let short = |file: &File| File { bytes: Vec::new(), ..file.clone() };
    let sizes = [a.bytes.len(), b.bytes.len()];
    format!("{:?}\n{:?}\nsizes {sizes:?}, differ at {at:?}", short(a), short(b))
}
