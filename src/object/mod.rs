//! What processes can name by handles, as data. What can be done with it is in the modules above.

mod device;
mod handle;
mod port;
mod process;
mod queue;
mod thread;

pub use device::{Interrupt, Notice, Target, Timer};
pub use handle::{Found, Handle, IoPorts, Machine, Named, Object, Reply};
pub use port::{Handler, Message, Port, Waiting};
pub use process::{Life, Process};
pub use queue::Queue;
pub use thread::{Awaited, Caller, Flags, Made, Progress, Sort, State, Thread};
