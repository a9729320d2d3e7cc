//! Function names for backtraces, from the table that `tools/symbols.py` puts into the image after
//! linking: a count, that many pairs (offset from `IMAGE_BASE`, offset of the name in the
//! table) sorted by the first, then the names, each ended by a zero. All numbers are 32-bit and
//! little-endian. A table that was not filled in
//! has a count of zero; an empty name is where the code ends.

/// The function that an address in the image belongs to, and how far into it the address is.
pub fn lookup(table: &[u8], offset: u64) -> Option<(&str, u64)> {
    let count = word(table, 0)? as usize;
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if u64::from(word(table, 1 + 2 * middle)?) <= offset {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let index = low.checked_sub(1)?;
    let start = word(table, 1 + 2 * index)?;
    let name = table.get(word(table, 2 + 2 * index)? as usize..)?;
    let end = name.iter().position(|&byte| byte == 0)?;
    let name = core::str::from_utf8(&name[..end]).ok().filter(|name| !name.is_empty())?;
    Some((name, offset - u64::from(start)))
}

fn word(table: &[u8], index: usize) -> Option<u32> {
    let bytes = table.get(4 * index..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::lookup;

    fn table() -> Vec<u8> {
        let words = [2u32, 0x100, 20, 0x180, 26];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend(b"first\0second\0");
        bytes
    }

    #[test]
    fn finds_the_function_before_an_address() {
        assert_eq!(lookup(&table(), 0x17f), Some(("first", 0x7f)));
        assert_eq!(lookup(&table(), 0x180), Some(("second", 0)));
        assert_eq!(lookup(&table(), 0xff), None);
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
