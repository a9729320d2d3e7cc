//! Function names for backtraces, from the table that `tools/symbols.py` puts into the image after
//! linking. It begins with where the code does, four bytes of offset from `IMAGE_BASE`; then there is an
//! entry for each function, by ascending address: two bytes of distance from the one before, and a name
//! that ends with a zero. Numbers are little-endian. An empty name is where the code ends.

/// The function that an address in the image belongs to, and how far into it the address is.
pub fn lookup(table: &[u8], offset: u64) -> Option<(&str, u64)> {
    let (first, mut rest) = table.split_first_chunk()?;
    let (mut start, mut name) = (u64::from(u32::from_le_bytes(*first)), "");
    loop {
        let (distance, tail) = rest.split_first_chunk()?;
        let next = start + u64::from(u16::from_le_bytes(*distance));
        if next > offset {
            return (!name.is_empty()).then_some((name, offset - start));
        }
        let end = tail.iter().position(|&byte| byte == 0)?;
        (start, name, rest) = (next, str::from_utf8(&tail[..end]).ok()?, &tail[end + 1..]);
    }
}

#[cfg(test)]
mod tests {
    use super::lookup;

    fn table() -> Vec<u8> {
        b"\x80\0\0\0\x80\0first\0\x80\0second\0\0\x10\0".to_vec()
    }

    #[test]
    fn finds_the_function_before_an_address() {
        assert_eq!(lookup(&table(), 0x17f), Some(("first", 0x7f)));
        assert_eq!(lookup(&table(), 0x180), Some(("second", 0)));
        assert_eq!(lookup(&table(), 0xff), None);
        assert_eq!(lookup(&table(), 0x117f), Some(("second", 0xfff)));
        assert_eq!(lookup(&table(), 0x1180), None);
    }

    #[test]
    fn survives_tables_that_are_cut_short_or_empty() {
        for length in 0..table().len() {
            let _ = lookup(&table()[..length], 0x190);
        }
        assert_eq!(lookup(&[], 0), None);
        assert_eq!(lookup(&[0; 64], 5), None);
    }
}
