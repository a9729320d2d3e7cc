//! The child: as many threads as there are CPUs, twice, and servers for them to call.

use crate::acts;
use crate::random::Random;
use alloc::vec::Vec;
use rt::abi::{Arrival, Error, FOREVER, Info, PortRights};
use rt::object::close;
use rt::thread::{Options, Spawned, spawn};
use rt::{Message, Object, Port};

/// The exit code of a child that was ended.
pub const ENDED: u64 = 0xdead;

/// What asks a server to end.
pub const END: u32 = 0xe0d;
/// What asks it to drop the call.
pub const DROP: u32 = 0xd0b;

/// Servers, each called by all.
const SERVERS: usize = 2;

/// Does everything so many times on each thread.
pub fn act(count: u64, seed: u64) -> u64 {
    match perform(count, seed) {
        Ok(()) => 0,
        Err(error) => error as u64,
    }
}

fn perform(count: u64, seed: u64) -> Result<(), Error> {
    let ports = [Port::create(2)?, Port::create(0)?];
    let mut servers = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let port = port.duplicate(PortRights::all())?;
        let next = ports[(index + 1) % SERVERS].duplicate(PortRights::SEND)?;
        servers.push(spawn(Options { priority: 20, ..Options::default() }, move || {
            serve(&port, &next);
        })?);
    }
    let workers = 2 * rt::machine().cpus()?;
    let mut spawned: Vec<Spawned> = Vec::new();
    for worker in 0..workers {
        let clients =
            [ports[0].duplicate(PortRights::SEND)?, ports[1].duplicate(PortRights::SEND)?];
        let options = Options { priority: 10 + worker as u8 % 4, ..Options::default() };
        spawned.push(spawn(options, move || {
            let mut random = Random(seed << 16 | worker);
            for _ in 0..count {
                acts::one(&mut random, &clients);
            }
        })?);
    }
    spawned.into_iter().for_each(Spawned::join);
    for port in &ports {
        port.call(&Message::new(END), FOREVER)?;
    }
    servers.into_iter().for_each(Spawned::join);
    Ok(())
}

/// Answers calls with the handles that came with them, or drops them, until it is asked to end.
fn serve(port: &Port, next: &Port) {
    loop {
        let Ok(received) = port.receive(FOREVER) else { return };
        match (received.arrival, received.label()) {
            (Arrival::Call, END) => {
                let _ = rt::object::reply(&Message::new(0));
                return;
            }
            (Arrival::Call, DROP) => {
                received.handles().iter().for_each(|&handle| _ = close(handle));
                drop(rt::Reply::save());
            }
            (Arrival::Call, _) => {
                // Now and then a message for the other server, which need not have room.
                let _ = next.send(&Message::new(1), rt::abi::NOW);
                let count = received.info.handles();
                let mut answer = Message::new(Info::new(2).label());
                for &handle in &received.handles()[..count] {
                    answer = answer.handle(handle);
                }
                if rt::object::reply(&answer).is_err() {
                    // The caller has gone: the handles have stayed here.
                    received.handles().iter().for_each(|&handle| _ = close(handle));
                }
            }
            _ => received.handles().iter().for_each(|&handle| _ = close(handle)),
        }
    }
}

/// A handle that somebody else may close.
pub fn lend(object: impl Object) -> u64 {
    object.into_raw()
}
