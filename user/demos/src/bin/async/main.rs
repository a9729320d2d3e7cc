//! One thread, several tasks: two that wait for time, one that waits for somebody to type.
#![no_std]
#![no_main]

extern crate alloc;

mod uart;

use alloc::string::String;
use core::cell::Cell;
use rt::abi::Error;
use rt::task::Tasks;
use rt::time::{MILLISECOND, SECOND, now};
use rt::{Port, Start, println};
use uart::Uart;

rt::entry!(main);

/// The signal of the serial port's interrupt.
const INPUT: u64 = 1;
/// How long to wait for somebody to type.
const PATIENCE: u64 = 4 * SECOND;
/// How often to look where the serial port cannot interrupt.
const POLL: u64 = 20 * MILLISECOND;

fn main(_: Start) -> u64 {
    match Port::create(0).and_then(run) {
        Ok(()) => 0,
        Err(error) => 100 + error as u64,
    }
}

fn run(port: Port) -> Result<(), Error> {
    let uart = Uart::open(&port, INPUT)?;
    let tasks = Tasks::new(port);
    let begin = now();
    for (name, period, times) in [("tick", 300, 4), ("tock", 450, 3)] {
        tasks.spawn(clock(tasks.clone(), name, period * MILLISECOND, times, begin));
    }
    println!("type something, and end it with Enter");
    let all = tasks.clone();
    let line = tasks.block_on(async move { read_line(&all, &uart, begin + PATIENCE).await });
    match line {
        Some(line) => println!("you typed: {line}"),
        None => println!("nobody typed a line within {} s", PATIENCE / SECOND),
    }
    Ok(())
}

/// Says its name now and then.
async fn clock(tasks: Tasks, name: &str, period: u64, times: u64, begin: u64) {
    for number in 1..=times {
        tasks.sleep_until(begin + number * period).await;
        println!("{name} {number} at {} ms", number * period / MILLISECOND);
    }
}

/// What is typed up to the end of the line, or nothing if that does not come in time.
async fn read_line(tasks: &Tasks, uart: &Uart, deadline: u64) -> Option<String> {
    let line = Cell::new(Some(String::new()));
    while now() < deadline {
        while let Some(byte) = uart.read() {
            let mut text = line.take().unwrap_or_default();
            match byte {
                b'\r' | b'\n' => return Some(text),
                _ => text.push(char::from(byte)),
            }
            line.set(Some(text));
        }
        uart.wait(tasks, INPUT, deadline.min(now() + POLL)).await;
    }
    None
}
