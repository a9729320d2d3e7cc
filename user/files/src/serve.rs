//! The side that answers.

use crate::server::{Asked, Window, answer};
use crate::{Failure, FileSystem, Result};
use protocol::{Parcel, calls};
use rt::Error;
use rt::abi::{Arrival, FOREVER};
use rt::object::{lease_read, lease_write};
use rt::service::{Inbox, SAVE};

/// Answers requests until the port is no more.
pub fn serve(inbox: Inbox, files: &mut impl FileSystem) -> Error {
    let mut told = None;
    loop {
        let received = match told.take() {
            Some(told) => inbox.reply_receive(&told, FOREVER),
            None => inbox.receive(FOREVER),
        };
        match received {
            Ok(received) if received.arrival == Arrival::Call && received.label() == SAVE => {
                told = Some(calls::answer(files.leave().map(Parcel::of)));
            }
            Ok(received) if received.arrival == Arrival::Call => {
                let [lengths, number, ..] = received.words;
                let lengths = [lengths & 0xffff_ffff, lengths >> 32];
                let asked = Asked { label: received.label(), lengths, number };
                let done = answer(files, &asked, &mut Leases);
                told = Some(calls::answer(done.map(Parcel::of)));
            }
            Ok(_) | Err(Error::Cancelled) => {}
            Err(error) => return error,
        }
    }
}

/// What the caller has lent: bytes to read, and room to write to.
struct Leases;

impl Window for Leases {
    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        lease_read(None, 0, offset, bytes).map_err(|_| Failure::Invalid)
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        lease_write(None, 1, offset, bytes).map_err(|_| Failure::Invalid)
    }
}
