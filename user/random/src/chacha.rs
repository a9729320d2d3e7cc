//! The block function of ChaCha20 (RFC 8439, 2.3), one block at a time and without vector registers, which
//! programs of Ochre's own do not use.

/// Words of a key, and of a block.
pub const KEY: usize = 8;
/// See above.
pub const BLOCK: usize = 16;

/// "expand 32-byte k".
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];
/// Quarter rounds of a double round: on columns, then on diagonals.
const QUARTERS: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];
const DOUBLE_ROUNDS: usize = 10;

/// The block of a key, a counter and a nonce.
pub fn block(key: &[u32; KEY], counter: u32, nonce: [u32; 3]) -> [u32; BLOCK] {
    let mut input = [0; BLOCK];
    input[..4].copy_from_slice(&CONSTANTS);
    input[4..12].copy_from_slice(key);
    input[12] = counter;
    input[13..].copy_from_slice(&nonce);
    let mut state = input;
    for _ in 0..DOUBLE_ROUNDS {
        for quarter in QUARTERS {
            quarter_round(&mut state, quarter);
        }
    }
    state.iter_mut().zip(input).for_each(|(word, input)| *word = word.wrapping_add(input));
    erase(&mut input);
    state
}

/// 2.1.
#[inline(always)]
fn quarter_round(state: &mut [u32; BLOCK], [a, b, c, d]: [usize; 4]) {
    let mut half = |[a, b, d]: [usize; 3], turn| {
        state[a] = state[a].wrapping_add(state[b]);
        state[d] = (state[d] ^ state[a]).rotate_left(turn);
    };
    half([a, b, d], 16);
    half([c, d, b], 12);
    half([a, b, d], 8);
    half([c, d, b], 7);
}

/// Leaves nothing of words that were secret.
pub fn erase(words: &mut [u32]) {
    for word in words {
        // SAFETY: it is a reference. The compiler leaves out no volatile write.
        unsafe { core::ptr::from_mut(word).write_volatile(0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn bytes(words: [u32; BLOCK]) -> Vec<u8> {
        words.into_iter().flat_map(u32::to_le_bytes).collect()
    }

    fn key(bytes: [u8; 32]) -> [u32; KEY] {
        let (words, _) = bytes.as_chunks::<4>();
        core::array::from_fn(|nth| u32::from_le_bytes(words[nth]))
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> =
            text.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    #[test]
    fn a_quarter_round_is_that_of_the_standard() {
        let mut state = [0; BLOCK];
        state[..4].copy_from_slice(&[0x1111_1111, 0x0102_0304, 0x9b8d_6f43, 0x0123_4567]);
        quarter_round(&mut state, [0, 1, 2, 3]);
        assert_eq!(state[..4], [0xea2a_92f4, 0xcb1c_f8ce, 0x4581_472e, 0x5881_c4bb]);
    }

    #[test]
    fn a_block_is_that_of_the_standard() {
        // 2.3.2.
        let counted = core::array::from_fn(|nth| nth as u8);
        let block = block(&key(counted), 1, [0x0900_0000, 0x4a00_0000, 0]);
        let wanted = "10f1e7e4 d13b5915 500fdd1f a32071c4 c7d1f4c7 33c06803 0422aa9a c3d46c4e
            d2826446 079faa09 14c2d705 d98b02a2 b5129cd1 de164eb9 cbd083e8 a2503c4e";
        assert_eq!(bytes(block), hex(wanted));
    }

    #[test]
    fn blocks_are_those_of_the_appendix() {
        // A.1: key (its last byte, or its second), counter, nonce, block.
        let vectors = [
            (
                [0; 32],
                0,
                "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7
                da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586",
            ),
            (
                [0; 32],
                1,
                "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed
                29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f",
            ),
            (
                core::array::from_fn(|nth| u8::from(nth == 31)),
                1,
                "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a
                8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0",
            ),
            (
                core::array::from_fn(|nth| if nth == 1 { 0xff } else { 0 }),
                2,
                "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca
                13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096",
            ),
        ];
        for (bytes_of_key, counter, wanted) in vectors {
            assert_eq!(bytes(block(&key(bytes_of_key), counter, [0; 3])), hex(wanted));
        }
        let last = block(&[0; KEY], 0, [0, 0, 0x0200_0000]);
        let wanted = "c2c64d378cd536374ae204b9ef933fcd1a8b2288b3dfa49672ab765b54ee27c7
            8a970e0e955c14f3a88e741b97c286f75f8fc299e8148362fa198a39531bed6d";
        assert_eq!(bytes(last), hex(wanted));
    }

    #[test]
    fn nothing_is_left_of_what_is_erased() {
        let mut words = [7; 5];
        erase(&mut words);
        assert_eq!(words, [0; 5]);
    }
}
