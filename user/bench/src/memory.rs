//! Pages: the first touch, the first write to a shared one, copies between processes, and a whole
//! address space cloned and taken apart.

use crate::meter::{ROUNDS, Real, Way, Without, figure, median, registers, time};
use rt::abi::{Call, FOREVER, MAP_WRITE, PAGE};
use rt::object::State;
use rt::space::Mapping;
use rt::{Memory, Object, Port, Process, println};

/// Fewer pages than a large one has, so that none is taken.
const PAGES: u64 = 250;
/// Pages of the address space that is cloned.
const CLONED: u64 = 300;
/// How often it is in a batch.
const CLONES: u64 = 5;
/// What a copy costs beside its length is what this one costs, which does not fit a page either.
const SHORT: u64 = 64 + PAGE;

pub fn figures() {
    figure("demand-zero", PAGES, || {
        let fresh = Mapping::fresh(PAGES, MAP_WRITE).expect("pages");
        time(|| write(&fresh)) - time(|| write(&fresh))
    });
    let original = Memory::create(PAGES).expect("pages");
    write(&Mapping::new(&original, 0, PAGES, MAP_WRITE).expect("room"));
    figure("cow-fault", PAGES, || {
        let clone = original.try_clone(0, PAGES).expect("a clone");
        let shared = Mapping::new(&clone, 0, PAGES, MAP_WRITE).expect("room");
        read(&shared);
        time(|| write(&shared)) - time(|| write(&shared))
    });
    let short = median(ROUNDS, || copies(SHORT));
    println!("bench copy-4k {}", median(ROUNDS, || copies(SHORT + PAGE)) - short);
    clones();
}

#[inline(never)]
fn write(mapping: &Mapping) {
    for page in 0..PAGES {
        // SAFETY: it is mapped for writing, and nobody else uses it.
        unsafe { mapping.pointer::<u64>(page * PAGE).write_volatile(1) };
    }
}

#[inline(never)]
fn read(mapping: &Mapping) {
    for page in 0..PAGES {
        // SAFETY: it is mapped.
        unsafe { mapping.pointer::<u64>(page * PAGE).read_volatile() };
    }
}

/// Copies within this process, by its handle.
fn copies(bytes: u64) -> u64 {
    let (from, to) = (Mapping::fresh(3, MAP_WRITE), Mapping::fresh(3, MAP_WRITE));
    let (from, to) = (from.expect("pages"), to.expect("pages"));
    let ends = (rt::process().raw(), from.address(), to.address(), bytes);
    copy::<Real>(ends);
    time(|| copy::<Real>(ends)) - time(|| copy::<Without>(ends))
}

#[inline(never)]
fn copy<W: Way>((process, from, to, bytes): (u64, u64, u64, u64)) {
    for _ in 0..ROUNDS {
        W::call(Call::ProcessRead, &mut registers([process, from, to, bytes]));
    }
}

fn clones() {
    let original = Process::create(8 << 20, 5).expect("a process");
    let memory = Memory::create(CLONED).expect("pages");
    let at = 0x1000_0000;
    original.map(&memory, at, 0, CLONED, MAP_WRITE).expect("room");
    for page in 0..CLONED {
        original.write(at + page * PAGE, b"touched").expect("it is mapped");
    }
    let port = Port::create(0).expect("a port");
    figure("clone-300", CLONES, || {
        let ends = (original.raw(), port.raw());
        time(|| clone::<Real>(ends)) - time(|| clone::<Without>(ends))
    });
    let info = original.info().expect("its state");
    assert_eq!(info.state, State::Alive);
    original.kill(0).expect("its end");
}

/// Clones the address space, ends the process it is in, and waits until that is gone.
#[inline(never)]
fn clone<W: Way>((original, port): (u64, u64)) {
    for _ in 0..CLONES {
        let mut all = registers([8 << 20, 5]);
        W::call(Call::ProcessCreate, &mut all);
        let process = all[1];
        W::call(Call::SpaceClone, &mut registers([process, original]));
        W::call(Call::ProcessWatch, &mut registers([process, port, 1]));
        W::call(Call::ProcessKill, &mut registers([process, 0]));
        let mut all = registers([port]);
        all[rt::arch::DEADLINE] = FOREVER;
        W::call(Call::Receive, &mut all);
        W::call(Call::Close, &mut registers([process]));
    }
}
