//! The kernel's heap: growing, fragmentation, running out.

extern crate alloc;

use crate::table::Test;
use alloc::boxed::Box;
use alloc::vec::Vec;
use ochre::kernel;
use ochre::mm::{MapError, global};

pub const TESTS: &[Test] = &[
    Test::pass("memory", "heap-grows", grows),
    Test::pass("memory", "heap-runs-out", runs_out),
    Test::pass("stress", "heap-fragmentation", fragmentation),
];

fn reserve(bytes: usize) -> Result<(), MapError> {
    kernel::lock().reserve_heap(bytes)
}

fn grows() {
    reserve(1 << 20).expect("a MiB of heap");
    let numbers: Vec<u64> = (0..(1 << 20) / 8 - 64).collect();
    assert!(numbers.iter().enumerate().all(|(index, &number)| number == index as u64));
}

/// What cannot be had is refused, and what can be had after that is had.
fn runs_out() {
    assert!(reserve(1 << 40).is_err());
    let all = kernel::lock().ram.frames.stats().free * 4096;
    assert!(reserve(all + 4096).is_err());
    reserve(1000).expect("a little is still there");
    assert_eq!(*Box::new(7), 7);
}

/// Blocks of many sizes, given back in another order than they were taken, leave nothing behind
/// and no two ever overlap.
fn fragmentation() {
    reserve(2 << 20).expect("heap for the test");
    let before = global::stats();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let mut blocks: Vec<Vec<u8>> = Vec::with_capacity(256);
    for step in 0..20_000u64 {
        let full = blocks.len() == 256;
        if full || (!blocks.is_empty() && next() % 2 == 0) {
            let block = blocks.swap_remove((next() % blocks.len() as u64) as usize);
            assert!(block.iter().all(|&byte| byte == block[0]), "overwritten at step {step}");
        } else {
            blocks.push(alloc::vec![step as u8; 1 + (next() % 3000) as usize]);
        }
    }
    drop(blocks);
    assert_eq!(global::stats().used, before.used);
}
