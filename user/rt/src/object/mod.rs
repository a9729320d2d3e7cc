//! A type for each kind of handle, a method for each call. A handle that is dropped is closed.

mod device;
mod machine;
mod memory;
mod port;
mod process;
mod registers;
mod reply;
mod thread;

pub use device::{Interrupt, IoPorts, Timer};
pub use machine::{Figures, Machine};
pub use memory::{Memory, MemoryInfo};
pub use port::Port;
pub use process::{Held, Process, ProcessInfo, State};
pub use registers::{General, Halted, Registered, Registers, halt};
pub use reply::{Reply, lease_read, lease_write, reply};
pub use thread::{Thread, ThreadInfo, ThreadState};

use crate::abi::{Call, Error, Handle, Kind};
use crate::call::invoke;

/// What all handles have in common.
pub trait Object: Sized {
    /// The kind of object.
    const KIND: Kind;

    /// Takes over a handle, which must be of this kind for any call to succeed.
    fn from_raw(handle: Handle) -> Self;

    /// The handle, which stays open only as long as this lives.
    fn raw(&self) -> Handle;

    /// The handle, which stays open.
    fn into_raw(self) -> Handle {
        let handle = self.raw();
        core::mem::forget(self);
        handle
    }
}

/// Declares the types.
macro_rules! objects {
    ($($(#[$about:meta])* $name:ident, $rights:ident;)+) => {$(
        $(#[$about])*
        #[derive(PartialEq, Eq, Debug)]
        #[repr(transparent)]
        pub struct $name(crate::abi::Handle);

        impl crate::object::Object for $name {
            const KIND: crate::abi::Kind = crate::abi::Kind::$name;

            fn from_raw(handle: crate::abi::Handle) -> $name {
                $name(handle)
            }

            fn raw(&self) -> crate::abi::Handle {
                self.0
            }
        }

        impl $name {
            /// Another handle to the same object, with those of the rights that this one has.
            pub fn duplicate(
                &self,
                rights: crate::abi::$rights,
            ) -> Result<$name, crate::abi::Error> {
                crate::object::duplicate(self.0, rights.bits(), 0).map($name)
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                // Nobody can do anything about a handle that is gone already.
                let _ = crate::object::close(self.0);
            }
        }
    )+};
}
use objects;

/// Gives up a handle.
pub fn close(handle: Handle) -> Result<(), Error> {
    invoke(Call::Close, [handle]).map(|_| ())
}

/// Another handle to the same object, with those of the rights that are in the mask.
pub fn duplicate(handle: Handle, rights: u8, badge: u64) -> Result<Handle, Error> {
    invoke(Call::Duplicate, [handle, rights.into(), badge]).map(|out| out[1])
}

/// What a handle is: the kind's number, the rights' bits, the badge.
pub fn info(handle: Handle) -> Result<(u64, u8, u64), Error> {
    invoke(Call::HandleInfo, [handle]).map(|out| (out[1], out[2] as u8, out[3]))
}
