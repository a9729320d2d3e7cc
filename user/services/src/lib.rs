//! What the supervisor is told, and what it may be asked.
//!
//! * [`manifest`]: the text that says what runs, and with what.
//! * [`policy`]: when a service that has ended is started again, and when not any more.
//! * [`recovery`]: how long it took until services served again.
//! * [`control`]: what a client of the supervisor may ask of it.
//!
//! Nothing in here makes a call but the client, which the feature `calls` brings.
#![no_std]

extern crate alloc;

pub mod control;
pub mod manifest;
pub mod policy;
pub mod recovery;

#[cfg(feature = "calls")]
mod client;
#[cfg(feature = "calls")]
pub use client::Control;
