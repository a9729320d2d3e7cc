//! Bytes that nobody can guess.
//!
//! * [`Generator`]: what makes many of a few. Whoever needs many has one of its own.
//! * `chacha`: what that is built on.
//! * [`requests`]: how the service is asked for a seed.
#![no_std]

#[cfg(test)]
extern crate std;

mod chacha;
mod generator;
pub mod requests;

pub use generator::{Generator, PIECE, Strength, Unseeded};
