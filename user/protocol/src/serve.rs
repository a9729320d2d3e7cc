//! A server that answers each request at once.

use crate::calls::answer;
use crate::{Fails, Parcel};
use rt::Error;
use rt::abi::{Arrival, FOREVER};
use rt::message::Received;
use rt::service::Inbox;

/// Serves until the port is no more.
pub fn serve<F: Fails>(
    inbox: Inbox<'_>,
    mut serve: impl FnMut(&Received) -> Result<Parcel, F>,
) -> Error {
    let mut result = None;
    loop {
        let arrived = match result.take() {
            Some(result) => inbox.reply_receive(&answer(result), FOREVER),
            None => inbox.receive(FOREVER),
        };
        match arrived {
            Ok(received) if received.arrival == Arrival::Call => result = Some(serve(&received)),
            // A message without a caller is nobody's.
            Ok(received) => received.close_handles(),
            // Somebody ended the wait, and nothing else.
            Err(Error::Cancelled) => {}
            Err(error) => return error,
        }
    }
}
