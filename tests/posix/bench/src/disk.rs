//! Files on a disk, which figures.py has made: on each of its partitions one named `big`.

use crate::best;
use crate::sys::{close, open, read};
use libc::O_RDONLY;
use std::ffi::CStr;
use std::io::Error;

/// Bytes that one call reads.
const PIECE: usize = 128 << 10;
const PLACE: &CStr = c"/mnt";
const FILE: &CStr = c"/mnt/big";

/// The word that has a volume mounted, all of its file read or not, and nothing measured: an emulator
/// counts what that takes.
pub const VOLUME: &str = "volume";

/// Does so: `vfat` or `ext4`, and `read` or not.
pub fn use_volume(words: &[String]) {
    let read_it = if words.get(2).is_some_and(|word| word == "read") { read_all } else { || 0 };
    match words.get(1).map(String::as_str) {
        Some("vfat") => with_volume(c"vfat", c"/dev/vda1", read_it),
        _ => with_volume(c"ext4", c"/dev/vda2", read_it),
    };
}

pub fn cached_fat() -> u64 {
    with_volume(c"vfat", c"/dev/vda1", cached)
}

pub fn cached_ext4() -> u64 {
    with_volume(c"ext4", c"/dev/vda2", cached)
}

fn with_volume(kind: &CStr, device: &CStr, measure: fn() -> u64) -> u64 {
    // SAFETY: the strings end with zeroes.
    unsafe {
        let mounted =
            libc::mount(device.as_ptr(), PLACE.as_ptr(), kind.as_ptr(), 0, std::ptr::null());
        assert_eq!(mounted, 0, "mount {device:?}: {}", Error::last_os_error());
        let figure = measure();
        assert_eq!(libc::umount(PLACE.as_ptr()), 0, "umount: {}", Error::last_os_error());
        figure
    }
}

fn read_all() -> u64 {
    let (fd, mut bytes) = (open(FILE, O_RDONLY), vec![1; PIECE]);
    while read(fd, &mut bytes) > 0 {}
    close(fd);
    0
}

/// A page that was read before.
fn cached() -> u64 {
    let (fd, mut bytes) = (open(FILE, O_RDONLY), vec![1; 4096]);
    let figure = best(200, || {
        // SAFETY: the buffer has as many bytes.
        let count = unsafe { libc::pread(fd, bytes.as_mut_ptr().cast(), bytes.len(), 8192) };
        assert_eq!(count, 4096);
    });
    close(fd);
    figure
}
