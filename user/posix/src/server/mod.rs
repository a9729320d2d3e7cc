//! What arrives, and who answers.
//!
//! One thread receives the calls and faults of all guests. A call that is done at once is answered
//! together with receiving the next one. A call that waits is answered when its task, which is polled
//! when somebody wakes it, has come to the end of it.

mod boot;
mod call;
mod need;
mod registry;
mod tasks;

pub use call::Call;

use crate::console::Console;
use crate::errno::Errno;
use crate::file::Open;
use crate::file::lock::Waits;
use crate::first;
use crate::fs::caches::Caches;
use crate::fs::disks::Disks;
use crate::fs::mount::Mounts;
use crate::fs::room::Room;
use crate::fs::{Inode, Kind, Meta};
use crate::futex::Futexes;
use crate::host::Host;
use crate::later::Later;
use crate::process::info::Names;
use crate::process::load::Load;
use crate::process::quota::Ending;
use crate::process::{self, Process, Task};
use crate::random::Random;
use crate::signal::{self, Verdict};
use crate::table;
use crate::time::timer::Schedule;
use crate::unknown::Unknown;
use crate::user::Paths;
use crate::wait::{Clock, Outcome, Ready, Waiting};
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use core::task::{Context, Poll};
use linux_raw_sys::general::SIGKILL;
use rt::abi::{Arrival, FaultKind, REPLY_AS_IS, REPLY_LATER};
use rt::message::Received;
use rt::{Error, Port};
use services::Control;
use tasks::Tasks;

/// The highest priority of guests' threads; this server's own is higher.
pub const PRIORITY: u8 = 16;
/// Messages between two looks at the clock.
const UNLOOKED: u32 = 16;
/// The signal that says that a process has ended without being told to.
pub const ENDED: u64 = 1;
/// The signal of the console.
pub const CONSOLE: u64 = console::NEWS;
/// The signal that says that other servers have answered.
pub const ANSWERS: u64 = 4;
/// The signal that says which disks there are.
pub const DISKS: u64 = 8;
/// The device of files without names.
pub const ANONYMOUS: u64 = 0xf_ffff;

/// All that this server knows.
pub struct Server {
    /// Where everything arrives.
    pub port: &'static Port,
    /// The same, as guests' processes name it.
    handler: Port,
    processes: RefCell<BTreeMap<u32, Rc<Process>>>,
    tasks: RefCell<Tasks>,
    next_pid: Cell<u32>,
    ready: Ready,
    /// What other servers are asked.
    pub later: Later,
    /// Who waits for which moment.
    pub clock: Clock,
    /// File systems over directories.
    pub mounts: Mounts,
    /// What the machine is called.
    pub names: Names,
    /// How busy it has been.
    pub load: Load,
    /// Timers that send signals.
    pub timers: Schedule,
    /// Who waits for words of memory.
    pub futexes: Futexes,
    /// Whose memory is on its way back.
    pub ending: Ending,
    /// The memory of file systems.
    pub room: Rc<Room>,
    /// What is kept of files of other servers.
    pub caches: Rc<Caches>,
    /// The root of all.
    pub root: Rc<Inode>,
    /// Buffers of paths.
    pub paths: Paths,
    /// Random numbers.
    pub random: Random,
    /// Who has which address.
    pub addresses: crate::socket::address::Addresses,
    /// Sockets that are on their way through sockets.
    pub flights: crate::socket::flight::Flights,
    /// The terminal.
    pub console: Console,
    /// Whoever started the machine, if that takes the place of the terminal.
    pub host: Option<Rc<Host>>,
    /// Who waits for whose locks.
    pub lock_waits: Waits,
    /// Calls that nobody serves.
    pub unknown: Unknown,
    /// What `/dev` has of disks.
    pub disks: Disks,
    /// The supervisor, if there is one.
    supervisor: Option<&'static Port>,
    next_anonymous: Cell<u64>,
    status: Cell<Option<u32>>,
}

/// With what the future of a task is polled.
fn context_of(task: &Task) -> Context<'_> {
    Context::from_waker(&task.waker)
}

/// What a call is answered with.
struct Answer {
    label: u32,
    word: u64,
}

impl Server {
    /// Serves until the first process has ended; its exit code.
    pub fn run(&'static self) -> u64 {
        let mut answer: Option<Answer> = None;
        // Looking at the clock is a call: while much arrives it is done now and then.
        let mut unlooked = 0;
        loop {
            self.run_ready();
            if let Some(status) = self.status.get() {
                let code = if status & 0x7f == 0 { status >> 8 } else { 128 + (status & 0x7f) };
                return first::farewell(self, code.into());
            }
            let deadline = self.clock.first().min(self.timers.first());
            let received = match answer.take() {
                Some(Answer { label, word }) => self.port.reply_word_receive(label, word, deadline),
                None => self.port.receive(deadline),
            };
            crate::time::forget_stamp();
            rt::service::count_served();
            match received {
                Ok(received) => answer = self.arrived(&received),
                Err(Error::TimedOut) => unlooked = UNLOOKED,
                Err(error) => rt::println!("posix: receiving failed: {error:?}"),
            }
            unlooked += 1;
            if unlooked > UNLOOKED {
                unlooked = 0;
                self.clock.ring();
                self.timers.ring();
            }
        }
    }

    /// What is to be answered at once.
    fn arrived(&'static self, received: &Received) -> Option<Answer> {
        match received.arrival {
            Arrival::Signals => {
                self.signalled(received.signals());
                None
            }
            Arrival::Foreign | Arrival::Fault => {
                let task = self.tasks.borrow().get(received.tag).cloned();
                let Some(task) = task.filter(|task| !task.dying.get()) else {
                    return Some(Answer { label: rt::abi::REPLY_KILL, word: 0 });
                };
                signal::deliver::called(&task);
                let outcome = match received.arrival {
                    Arrival::Foreign => self.call(&task, received),
                    _ if task.process.is_stopped() => Outcome::AsIs,
                    _ if received.fault() == Some(FaultKind::NoMemory) => {
                        match signal::fault::out_of_memory(&task, received.words[0]) {
                            Some(outcome) => outcome,
                            None => {
                                task.signals.called.set(false);
                                return Some(Answer { label: 0, word: 0 });
                            }
                        }
                    }
                    _ => signal::fault(&task, received),
                };
                self.settle(&task, outcome)
            }
            Arrival::Message | Arrival::Call => None,
        }
    }

    fn call(&'static self, task: &Rc<Task>, received: &Received) -> Outcome {
        let number = received.label();
        task.call.set((number.into(), received.words[0]));
        if task.process.is_stopped() {
            return Outcome::Done(Err(Errno::RESTART_WITHOUT_HANDLER));
        }
        if rt::heap::is_short() && need::is_refused(number) {
            return Outcome::Done(Err(Errno::ENOMEM));
        }
        let call = Call { server: self, task: task.clone(), args: received.words, resolve: 0 };
        let Some(handler) = table::find(number) else {
            self.unknown.add(number, &call.args, task);
            return Outcome::Done(Err(Errno::ENOSYS));
        };
        let outcome = handler.serve(&call);
        if self.later.was_asked() { self.later.again(call, handler, outcome) } else { outcome }
    }

    /// Makes an answer of how a call went, or leaves it to its task.
    fn settle(&self, task: &Rc<Task>, outcome: Outcome) -> Option<Answer> {
        let result = match outcome {
            Outcome::Done(result) => Some(result),
            Outcome::AsIs => None,
            Outcome::Gone => return None,
            Outcome::Wait(mut waiting) => match waiting.as_mut().poll(&mut context_of(task)) {
                Poll::Ready(result) => Some(result),
                Poll::Pending => {
                    if signal::interrupts(task) {
                        task.waker.wake_by_ref();
                    }
                    return self.hold(task, waiting);
                }
            },
        };
        if task.dying.get() {
            return None;
        }
        match signal::before_return(task, result) {
            Verdict::Hold(result) => self.hold(task, signal::stopped(result)),
            verdict => self.answer(verdict),
        }
    }

    fn answer(&self, verdict: Verdict) -> Option<Answer> {
        match verdict {
            Verdict::Return(result) => {
                let word = result.unwrap_or_else(Errno::register);
                Some(Answer { label: 0, word })
            }
            Verdict::AsIs => Some(Answer { label: REPLY_AS_IS, word: 0 }),
            Verdict::Gone | Verdict::Hold(_) => None,
        }
    }

    /// Lets a call wait.
    fn hold(&self, task: &Rc<Task>, waiting: Waiting) -> Option<Answer> {
        if task.dying.get() {
            return None;
        }
        task.waiting.replace(Some(waiting));
        Some(Answer { label: REPLY_LATER, word: 0 })
    }

    /// Polls all tasks that were woken, until none is left.
    fn run_ready(&self) {
        loop {
            let Some(tag) = self.ready.lock().pop_front() else { return };
            let task = self.tasks.borrow().get(tag).cloned();
            task.inspect(|task| self.poll(task));
        }
    }

    fn poll(&self, task: &Rc<Task>) {
        if !signal::deliver::may_look(task) {
            return;
        }
        let Some(mut waiting) = task.waiting.take() else { return };
        let result = match waiting.as_mut().poll(&mut context_of(task)) {
            Poll::Ready(result) => result,
            Poll::Pending => {
                let interrupted = signal::interrupts(task).then(|| waiting.interrupted()).flatten();
                match interrupted {
                    Some(result) => result,
                    None => {
                        self.hold(task, waiting);
                        return;
                    }
                }
            }
        };
        drop(waiting);
        if task.dying.get() {
            return;
        }
        match signal::before_return(task, Some(result)) {
            Verdict::Hold(result) => _ = self.hold(task, signal::stopped(result)),
            verdict => {
                if let Some(Answer { label, word }) = self.answer(verdict) {
                    // A guest that is gone needs no answer.
                    let _ = task.thread.answer(label, word);
                }
            }
        }
    }

    fn signalled(&'static self, bits: u64) {
        if bits & CONSOLE != 0 {
            first::arrived(self);
        }
        if bits & console::LOOK != 0 {
            first::look(self);
        }
        if bits & ANSWERS != 0 {
            self.later.arrived();
        }
        if bits & DISKS != 0
            && let Err(Errno(error)) = self.disks.found(self)
        {
            rt::println!("posix: disks cannot be shown: error {error}");
        }
        if bits & ENDED != 0 {
            self.ending.wake();
            for process in self.processes() {
                let ended =
                    process.native.info().is_ok_and(|info| info.state != rt::object::State::Alive);
                if ended && process.is_alive() {
                    process::exit::kill(&process, SIGKILL);
                }
            }
        }
    }

    /// Whoever keeps the services.
    pub fn control(&self) -> crate::Result<Control<'static>> {
        self.supervisor.map(Control).ok_or(Errno::ENOSYS)
    }

    /// The leader of a session has ended.
    pub fn session_ends(&self, leader: &Process) {
        self.console.session_ends(self, leader);
    }

    /// The first process has ended.
    pub fn finished(&self, status: u32) {
        self.status.set(Some(status));
    }

    /// A number that nothing else without a name has.
    pub fn new_number(&self) -> u64 {
        self.next_anonymous.replace(self.next_anonymous.get() + 1)
    }

    /// A file without a name.
    pub fn anonymous(&self, kind: Kind, mode: u32) -> Rc<Inode> {
        let number = self.new_number();
        let meta = Meta { mode: Cell::new(mode), links: Cell::new(1), ..Meta::default() };
        let now = crate::time::stamp();
        meta.accessed.set(now);
        meta.modified.set(now);
        meta.changed.set(now);
        Rc::new(Inode::new(number, ANONYMOUS, meta, kind))
    }

    /// An opening of a file without a name.
    pub fn open_anonymous(
        &self,
        file: Rc<dyn crate::file::File>,
        kind: Kind,
        flags: u32,
    ) -> Rc<Open> {
        Open::new(file, self.anonymous(kind, 0o600), flags)
    }
}
