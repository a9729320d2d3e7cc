//! The part of a disk's server that needs no kernel, with a disk of bytes that ends transfers when it
//! is told to.

use block::requests::{Attach, Describe, Detach, Flush, PartitionAt, Read, Write};
use block::{
    Answer, Badge, Device, Extent, Failure, Geometry, Partition, Progress, Request, Result, SECTOR,
    Server, Transfer,
};
use protocol::{Ask, Parcel, Reader};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

const SECTORS: usize = 64;
const BYTES: usize = SECTORS * SECTOR as usize;

/// A client's memory.
type Shared = Rc<RefCell<Vec<u8>>>;

/// A disk of bytes.
pub struct Bytes {
    bytes: Vec<u8>,
    read_only: bool,
    gone: bool,
    /// Reading at once fails so often.
    fails: u32,
    /// Transfers end only when [`Device::ended`] is asked.
    slow: bool,
    begun: VecDeque<(usize, Shared, Transfer)>,
}

impl Bytes {
    fn new(slow: bool) -> Bytes {
        let bytes = (0..BYTES).map(|at| (at / SECTOR as usize) as u8).collect();
        Bytes { bytes, read_only: false, gone: false, fails: 0, slow, begun: VecDeque::new() }
    }

    fn do_it(&mut self, area: &Shared, transfer: Transfer) {
        let ranges = |extent: Extent| {
            let (disk, bytes) = ((extent.sector * SECTOR) as usize, extent.bytes() as usize);
            (disk..disk + bytes, extent.offset as usize..extent.offset as usize + bytes)
        };
        match transfer {
            Transfer::Read(extent) => {
                let (disk, memory) = ranges(extent);
                area.borrow_mut()[memory].copy_from_slice(&self.bytes[disk]);
            }
            Transfer::Write(extent) => {
                let (disk, memory) = ranges(extent);
                self.bytes[disk].copy_from_slice(&area.borrow()[memory]);
            }
            Transfer::Flush => {}
        }
    }
}

impl Device for Bytes {
    type Memory = Shared;
    type Area = Shared;

    fn geometry(&self) -> Result<Geometry> {
        if self.gone {
            return Err(Failure::Gone);
        }
        Ok(Geometry { sectors: SECTORS as u64, read_only: self.read_only })
    }

    fn attach(&mut self, memory: Shared) -> Result<(Shared, u64)> {
        let bytes = memory.borrow().len() as u64;
        Ok((memory, bytes))
    }

    fn begin(&mut self, slot: usize, area: &Shared, transfer: Transfer) -> Progress {
        if self.slow {
            assert!(self.begun.iter().all(|begun| begun.0 != slot), "two transfers in a slot");
            self.begun.push_back((slot, area.clone(), transfer));
            return Progress::Later;
        }
        self.do_it(area, transfer);
        Progress::Done(Ok(()))
    }

    fn ended(&mut self) -> Option<(usize, Result<()>)> {
        let (slot, area, transfer) = self.begun.pop_front()?;
        self.do_it(&area, transfer);
        Some((slot, Ok(())))
    }

    fn give_up(&mut self) {}

    fn read_now(&mut self, sector: u64, bytes: &mut [u8; 512]) -> Result<()> {
        if self.fails > 0 {
            self.fails -= 1;
            return Err(Failure::Broken);
        }
        let at = (sector * SECTOR) as usize;
        bytes.copy_from_slice(&self.bytes[at..at + 512]);
        Ok(())
    }
}

/// Two partitions: sectors 8 to 15 and 16 to 63.
fn with_partitions(slow: bool) -> Server<Bytes, u32> {
    Server::new(partitioned(slow))
}

fn partitioned(slow: bool) -> Bytes {
    let mut disk = Bytes::new(slow);
    for (entry, first, sectors) in [(0, 8u32, 8u32), (1, 16, 48)] {
        let at = 446 + 16 * entry;
        disk.bytes[at..at + 16].fill(0);
        disk.bytes[at + 4] = 0x83;
        disk.bytes[at + 8..at + 12].copy_from_slice(&first.to_le_bytes());
        disk.bytes[at + 12..at + 16].copy_from_slice(&sectors.to_le_bytes());
    }
    disk.bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    disk
}

fn memory() -> Shared {
    Rc::new(RefCell::new(vec![0xee; 16 * SECTOR as usize]))
}

fn badge(partition: u8, client: u64) -> Badge {
    Badge { partition, client }
}

fn read(sector: u64, count: u64, offset: u64) -> Request<Shared> {
    Request::Read(Read { extent: Extent { sector, count, offset } })
}

fn write(sector: u64, count: u64, offset: u64) -> Request<Shared> {
    Request::Write(Write { extent: Extent { sector, count, offset } })
}

fn attach(memory: &Shared) -> Request<Shared> {
    Request::Attach(Attach { memory: memory.clone() })
}

const DESCRIBE: Request<Shared> = Request::Describe(Describe {});
const DETACH: Request<Shared> = Request::Detach(Detach {});

fn partition_at(nth: u64) -> Request<Shared> {
    Request::PartitionAt(PartitionAt { nth })
}

/// How a disk, or a partition, of so many sectors is described.
fn described(sectors: u64, read_only: bool) -> Answer {
    Ok(Describe {}.answer((Geometry { sectors, read_only }, 2)))
}

/// What is answered at once.
fn at_once(server: &mut Server<Bytes, u32>, badge: Badge, request: Request<Shared>) -> Answer {
    server.request(badge, request, || panic!("nobody waits")).expect("there is an answer")
}

#[test]
fn a_client_reads_and_writes_its_partition_and_nothing_else() {
    let mut server = with_partitions(false);
    let (one, two, whole) = (badge(1, 1), badge(2, 2), badge(0, 3));
    assert_eq!(at_once(&mut server, one, DESCRIBE), described(8, false));
    assert_eq!(at_once(&mut server, two, DESCRIBE), described(48, false));
    assert_eq!(at_once(&mut server, whole, DESCRIBE), described(64, false));
    assert_eq!(at_once(&mut server, badge(3, 4), DESCRIBE), Err(Failure::OutOfRange));
    let second = Partition { number: 2, first: 16, sectors: 48, kind: 0x83 };
    assert_eq!(at_once(&mut server, whole, partition_at(1)), Ok(Parcel::of(second)));
    assert_eq!(at_once(&mut server, whole, partition_at(2)), Err(Failure::OutOfRange));
    let shared = memory();
    assert_eq!(at_once(&mut server, two, read(0, 1, 0)), Err(Failure::NotAttached));
    assert!(at_once(&mut server, two, attach(&shared)).is_ok());
    assert!(at_once(&mut server, two, read(47, 1, 512)).is_ok());
    assert_eq!((shared.borrow()[511], shared.borrow()[512]), (0xee, 63));
    for (sector, count, offset) in [
        (48, 1, 0),
        (47, 2, 0),
        (0, 17, 0),
        (0, 1, 15 * 512 + 4),
        (u64::MAX, 1, 0),
        (0, 0, 0),
        (0, 1, 2),
    ] {
        let request = write(sector, count, offset);
        assert_eq!(at_once(&mut server, two, request), Err(Failure::OutOfRange));
    }
    assert!(at_once(&mut server, two, write(0, 1, 512)).is_ok());
    assert_eq!(server.device().bytes[16 * 512], 63);
    assert_eq!(server.device().bytes[17 * 512], 17);
}

#[test]
fn a_disk_that_can_only_be_read_is_not_written() {
    let mut server = with_partitions(false);
    server.device().read_only = true;
    assert_eq!(at_once(&mut server, badge(0, 1), DESCRIBE), described(64, true));
    assert!(at_once(&mut server, badge(0, 1), attach(&memory())).is_ok());
    assert_eq!(at_once(&mut server, badge(0, 1), write(0, 1, 0)), Err(Failure::ReadOnly));
    assert!(at_once(&mut server, badge(0, 1), Request::Flush(Flush {})).is_ok());
}

#[test]
fn a_table_that_cannot_be_read_is_read_later() {
    let mut disk = partitioned(false);
    disk.fails = 2;
    let mut server = Server::new(disk);
    assert_eq!(at_once(&mut server, badge(1, 1), DESCRIBE), Err(Failure::OutOfRange));
    assert_eq!(at_once(&mut server, badge(1, 1), DESCRIBE), described(8, false));
}

#[test]
fn a_disk_that_is_gone_says_so() {
    let mut server = with_partitions(false);
    assert!(at_once(&mut server, badge(1, 1), attach(&memory())).is_ok());
    server.device().gone = true;
    for request in [DESCRIBE, read(0, 1, 0), write(99, 1, 0)] {
        assert_eq!(at_once(&mut server, badge(1, 1), request), Err(Failure::Gone));
    }
}

#[test]
fn what_is_asked_meanwhile_waits_until_the_device_has_finished() {
    let mut server = with_partitions(true);
    let (one, shared) = (badge(1, 1), memory());
    assert!(at_once(&mut server, one, attach(&shared)).is_ok());
    assert_eq!(server.request(one, read(0, 1, 0), || 10), None);
    // Its client has given that up, or has died and has a successor.
    assert_eq!(server.request(one, read(1, 1, 0), || 11), None);
    let second = memory();
    assert_eq!(server.request(one, attach(&second), || 12), None);
    // Others go on.
    assert!(at_once(&mut server, badge(2, 2), attach(&memory())).is_ok());
    assert_eq!(server.request(badge(2, 2), read(0, 1, 0), || 20), None);
    assert!(server.is_busy());
    let mut told = Vec::new();
    server.ended(&mut |caller, answer| told.push((caller, answer)));
    assert_eq!(
        told,
        [(10, Ok(Parcel::default())), (12, Ok(Parcel::default())), (20, Ok(Parcel::default()))]
    );
    assert!(!server.is_busy());
    assert_eq!(shared.borrow()[0], 8, "the device was busy with it");
    assert_eq!(second.borrow()[0], 0xee);
    assert_eq!(Rc::strong_count(&shared), 1, "the first memory is given up");
}

#[test]
fn what_waits_may_be_another_transfer() {
    let mut server = with_partitions(true);
    assert!(at_once(&mut server, badge(1, 1), attach(&memory())).is_ok());
    assert_eq!(server.request(badge(1, 1), read(0, 1, 0), || 1), None);
    assert_eq!(server.request(badge(1, 1), read(1, 1, 0), || 2), None);
    let mut told = Vec::new();
    server.ended(&mut |caller, _| told.push(caller));
    assert_eq!(told, [1, 2]);
}

#[test]
fn the_one_who_was_silent_for_longest_makes_room_for_another() {
    let mut server = with_partitions(false);
    let memories: Vec<_> = (0..17).map(|_| memory()).collect();
    for (client, memory) in (1..).zip(&memories) {
        let attach = attach(memory);
        assert!(at_once(&mut server, badge(0, client), attach).is_ok());
        assert!(at_once(&mut server, badge(0, 1), read(0, 1, 0)).is_ok());
    }
    assert_eq!(at_once(&mut server, badge(0, 2), read(0, 1, 0)), Err(Failure::NotAttached));
    assert_eq!(Rc::strong_count(&memories[1]), 1);
    assert!(at_once(&mut server, badge(0, 17), DETACH).is_ok());
    assert!(at_once(&mut server, badge(0, 17), DETACH).is_ok());
    assert_eq!(Rc::strong_count(&memories[16]), 1);
    assert_eq!(at_once(&mut server, badge(0, 17), read(0, 1, 0)), Err(Failure::NotAttached));
}

#[test]
fn nobody_is_thrown_out_in_the_middle_of_a_transfer() {
    let mut server = with_partitions(true);
    for client in 1..=16 {
        assert!(at_once(&mut server, badge(0, client), attach(&memory())).is_ok());
        assert_eq!(server.request(badge(0, client), read(0, 1, 0), || client as u32), None);
    }
    let refused = at_once(&mut server, badge(0, 17), attach(&memory()));
    assert_eq!(refused, Err(Failure::NotAttached));
    let mut told = Vec::new();
    server.ended(&mut |caller, _| told.push(caller));
    assert_eq!(told, (1..=16).collect::<Vec<_>>());
}

#[test]
fn what_is_no_request_is_refused() {
    let words = [0; 4];
    let read = |label| {
        Request::<protocol::parcel::Handle>::read(
            label,
            &mut Reader { words: &words, ..Reader::default() },
        )
    };
    assert_eq!(read(1), Err(Failure::OtherVersion));
    assert_eq!(read(protocol::label(block::requests::VERSION, 99)), Err(Failure::Invalid));
    let extent = Extent { sector: 0, count: 0, offset: 0 };
    assert_eq!(read(Read::LABEL), Ok(Request::Read(Read { extent })));
}
