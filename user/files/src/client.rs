//! The side that asks.

use crate::{Asked, Failure, Request, Result, Tells};
use protocol::calls::{self, Lost, Patience};
use protocol::{DONE, Fails};
use rt::Port;
use rt::message::{Answer, Message};
use rt::time::SECOND;

/// How long a server may take, and how often.
const PATIENCE: Patience = Patience { late: 6 * SECOND, times: 8 };

impl Request {
    /// Makes the request, and waits for the answer. Complains if that takes longer than it ever should.
    pub fn ask(&self, server: &Port, complain: impl Fn()) -> Result<Tells> {
        let (Asked { label, lengths: [length, room], number }, given) = self.given();
        let mut bytes = alloc::vec![0; room as usize];
        let message = Message::new(label)
            .words(&[length | room << 32, number])
            .lend(given)
            .lend_mut(&mut bytes);
        let most = [room, length];
        let makes_sense = |answer: &Answer| makes_sense(answer, most);
        let answer =
            calls::call(server, &message, self.again(), PATIENCE, &makes_sense, &mut || complain());
        let answer = answer.map_err(|Lost| Failure::Broken)?;
        match answer.info.label() {
            DONE => {
                bytes.truncate(answer.words[0] as usize);
                Ok(Tells { count: answer.words[1], bytes })
            }
            label => Err(Failure::of(label)),
        }
    }
}

/// Whether some server can have answered so: why not, or that no more bytes came back, or were written, than can have.
fn makes_sense(answer: &Answer, most: [u64; 2]) -> bool {
    match answer.info.label() {
        DONE => answer.words.iter().zip(most).all(|(&word, most)| word <= most),
        label => Failure::of(label).label() == label,
    }
}
