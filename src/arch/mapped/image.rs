//! Where the image's parts lie, which the linker script says by symbols of which only the addresses
//! mean anything.

use crate::arch::Handoff;
use crate::units::{Image, VirtAddr};

unsafe extern "C" {
    static __image_start: u8;
    static __text_start: u8;
    static __text_end: u8;
    static __rodata_start: u8;
    static __rodata_end: u8;
    static __symbols_start: u8;
    static __symbols_end: u8;
    static __data_start: u8;
    static __image_end: u8;
}

/// The image's sections, and where it was loaded.
pub fn image(handoff: &Handoff) -> Image {
    let place = |symbol: *const u8| VirtAddr(symbol as u64);
    let all = place(&raw const __image_start)..place(&raw const __image_end);
    Image {
        loaded: handoff.base,
        text: place(&raw const __text_start)..place(&raw const __text_end),
        rodata: place(&raw const __rodata_start)..place(&raw const __rodata_end),
        data: place(&raw const __data_start)..all.end,
        all,
    }
}

/// The table of function names, see `symbols`.
pub fn symbols() -> &'static [u8] {
    let start = &raw const __symbols_start;
    let size = &raw const __symbols_end as usize - start as usize;
    // SAFETY: the linker script sets this part of the read-only data aside.
    unsafe { core::slice::from_raw_parts(start, size) }
}
