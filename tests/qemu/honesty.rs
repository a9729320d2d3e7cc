//! Tests of who runs the tests: each goes wrong in a way of its own, and the runner must call it
//! failed. They are in no list.

use crate::cpus::everyone;
use crate::table::Test;
use ochre::arch::{self, Exit};

pub const TESTS: &[Test] = &[
    Test::pass("honesty", "fail", || panic!("this test fails")),
    Test::pass("honesty", "hang", || everyone(|_| spin_for_ever())),
    Test::pass("honesty", "leave", || arch::power::exit(Exit::Success)),
    Test::panic("survive", "this never comes", || {}),
];

/// With interrupts off, as all tests are run.
#[inline(never)]
fn spin_for_ever() {
    loop {
        arch::cpu::relax();
    }
}
