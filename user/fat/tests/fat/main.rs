//! FAT against a model and against the tools of others: mkfs.vfat, fsck.fat, mtools.

mod client;
mod small;
