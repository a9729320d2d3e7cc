//! Memory from below: frames, the tables that translate an address, one frame at two addresses, and a
//! write that is not allowed.
#![no_std]
#![no_main]

use rt::abi::{Arrival, Error, FOREVER, MAP_WRITE, MachineRights, PAGE, REPLY_KILL};
use rt::files::Files;
use rt::loader::Child;
use rt::object::{Halted, reply};
use rt::space::Mapping;
use rt::{Memory, Message, Port, Start, println};

rt::entry!(main);

const PATTERN: u64 = 0xdead_beef;

fn main(start: Start) -> u64 {
    let done = match start.words {
        [0, _] => {
            frames().and_then(|()| tables()).and_then(|()| twice()).and_then(|()| caught(&start))
        }
        _ => trespass(),
    };
    done.map_or_else(|error| 100 + error as u64, |()| 0)
}

/// Pages are there when they are touched, and not before.
fn frames() -> Result<(), Error> {
    let figures = rt::machine().figures()?;
    println!("{} frames of 4 KiB, {} free", figures.frames, figures.free);
    let memory = Memory::create(100)?;
    let mapping = Mapping::new(&memory, 0, 100, MAP_WRITE)?;
    let resident = || memory.info().map_or(0, |info| info.resident);
    println!("100 pages mapped: {} frames", resident());
    for page in 0..10 {
        // SAFETY: it is mapped for writing, and nobody else uses it.
        unsafe { mapping.pointer::<u64>(page * PAGE).write_volatile(1) };
    }
    println!("10 of them touched: {} frames", resident());
    Ok(())
}

/// Four levels of tables, nine bits of the address each.
fn tables() -> Result<(), Error> {
    let mapping = Mapping::fresh(1, MAP_WRITE)?;
    let address = mapping.address();
    // SAFETY: it is mapped for writing, and nobody else uses it.
    unsafe { mapping.pointer::<u64>(0).write_volatile(PATTERN) };
    println!("the address {address:#x}, level by level:");
    let entries = rt::machine().translation(&rt::process(), address)?;
    for (level, entry) in entries.into_iter().enumerate() {
        let index = address >> (39 - 9 * level) & 0x1ff;
        println!("  level {level}: entry {index:3} is {entry:#018x}");
    }
    let nowhere = rt::machine().translation(&rt::process(), 0x1000)?;
    println!("the address 0x1000 ends with {:#x}", nowhere[3]);
    Ok(())
}

/// One frame at two addresses.
fn twice() -> Result<(), Error> {
    let memory = Memory::create(1)?;
    let first = Mapping::new(&memory, 0, 1, MAP_WRITE)?;
    let second = Mapping::new(&memory, 0, 1, 0)?;
    // SAFETY: it is mapped for writing, and nobody else uses it.
    unsafe { first.pointer::<u64>(0x18).write_volatile(PATTERN) };
    // SAFETY: it is mapped.
    let seen = unsafe { second.pointer::<u64>(0x18).read_volatile() };
    println!("one frame at two addresses:");
    println!("  written at {:#x}: {PATTERN:#X}", first.address() + 0x18);
    println!("  read at    {:#x}: {seen:#X}", second.address() + 0x18);
    assert_eq!(seen, PATTERN);
    Ok(())
}

/// Another process writes to its own code; its faults come here.
fn caught(start: &Start) -> Result<(), Error> {
    let initrd = start.initrd.as_ref().ok_or(Error::NotFound)?;
    let files = Files::new(initrd)?;
    let child = Child::load(files.program("memory").ok_or(Error::NotFound)?, 4 << 20, 20)?;
    let child = child.with_machine(&rt::machine(), MachineRights::LOG)?.with_words([1, 0]);
    let port = Port::create(0)?;
    child.process.set_handler(Some(&port))?;
    child.start()?;
    let fault = port.receive(FOREVER)?;
    assert_eq!(fault.arrival, Arrival::Fault);
    let registers = Halted::Last.general()?;
    let access = ["read", "write", "execute"][fault.words[1].min(2) as usize];
    println!("a write to a read-only page, caught:");
    println!("  {:?}, {access} at {:#x}", fault.fault(), fault.words[0]);
    println!("  by the instruction at {:#x}", fault.words[2]);
    assert_eq!(registers[rt::arch::PROGRAM_COUNTER], fault.words[2]);
    reply(&Message::new(REPLY_KILL).words(&[7]))?;
    println!("  the process was ended with {}", child.wait(FOREVER)?);
    Ok(())
}

/// The other process.
fn trespass() -> Result<(), Error> {
    let page = Memory::create(1)?;
    page.write(0, b"read only")?;
    let mapping = Mapping::new(&page, 0, 1, 0)?;
    // SAFETY: none. It is mapped, but not for writing.
    unsafe { mapping.pointer::<u64>(0x28).write_volatile(PATTERN) };
    Err(Error::Invalid)
}
