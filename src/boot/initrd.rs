//! Looks an initial RAM disk over before anybody relies on it, and finds files in it: a cpio archive
//! of the "newc" kind.

use super::Malformed;
use core::iter;

const HEADER: usize = 110;
const MAGIC: &[u8] = b"070701";
const GZIP: &[u8] = &[0x1f, 0x8b];
const TRAILER: &[u8] = b"TRAILER!!!";
/// Where the header has the length of the file, and that of its name with terminator.
const FILE_SIZE: usize = 54;
const NAME_SIZE: usize = 94;

/// What is in an archive, by name: files, directories, links.
type Entry<'a> = (&'a [u8], &'a [u8]);

/// How many entries there are in an archive that is sound. The work grows with their number.
pub fn check(archive: &[u8]) -> Result<usize, Malformed> {
    if archive.starts_with(GZIP) {
        return Err("compressed: not supported yet");
    }
    entries(archive).try_fold(0, |count, entry| entry.map(|_| count + 1))
}

/// What is in the first file of this name, given as in the archive: without a slash at its front.
pub fn find<'a>(archive: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut sound = entries(archive).map_while(Result::ok);
    sound.find(|&(other, _)| other == name.as_bytes()).map(|(_, data)| data)
}

/// The entries up to the trailer; whoever asks stops at what is wrong.
fn entries(mut rest: &[u8]) -> impl Iterator<Item = Result<Entry<'_>, Malformed>> {
    iter::from_fn(move || match entry(rest) {
        Ok(((TRAILER, _), _)) => None,
        Ok((entry, later)) => {
            rest = later;
            Some(Ok(entry))
        }
        Err(why) => Some(Err(why)),
    })
}

/// The entry at the beginning, and what comes after it.
fn entry(archive: &[u8]) -> Result<(Entry<'_>, &[u8]), Malformed> {
    let (name_size, file_size) = sizes(archive).ok_or("no cpio header")?;
    let part = |start, size| archive.get(start..start + size).ok_or("an entry is cut short");
    let name = part(HEADER, name_size)?;
    // More than one NUL puts the file's bytes to a place that its maker wanted.
    let end = name.iter().position(|&byte| byte == 0).ok_or("an entry is cut short")?;
    let start = (HEADER + name_size).next_multiple_of(4);
    let data = part(start, file_size)?;
    let later = archive.get((start + file_size).next_multiple_of(4)..).unwrap_or_default();
    Ok(((&name[..end], data), later))
}

/// The sizes of name and file, both below 4 GiB.
fn sizes(archive: &[u8]) -> Option<(usize, usize)> {
    let header = archive.get(..HEADER).filter(|header| header.starts_with(MAGIC))?;
    Some((number(header, NAME_SIZE)?, number(header, FILE_SIZE)?))
}

/// Eight hexadecimal digits.
fn number(header: &[u8], at: usize) -> Option<usize> {
    let digits = header.get(at..at + 8)?;
    digits
        .iter()
        .try_fold(0, |number, &digit| Some(number << 4 | char::from(digit).to_digit(16)? as usize))
}
