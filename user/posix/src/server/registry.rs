//! The processes and threads that there are, by their numbers.

use super::{ENDED, PRIORITY, Server};
use crate::errno::{Errno, Result};
use crate::first;
use crate::fs::Inode;
use crate::process::schedule::Settings;
use crate::process::{Process, Task};
use crate::signal::Pending;
use crate::wait::Bell;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::task::Waker;
use rt::Thread;

impl Server {
    /// Refuses to change a program that somebody runs.
    pub fn not_running(&self, file: &Inode) -> Result<()> {
        let runs = |process: &Rc<Process>| {
            let program = process.program.borrow();
            process.is_alive() && program.file.as_ref().is_some_and(|running| running.is(file))
        };
        let running = file.ran.get() && self.processes.borrow().values().any(runs);
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
        self.tasks.borrow().all().find(|task| task.tid.get() == tid).cloned()
    }

    /// The process that takes over children whose parent has ended.
    pub fn init(&self) -> Option<Rc<Process>> {
        self.process(first::INIT)
    }

    /// A number for a process or thread.
    fn pid(&self) -> Result<u32> {
        let (processes, tasks) = (self.processes.borrow(), self.tasks.borrow());
        let used =
            |pid| processes.contains_key(&pid) || tasks.all().any(|task| task.tid.get() == pid);
        for _ in 0..1 << 15 {
            let pid = self.next_pid.get();
            self.next_pid.set(if pid >= 32767 { 2 } else { pid + 1 });
            if !used(pid) {
                return Ok(pid);
            }
        }
        Err(Errno::EAGAIN)
    }

    /// One of the first two processes, without threads.
    pub fn first_process(
        &self,
        make: impl FnOnce(rt::Process, u32) -> Process,
    ) -> Result<Rc<Process>> {
        self.add_process(self.new_native(0, PRIORITY)?, make)
    }

    /// A process without threads, which is going to share what another has.
    pub fn new_process(
        &self,
        parent: &Process,
        make: impl FnOnce(rt::Process, u32) -> Process,
    ) -> Result<Rc<Process>> {
        // All that it is going to share with its parent is its own to pay for.
        self.add_process(self.new_native(parent.native.info()?.used, PRIORITY)?, make)
    }

    fn add_process(
        &self,
        native: rt::Process,
        make: impl FnOnce(rt::Process, u32) -> Process,
    ) -> Result<Rc<Process>> {
        self.look_at_load();
        native.set_handler(Some(&self.handler))?;
        native.watch(self.port, ENDED)?;
        let pid = self.pid()?;
        let process = Rc::new(make(native, pid));
        self.processes.borrow_mut().insert(pid, process.clone());
        Ok(process)
    }

    /// A thread of a process, which does not run yet, with a number for its calls. The first has the
    /// process's number; it inherits what whoever makes it blocks, its name, and how it is scheduled.
    pub fn new_task(
        &self,
        process: &Rc<Process>,
        maker: Option<&Task>,
        mut make: impl FnMut(&rt::Process, u64) -> core::result::Result<Thread, rt::Error>,
    ) -> Result<Rc<Task>> {
        let first = process.tasks.borrow().is_empty();
        let tid = if first { process.pid } else { self.pid()? };
        let tag = self.tasks.borrow_mut().next();
        let thread = process.paid(|native| make(native, tag))?;
        let waker = Waker::from(Arc::new(Bell { task: tag, ready: self.ready.clone() }));
        let task = Rc::new(Task {
            tid: Cell::new(tid),
            process: process.clone(),
            thread,
            tag,
            waker,
            waiting: RefCell::default(),
            call: Cell::default(),
            signals: Pending::inherited(maker.map(|maker| &maker.signals)),
            clear_tid: Cell::new(0),
            robust: Cell::new(0),
            schedule: maker.map_or(Settings::default(), |maker| maker.schedule.clone()),
            name: RefCell::new(maker.and_then(|maker| maker.name.borrow().clone())),
            dying: Cell::new(false),
        });
        self.tasks.borrow_mut().add(task.clone());
        process.tasks.borrow_mut().push(task.clone());
        Ok(task)
    }

    /// Forgets a thread.
    pub fn forget_task(&self, task: &Task) {
        let task = self.tasks.borrow_mut().remove(task.tag);
        drop(task);
    }

    /// Forgets a process that somebody has waited for.
    pub fn forget(&self, process: &Process) {
        self.processes.borrow_mut().remove(&process.pid);
        let tasks = process.tasks.take();
        for task in &tasks {
            task.dying.set(true);
            self.forget_task(task);
        }
        if process.is_alive() {
            let _ = process.native.kill(0);
        }
    }
}
