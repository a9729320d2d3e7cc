//! Bytes that nobody can guess.
//!
//! * [`Generator`]: what makes many of a few. Whoever needs many has one of its own.
//! * `chacha`: what that is built on.
#![no_std]

#[cfg(test)]
extern crate std;

mod chacha;
mod generator;

pub use generator::{Generator, PIECE, Strength, Unseeded};

/// The label of the service's only request, a call without words: a seed comes back, in four words.
pub const SEED: u32 = 1;
