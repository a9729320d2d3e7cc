//! What a client of the supervisor may ask of it.
//!
//! A request's fields are in what its call lends; its two words are how many bytes that is, and how many there are room
//! for in a second window, where the text goes that comes back. Such a request is answered with that text's whole length.

use protocol::parcel::Handle;

/// Bytes of a request's fields at most.
pub const ARGUMENTS: usize = 512;

protocol::protocol! {
    version 1;
    failures {
        1 NotFound "There is no such service, template or device.";
        2 NotAllowed "This client may not ask for it.";
        3 Exists "There is one already.";
        4 NoMemory "There is no memory for it.";
        5 Failed "It was tried, and failed.";
    } otherwise Failed;
    requests<'a> {
        1 List() -> u64, Replay, "A line for each service.";
        2 Kill<'a>(service: &'a str), Never, "It is ended, and what its manifest says happens.";
        3 Restart<'a>(service: &'a str), Never, "It is ended, if it runs, and started.";
        4 Replace<'a>(bytes: u64, service: &'a str, program: Handle), Never,
            "A program of so many bytes, in that memory, takes its place.";
        5 Log<'a>(service: &'a str) -> u64, Replay, "The lines of the log that it wrote.";
        6 Records(count: u64) -> u64, Replay, "So many crash records, the latest first.";
        7 Start<'a>(template: &'a str, device: &'a str, words: &'a str) -> Handle, Never,
            "A service of its own for a device; where it is spoken to.";
        8 Stop<'a>(service: &'a str), Never, "One that was started so saves what it has, and is no more.";
        9 Complain<'a>(service: &'a str), Replay, "It answers a ping, or it is ended.";
        10 Power<'a>(how: &'a str), Never,
            "`off`, `done`, `fail` or `reboot`: everything is saved, and the machine ends.";
        11 Caps() -> u64, Replay, "Who has what.";
        12 Top() -> u64, Replay, "What each service has used.";
        13 Hurt<'a>(service: &'a str, how: &'a str), Never,
            "Some harm, such as `delay:20`. Only where the command line says `chaos`.";
        14 Disk<'a>(pages: u64, device: &'a str) -> (Handle, Handle), Never,
            "A way to a disk, or a partition, and so many pages of memory that it reaches.";
        15 Recoveries() -> u64, Replay, "How long each service took to serve again.";
    }
}
