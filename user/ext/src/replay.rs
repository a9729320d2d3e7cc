//! What a journal has when the volume is mounted: it is brought home.
//!
//! That may be the work of Linux, of many transactions with revocations, or ours. It happens beneath
//! the cache: what the cache has that is not on the disk is newer.

use crate::journal::{Log, Pen};
use crate::layout::log::{Block, Tag, restore};
use crate::layout::superblock::Refusal;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;
use volume::{Disk, PAGE, bytes};

/// Revocations that there can be.
const REVOCATIONS: usize = 100_000;

type Outcome<T> = Result<T, Refusal>;

/// Reads blocks of the journal, one page at a time.
struct Reader<'a, D> {
    disk: &'a mut D,
    log: &'a Log,
    at: usize,
    page: Option<u64>,
}

impl<D: Disk> Reader<'_, D> {
    fn block(&mut self, nth: u32) -> Outcome<&[u8]> {
        let block = self.log.place(nth).map_err(|_| Refusal::Journal("it has holes"))?;
        let byte = block << self.log.block_bits;
        let (page, within) = (byte / PAGE as u64, byte as usize % PAGE);
        if self.page != Some(page) {
            self.disk.read(page, self.at, 1).map_err(|_| Refusal::Disk)?;
            self.page = Some(page);
        }
        let all = bytes(&self.disk.cache()[self.at..=self.at]);
        Ok(&all[within..within + (1 << self.log.block_bits)])
    }
}

/// What there is to do.
#[derive(Default)]
struct Plan {
    /// Tags, each with where its block is in the journal, and the transaction.
    tags: Vec<(u32, u32, Tag)>,
    /// The last transaction that revokes a block.
    revoked: BTreeMap<u64, u32>,
    /// The first transaction that is not there.
    end: u32,
}

/// Brings home what is in a journal, which is empty then.
pub fn replay<D: Disk>(log: &mut Log, disk: &mut D, scratch: Range<usize>) -> Outcome<usize> {
    let plan = plan(log, disk, scratch.start)?;
    let count = write(log, &plan, disk, scratch.clone())?;
    disk.flush().map_err(|_| Refusal::Disk)?;
    log.head.start = 0;
    // What may be there of the transaction that is not whole never counts.
    log.head.sequence = plan.end.wrapping_add(1);
    log.write_head(disk, scratch).and_then(|()| disk.flush()).map_err(|_| Refusal::Disk)?;
    Ok(count)
}

/// Reads all transactions that are whole.
fn plan<D: Disk>(log: &Log, disk: &mut D, at: usize) -> Outcome<Plan> {
    let head = &log.head;
    let mut plan = Plan { end: head.sequence, ..Plan::default() };
    let (mut tags, mut revoked) = (Vec::new(), Vec::new());
    let mut reader = Reader { disk, log, at, page: None };
    let (mut next, mut left) = (head.start, head.end - head.first);
    while left > 0 {
        let block = head.block(plan.end, reader.block(next)?);
        (next, left) = (head.after(next), left - 1);
        match block {
            Some(Block::Tags(some)) => {
                for tag in some {
                    tags.push((next, plan.end, tag));
                    (next, left) = (head.after(next), left.saturating_sub(1));
                }
            }
            Some(Block::Revoked(some)) => revoked.extend(some),
            Some(Block::Commit) => {
                plan.tags.append(&mut tags);
                plan.revoked.extend(revoked.drain(..).map(|block| (block, plan.end)));
                plan.end = plan.end.wrapping_add(1);
            }
            None => break,
        }
        if plan.revoked.len() + revoked.len() > REVOCATIONS {
            return Err(Refusal::Journal("it revokes too much"));
        }
    }
    Ok(plan)
}

/// Writes the blocks home: how many.
fn write<D: Disk>(log: &Log, plan: &Plan, disk: &mut D, scratch: Range<usize>) -> Outcome<usize> {
    let mut count = 0;
    for (nth, sequence, tag) in &plan.tags {
        // Numbers of transactions go round.
        let later = |last: &u32| (last.wrapping_sub(*sequence) as i32) >= 0;
        if plan.revoked.get(&tag.block).is_some_and(later) {
            continue;
        }
        if tag.block >= log.blocks {
            return Err(Refusal::Journal("it has a block that the file system has not"));
        }
        let mut reader = Reader { disk, log, at: scratch.start, page: None };
        let mut bytes = reader.block(*nth)?.to_vec();
        if !log.head.is_whole(*sequence, tag, &bytes) {
            return Err(Refusal::Journal("the checksum of a block is wrong"));
        }
        if tag.escaped {
            restore(&mut bytes);
        }
        let mut pen = Pen::new(disk, scratch.start + 1..scratch.end, log.block_bits);
        let place = pen.block(tag.block).map_err(|_| Refusal::Disk)?;
        place.copy_from_slice(&bytes);
        pen.write().map_err(|_| Refusal::Disk)?;
        count += 1;
    }
    Ok(count)
}
