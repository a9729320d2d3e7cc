//! Lists of free pieces of the same length, each of which begins with where the next one is.

use super::GRAIN;
use core::alloc::Layout;
use core::ptr::NonNull;

/// Lists of short pieces.
pub const LISTS: usize = 32;

/// A free piece.
pub struct Piece(Option<NonNull<Piece>>);

type List = Option<NonNull<Piece>>;

/// Bytes of the pieces of a list.
pub fn length_of(list: usize) -> usize {
    (list + 1) * GRAIN
}

/// The list that has pieces of a layout, if it is a short one.
pub fn list_of(layout: Layout) -> Option<usize> {
    let list = layout.size().max(1).div_ceil(GRAIN) - 1;
    (list < LISTS && layout.align() <= GRAIN).then_some(list)
}

/// How many pieces a list has.
pub fn count(list: List) -> usize {
    // SAFETY: what is in a list is free, and begins with where the next one is.
    core::iter::successors(list, |piece| unsafe { piece.read() }.0).count()
}

/// Puts a piece into a list.
///
/// # Safety
/// It is free, aligned, and long enough for an address.
pub unsafe fn put(list: &mut List, piece: NonNull<u8>) {
    let piece = piece.cast::<Piece>();
    // SAFETY: the caller says so.
    unsafe { piece.write(Piece(*list)) };
    *list = Some(piece);
}

/// Takes a piece from a list.
///
/// # Safety
/// What is in the list is free.
pub unsafe fn take(list: &mut List) -> Option<NonNull<u8>> {
    let piece = (*list)?;
    // SAFETY: the caller says so.
    *list = unsafe { piece.read() }.0;
    Some(piece.cast())
}

/// Takes out of a list what makes up whole chunks, and gives those.
///
/// # Safety
/// What is in the list is free, and was cut from chunks at multiples of their length.
pub unsafe fn take_whole_chunks(
    list: &mut List,
    chunk: usize,
    length: usize,
) -> impl Iterator<Item = NonNull<u8>> {
    let start = |piece: NonNull<Piece>| piece.as_ptr() as usize / chunk * chunk;
    // SAFETY: the caller says that it is free; so it stays, in another order.
    let mut rest = unsafe { sort(list.take()) };
    let (mut kept, mut whole) = (None, None);
    while let Some(first) = rest {
        let (run, mut pieces) = (rest, 0);
        let mut last = first;
        while let Some(piece) = rest.filter(|&piece| start(piece) == start(first)) {
            (last, pieces) = (piece, pieces + 1);
            // SAFETY: see above.
            rest = unsafe { piece.read() }.0;
        }
        if pieces == chunk / length {
            // A whole chunk is known by its first piece.
            // SAFETY: see above.
            unsafe { put(&mut whole, first.cast()) };
        } else {
            // SAFETY: see above.
            unsafe { last.write(Piece(kept)) };
            kept = run;
        }
    }
    *list = kept;
    // SAFETY: whole chunks are in no other list.
    core::iter::from_fn(move || unsafe { take(&mut whole) })
}

/// Sorts a list by address.
///
/// # Safety
/// What is in it is free.
unsafe fn sort(mut rest: List) -> List {
    // Sorted lists of 1, 2, 4, ... pieces.
    let mut sorted: [List; usize::BITS as usize] = [None; _];
    // SAFETY: the caller says so, here and below.
    while let Some(piece) = unsafe { take(&mut rest) } {
        let mut one = None;
        // SAFETY: see above.
        unsafe { put(&mut one, piece) };
        for place in &mut sorted {
            match place.take() {
                // SAFETY: see above.
                Some(other) => one = unsafe { merge(Some(other), one) },
                None => {
                    *place = one;
                    break;
                }
            }
        }
    }
    // SAFETY: see above.
    sorted.into_iter().fold(None, |all, list| unsafe { merge(all, list) })
}

/// Merges two sorted lists.
///
/// # Safety
/// What is in them is free.
unsafe fn merge(mut left: List, mut right: List) -> List {
    let mut first = None;
    let mut last: List = None;
    while left.is_some() || right.is_some() {
        let from = match (left, right) {
            (Some(a), Some(b)) if a > b => &mut right,
            (None, _) => &mut right,
            _ => &mut left,
        };
        let Some(piece) = *from else { break };
        // SAFETY: the caller says so, here and below.
        *from = unsafe { piece.read() }.0;
        match last {
            // SAFETY: see above.
            Some(last) => unsafe { last.write(Piece(Some(piece))) },
            None => first = Some(piece),
        }
        last = Some(piece);
    }
    // SAFETY: see above.
    last.inspect(|last| unsafe { last.write(Piece(None)) });
    first
}
