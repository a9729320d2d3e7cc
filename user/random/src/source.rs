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

/// Moments that are taken where there is nothing else.
const MOMENTS: usize = 256;

/// A source.
pub struct Source {
    /// What it is called.
    pub name: &'static str,
    read: Read,
    last: Bytes,
}

impl Source {
    fn new(name: &'static str, read: impl FnMut() -> Option<Bytes> + 'static) -> Source {
        Source { name, read: Box::new(read), last: [0; PIECE] }
    }

    /// Bytes, unless they cannot be what they should: the same again, or one and the same word.
    pub fn read(&mut self) -> Option<Bytes> {
        let bytes = (self.read)()?;
        let mut words = bytes.as_chunks::<4>().0.iter();
        let is_stuck = bytes == self.last || words.all(|word| *word == bytes[..4]);
        self.last = bytes;
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

/// Moments between which others ran, or might have.
pub fn moments() -> impl Iterator<Item = u64> {
    (0..MOMENTS).map(|_| {
        time::yield_now();
        time::now()
    })
}

/// Bytes of words, of which there may be none at some point.
fn collect(mut word: impl FnMut() -> Option<u64>) -> Option<Bytes> {
    let mut bytes = [0; PIECE];
    for place in bytes.as_chunks_mut().0 {
        *place = word()?.to_le_bytes();
    }
    Some(bytes)
}
