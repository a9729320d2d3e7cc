//! Timers, interrupts, windows to devices, I/O ports.

use crate::Test;
use crate::check::{call, call_until, fails, holds, same, works};
use crate::support::{World, free_line};
use rt::abi::{Call, Error, FOREVER, PAGE, WINDOW_DEVICE};
use rt::arch::Registers;
use rt::time::{MILLISECOND, now};
use rt::{Memory, Object, Port};

pub const TESTS: &[Test] =
    &[("timer", timer), ("interrupt", interrupt), ("memory-window", window), ("io-ports", io)];

/// The registers of a device, on all platforms; nobody touches them here.
pub const DEVICE: u64 = if cfg!(target_arch = "aarch64") { 0x3f20_1000 } else { 0xfed0_0000 };

fn timer(_: &World) {
    let port = Port::create(0).expect("a port");
    let timer = works(call(Call::TimerCreate, &[port.raw(), 4]))[1];
    let when = now() + 3 * MILLISECOND;
    works(call(Call::TimerSet, &[timer, when]));
    let out = works(call_until(Call::Receive, &[port.raw()], FOREVER));
    same(out[2], 4);
    holds(now() >= when);
    // Once only; and what is set anew, or for ever, does not ring at the old time.
    fails(call_until(Call::Receive, &[port.raw()], now() + MILLISECOND), Error::TimedOut);
    silenced(&port, |timer| works(call(Call::TimerSet, &[timer, FOREVER])));
    silenced(&port, |timer| works(call(Call::Close, &[timer])));
    // What has passed rings at once.
    works(call(Call::TimerSet, &[timer, 1]));
    same(works(call_until(Call::Receive, &[port.raw()], FOREVER))[2], 4);
}

/// A timer is set and then silenced; if that came in time, it does not ring.
fn silenced(port: &Port, silence: impl Fn(u64) -> Registers) {
    loop {
        let timer = works(call(Call::TimerCreate, &[port.raw(), 4]))[1];
        let when = now() + 2 * MILLISECOND;
        works(call(Call::TimerSet, &[timer, when]));
        silence(timer);
        let in_time = now() < when;
        let rings = call_until(Call::Receive, &[port.raw()], when + MILLISECOND);
        let _ = call(Call::Close, &[timer]);
        if in_time {
            return fails(rings, Error::TimedOut);
        }
    }
}

fn interrupt(_: &World) {
    let (machine, port) = (rt::machine().raw(), Port::create(0).expect("a port"));
    let attempt = |line| call(Call::InterruptCreate, &[machine, line, port.raw(), 1]);
    let line = free_line().expect("a line");
    let interrupt = works(attempt(line))[1];
    fails(attempt(line), Error::Occupied);
    works(call(Call::InterruptAck, &[interrupt]));
    works(call(Call::Close, &[interrupt]));
    let again = works(attempt(line))[1];
    works(call(Call::Close, &[again]));
    for line in [1 << 20, 1 << 32, u64::MAX] {
        fails(attempt(line), Error::Invalid);
    }
}

fn window(_: &World) {
    let machine = rt::machine().raw();
    let attempt =
        |at, pages, attributes| call(Call::MemoryWindow, &[machine, at, pages, attributes]);
    let window = Memory::from_raw(works(attempt(DEVICE, 1, WINDOW_DEVICE))[1]);
    same(window.info().map(|info| (info.pages, info.physical)), Ok((1, DEVICE)));
    // RAM is nobody's to look into.
    let (ram, at) = Memory::contiguous(&rt::machine(), 1).expect("a page");
    fails(attempt(at, 1, WINDOW_DEVICE), Error::Invalid);
    drop(ram);
    fails(attempt(at, 1, WINDOW_DEVICE), Error::Invalid);
    fails(attempt(at - PAGE, 3, 0), Error::Invalid);
    for (at, pages, attributes) in [
        (DEVICE + 8, 1, WINDOW_DEVICE),
        (DEVICE, 0, WINDOW_DEVICE),
        (DEVICE, 1, 2),
        (DEVICE, 1, u64::MAX),
        (DEVICE, u64::MAX, WINDOW_DEVICE),
        (1 << 60, 1, WINDOW_DEVICE),
        (u64::MAX - PAGE + 1, 2, WINDOW_DEVICE),
    ] {
        fails(attempt(at, pages, attributes), Error::Invalid);
    }
}

#[cfg(target_arch = "aarch64")]
fn io(_: &World) {
    fails(call(Call::IoCreate, &[rt::machine().raw(), 0x80, 1]), Error::Unsupported);
}

#[cfg(target_arch = "x86_64")]
fn io(_: &World) {
    let machine = rt::machine().raw();
    // The scratch register of the first serial port keeps what is written.
    let ports = works(call(Call::IoCreate, &[machine, 0x3ff, 1]))[1];
    for value in [0x5a, 0xa5] {
        works(call(Call::IoWrite, &[ports, 0x3ff, 1, value]));
        same(works(call(Call::IoRead, &[ports, 0x3ff, 1]))[1], value);
    }
    for (port, size) in [(0x3fe, 1), (0x400, 1), (0x3ff, 2), (0x3ff, 0), (u64::MAX, 1), (0x3ff, 3)]
    {
        fails(call(Call::IoRead, &[ports, port, size]), Error::Invalid);
        fails(call(Call::IoWrite, &[ports, port, size, 0]), Error::Invalid);
    }
    works(call(Call::Close, &[ports]));
    for (first, count) in [(0, 0), (0xffff, 2), (1 << 16, 1), (u64::MAX, 2), (0, u64::MAX)] {
        fails(call(Call::IoCreate, &[machine, first, count]), Error::Invalid);
    }
}
