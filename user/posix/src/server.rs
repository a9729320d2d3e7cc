//! What arrives, and who answers.
//!
//! One thread receives the calls and faults of all guests. A call that is done at once is answered
//! together with receiving the next one. A call that waits keeps its answer with its task, which is
//! polled when somebody wakes it.

use crate::console::Console;
use crate::errno::{Errno, Result};
use crate::file::Open;
use crate::file::lock::Waits;
use crate::first;
use crate::fs::dev::Random;
use crate::fs::mount::Mounts;
use crate::fs::path::{Found, Last, Walker};
use crate::fs::room::Room;
use crate::fs::tmpfs::Tmpfs;
use crate::fs::{Inode, Kind, Meta, Reader, archive, dev, mount::Mount, proc};
use crate::futex::Futexes;
use crate::host::Host;
use crate::process::info::Names;
use crate::process::schedule::Settings;
use crate::process::{self, Ids, Process, Task, fork};
use crate::signal::{self, Pending, Verdict};
use crate::table::{self, Handler};
use crate::time::timer::Schedule;
use crate::wait::{Bell, Clock, Outcome, Ready};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::task::{Context, Waker};
use linux_raw_sys::general::{AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW, SIGKILL};
use rt::abi::{Arrival, FaultKind, PortRights, REPLY_AS_IS};
use rt::message::{Message, Received};
use rt::{Error, Port, Reply, Start, Thread};

/// The highest priority of guests' threads; this server's own is higher.
pub const PRIORITY: u8 = 16;
/// Messages that may wait in the port's queue: those of drivers.
const QUEUE: u64 = 16;
/// Messages between two looks at the clock.
const UNLOOKED: u32 = 16;
/// The signal that says that a process has ended without being told to.
pub const ENDED: u64 = 1;
/// The signal of the console.
pub const CONSOLE: u64 = 2;
/// The device of files without names.
pub const ANONYMOUS: u64 = 0xf_ffff;
/// The badge of calls and faults of guests.
const GUEST: u64 = 1;

/// All that this server knows.
pub struct Server {
    /// Where everything arrives.
    pub port: Port,
    /// The same, as guests' processes name it.
    handler: Port,
    processes: RefCell<BTreeMap<u32, Rc<Process>>>,
    tasks: RefCell<BTreeMap<u64, Rc<Task>>>,
    next_pid: Cell<u32>,
    next_tag: Cell<u64>,
    ready: Ready,
    /// Who waits for which moment.
    pub clock: Clock,
    /// File systems over directories.
    pub mounts: Mounts,
    /// What the machine is called.
    pub names: Names,
    /// Timers that send signals.
    pub timers: Schedule,
    /// Who waits for words of memory.
    pub futexes: Futexes,
    /// The root of all.
    pub root: Rc<Inode>,
    /// Random numbers.
    pub random: Random,
    /// Who has which address.
    pub addresses: crate::socket::address::Addresses,
    /// The terminal.
    pub console: Console,
    /// Whoever started the machine, if that takes the place of the terminal.
    pub host: Option<Rc<Host>>,
    /// Who waits for whose locks.
    pub lock_waits: Waits,
    /// Calls that nobody serves.
    pub unknown: table::Unknown,
    next_anonymous: Cell<u64>,
    status: Cell<Option<u32>>,
}

/// What a call is answered with.
struct Answer {
    label: u32,
    word: u64,
}

impl Answer {
    fn message(&self) -> Message<'static> {
        Message::new(self.label).words(&[self.word])
    }
}

/// A call of a guest.
#[derive(Clone)]
pub struct Call {
    /// Who serves it.
    pub server: &'static Server,
    /// Who made it.
    pub task: Rc<Task>,
    /// Its arguments.
    pub args: [u64; 6],
}

impl Call {
    /// The process that made it.
    pub fn process(&self) -> &Process {
        &self.task.process
    }

    /// Walks a path.
    pub fn walk<'p>(&self, from: &Rc<Inode>, path: &'p [u8], follow: bool) -> Result<Found<'p>> {
        let last = if follow { Last::Followed } else { Last::Found };
        self.walk_to(from, path, last)
    }

    /// Walks a path, and does with the last name what is said.
    pub fn walk_to<'p>(&self, from: &Rc<Inode>, path: &'p [u8], last: Last) -> Result<Found<'p>> {
        let ids = self.process().ids.borrow();
        self.walker(&ids).walk(from, path, last)
    }

    /// Who walks for it.
    fn walker<'a>(&'a self, ids: &'a Ids) -> Walker<'a> {
        let root = self.process().root.borrow().clone();
        Walker { mounts: &self.server.mounts, root, ids, reader: self.reader() }
    }

    /// Who made it, for links that say something else to everybody.
    pub fn reader(&self) -> Reader {
        Reader { pid: self.process().pid, tid: self.task.tid.get() }
    }

    /// The path of a directory.
    pub fn path_of(&self, inode: &Rc<Inode>) -> Result<Vec<u8>> {
        let ids = self.process().ids.borrow();
        self.walker(&ids).path_of(inode)
    }

    /// The file that a descriptor and a path name, with flags of the `*at` calls.
    pub fn inode_at(&self, at: u64, path: u64, flags: u32) -> Result<Rc<Inode>> {
        let process = self.process();
        let empty = flags & AT_EMPTY_PATH != 0;
        let path = if path == 0 && empty { Vec::new() } else { process.path(path)? };
        if path.is_empty() && empty {
            return process.directory(at, b"");
        }
        let from = process.directory(at, &path)?;
        self.walk(&from, &path, flags & AT_SYMLINK_NOFOLLOW == 0)?.inode()
    }
}

impl Server {
    /// Makes the files, and the first process.
    pub fn boot(start: Start) -> Result<&'static Server> {
        let port = Port::create(QUEUE)?;
        let handler = port.badged(PortRights::all() & !PortRights::RECEIVE, GUEST)?;
        let room = Room::new()?;
        let root = Tmpfs::root(&room, 0o755)?;
        let (memory, length) = start.initrd.ok_or(Errno::ENOENT)?;
        archive::unpack(memory, length, &root)?;
        let (console, host) = first::streams(&port, start.words[0])?;
        let server = Box::leak(Box::new(Server {
            port,
            handler,
            processes: RefCell::default(),
            tasks: RefCell::default(),
            next_pid: Cell::new(1),
            next_tag: Cell::new(1),
            ready: Ready::default(),
            clock: Clock::default(),
            mounts: Mounts::default(),
            names: Names::default(),
            timers: Schedule::default(),
            futexes: Futexes::default(),
            root,
            random: Random(Cell::new(crate::time::seed())),
            addresses: Default::default(),
            console,
            host,
            lock_waits: Waits::default(),
            unknown: table::Unknown::default(),
            next_anonymous: Cell::new(1),
            status: Cell::new(None),
        }));
        server.mount(b"dev", b"devtmpfs", Tmpfs::root(&room, 0o755)?, dev::populate)?;
        server.mount(b"proc", b"proc", proc::root(server, room.number()), |_| Ok(()))?;
        server.mount(b"sys", b"sysfs", Tmpfs::root(&room, 0o555)?, |_| Ok(()))?;
        first::start(server)?;
        Ok(server)
    }

    fn mount(
        &self,
        name: &[u8],
        kind: &[u8],
        root: Rc<Inode>,
        fill: impl Fn(&Rc<Inode>) -> Result<()>,
    ) -> Result<()> {
        let directory = self.root.directory()?;
        let covered = match directory.lookup(name) {
            Ok(inode) => inode,
            Err(_) => {
                let mode = linux_raw_sys::general::S_IFDIR | 0o755;
                let new = crate::fs::New { name, mode, uid: 0, gid: 0, device: 0, target: b"" };
                directory.create(&self.root, &new)?
            }
        };
        fill(&root)?;
        let (source, kind) = (kind.to_vec(), kind.to_vec());
        self.mounts.add(Mount { covered, root, source, kind, flags: Cell::new(0) });
        Ok(())
    }

    /// Serves until the first process has ended; its exit code.
    pub fn run(&'static self) -> u64 {
        let mut answer: Option<Answer> = None;
        // Looking at the clock is a call: while much arrives it is done now and then.
        let mut unlooked = 0;
        loop {
            if !self.ready.lock().is_empty() {
                if let Some(answer) = answer.take() {
                    // A guest that is gone needs no answer.
                    let _ = rt::object::reply(&answer.message());
                }
                self.run_ready();
            }
            if let Some(status) = self.status.get() {
                let code = if status & 0x7f == 0 { status >> 8 } else { 128 + (status & 0x7f) };
                return first::farewell(self, code.into());
            }
            let deadline = self.clock.first().min(self.timers.first());
            let received = match answer.take() {
                Some(Answer { label, word }) => self.port.reply_word_receive(label, word, deadline),
                None => self.port.receive(deadline),
            };
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
                let task = self.tasks.borrow().get(&received.tag).cloned();
                let Some(task) = task.filter(|task| !task.dying.get()) else {
                    return Some(Answer { label: rt::abi::REPLY_KILL, word: 0 });
                };
                signal::deliver::called(&task);
                let outcome = match received.arrival {
                    Arrival::Foreign => self.call(&task, received),
                    _ if task.process.is_stopped() => Outcome::AsIs,
                    _ if received.fault() == Some(FaultKind::NoMemory) => {
                        if task.process.refill() {
                            task.signals.called.set(false);
                            return Some(Answer { label: 0, word: 0 });
                        }
                        process::exit::kill(&task.process, SIGKILL)
                    }
                    _ => signal::fault(&task, received),
                };
                self.settle(&task, outcome)
            }
            Arrival::Message | Arrival::Call => None,
        }
    }

    fn call(&'static self, task: &Rc<Task>, received: &Received) -> Outcome {
        let (number, args) = (received.label(), received.words);
        task.call.set((number.into(), args[0]));
        if task.process.is_stopped() {
            return Outcome::Done(Err(Errno::RESTART_WITHOUT_HANDLER));
        }
        let call = Call { server: self, task: task.clone(), args };
        match table::find(number) {
            Some(Handler::Now(handler)) => Outcome::Done(handler(&call)),
            Some(Handler::May(handler)) => handler(&call),
            None => {
                self.unknown.add(number, &args, task);
                Outcome::Done(Err(Errno::ENOSYS))
            }
        }
    }

    /// Makes an answer of how a call went, or leaves it to its task.
    fn settle(&self, task: &Rc<Task>, outcome: Outcome) -> Option<Answer> {
        let result = match outcome {
            Outcome::Done(result) => Some(result),
            Outcome::AsIs => None,
            Outcome::Gone => return None,
            Outcome::Wait(_) => {
                self.hold(task, outcome);
                return None;
            }
        };
        if task.dying.get() {
            return None;
        }
        match signal::before_return(task, result) {
            Verdict::Hold(result) => {
                self.hold(task, Outcome::stopped(result));
                None
            }
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

    /// Lets the last call wait.
    fn hold(&self, task: &Rc<Task>, outcome: Outcome) {
        let Outcome::Wait(waiting) = outcome else { return };
        match Reply::save() {
            Ok(reply) => {
                task.reply.replace(Some(reply));
                task.waiting.replace(Some(waiting));
                task.waker.wake_by_ref();
            }
            // There is no memory for a handle: the call fails rather than the server.
            Err(_) => {
                task.signals.called.set(false);
                let _ = rt::object::reply(&Message::new(0).words(&[Errno::ENOMEM.register()]));
            }
        }
    }

    /// Polls all tasks that were woken, until none is left.
    fn run_ready(&self) {
        loop {
            let Some(tag) = self.ready.lock().pop_front() else { return };
            let task = self.tasks.borrow().get(&tag).cloned();
            task.inspect(|task| self.poll(task));
        }
    }

    fn poll(&self, task: &Rc<Task>) {
        if !signal::deliver::may_look(task) {
            return;
        }
        let Some(mut waiting) = task.waiting.take() else { return };
        let mut context = Context::from_waker(&task.waker);
        let result = match waiting.future.as_mut().poll(&mut context) {
            core::task::Poll::Ready(result) => result,
            core::task::Poll::Pending => match &waiting.interrupted {
                Some(interrupted) if signal::interrupts(task) => interrupted(),
                _ => {
                    if !task.dying.get() {
                        task.waiting.replace(Some(waiting));
                    }
                    return;
                }
            },
        };
        drop(waiting);
        if task.dying.get() {
            return;
        }
        match signal::before_return(task, Some(result)) {
            Verdict::Hold(result) => {
                if let Outcome::Wait(waiting) = Outcome::stopped(result) {
                    task.waiting.replace(Some(waiting));
                }
            }
            verdict => {
                let (answer, reply) = (self.answer(verdict), task.reply.take());
                if let (Some(answer), Some(reply)) = (answer, reply) {
                    // A guest that is gone needs no answer.
                    let _ = reply.answer(&answer.message());
                }
            }
        }
    }

    fn signalled(&'static self, bits: u64) {
        if bits & CONSOLE != 0 {
            first::arrived(self);
        }
        if bits & ENDED != 0 {
            for process in self.processes() {
                let ended =
                    process.native.info().is_ok_and(|info| info.state != rt::object::State::Alive);
                if ended && process.is_alive() {
                    crate::process::exit::kill(&process, linux_raw_sys::general::SIGKILL);
                }
            }
        }
    }

    /// Refuses to change a program that somebody runs.
    pub fn not_running(&self, file: &Inode) -> Result<()> {
        let runs = |process: &Rc<Process>| {
            let program = process.program.borrow();
            process.is_alive() && program.file.as_ref().is_some_and(|running| running.is(file))
        };
        let executable = file.meta.mode.get() & 0o111 != 0;
        let running = executable && self.processes.borrow().values().any(runs);
        if running { Err(Errno::ETXTBSY) } else { Ok(()) }
    }

    /// The process of a number.
    pub fn process(&self, pid: u32) -> Option<Rc<Process>> {
        self.processes.borrow().get(&pid).cloned()
    }

    /// All processes, those included that have ended and nobody has waited for.
    pub fn processes(&self) -> Vec<Rc<Process>> {
        self.processes.borrow().values().cloned().collect()
    }

    /// The thread of a number.
    pub fn task(&self, tid: u32) -> Option<Rc<Task>> {
        self.tasks.borrow().values().find(|task| task.tid.get() == tid).cloned()
    }

    /// The process that takes over children whose parent has ended.
    pub fn init(&self) -> Option<Rc<Process>> {
        self.process(1).filter(|init| init.is_alive())
    }

    /// A number for a process or thread.
    fn pid(&self) -> Result<u32> {
        let (processes, tasks) = (self.processes.borrow(), self.tasks.borrow());
        let used =
            |pid| processes.contains_key(&pid) || tasks.values().any(|task| task.tid.get() == pid);
        for _ in 0..1 << 15 {
            let pid = self.next_pid.get();
            self.next_pid.set(if pid >= 32767 { 2 } else { pid + 1 });
            if !used(pid) {
                return Ok(pid);
            }
        }
        Err(Errno::EAGAIN)
    }

    /// The first process, without threads.
    pub fn first_process(
        &self,
        make: impl FnOnce(rt::Process, u32) -> Process,
    ) -> Result<Rc<Process>> {
        self.add_process(process::create(process::STEP, PRIORITY)?, make)
    }

    /// A process without threads, which is going to share what another has.
    pub fn new_process(
        &self,
        parent: &Process,
        make: impl FnOnce(rt::Process, u32) -> Process,
    ) -> Result<Rc<Process>> {
        // All that it is going to share with its parent is its own to pay for.
        let quota = parent.native.info()?.used + process::STEP;
        self.add_process(process::create(quota, PRIORITY)?, make)
    }

    fn add_process(
        &self,
        native: rt::Process,
        make: impl FnOnce(rt::Process, u32) -> Process,
    ) -> Result<Rc<Process>> {
        native.set_handler(Some(&self.handler))?;
        native.watch(&self.port, ENDED)?;
        let pid = self.pid()?;
        let process = Rc::new(make(native, pid));
        self.processes.borrow_mut().insert(pid, process.clone());
        Ok(process)
    }

    /// A thread of a process, which does not run yet. The first has the process's number; it inherits
    /// what whoever makes it blocks, its name, and how it is scheduled.
    pub fn new_task(&self, process: &Rc<Process>, maker: Option<&Task>) -> Result<Rc<Task>> {
        let first = process.tasks.borrow().is_empty();
        let tid = if first { process.pid } else { self.pid()? };
        let tag = self.next_tag.replace(self.next_tag.get() + 1);
        let thread = Thread::create(&process.native, 0, 0, 0, tag, fork::FLAGS)
            .map_err(|_| Errno::EAGAIN)?;
        let waker = Waker::from(Arc::new(Bell { task: tag, ready: self.ready.clone() }));
        let task = Rc::new(Task {
            tid: Cell::new(tid),
            process: process.clone(),
            thread,
            tag,
            waker,
            reply: RefCell::default(),
            waiting: RefCell::default(),
            call: Cell::default(),
            signals: Pending::inherited(maker.map(|maker| &maker.signals)),
            clear_tid: Cell::new(0),
            robust: Cell::new(0),
            schedule: maker.map_or(Settings::default(), |maker| maker.schedule.clone()),
            name: RefCell::new(maker.and_then(|maker| maker.name.borrow().clone())),
            dying: Cell::new(false),
        });
        self.tasks.borrow_mut().insert(tag, task.clone());
        process.tasks.borrow_mut().push(task.clone());
        Ok(task)
    }

    /// Forgets a thread.
    pub fn forget_task(&self, task: &Task) {
        self.tasks.borrow_mut().remove(&task.tag);
    }

    /// Forgets a process that somebody has waited for.
    pub fn forget(&self, process: &Process) {
        self.processes.borrow_mut().remove(&process.pid);
        let tasks = process.tasks.take();
        for task in &tasks {
            task.dying.set(true);
            self.forget_task(task);
        }
        let _ = process.native.kill(0);
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
        let now = crate::time::realtime();
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
