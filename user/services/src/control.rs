//! What a client of the supervisor may ask of it.
//!
//! A request is a call whose label is an [`Operation`]. It lends what goes along, arguments with a NUL between, and
//! a window for the text that comes back; its two words are the lengths of both. The answer's label is zero and its
//! word the length of the whole text, or the label is a [`Failure`]. [`Operation::Replace`] lends no window: its
//! second word is the length of the program, and the memory with that comes along as a handle.

/// Bytes of arguments.
pub const ARGUMENTS: usize = 512;

/// Declares what may be asked, by its label.
macro_rules! numbered {
    ($(#[$about:meta])* $name:ident: $($number:literal $variant:ident $text:literal;)+) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u32)]
        pub enum $name {
            $(#[doc = $text] $variant = $number,)+
        }

        impl $name {
            /// The one of a label.
            pub fn of(label: u32) -> Option<$name> {
                [$($name::$variant),+].into_iter().find(|&it| it as u32 == label)
            }
        }
    };
}

numbered! {
    /// What may be asked.
    Operation:
    1 List "A line for each service.";
    2 Kill "A service: it is ended, and what its manifest says happens.";
    3 Restart "A service: it is ended, if it runs, and started.";
    4 Replace "A service: another program takes its place.";
    5 Log "A service: the lines of the log that it wrote.";
    6 Records "A number: so many crash records, the latest first.";
    7 Start "A template, a device, words: a service of its own for it. Its port comes back.";
    8 Stop "A service that was started so: it saves what it has, and is no more.";
    9 Complain "A service: it answers a ping, or it is ended.";
    10 Power "`off`, `done`, `fail` or `reboot`: everything is saved, and the machine ends.";
    11 Caps "Who has what.";
    12 Top "What each service has used.";
    13 Hurt "A service, and how, with a number for some: `delay:20`. Only where the command line says `chaos`.";
    14 Disk "A disk, or a partition; a number of pages: a way to it comes back, and memory that it reaches.";
    15 Recoveries "How long each service took to serve again.";
}

numbered! {
    /// Why not.
    Failure:
    1 NotFound "There is no such service, template or device.";
    2 Invalid "It makes no sense.";
    3 NotAllowed "This client may not ask for it.";
    4 Exists "There is one already.";
    5 NoMemory "There is no memory for it.";
    6 Failed "It was tried, and failed.";
}
