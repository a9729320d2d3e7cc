//! The protocol of file systems that are served by other processes.
//!
//! Whoever uses such a file system calls its server's port, one request at a time. A `Request` says
//! what it is to do, and goes out as a label, a window of bytes to read and one to write. The server
//! implements [`FileSystem`], and gives that to `serve`. Files have numbers of the server's choice,
//! and keep them until they are [released](Operation::Release).
//!
//! A request for a change may have a number of its own. A server that can keeps its answer as a
//! [`Receipt`] until the next change: so the same request can be made once more, of it or of its
//! successor, and is done once.
//!
//! Without the feature `calls` there are no calls in here: what a file system needs to be tested on
//! another machine.
#![no_std]

extern crate alloc;

mod server;
mod system;
#[cfg(feature = "calls")]
mod client;
#[cfg(feature = "calls")]
mod serve;

#[cfg(feature = "calls")]
pub use client::{Request, Tells};
#[cfg(feature = "calls")]
pub use serve::serve;
pub use server::{Asked, Window, answer};
pub use system::{Entry, FileSystem, Receipt, Refused, Sink, Source};

/// The number of a file.
pub type Node = u64;

/// The root of every file system.
pub const ROOT: Node = 1;
/// Bytes that one request reads or writes at most.
pub const MOST: usize = 64 << 10;
/// Bytes of the numbers that every request begins with: two that it is about, and when it is made, in
/// nanoseconds since 1970.
const NUMBERS: usize = 24;
/// The bits of a mode that say what kind of file it is, as POSIX has them, and those kinds that every
/// server has.
pub const KIND: u32 = 0o170_000;
/// See above.
pub const DIRECTORY: u32 = 0o040_000;
/// See above.
pub const REGULAR: u32 = 0o100_000;
/// See above.
pub const LINK: u32 = 0o120_000;

/// Declares what a request does, by its label.
macro_rules! operations {
    ($($number:literal $name:ident $text:literal;)+) => {
        /// What a request does: its label.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u32)]
        pub enum Operation {
            $(#[doc = $text] $name = $number,)+
        }

        impl Operation {
            /// The operation of a label.
            pub fn of(label: u32) -> Option<Operation> {
                [$(Operation::$name),+].into_iter().find(|&it| it as u32 == label)
            }

            /// Whether it changes anything, and so may have a receipt.
            pub fn changes(self) -> bool {
                use Operation::*;
                let asks = matches!(self, Lookup | Stat | Read | List | Target | Sync | Space);
                !asks
            }
        }
    };
}

operations! {
    1 Lookup "directory, 0; a name: what has it.";
    2 Stat "file, 0: what it is.";
    3 Set "file, 0; attributes: its mode, owner and times become those; what it is then.";
    4 Read "file, place: its bytes from there on, as many as there are and fit.";
    5 Write "file, place; bytes: are put there; how many.";
    6 List "directory, place: entries from there on, as many as fit; 0 is the beginning.";
    7 Create "directory, 0; attributes, a name, a NUL, where a link leads: a file.";
    8 Link "directory, file; a name: another name.";
    9 Unlink "directory, 0; a name: it goes, that of a directory only if that is empty.";
    10 Rename "directory, directory; a name, a NUL, a name: it moves, and takes another's place.";
    11 Truncate "file, size: it becomes so long.";
    12 Target "link, 0: where it leads.";
    13 Sync "0, 0: all is where it stays.";
    14 Space "0, 0: how much room there is.";
    15 Release "file, 0: nobody has it open or knows it any more.";
}

/// Declares why a request may fail.
macro_rules! failures {
    ($($number:literal $name:ident $text:literal;)+) => {
        /// Why a request fails: the label of its answer.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u32)]
        pub enum Failure {
            $(#[doc = $text] $name = $number,)+
        }

        impl Failure {
            /// The failure of a label.
            pub fn of(label: u32) -> Option<Failure> {
                [$(Failure::$name),+].into_iter().find(|&it| it as u32 == label)
            }
        }
    };
}

failures! {
    1 NotFound "There is no such name, or file.";
    2 Exists "There is such a name already.";
    3 NotDirectory "It is no directory.";
    4 IsDirectory "It is a directory.";
    5 NotEmpty "The directory has names.";
    6 NoSpace "There is no room.";
    7 ReadOnly "It cannot be changed.";
    8 NameTooLong "The name is longer than names can be.";
    9 TooLarge "The file would be larger than files can be.";
    10 Invalid "It makes no sense.";
    11 Unsupported "This file system has no such thing.";
    12 Broken "The device failed, or what is on it makes no sense, or the server is gone.";
}

/// What a request gives.
pub type Result<T> = core::result::Result<T, Failure>;

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Attributes {
    /// Its number.
    pub node: Node,
    /// Kind and permissions.
    pub mode: u32,
    /// Owner and group.
    pub owner: [u32; 2],
    /// How many names it has.
    pub links: u32,
    /// Bytes.
    pub size: u64,
    /// Bytes that it takes.
    pub taken: u64,
    /// The number of the device that it stands for.
    pub device: u64,
    /// When it was read, changed, and its attributes changed: nanoseconds since 1970.
    pub times: [i64; 3],
}

impl Attributes {
    /// Bytes of them in a message.
    pub const BYTES: usize = 80;

    /// As they are in a message: little-endian words.
    pub fn encode(&self) -> [u8; Attributes::BYTES] {
        let [owner, group] = self.owner.map(u64::from);
        let [read, changed, attributes] = self.times.map(|time| time as u64);
        words([
            self.node,
            u64::from(self.mode) | u64::from(self.links) << 32,
            owner | group << 32,
            self.size,
            self.taken,
            self.device,
            read,
            changed,
            attributes,
            0,
        ])
    }

    /// Those in a message.
    pub fn decode(bytes: &[u8]) -> Result<Attributes> {
        let word = |nth: usize| word(bytes, nth).ok_or(Failure::Broken);
        let (mode, owner) = (word(1)?, word(2)?);
        Ok(Attributes {
            node: word(0)?,
            mode: mode as u32,
            owner: [owner as u32, (owner >> 32) as u32],
            links: (mode >> 32) as u32,
            size: word(3)?,
            taken: word(4)?,
            device: word(5)?,
            times: [word(6)? as i64, word(7)? as i64, word(8)? as i64],
        })
    }
}

/// How much room there is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Space {
    /// Bytes of a block.
    pub block: u64,
    /// Blocks, and those that are free.
    pub blocks: [u64; 2],
    /// Files that there can be, and those that can still be made; zero if nobody knows.
    pub files: [u64; 2],
    /// Bytes of a name.
    pub name: u64,
}

impl Space {
    /// As it is in a message.
    pub fn encode(&self) -> [u8; 48] {
        let [blocks, free] = self.blocks;
        let [files, left] = self.files;
        words([self.block, blocks, free, files, left, self.name])
    }

    /// That in a message.
    pub fn decode(bytes: &[u8]) -> Result<Space> {
        let word = |nth: usize| word(bytes, nth).ok_or(Failure::Broken);
        Ok(Space {
            block: word(0)?,
            blocks: [word(1)?, word(2)?],
            files: [word(3)?, word(4)?],
            name: word(5)?,
        })
    }
}

fn words<const N: usize, const B: usize>(words: [u64; N]) -> [u8; B] {
    let mut bytes = [0; B];
    for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

fn word(bytes: &[u8], nth: usize) -> Option<u64> {
    let bytes = bytes.get(8 * nth..8 * nth + 8)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}
