//! Text of bounded length, made from what cannot be trusted to be short, or to be text.

use arrayvec::ArrayString;
use core::fmt::{self, Write};

/// Formats into at most `N` bytes; what does not fit is cut off between two characters.
pub fn clipped<const N: usize>(text: fmt::Arguments<'_>) -> ArrayString<N> {
    let mut clip = Clip(ArrayString::new());
    // An error only means that the clip is full: what it kept is the answer.
    let _ = clip.write_fmt(text);
    clip.0
}

/// The longest beginning of `bytes` that is UTF-8 and fits into `N` bytes, and whether that is all.
pub fn prefix<const N: usize>(bytes: &[u8]) -> (ArrayString<N>, bool) {
    let text = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let kept = clipped::<N>(format_args!("{text}"));
    (kept, kept.len() == bytes.len())
}

struct Clip<const N: usize>(ArrayString<N>);

impl<const N: usize> Write for Clip<N> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let fits = piece.floor_char_boundary(self.0.remaining_capacity());
        let (piece, rest) = piece.split_at_checked(fits).unwrap_or_default();
        self.0.push_str(piece);
        if rest.is_empty() { Ok(()) } else { Err(fmt::Error) }
    }
}
