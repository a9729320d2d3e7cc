//! Looks an initial RAM disk over before anybody relies on it, and finds files in it: a cpio archive
//! of the "newc" kind.

use super::Malformed;

/// What is in an initrd that is sound.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Contents {
    /// Entries: files, directories, links.
    pub files: usize,
    /// Bytes in the files.
    pub bytes: u64,
}

const HEADER: usize = 110;
const MAGIC: &[u8] = b"070701";
const GZIP: &[u8] = &[0x1f, 0x8b];
const TRAILER: &[u8] = b"TRAILER!!!";
/// Where the header has the length of the file, and that of its name with terminator.
const FILE_SIZE: usize = 54;
const NAME_SIZE: usize = 94;

/// Walks the archive's headers to its trailer. The work grows with their number.
pub fn check(archive: &[u8]) -> Result<Contents, Malformed> {
    if archive.starts_with(GZIP) {
        return Err(Malformed::new("compressed: not supported yet"));
    }
    let mut contents = Contents::default();
    let mut at = 0;
    while let Some(entry) = entry(archive, at)? {
        contents.files += 1;
        contents.bytes += entry.data.len() as u64;
        at = entry.next;
    }
    Ok(contents)
}

/// What is in the first file of this name, given as in the archive: without a slash at its front.
pub fn find<'a>(archive: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut at = 0;
    while let Some(entry) = entry(archive, at).ok()? {
        if entry.name == name.as_bytes() {
            return Some(entry.data);
        }
        at = entry.next;
    }
    None
}

/// One entry of an archive.
struct Entry<'a> {
    name: &'a [u8],
    data: &'a [u8],
    /// Where the one after it begins.
    next: usize,
}

/// The entry that begins `at` so many bytes, or nothing if that is the trailer.
fn entry(archive: &[u8], at: usize) -> Result<Option<Entry<'_>>, Malformed> {
    let rest = archive.get(at..).unwrap_or_default();
    let (name_size, file_size) = header(rest).ok_or(Malformed::at(at as u64, "no cpio header"))?;
    let cut_short = Malformed::at(at as u64, "an entry is cut short");
    let data = (HEADER + name_size).next_multiple_of(4);
    let name = rest.get(HEADER..HEADER + name_size).ok_or(cut_short)?;
    // More than one NUL puts the file's bytes to a place that its maker wanted.
    let end = name.iter().position(|&byte| byte == 0).ok_or(cut_short)?;
    let name = &name[..end];
    if name == TRAILER {
        return Ok(None);
    }
    let next = at + (data + file_size).next_multiple_of(4);
    let data = rest.get(data..data + file_size).ok_or(cut_short)?;
    Ok(Some(Entry { name, data, next }))
}

/// The sizes of name and file, both below 4 GiB.
fn header(bytes: &[u8]) -> Option<(usize, usize)> {
    let header = bytes.get(..HEADER).filter(|header| header.starts_with(MAGIC))?;
    Some((number(header, NAME_SIZE)?, number(header, FILE_SIZE)?))
}

/// Eight hexadecimal digits.
fn number(header: &[u8], at: usize) -> Option<usize> {
    let digits = header.get(at..at + 8)?;
    digits
        .iter()
        .try_fold(0, |number, &digit| Some(number << 4 | char::from(digit).to_digit(16)? as usize))
}
