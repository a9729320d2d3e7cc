//! # fat: a service for one disk with FAT12, FAT16 or FAT32
//!
//! It is given its disk as `block`, and memory that devices reach, which outlives it: its cache. With the
//! word `ro` it changes nothing.
#![no_std]
#![no_main]

use fat::{Fat, Mounted, Refusal};
use files::{Failure, Refused, serve};
use rt::service::Grants;
use rt::{Start, println};
use volume::{Attached, Found};

rt::entry!(main);

fn main(start: Start) -> u64 {
    let grants = Grants::read(&start);
    let name = grants.name();
    let error = match mount(&grants) {
        Ok(Mounted { mut files, found, replayed, has_journal }) => {
            match found {
                Found::Nothing => {}
                Found::Work(pages, notes) => {
                    println!("{name}: goes on with {pages} pages, {notes} notes")
                }
                Found::Damage(why) => println!("{name}: what was not on the disk is lost: {why}"),
            }
            if replayed > 0 {
                println!("{name}: {replayed} pages were in the journal");
            }
            if !has_journal {
                println!("{name}: has no journal");
            }
            serve(grants.inbox(), &mut files)
        }
        Err(Refusal { why, failure }) => {
            println!("{name}: {why}");
            serve(grants.inbox(), &mut Refused(failure))
        }
    };
    println!("{name}: {error:?}");
    1
}

fn mount(grants: &Grants) -> Result<Mounted<Attached>, Refusal> {
    let refused = |failure: Failure| Refusal { why: "the disk is not there", failure };
    let disk = Attached::open(grants).map_err(refused)?;
    let is_read_only = disk.is_read_only() || grants.find_word("ro").is_some();
    Fat::mount(disk, is_read_only)
}
