//! Numbers that are the same for the same seed (xorshift64*).

pub struct Random(pub u64);

impl Random {
    /// One of so many.
    pub fn below(&mut self, count: u64) -> u64 {
        // Zero would stay zero.
        let mut word = self.0 ^ 0x9e37_79b9_7f4a_7c15;
        word ^= word >> 12;
        word ^= word << 25;
        word ^= word >> 27;
        self.0 = word ^ 0x9e37_79b9_7f4a_7c15;
        (word.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % count
    }
}
