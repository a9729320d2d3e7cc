//! Where bytes come from that nobody can guess.

mod bcm2835;
#[cfg_attr(target_arch = "aarch64", path = "source/aarch64.rs")]
#[cfg_attr(target_arch = "x86_64", path = "source/x86_64.rs")]
mod cpu;
mod virtio_rng;

use alloc::boxed::Box;
use alloc::vec::Vec;
use random::PIECE;
use rt::service::Grants;
use rt::time;

/// Bytes that are taken at a time.
pub type Bytes = [u8; PIECE];
/// How a source is asked for some. One that has none does not work, and is not asked again.
type Read = Box<dyn FnMut() -> Option<Bytes>>;

/// Pieces of moments that are taken where there is nothing else.
const MOMENTS: usize = 64;

/// A source.
pub struct Source {
    /// What it is called.
    pub name: &'static str,
    read: Read,
    /// What the last bytes began with.
    last: [u8; 8],
}

impl Source {
    fn new(name: &'static str, read: impl FnMut() -> Option<Bytes> + 'static) -> Source {
        Source { name, read: Box::new(read), last: [0; 8] }
    }

    /// Bytes, unless they cannot be what they should: the same again, or one and the same word.
    pub fn read(&mut self) -> Option<Bytes> {
        let bytes = (self.read)()?;
        let words = bytes.as_chunks::<8>().0;
        let is_stuck = words[0] == self.last || words.iter().all(|word| *word == words[0]);
        self.last = words[0];
        (!is_stuck).then_some(bytes)
    }
}

/// All that this service was given, and the CPU has.
pub fn all(grants: &Grants) -> Vec<Source> {
    [device(grants), cpu::source()].into_iter().flatten().collect()
}

/// The device, if it was given one, which its registers tell.
fn device(grants: &Grants) -> Option<Source> {
    let window = grants.windows().next()?;
    match window.bytes {
        bcm2835::BYTES => bcm2835::source(window),
        _ => virtio_rng::source(grants),
    }
}

/// Moments of the clock, one right after the other: how long each took to tell is not all the same.
pub fn moments() -> impl Iterator<Item = Bytes> {
    (0..MOMENTS).filter_map(|_| collect(|| Some(time::now())))
}

/// Bytes of words, of which there may be none at some point.
fn collect(mut word: impl FnMut() -> Option<u64>) -> Option<Bytes> {
    let mut bytes = [0; PIECE];
    for place in bytes.as_chunks_mut().0 {
        *place = word()?.to_le_bytes();
    }
    Some(bytes)
}
