//! What is in a message beside its label, and how a value becomes that and is read again.
//!
//! Numbers are words of the message; those for which there are no words are bytes, eight for each, the lowest
//! first. Texts are bytes that end with a zero, and come after all numbers. What is lent beside is no part of it.

use alloc::vec::Vec;
use arrayvec::ArrayVec;

/// Numbers that are words of a message at most.
pub const WORDS: usize = 4;
/// Handles that go along at most.
pub const HANDLES: usize = 2;

/// A handle that goes along: a number of the kernel's, and nobody's to close.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Handle(pub u64);

/// What is in a message.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Parcel {
    words: ArrayVec<u64, WORDS>,
    handles: ArrayVec<u64, HANDLES>,
    bytes: Vec<u8>,
}

impl Parcel {
    /// One with this in it.
    pub fn of(value: impl Put) -> Parcel {
        let mut parcel = Parcel::default();
        value.put(&mut parcel);
        parcel
    }

    /// Its words.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Its handles.
    pub fn handles(&self) -> &[u64] {
        &self.handles
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads it.
    pub fn reader(&self) -> Reader<'_> {
        Reader { words: &self.words, handles: &self.handles, bytes: &self.bytes }
    }

    /// Numbers and texts as bytes, for those whose words are for something else.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut all = Vec::new();
        self.append_to(&mut all);
        all
    }

    /// Puts those bytes behind others.
    pub fn append_to(&self, all: &mut Vec<u8>) {
        all.reserve(size_of_val(self.words()) + self.bytes.len());
        self.words.iter().for_each(|word| all.extend_from_slice(&word.to_le_bytes()));
        all.extend_from_slice(&self.bytes);
    }
}

/// What is left to be read of a message.
#[derive(Clone, Default, Debug)]
pub struct Reader<'a> {
    /// Numbers.
    pub words: &'a [u64],
    /// Handles, which are the reader's to close as long as they are in here.
    pub handles: &'a [u64],
    /// Numbers and texts.
    pub bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Takes the next value, if there is one that makes sense.
    #[inline]
    pub fn take<T: Take<'a>>(&mut self) -> Option<T> {
        T::take(self)
    }
}

/// What can be in a message.
pub trait Put {
    /// Puts it behind what is there.
    fn put(self, to: &mut Parcel);
}

/// What can be read from a message.
pub trait Take<'a>: Sized {
    /// Takes it from what is left.
    fn take(from: &mut Reader<'a>) -> Option<Self>;
}

impl Put for u64 {
    #[inline]
    fn put(self, to: &mut Parcel) {
        if to.words.try_push(self).is_err() {
            to.bytes.extend(self.to_le_bytes());
        }
    }
}

impl Take<'_> for u64 {
    #[inline]
    fn take(from: &mut Reader<'_>) -> Option<u64> {
        if let Some((&word, rest)) = from.words.split_first() {
            from.words = rest;
            return Some(word);
        }
        let (&bytes, rest) = from.bytes.split_first_chunk()?;
        from.bytes = rest;
        Some(u64::from_le_bytes(bytes))
    }
}

/// Numbers that become words, and those words that are such a number.
macro_rules! numbers {
    ($($type:ty, $put:expr, $take:expr;)+) => {$(
        impl Put for $type {
            #[inline]
            fn put(self, to: &mut Parcel) {
                let word: fn($type) -> u64 = $put;
                word(self).put(to);
            }
        }

        impl Take<'_> for $type {
            #[inline]
            fn take(from: &mut Reader<'_>) -> Option<$type> {
                let number: fn(u64) -> Option<$type> = $take;
                number(from.take()?)
            }
        }
    )+};
}

numbers! {
    u8, u64::from, |word| word.try_into().ok();
    u32, u64::from, |word| word.try_into().ok();
    i64, |number| number as u64, |word| Some(word as i64);
    bool, u64::from, |word| (word < 2).then_some(word == 1);
}

impl Put for &[u8] {
    fn put(self, to: &mut Parcel) {
        to.bytes.extend_from_slice(self);
        to.bytes.push(0);
    }
}

impl<'a: 'b, 'b> Take<'a> for &'b [u8] {
    fn take(from: &mut Reader<'a>) -> Option<&'b [u8]> {
        let end = from.bytes.iter().position(|&byte| byte == 0)?;
        let (text, rest) = from.bytes.split_at(end);
        from.bytes = &rest[1..];
        Some(text)
    }
}

impl Put for &str {
    fn put(self, to: &mut Parcel) {
        self.as_bytes().put(to);
    }
}

impl<'a: 'b, 'b> Take<'a> for &'b str {
    fn take(from: &mut Reader<'a>) -> Option<&'b str> {
        core::str::from_utf8(from.take()?).ok()
    }
}

impl Put for Handle {
    fn put(self, to: &mut Parcel) {
        to.handles.push(self.0);
    }
}

impl Take<'_> for Handle {
    fn take(from: &mut Reader<'_>) -> Option<Handle> {
        let (&handle, rest) = from.handles.split_first()?;
        from.handles = rest;
        Some(Handle(handle))
    }
}

impl Put for () {
    fn put(self, _: &mut Parcel) {}
}

impl Take<'_> for () {
    fn take(_: &mut Reader<'_>) -> Option<()> {
        Some(())
    }
}

impl<A: Put, B: Put> Put for (A, B) {
    fn put(self, to: &mut Parcel) {
        self.0.put(to);
        self.1.put(to);
    }
}

impl<'a, A: Take<'a>, B: Take<'a>> Take<'a> for (A, B) {
    fn take(from: &mut Reader<'a>) -> Option<(A, B)> {
        Some((from.take()?, from.take()?))
    }
}

impl<T: Put, const N: usize> Put for [T; N] {
    fn put(self, to: &mut Parcel) {
        self.into_iter().for_each(|it| it.put(to));
    }
}

impl<'a, T: Take<'a>, const N: usize> Take<'a> for [T; N] {
    fn take(from: &mut Reader<'a>) -> Option<[T; N]> {
        let all: ArrayVec<T, N> = (0..N).map_while(|_| from.take()).collect();
        all.into_inner().ok()
    }
}
