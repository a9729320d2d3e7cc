//! Seeded randomness for broken input: the same case is the same bytes, always.

/// SplitMix64.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// How many cases to try: a few under Miri, which takes a thousand times as long.
pub fn cases(all: u64) -> u64 {
    if cfg!(miri) { all / 500 } else { all }
}

/// Breaks bytes: flipped bits, wrong words, lying lengths, holes, cuts; one to four times.
pub fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.below(4) {
        if bytes.is_empty() {
            return;
        }
        let at = random.below(bytes.len());
        match random.below(8) {
            0 => bytes.truncate(at),
            1 | 2 => bytes[at] ^= 1 << random.below(8),
            3 => bytes[at] = random.next() as u8,
            4 => word(bytes, at, [0, 1, 2, 3, 4, 9, 0x7fff_ffff, u32::MAX][random.below(8)]),
            5 => word(bytes, at, random.below(64) as u32),
            6 => {
                let from = random.below(bytes.len());
                let length = random.below(64).min(bytes.len() - from.max(at));
                bytes.copy_within(from..from + length, at);
            }
            _ => {
                let end = (at + random.below(32)).min(bytes.len());
                bytes[at..end].fill(0);
            }
        }
    }
}

fn word(bytes: &mut [u8], at: usize, word: u32) {
    if let Some(place) = bytes.get_mut(at & !3..(at & !3) + 4) {
        place.copy_from_slice(&word.to_be_bytes());
    }
}
