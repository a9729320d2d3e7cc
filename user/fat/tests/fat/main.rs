//! FAT against a model and against the tools of others: mkfs.vfat, fsck.fat, mtools.

mod broken;
mod client;
mod model;
mod random;
mod small;
