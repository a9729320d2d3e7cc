//! Calls that are counted, and expectations that are.
//!
//! What was seen is kept in a page that the processes of this program share: which call has ended in
//! which way, and how many expectations failed.

use core::fmt::Debug;
use core::panic::Location;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use rt::Memory;
use rt::abi::{Argument, CALLS, Call, Error, MAP_WRITE, NOW, Row};
use rt::arch::{DEADLINE, Registers, syscall};
use rt::println;
use rt::space::Mapping;

/// What is in the shared page.
struct Shared {
    /// For each call a bit for each error, and bit 0 for success.
    seen: [AtomicU32; CALLS.len()],
    failures: AtomicU32,
}

static PAGE: AtomicU64 = AtomicU64::new(0);

/// Makes the memory the shared page of this process.
pub fn share(memory: &Memory) {
    let mapping = Mapping::new(memory, 0, 1, MAP_WRITE).expect("a page to share");
    PAGE.store(mapping.address(), Relaxed);
    core::mem::forget(mapping);
}

fn shared() -> &'static Shared {
    // SAFETY: `share` has mapped it, for good, and all that is in there is atomic.
    unsafe { &*(PAGE.load(Relaxed) as *const Shared) }
}

/// Makes a call.
pub fn call(call: Call, arguments: &[u64]) -> Result<Registers, Error> {
    call_until(call, arguments, NOW)
}

/// Makes a call that may wait.
pub fn call_until(call: Call, arguments: &[u64], deadline: u64) -> Result<Registers, Error> {
    let mut registers = [0; 10];
    registers[..arguments.len()].copy_from_slice(arguments);
    registers[DEADLINE] = deadline;
    // SAFETY: the tests name memory of their own, or such that the kernel has to refuse.
    unsafe { syscall(call as u64, &mut registers) };
    let result = Error::check(registers[0]).map(|_| registers);
    saw(call, result.err());
    result
}

/// Takes down that a call has ended in this way.
pub fn saw(call: Call, error: Option<Error>) {
    let bit = error.map_or(0, |error| error as u32);
    shared().seen[call as usize].fetch_or(1 << bit, Relaxed);
}

/// Expects two values to be the same.
#[track_caller]
pub fn same<T: PartialEq + Debug>(got: T, wanted: T) {
    if got != wanted {
        failed(format_args!("{got:?} instead of {wanted:?}"));
    }
}

/// Expects something to hold.
#[track_caller]
pub fn holds(what: bool) {
    if !what {
        failed(format_args!("it does not hold"));
    }
}

/// Expects a call to fail in this way.
#[track_caller]
pub fn fails(result: Result<Registers, Error>, wanted: Error) {
    same(result.err(), Some(wanted));
}

/// Expects a call to succeed; its registers.
#[track_caller]
pub fn works(result: Result<Registers, Error>) -> Registers {
    if let Err(error) = result {
        failed(format_args!("{error:?} instead of success"));
    }
    result.unwrap_or([0; 10])
}

#[track_caller]
fn failed(what: core::fmt::Arguments<'_>) {
    let place = Location::caller();
    println!("  FAILED {}:{}: {what}", place.file(), place.line());
    shared().failures.fetch_add(1, Relaxed);
}

/// Expectations that failed so far.
pub fn failures() -> u32 {
    shared().failures.load(Relaxed)
}

/// The ways in which a call may end according to the table, and that were not seen.
pub fn unseen() -> impl Iterator<Item = (Call, Option<Error>)> {
    CALLS.iter().flat_map(|row| {
        let seen = shared().seen[row.call as usize].load(Relaxed);
        ends(row)
            .filter(move |end| seen >> end.map_or(0, |error| error as u32) & 1 == 0)
            .map(|end| (row.call, end))
    })
}

/// How a call may end.
fn ends(row: &'static Row) -> impl Iterator<Item = Option<Error>> {
    let takes_handle = row.arguments.iter().any(|one| matches!(one, Argument::Object(..)));
    let handle_errors: &[Error] = match takes_handle {
        true => &[Error::BadHandle, Error::WrongKind, Error::NoRight],
        false => &[],
    };
    let errors = Error::ALL.iter().map(|(error, _)| *error);
    let may = move |error: &Error| row.errors.contains(error) || handle_errors.contains(error);
    core::iter::once(None).chain(errors.filter(may).map(Some))
}
