//! The macros that a service is described with.

/// Describes a service: see `docs/protocols.md`.
///
/// It makes `VERSION`, `Failure`, a type for each request that its clients [`Ask`](crate::Ask) with, and
/// `Request`, which is any of them, for its server. Two failures are in each protocol: `Invalid` and
/// `OtherVersion`. Requests whose fields are borrowed, or handles, say so: `<'a>`, `<M>`.
#[macro_export]
macro_rules! protocol {
    (
        version $version:literal;
        failures { $($code:literal $failure:ident $why:literal;)+ } otherwise $otherwise:ident;
        requests $(<$($life:lifetime)? $($held:ident)?>)? {
            $($number:literal $name:ident $(<$($a:lifetime)? $($h:ident)?>)?
                ($($field:ident: $type:ty),*) $(-> $answer:ty)?, $again:ident, $about:literal;)+
        }
    ) => {
        /// The version of the protocol. A server answers to no other.
        pub const VERSION: u16 = $version;

        /// Why a request fails: the label of its answer.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u32)]
        pub enum Failure {
            $(#[doc = $why] $failure = $code,)+
            /// It makes no sense.
            Invalid = $crate::INVALID,
            /// The server speaks another version of the protocol.
            OtherVersion = $crate::OTHER_VERSION,
        }

        impl $crate::Fails for Failure {
            const OTHERWISE: Failure = Failure::$otherwise;

            fn of(label: u32) -> Failure {
                let all = [$(Failure::$failure,)+ Failure::Invalid, Failure::OtherVersion];
                all.into_iter().find(|&it| it as u32 == label).unwrap_or(Self::OTHERWISE)
            }

            fn label(self) -> u32 {
                self as u32
            }
        }

        $(
            #[doc = $about]
            #[derive(Clone, Copy, PartialEq, Eq, Debug)]
            pub struct $name$(<$($a)? $($h)?>)? {
                $(#[doc = stringify!($field)] pub $field: $type,)*
            }

            impl$(<$($a)? $($h: $crate::Put)?>)? $crate::Put for $name$(<$($a)? $($h)?>)? {
                fn put(self, _to: &mut $crate::Parcel) {
                    $($crate::Put::put(self.$field, _to);)*
                }
            }

            impl$(<$($a)? $($h: $crate::Put)?>)? $crate::Ask for $name$(<$($a)? $($h)?>)? {
                type Answer = $crate::answer!($($answer)?);
                type Failure = Failure;
                const LABEL: u32 = $crate::label(VERSION, $number);
                const AGAIN: $crate::Again = $crate::Again::$again;
            }
        )+

        /// What is asked.
        #[derive(PartialEq, Eq, Debug)]
        pub enum Request$(<$($life)? $($held)?>)? {
            $(#[doc = $about] $name($name$(<$($a)? $($h)?>)?),)+
        }

        impl$(<$($life)? $($held)?>)? Request$(<$($life)? $($held)?>)? {
            /// What comes of it when its server dies.
            pub fn again(&self) -> $crate::Again {
                match self {
                    $(Request::$name(_) => $crate::Again::$again,)+
                }
            }

            /// Reads a request of this label. What is lent and is none of its fields is not looked at.
            pub fn read<'from>(
                label: u32,
                from: &mut $crate::Reader<'from>,
            ) -> Result<Self, Failure>
            where
                $($('from: $life,)? $($held: $crate::Take<'from>,)?)?
            {
                if label >> 16 != u32::from(VERSION) {
                    return Err(Failure::OtherVersion);
                }
                Ok(match label & 0xffff {
                    $($number => Request::$name($name {
                        $($field: from.take().ok_or(Failure::Invalid)?,)*
                    }),)+
                    _ => return Err(Failure::Invalid),
                })
            }
        }
    };
}

/// Makes a structure of values that can be in messages, one after the other, such a value itself.
#[macro_export]
macro_rules! record {
    ($(#[$about:meta])* pub struct $name:ident { $($(#[$doc:meta])* pub $field:ident: $type:ty,)+ }) => {
        $(#[$about])*
        pub struct $name { $($(#[$doc])* pub $field: $type,)+ }

        impl $crate::Put for $name {
            fn put(self, to: &mut $crate::Parcel) {
                $($crate::Put::put(self.$field, to);)+
            }
        }

        impl $crate::Take<'_> for $name {
            fn take(from: &mut $crate::Reader<'_>) -> Option<$name> {
                Some($name { $($field: from.take()?,)+ })
            }
        }
    };
}

/// What a request is answered with: nothing, if its description does not say.
#[doc(hidden)]
#[macro_export]
macro_rules! answer {
    () => {
        ()
    };
    ($type:ty) => {
        $type
    };
}
