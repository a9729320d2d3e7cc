//! # ext: a service for one disk with ext2, ext3 or ext4
//!
//! It is given its disk as `block`, and memory that devices reach, which outlives it: its cache. With the
//! word `ro` it changes nothing.
#![no_std]
#![no_main]

use ext::{Ext, Mounted, Refusal};
use files::{Failure, Refused, serve};
use rt::service::Grants;
use rt::{Start, println};
use volume::{Attached, Found};

rt::entry!(main);

fn main(start: Start) -> u64 {
    let grants = Grants::read(&start);
    let name = grants.name();
    let error = match mount(&grants) {
        Ok((mut ext, Mounted { found, replayed, writable })) => {
            match found {
                Found::Nothing => {}
                Found::Work(pages, _) => println!("{name}: goes on with {pages} pages"),
                Found::Damage(why) => println!("{name}: what was not on the disk is lost: {why}"),
            }
            if replayed > 0 {
                println!("{name}: {replayed} blocks were in the journal");
            }
            if !writable {
                println!("{name}: can only be read");
            }
            serve(grants.inbox(), &mut ext)
        }
        Err(refusal) => {
            println!("{name}: {refusal}");
            serve(grants.inbox(), &mut Refused(refusal.failure()))
        }
    };
    println!("{name}: {error:?}");
    1
}

fn mount(grants: &Grants) -> Result<(Ext<Attached>, Mounted), Refusal> {
    let disk = Attached::open(grants).map_err(|_: Failure| Refusal::Disk)?;
    let is_read_only = disk.is_read_only() || grants.find_word("ro").is_some();
    Ext::mount(disk, is_read_only)
}
