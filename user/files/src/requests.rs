//! What a file system is asked.

use crate::{Attributes, Node, Space};

protocol::protocol! {
    version 1;
    failures {
        1 NotFound "There is no such name, or file.";
        2 Exists "There is such a name already.";
        3 NotDirectory "It is no directory.";
        4 IsDirectory "It is a directory.";
        5 NotEmpty "The directory has names.";
        6 NoSpace "There is no room.";
        7 ReadOnly "It cannot be changed.";
        8 NameTooLong "The name is longer than names can be.";
        9 TooLarge "The file would be larger than files can be.";
        10 Unsupported "This file system has no such thing.";
        11 Broken "The device failed, or what is on it makes no sense, or the server is gone.";
    } otherwise Broken;
    requests<'a> {
        1 Lookup<'a>(directory: Node, name: &'a [u8]) -> Attributes, Replay, "What has a name.";
        2 Stat(file: Node) -> Attributes, Replay, "What it is.";
        3 Set(file: Node, wish: Attributes) -> Attributes, Receipt,
            "Its mode, owner and times become those; what it is then.";
        4 Read(file: Node, place: u64), Replay,
            "Its bytes from there on come back, as many as there are and fit.";
        5 Write(file: Node, place: u64), Receipt,
            "The bytes that go along are put there; how many is told.";
        6 List(directory: Node, place: u64), Replay,
            "Entries from there on come back, as many as fit; 0 is the beginning.";
        7 Create<'a>(directory: Node, attributes: Attributes, name: &'a [u8], target: &'a [u8]) -> Attributes,
            Receipt, "A file, which leads to the target if it is a link.";
        8 Link<'a>(directory: Node, file: Node, name: &'a [u8]), Receipt, "Another name.";
        9 Unlink<'a>(directory: Node, name: &'a [u8]), Receipt,
            "A name goes, that of a directory only if that is empty.";
        10 Rename<'a>(from: Node, to: Node, name: &'a [u8], new: &'a [u8]), Receipt,
            "A name moves to another directory, and takes another's place.";
        11 Truncate(file: Node, size: u64), Receipt, "It becomes so long.";
        12 Follow(link: Node), Replay, "Where it leads comes back.";
        13 Sync(), Replay, "All is where it stays.";
        14 Room() -> Space, Replay, "How much room there is.";
        15 Release(file: Node), Receipt, "Nobody has it open or knows it any more.";
    }
}
