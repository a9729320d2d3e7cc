//! The options of a mount that come as text: those of other kinds than in memory, which Linux takes and which change
//! nothing here. What would change something, or nobody knows, is refused.

use crate::errno::{Errno, Result};

/// Options by the kinds that they are for. One that ends with `=` has any value.
const KNOWN: [(&[&[u8]], &[&str]); 2] = [(&[b"ext4", b"ext3", b"ext2"], &EXT), (&[b"vfat"], &FAT)];
const EXT: [&str; 33] = [
    "acl",
    "auto_da_alloc",
    "barrier",
    "barrier=",
    "block_validity",
    "bsddf",
    "commit=",
    "data=ordered",
    "delalloc",
    "discard",
    "errors=continue",
    "errors=remount-ro",
    "grpid",
    "i_version",
    "init_itable",
    "init_itable=",
    "inode_readahead_blks=",
    "journal_checksum",
    "max_batch_time=",
    "min_batch_time=",
    "noacl",
    "nodelalloc",
    "nodiscard",
    "nogrpid",
    "noinit_itable",
    "nouser_xattr",
    "oldalloc",
    "orlov",
    "resgid=",
    "resuid=",
    "stripe=",
    "sysvgroups",
    "user_xattr",
];
const FAT: [&str; 25] = [
    "allow_utime=",
    "check=",
    "codepage=",
    "discard",
    "dmask=",
    "dos1xfloppy",
    "errors=continue",
    "errors=remount-ro",
    "fmask=",
    "flush",
    "gid=",
    "iocharset=",
    "nfs",
    "nodiscard",
    "nonumtail",
    "nonumtail=",
    "quiet",
    "rodir",
    "shortname=",
    "showexec",
    "time_offset=",
    "tz=UTC",
    "uid=",
    "umask=",
    "utf8",
];

/// Refuses what a kind of file system does not take.
pub fn check(kind: &[u8], options: &[u8]) -> Result<()> {
    let known = KNOWN.iter().find(|(kinds, _)| kinds.contains(&kind)).map_or(&[][..], |it| it.1);
    let is_known = |option: &[u8]| {
        known.iter().map(|known| known.as_bytes()).any(|known| match known.strip_suffix(b"=") {
            Some(_) => option.starts_with(known),
            None => option == known,
        })
    };
    let mut options = options.split(|&byte| byte == b',').filter(|option| !option.is_empty());
    if options.all(is_known) { Ok(()) } else { Err(Errno::EINVAL) }
}
