//! Calls the kernel in every way that its callers should not, and in some that they should.
//!
//! usage: abi-test FAMILY
//!
//! One line for each check: what was done, and what came of it, a number or the name of an error. The
//! lines are the same on each run, so that those of two kernels can be compared. The files are in the
//! current directory, which is empty before and after.

mod arithmetic;
mod barriers;
mod clocks;
mod descriptors;
mod directories;
mod events;
mod files;
mod futexes;
mod heap;
mod identity;
mod memory;
mod modes;
mod old;
mod packets;
mod paths;
mod pipes;
mod pointers;
mod processes;
mod room;
mod seals;
mod signals;
mod served;
mod sockets;
mod sys;
mod terminals;
mod watches;

type Family = (&'static str, fn());

const FAMILIES: &[Family] = &[
    ("arithmetic", arithmetic::run),
    ("barriers", barriers::run),
    ("clocks", clocks::run),
    ("descriptors", descriptors::run),
    ("directories", directories::run),
    ("events", events::run),
    ("files", files::run),
    ("futexes", futexes::run),
    ("heap", heap::run),
    ("identity", identity::run),
    ("memory", memory::run),
    ("modes", modes::run),
    ("old", old::run),
    ("packets", packets::run),
    ("paths", paths::run),
    ("pipes", pipes::run),
    ("pointers", pointers::run),
    ("processes", processes::run),
    ("room", room::run),
    ("seals", seals::run),
    ("signals", signals::run),
    ("served", served::run),
    ("sockets", sockets::run),
    ("terminals", terminals::run),
    ("watches", watches::run),
];

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    match FAMILIES.iter().find(|(name, _)| *name == wanted) {
        Some((_, run)) => run(),
        None => {
            let names: Vec<_> = FAMILIES.iter().map(|(name, _)| *name).collect();
            eprintln!("usage: abi-test FAMILY, which is one of: {}", names.join(" "));
            std::process::exit(2);
        }
    }
}
