//! Two processes play ping-pong through ports; then a sender is faster than its receiver.
#![no_std]
#![no_main]

use rt::abi::{Arrival, Error, FOREVER, NOW, PortRights};
use rt::files::Files;
use rt::loader::Child;
use rt::object::reply;
use rt::thread::{Options, spawn};
use rt::time::{MILLISECOND, now, sleep};
use rt::{Message, Object, Port, Start, println};

rt::entry!(main);

const PING: u32 = 1;
const PONG: u32 = 2;
const ROUNDS: u64 = 5;
/// What the receiver knows the player by.
const BADGE: u64 = 0xba11;
/// Messages that the small port has room for.
const ROOM: u64 = 4;

fn main(start: Start) -> u64 {
    let done = match start.words {
        [0, _] => ping_pong(&start).and_then(|()| backpressure()),
        [_, port] => play(&Port::from_raw(port)),
    };
    done.map_or_else(|error| 100 + error as u64, |()| 0)
}

/// This process answers, another one asks.
fn ping_pong(start: &Start) -> Result<(), Error> {
    let initrd = start.initrd.as_ref().ok_or(Error::NotFound)?;
    let files = Files::new(initrd)?;
    let port = Port::create(0)?;
    let child = Child::load(files.program("ipc").ok_or(Error::NotFound)?, 4 << 20, 20)?;
    let player = port.badged(PortRights::SEND | PortRights::TRANSFER, BADGE)?;
    let there = child.give(player)?;
    let rights = rt::abi::MachineRights::LOG;
    let child = child.with_machine(&rt::machine(), rights)?.with_words([1, there]);
    child.start()?;
    for _ in 0..ROUNDS {
        let ping = port.receive(FOREVER)?;
        assert_eq!((ping.arrival, ping.label()), (Arrival::Call, PING));
        println!("ping {} from {:#x}", ping.words[0], ping.badge);
        reply(&Message::new(PONG).words(&[ping.words[0] * ping.words[0]]))?;
    }
    println!("the player ended with {}", child.wait(FOREVER)?);
    Ok(())
}

/// The other process.
fn play(port: &Port) -> Result<(), Error> {
    for ball in 1..=ROUNDS {
        let pong = port.call(&Message::new(PING).words(&[ball]), FOREVER)?;
        println!("                    pong {}", pong.words[0]);
    }
    Ok(())
}

/// A queue that is full is an error, or a wait: as the sender likes. Nothing is lost.
fn backpressure() -> Result<(), Error> {
    let port = Port::create(ROOM)?;
    println!("a port with room for {ROOM} messages:");
    for number in 1.. {
        match port.send(&Message::new(0).words(&[number]), NOW) {
            Ok(()) => println!("  {number} is in the queue"),
            Err(error) => {
                println!("  {number} is not: {error:?}");
                break;
            }
        }
    }
    let soon = now() + 5 * MILLISECOND;
    let late = port.send(&Message::new(0).words(&[5]), soon);
    println!("  5 waits for 5 ms, and nobody receives: {late:?}");
    let sender = port.duplicate(PortRights::SEND)?;
    let waiting = spawn(Options::default(), move || {
        let sent = sender.send(&Message::new(0).words(&[5]), FOREVER);
        assert_eq!(sent, Ok(()), "there is room in the end");
    })?;
    sleep(5 * MILLISECOND);
    println!("  5 waits for as long as it takes:");
    for _ in 0..=ROOM {
        println!("  received {}", port.receive(FOREVER)?.words[0]);
    }
    waiting.join();
    Ok(())
}
