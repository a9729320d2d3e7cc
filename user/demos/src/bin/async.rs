//! Nothing yet.
#![no_std]
#![no_main]

rt::entry!(main);

fn main(_: rt::Start) -> u64 {
    rt::println!("hello");
    0
}
