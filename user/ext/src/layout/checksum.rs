//! The checksums of metadata: CRC-32C since `metadata_csum`, CRC-16 of group descriptors before that.

use crc::{Algorithm, CRC_16_MODBUS, CRC_32_ISCSI, Crc, Table};

/// CRC-32C as ext has it: not inverted at the end.
const CASTAGNOLI: Algorithm<u32> = Algorithm { xorout: 0, ..CRC_32_ISCSI };
static CRC_32: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CASTAGNOLI);
/// That of `uninit_bg` has the initial value of Modbus.
static CRC_16: Crc<u16, Table<1>> = Crc::<u16, Table<1>>::new(&CRC_16_MODBUS);

/// What a checksum begins with where nothing else is said.
pub const START: u32 = !0;

/// Goes on with a checksum.
pub fn crc32c(sum: u32, bytes: &[u8]) -> u32 {
    // The crate takes an initial value the other way round.
    let mut digest = CRC_32.digest_with_initial(sum.reverse_bits());
    digest.update(bytes);
    digest.finalize()
}

/// A checksum of several pieces.
pub fn crc16<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> u16 {
    let mut digest = CRC_16.digest();
    pieces.into_iter().for_each(|piece| digest.update(piece));
    digest.finalize()
}

/// A checksum of bytes of which some count as zero: those of the checksum itself.
pub fn crc32c_without(sum: u32, bytes: &[u8], at: usize, length: usize) -> u32 {
    let (before, rest) = bytes.split_at(at.min(bytes.len()));
    let length = length.min(rest.len());
    let sum = crc32c(crc32c(sum, before), &[0; 4][..length.min(4)]);
    crc32c(sum, &rest[length..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert_eq!(!crc32c(START, b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(crc32c(START, b"1234"), b"56789"), crc32c(START, b"123456789"));
        assert_eq!(crc16([&b"1234"[..], b"56789"]), 0x4b37);
        let sum = crc32c_without(7, b"12345678", 2, 4);
        assert_eq!(sum, crc32c(7, b"12\x00\x00\x00\x0078"));
    }
}
