//! The protocol of file systems that are served by other processes.
//!
//! Whoever uses such a file system calls its server's port, one request at a time. A [`Request`] is one
//! of [`requests`], and goes out as a label, a window of bytes to read and one to write. The server
//! implements [`FileSystem`], and gives that to `serve`. Files have numbers of the server's choice,
//! and keep them until they are [released](requests::Release).
//!
//! A request for a change may have a number of its own. A server that can keeps its answer as a
//! [`Receipt`] until the next change: so the same request can be made once more, of it or of its
//! successor, and is done once.
//!
//! Without the feature `calls` there are no calls in here: what a file system needs to be tested on
//! another machine.
#![no_std]

extern crate alloc;

#[cfg(feature = "calls")]
mod client;
mod request;
pub mod requests;
#[cfg(feature = "calls")]
mod serve;
mod server;
mod system;

pub use request::{Request, Tells};
pub use requests::Failure;
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
/// The bits of a mode that say what kind of file it is, as POSIX has them, and those kinds that every
/// server has.
pub const KIND: u32 = 0o170_000;
/// See above.
pub const DIRECTORY: u32 = 0o040_000;
/// See above.
pub const REGULAR: u32 = 0o100_000;
/// See above.
pub const LINK: u32 = 0o120_000;

/// What a request gives.
pub type Result<T> = core::result::Result<T, Failure>;

protocol::record! {
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
}

impl Attributes {
    /// Bytes of them in a message.
    pub const BYTES: usize = 88;
}

protocol::record! {
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
}
