//! Text of bounded length, made from what cannot be trusted to be short, or to be text.

use arrayvec::ArrayString;
use core::fmt::{self, Write};

/// Formats into at most `N` bytes, up to the first piece that does not fit.
pub fn clipped<const N: usize>(text: fmt::Arguments<'_>) -> ArrayString<N> {
    let mut kept = ArrayString::new();
    // An error only means that there is no more room.
    let _ = kept.write_fmt(text);
    kept
}

/// The longest beginning of `bytes` that is UTF-8 and fits into `N` bytes, and whether that is all.
pub fn prefix<const N: usize>(bytes: &[u8]) -> (ArrayString<N>, bool) {
    let text = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let kept = text.get(..text.floor_char_boundary(N)).unwrap_or_default();
    let kept = ArrayString::from(kept).unwrap_or_default();
    (kept, kept.len() == bytes.len())
}
