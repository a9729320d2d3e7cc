//! The table of native calls.

use super::{
    Error::{self, *},
    Kind,
};

/// An argument of a call, for the reference.
#[derive(Clone, Copy, Debug)]
pub enum Argument {
    /// A handle of this kind, with these rights.
    Object(Kind, &'static str),
    /// Anything else.
    Word(&'static str),
}

/// One row of the table of calls.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Which.
    pub call: Call,
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// What it takes, from register [0] on.
    pub arguments: &'static [Argument],
    /// What it gives, from register [1] on.
    pub results: &'static [&'static str],
    /// How it may fail, besides `BadHandle`, `WrongKind` and `NoRight` where it takes a handle of a
    /// kind.
    pub errors: &'static [Error],
}

/// Declares the calls once, for the kernel's dispatch, the runtime and the reference.
macro_rules! calls {
    ($($(#[doc = $meaning:literal])+ $number:literal $name:ident
        ($($argument:ident $(: $kind:ident [$right:literal])?),*) -> ($($result:literal),*) ! [$($error:ident),*];)+) => {
        /// The native calls.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u64)]
        pub enum Call {
            $($(#[doc = $meaning])+ $name = $number,)+
        }

        impl Call {
            /// The call of this number.
            pub const fn from_number(number: u64) -> Option<Call> {
                match number {
                    $($number => Some(Call::$name),)+
                    _ => None,
                }
            }
        }

        /// All calls, in the order of their numbers.
        pub const CALLS: &[Row] = &[$(Row {
            call: Call::$name,
            name: stringify!($name),
            meaning: concat!($($meaning),+),
            arguments: &[$(calls!(@argument $argument $($kind $right)?)),*],
            results: &[$($result),*],
            errors: &[$($error),*],
        },)+];
    };
    (@argument $argument:ident $kind:ident $right:literal) => {
        Argument::Object(Kind::$kind, $right)
    };
    (@argument $argument:ident) => { Argument::Word(stringify!($argument)) };
}

calls! {
    /// Does nothing.
    0 Null() -> () ! [];
    /// Lets other threads of the same priority run first.
    1 Yield() -> () ! [];
    /// The monotonic clock.
    2 Clock() -> ("nanoseconds") ! [];
    /// Writes a line of at most 240 bytes to the log.
    3 Log(machine: Machine["LOG"], address, length) -> () ! [Invalid, BadAddress, NoMemory];
    /// A figure of the whole machine; see `figures` in the reference.
    4 MachineInfo(machine: Machine["INSPECT"], which) -> ("value", "value", "value", "value") ! [Invalid];
    /// Copies the kernel's command line, cut to the length.
    5 CommandLine(machine: Machine["INSPECT"], address, length) -> ("length") ! [BadAddress, NoMemory];
    /// Ends everything: `POWER_OFF`, `POWER_SUCCESS`, `POWER_FAILURE`, `POWER_ABANDONED` or `POWER_RESTART`.
    6 Power(machine: Machine["POWER"], how) -> () ! [Invalid];
    /// The four entries that translate an address, from the root on; zero where there is none.
    7 Translation(machine: Machine["INSPECT"], process: Process["READ"], address) -> ("entry", "entry", "entry", "entry") ! [BadAddress, PeerGone];
    /// Gives up a handle. What nobody has a handle to ends.
    8 Close(handle) -> () ! [BadHandle];
    /// Another handle to the same object, with those of the rights that are in the mask; to a port, with
    /// this badge, if the handle may receive from it.
    9 Duplicate(handle, rights, badge) -> ("handle") ! [BadHandle, NoRight, NoMemory];
    /// What a handle is.
    10 HandleInfo(handle) -> ("kind", "rights", "badge") ! [BadHandle];
    /// Puts a handle into another process, as a message would.
    11 Give(process: Process["MANAGE"], handle) -> ("handle over there") ! [NoMemory];
    /// A port whose queue holds so many messages: 0 to 256.
    12 PortCreate(capacity) -> ("handle") ! [Invalid, NoMemory];
    /// Puts a message into a port's queue; if it is full waits until the deadline.
    13 Send(port: Port["SEND"], info) -> () ! [Invalid, NoMemory, Full, TimedOut, PeerGone, Cancelled];
    /// Sends, and waits for the answer.
    14 Call(port: Port["SEND"], info) -> ("info", "words") ! [Invalid, NoMemory, TimedOut, PeerGone, Cancelled];
    /// Waits for a message, a call, or signals. With no handle: only waits.
    15 Receive(port: Port["RECEIVE"]) -> ("info", "words") ! [TimedOut, PeerGone, Cancelled];
    /// Answers the call this thread received last, a saved one, or a thread's foreign call. Never waits.
    16 Reply(reply, info) -> () ! [BadHandle, WrongKind, NoRight, Invalid, NoMemory, NotFound];
    /// Answers the call this thread received last, if there is one, then receives.
    17 ReplyReceive(port: Port["RECEIVE"], info) -> ("info", "words") ! [Invalid, NoMemory, TimedOut, PeerGone, Cancelled];
    /// Makes the duty to answer the last call a handle.
    18 ReplySave() -> ("handle") ! [NotFound, NoMemory];
    /// Sets signals at a port: bits that are there until somebody receives them.
    19 Signal(port: Port["SIGNAL"], bits) -> () ! [PeerGone];
    /// Copies out of a window that the caller of the last call, or of a saved one, lent.
    20 LeaseRead(reply, index, offset, address, length) -> () ! [BadHandle, WrongKind, NoRight, NotFound, Invalid, BadAddress, NoMemory];
    /// Copies into such a window.
    21 LeaseWrite(reply, index, offset, address, length) -> () ! [BadHandle, WrongKind, NoRight, NotFound, Invalid, BadAddress, NoMemory];
    /// Reads the registers of a thread that is suspended.
    22 RegistersGet(thread: Thread["REGISTERS"], set, address) -> () ! [Invalid, Busy, BadAddress, NoMemory, PeerGone];
    /// Replaces them. What user code may not choose stays as it is.
    23 RegistersSet(thread: Thread["REGISTERS"], set, address) -> () ! [Invalid, Busy, BadAddress, NoMemory, PeerGone];
    /// Reads the registers of the thread that waits for the answer to a foreign call or fault.
    24 CallerRegistersGet(reply, set, address) -> () ! [BadHandle, WrongKind, NoRight, NotFound, Invalid, BadAddress, NoMemory];
    /// Replaces them.
    25 CallerRegistersSet(reply, set, address) -> () ! [BadHandle, WrongKind, NoRight, NotFound, Invalid, BadAddress, NoMemory];
    /// Pages of zeroes, which take memory when they are first touched: the caller's quota, or that of
    /// a process which a handle with `MANAGE` names.
    26 MemoryCreate(pages, payer) -> ("handle") ! [BadHandle, WrongKind, NoRight, PeerGone, Invalid, NoMemory];
    /// Pages side by side in physical memory, for devices: a 2 MiB multiple begins at one.
    27 MemoryContiguous(machine: Machine["DEVICES"], pages) -> ("handle", "physical address") ! [Invalid, NoMemory];
    /// Physical memory that is no RAM of the kernel's, as it lies there.
    28 MemoryWindow(machine: Machine["DEVICES"], physical, pages, attributes) -> ("handle") ! [Invalid, NoMemory];
    /// A copy of pages of another memory, which shares them until one side writes; paid for like one
    /// that is created.
    29 MemoryClone(memory: Memory["READ"], first, pages, payer) -> ("handle") ! [PeerGone, Invalid, NoMemory, Unsupported];
    /// Makes it longer or shorter.
    30 MemoryResize(memory: Memory["RESIZE"], pages) -> () ! [Invalid, NoMemory, Unsupported];
    /// How large it is, how many pages of it there are, where it lies if it is contiguous.
    31 MemoryInfo(memory: Memory["READ"]) -> ("pages", "resident", "physical address") ! [];
    /// Copies bytes out of it.
    32 MemoryRead(memory: Memory["READ"], offset, address, length) -> () ! [Invalid, BadAddress, NoMemory];
    /// Copies bytes into it.
    33 MemoryWrite(memory: Memory["WRITE"], offset, address, length) -> () ! [Invalid, BadAddress, NoMemory];
    /// Maps pages of a memory at an address: `MAP_WRITE` or `MAP_EXECUTE`, not both, and `MAP_SHARED`.
    34 Map(process: Process["MAP"], memory: Memory["by access"], address, first, pages, access) -> () ! [Invalid, Occupied, NoMemory, Busy, PeerGone];
    /// Unmaps whatever is mapped in a range.
    35 Unmap(process: Process["MAP"], address, pages) -> () ! [Invalid, NoMemory, Busy, PeerGone];
    /// Changes what may be done in a range, all of which is mapped, within the rights it was mapped with.
    36 Protect(process: Process["MAP"], address, pages, access) -> () ! [Invalid, NotFound, NoMemory, Busy, PeerGone];
    /// A process with so many bytes of the caller's quota, and threads of at most this priority.
    37 ProcessCreate(quota, priority) -> ("handle") ! [Invalid, NoMemory];
    /// Maps in an empty process what is mapped in another: a copy of what is writable, shared until
    /// written; what was mapped with `MAP_SHARED` is shared. Until it is done nothing else is mapped
    /// there, or unmapped: that is `Busy`.
    38 SpaceClone(to: Process["MAP"], from: Process["READ"]) -> () ! [Occupied, NoMemory, PeerGone];
    /// Copies bytes out of a process's memory.
    39 ProcessRead(process: Process["READ"], there, address, length) -> () ! [BadAddress, NoMemory, PeerGone];
    /// Copies bytes into a process's memory.
    40 ProcessWrite(process: Process["WRITE"], there, address, length) -> () ! [BadAddress, NoMemory, PeerGone];
    /// Names the port that foreign calls and faults of a process go to, by a handle with a badge. With no
    /// handle: none.
    41 ProcessHandler(process: Process["MANAGE"], port) -> () ! [];
    /// Names the signals that the end of a process sets, and where.
    42 ProcessWatch(process: Process["MANAGE"], port: Port["SIGNAL"], bits) -> () ! [];
    /// Ends a process.
    43 ProcessKill(process: Process["MANAGE"], code) -> () ! [];
    /// How it is: 0 alive, 1 ending, 2 ended; its exit code; bytes of quota used, and its limit.
    44 ProcessInfo(process: Process["READ"]) -> ("state", "exit code", "used", "quota", "threads", "nanoseconds") ! [];
    /// Ends the calling process.
    45 Exit(code) -> () ! [];
    /// A thread: where it begins, its stack pointer, its first argument, its tag, `THREAD_START`,
    /// `THREAD_FPU` and the priority. With `THREAD_COPY` it begins like a thread whose foreign call
    /// is not answered yet, where that gives zero, but for the stack, unless that is zero, and with
    /// `THREAD_TLS` its TLS register, which is the argument: where it begins is that thread then, or
    /// zero for the one whose call was received last.
    46 ThreadCreate(process: Process["MANAGE"], entry, stack, argument, tag, flags) -> ("handle") ! [Invalid, NoMemory, PeerGone, NotFound];
    /// Ends the calling thread.
    47 ThreadExit() -> () ! [];
    /// Ends a thread.
    48 ThreadKill(thread: Thread["CONTROL"]) -> () ! [PeerGone];
    /// Keeps a thread from running.
    49 ThreadSuspend(thread: Thread["CONTROL"]) -> () ! [PeerGone];
    /// Lets it run again.
    50 ThreadResume(thread: Thread["CONTROL"]) -> () ! [PeerGone];
    /// Ends the wait of a thread with `Cancelled`.
    51 ThreadCancel(thread: Thread["CONTROL"]) -> () ! [NotFound, PeerGone];
    /// Priority, time slice in nanoseconds (`COOPERATIVE`: none), CPUs it may run on.
    52 ThreadSchedule(thread: Thread["SCHEDULE"], priority, slice, cpus) -> () ! [Invalid, PeerGone];
    /// How it is: 0 ready, 1 runs, 2 waits, 3 suspended (and runs no more), 4 ended; nanoseconds it ran; its CPU.
    53 ThreadInfo(thread: Thread["CONTROL"]) -> ("state", "nanoseconds", "cpu", "priority") ! [];
    /// Sets the calling thread's TLS register.
    54 TlsSet(value) -> () ! [Invalid];
    /// A line of the interrupt controller that sets signals at a port.
    55 InterruptCreate(machine: Machine["DEVICES"], line, port: Port["SIGNAL"], bits) -> ("handle") ! [Invalid, Occupied, NoMemory];
    /// Lets the next interrupt through.
    56 InterruptAck(interrupt: Interrupt["ACK"]) -> () ! [];
    /// A timer that sets signals at a port.
    57 TimerCreate(port: Port["SIGNAL"], bits) -> ("handle") ! [NoMemory];
    /// Sets when it does; `FOREVER` for never.
    58 TimerSet(timer: Timer["SET"], deadline) -> () ! [];
    /// A range of I/O ports.
    59 IoCreate(machine: Machine["DEVICES"], first, count) -> ("handle") ! [Invalid, NoMemory, Unsupported];
    /// Reads a port of 1, 2 or 4 bytes.
    60 IoRead(ports: IoPorts["READ"], port, size) -> ("value") ! [Invalid];
    /// Writes a port.
    61 IoWrite(ports: IoPorts["WRITE"], port, size, value) -> () ! [Invalid];
    /// The memory that is mapped at an address, which of its pages is there, and how many follow it.
    62 MemoryOf(process: Process["MANAGE"], address) -> ("handle", "page", "pages") ! [NotFound, NoMemory, PeerGone];
    /// Gives a process that the caller has made so many bytes of quota in all, from the caller's or
    /// back to it: no less than it uses.
    63 ProcessQuota(process: Process["MANAGE"], quota) -> () ! [Invalid, NoMemory];
    /// Copies a piece of the log: from a byte on, counted from its first, or the oldest that is kept.
    64 LogRead(machine: Machine["INSPECT"], offset, address, length) -> ("length", "offset") ! [BadAddress, NoMemory];
    /// The first handle of a process from a place on, zero at first: what it is known by there, what it is,
    /// a word that all handles to the same object of a kind have in common, and where to go on. What changes
    /// meanwhile is found or not.
    65 HandleOf(process: Process["MANAGE"], place) -> ("handle", "kind", "rights", "badge", "object", "place") ! [NotFound];
}
