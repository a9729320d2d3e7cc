//! Physical memory for tests of PC firmware: pieces at addresses, and nothing in between.

use crate::fw_random::{Random, mutate};
use ochre::boot::PhysRead;
use ochre::units::PhysAddr;

#[derive(Clone, Default)]
pub struct Memory(pub Vec<(u64, Vec<u8>)>);

impl PhysRead for Memory {
    fn bytes(&self, at: PhysAddr, len: usize) -> Option<&[u8]> {
        self.0.iter().find_map(|(start, bytes)| {
            let offset = usize::try_from(at.0.checked_sub(*start)?).ok()?;
            bytes.get(offset..offset.checked_add(len)?)
        })
    }
}

impl Memory {
    pub fn with(mut self, at: u64, bytes: &[u8]) -> Memory {
        self.0.push((at, bytes.to_vec()));
        self
    }

    /// With one piece broken.
    pub fn mutated(&self, random: &mut Random) -> Memory {
        let mut broken = self.clone();
        let piece = random.below(broken.0.len());
        mutate(&mut broken.0[piece].1, random);
        broken
    }
}

/// Little-endian bytes of 32-bit words.
pub fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Little-endian bytes of 64-bit words.
pub fn longs(longs: &[u64]) -> Vec<u8> {
    longs.iter().flat_map(|long| long.to_le_bytes()).collect()
}
