//! The supervisor's own end: a thread of its own is the handler of its faults, says what happened and what there
//! is to do, and ends the machine. Nobody would start anything again, or be told of its end.
//!
//! It takes nothing from the heap and needs no lock, for whoever ended may have had it.

use crate::backtrace::write_backtrace;
use crate::record::ACCESSES;
use core::fmt::Write;
use rt::abi::{FOREVER, POWER_ABANDONED, PRIORITIES, PortRights};
use rt::files::Files;
use rt::log::Line;
use rt::object::Halted;
use rt::thread::{self, Options};
use rt::{Error, Port};

/// The names of this program's functions.
const NAMES: &str = "init.sym";

/// Begins to guard this process.
pub fn begin(files: &'static Files) -> Result<(), Error> {
    let port = Port::create(0)?;
    let rights = PortRights::all() & !PortRights::RECEIVE;
    let handler = port.badged(rights, 0)?;
    let names = files.program(NAMES).unwrap_or_default();
    let options = Options { priority: PRIORITIES - 1, ..Options::default() };
    let thread = thread::spawn(options, move || watch(&port, names))?;
    core::mem::forget(thread);
    rt::panic::fault_instead();
    rt::process().set_handler(Some(&handler))
}

/// Waits for a fault.
fn watch(port: &Port, names: &[u8]) {
    let Ok(received) = port.receive(FOREVER) else { return };
    let [address, access, pc, ..] = received.words;
    let mut line = Line::new();
    // A line takes all that is written to it.
    let _ = match received.fault() {
        Some(kind) => {
            let access = ACCESSES.get(access as usize).unwrap_or(&"using");
            write!(
                line,
                "init: the supervisor has ended: {kind:?}, {access} {address:#x} at {pc:#x}"
            )
        }
        None => write!(line, "init: the supervisor has ended: foreign call {}", received.label()),
    };
    line.finish();
    if let Ok(registers) = Halted::Last.general() {
        write_backtrace(&mut line, names, &rt::process(), &registers);
    }
    for what in WHAT_TO_DO {
        let _ = line.write_str(what);
        line.finish();
    }
    let _ = rt::machine().power(POWER_ABANDONED);
}

/// What a person reads then.
const WHAT_TO_DO: [&str; 3] = [
    "init: nobody would start services again, so the machine ends now",
    "init: what was saved with `sync` is on its disk; file systems mend themselves when they are mounted again",
    "init: start the machine again; the lines above say where the error in `init` is",
];
