//! A generator with *fast key erasure*: all it has is a key. Every request makes blocks of the key, of which the
//! first half block is the next key, and the rest goes out and is not kept. So nobody who sees its state
//! afterwards can tell what it gave before; and whoever saw it before can tell what it gives only until
//! something is mixed in that they do not know.

use crate::chacha::{BLOCK, KEY, block, erase};

/// Bytes that are mixed in at a time.
pub const PIECE: usize = 4 * KEY;

/// How hard it is to guess what a generator gives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
#[repr(u64)]
pub enum Strength {
    /// Nothing was mixed in: it gives nothing.
    #[default]
    Unseeded,
    /// All there was were moments of a clock, which somebody might guess.
    Weak,
    /// Bytes from a source that is made for it.
    Strong,
}

/// A generator.
#[derive(Default)]
pub struct Generator {
    key: [u32; KEY],
    strength: Strength,
}

/// It was asked before anything was mixed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unseeded;

impl Generator {
    /// How hard it is to guess what it gives.
    pub fn strength(&self) -> Strength {
        self.strength
    }

    /// Mixes bytes in. They can only make it harder to guess what it gives: what is known of them takes nothing
    /// away from what is not known of the key. To be strong they must be at least [`PIECE`] of a source that is.
    pub fn mix(&mut self, bytes: &[u8], strength: Strength) {
        for piece in bytes.chunks(PIECE) {
            for (word, bytes) in self.key.iter_mut().zip(piece.chunks(4)) {
                let mut all = [0; 4];
                all[..bytes.len()].copy_from_slice(bytes);
                *word ^= u32::from_le_bytes(all);
            }
            // A block cannot be turned back into its key.
            self.turn();
        }
        let is_enough = strength < Strength::Strong || bytes.len() >= PIECE;
        let strength = if is_enough { strength } else { Strength::Weak };
        if !bytes.is_empty() {
            self.strength = self.strength.max(strength);
        }
    }

    /// Fills a buffer.
    pub fn fill(&mut self, out: &mut [u8]) -> Result<(), Unseeded> {
        if self.strength == Strength::Unseeded {
            return Err(Unseeded);
        }
        let mut key = self.key;
        let mut first = self.turn();
        let (near, far) = out.split_at_mut(out.len().min(4 * first.len()));
        put(near, &first);
        erase(&mut first);
        for (counter, out) in (1..).zip(far.chunks_mut(4 * BLOCK)) {
            let mut block = block(&key, counter, [0; 3]);
            put(out, &block);
            erase(&mut block);
        }
        erase(&mut key);
        Ok(())
    }

    /// Goes on to the next key; the other half of the first block.
    fn turn(&mut self) -> [u32; BLOCK - KEY] {
        let mut block = block(&self.key, 0, [0; 3]);
        let (key, rest) = block.split_at(KEY);
        self.key.copy_from_slice(key);
        let rest = core::array::from_fn(|nth| rest[nth]);
        erase(&mut block);
        rest
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        erase(&mut self.key);
    }
}

/// Puts words, or as much of them as fits.
fn put(out: &mut [u8], words: &[u32]) {
    for (out, word) in out.chunks_mut(4).zip(words) {
        out.copy_from_slice(&word.to_le_bytes()[..out.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// One with a seed of equal bytes.
    fn seeded(byte: u8) -> Generator {
        let mut generator = Generator::default();
        generator.mix(&[byte; PIECE], Strength::Strong);
        generator
    }

    fn copy(generator: &Generator) -> Generator {
        Generator { key: generator.key, strength: generator.strength }
    }

    fn get(generator: &mut Generator, count: usize) -> Vec<u8> {
        let mut out = std::vec![0; count];
        generator.fill(&mut out).unwrap();
        out
    }

    fn bytes(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn one_without_a_seed_gives_nothing() {
        let mut generator = Generator::default();
        let mut out = [7; 4];
        assert_eq!(generator.fill(&mut out), Err(Unseeded));
        generator.mix(&[], Strength::Strong);
        assert_eq!(generator.fill(&mut out), Err(Unseeded));
        assert_eq!(out, [7; 4]);
    }

    #[test]
    fn it_says_how_strong_it_is() {
        let mut generator = Generator::default();
        generator.mix(&[1; PIECE], Strength::Weak);
        assert_eq!(generator.strength(), Strength::Weak);
        generator.mix(&[1; PIECE - 1], Strength::Strong);
        assert_eq!(generator.strength(), Strength::Weak);
        generator.mix(&[1; PIECE], Strength::Strong);
        assert_eq!(generator.strength(), Strength::Strong);
        generator.mix(&[1], Strength::Weak);
        assert_eq!(generator.strength(), Strength::Strong);
    }

    #[test]
    fn what_it_gives_is_the_stream_of_its_key_behind_the_next_key() {
        for count in [0, 1, 5, 31, 32, 33, 64, 95, 96, 97, 1000] {
            let mut generator = seeded(3);
            let key = generator.key;
            let stream: Vec<u8> =
                (0..20).flat_map(|nth| bytes(&block(&key, nth, [0; 3]))).collect();
            let out = get(&mut generator, count);
            assert_eq!(bytes(&generator.key), stream[..32]);
            assert_eq!(out, stream[32..32 + count]);
        }
    }

    #[test]
    fn its_state_does_not_tell_what_it_gave() {
        let mut generator = seeded(5);
        let before = bytes(&generator.key);
        let out = get(&mut generator, 4096);
        let mut after = copy(&generator);
        let is_in = |bytes: &[u8], state: &[u8]| bytes.windows(4).any(|it| it == state);
        // Neither the key that made it, nor any of it, is still there.
        let state = bytes(&generator.key);
        assert!(state.chunks(4).all(|word| !is_in(&before, word) && !is_in(&out, word)));
        // What whoever stole the state goes on with is nothing that was given.
        let next = get(&mut after, 4096);
        assert!(next.chunks(4).all(|word| !is_in(&out, word)));
    }

    #[test]
    fn a_stolen_state_is_worth_nothing_once_it_is_seeded_again() {
        let mut generator = seeded(5);
        let mut stolen = copy(&generator);
        assert_eq!(get(&mut generator, 100), get(&mut stolen, 100));
        generator.mix(&[9; PIECE], Strength::Strong);
        let (own, theirs) = (get(&mut generator, 4096), get(&mut stolen, 4096));
        let same = own.iter().zip(&theirs).filter(|(own, theirs)| own == theirs).count();
        assert!(same < 50, "{same} bytes are the same");
    }

    #[test]
    fn every_bit_that_is_mixed_in_counts() {
        let mixed = |bytes: &[u8]| {
            let mut generator = seeded(0);
            generator.mix(bytes, Strength::Strong);
            get(&mut generator, 32)
        };
        let mut all = std::collections::BTreeSet::from([mixed(&[0; 70])]);
        for bit in 0..70 * 8 {
            let mut seed = [0; 70];
            seed[bit / 8] |= 1 << (bit % 8);
            assert!(all.insert(mixed(&seed)), "bit {bit}");
        }
        // The same twice does not take itself back.
        let twice = mixed(&[1; 2 * PIECE]);
        assert!(all.insert(twice));
    }

    #[test]
    fn its_bytes_are_spread_evenly() {
        let mut counts = [0u64; 256];
        get(&mut seeded(1), 1 << 20).iter().for_each(|&byte| counts[usize::from(byte)] += 1);
        let wanted = (1 << 20) as f64 / 256.0;
        let chi: f64 = counts.iter().map(|&it| (it as f64 - wanted).powi(2) / wanted).sum();
        // 255 degrees of freedom: one in a million lies outside.
        assert!((150.0..380.0).contains(&chi), "{chi}");
    }
}
