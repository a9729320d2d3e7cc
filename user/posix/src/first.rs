//! The first two processes. The second is the program that everything is for, the leader of a session: a
//! shell at the terminal, or what whoever started the machine wants to be run. The first is only a name
//! for this server where a process is looked for: it never runs, and takes over whoever has lost a parent.

use crate::console::Console;
use crate::errno::{Errno, Result};
use crate::file::{Descriptors, Open};
use crate::fs::Kind;
use crate::host::{Host, HostFile, Stream};
use crate::process::exec::Image;
use crate::process::prctl::Traits;
use crate::process::strings::Strings;
use crate::process::{self, Ids, Process, Program, State, fork};
use crate::server::{Call, Server};
use crate::signal::Signals;
use alloc::rc::{Rc, Weak};
use console::Client;
use core::cell::{Cell, RefCell};
use linux_raw_sys::general::{O_RDONLY, O_WRONLY, SIGCHLD};
use rt::files::Words;
use rt::service::Grants;
use services::control::Complain;

/// The number of the process that is the parent of all.
pub const INIT: u32 = 1;
/// The number of the one whose end ends everything.
pub const LEADER: u32 = 2;
/// What is run where nothing else is asked for.
const SHELL: &str = "/bin/sh";
/// What it finds in its environment.
const ENVIRONMENT: [&str; 6] =
    ["PATH=/bin", "HOME=/root", "TERM=linux", "USER=root", "LOGNAME=root", "SHELL=/bin/sh"];
/// What a shell finds there too that somebody is going to type at: the file that it reads first.
const PROFILE: &str = "ENV=/etc/profile";
/// How long the last bytes may take on their way out, in nanoseconds.
const FAREWELL: u64 = 2_000_000_000;

/// The console, and the host if the word `stdio=host` says that it takes the place of the terminal.
pub fn streams(grants: &Grants) -> Result<(Console, Option<Rc<Host>>)> {
    match Client::open(grants)? {
        Some(client) if Words::read().get("stdio") == Some("host") => {
            Ok((Console::open(None), Some(Host::new(client)?)))
        }
        client => Ok((Console::open(client), None)),
    }
}

/// Starts the leader; if it is the host's the host will say what it is.
pub fn start(server: &'static Server) -> Result<()> {
    let init = server.first_process(|native, pid| process(server, native, pid, Weak::new()))?;
    init.program.replace(Rc::new(Program { name: b"init".to_vec(), ..Program::default() }));
    if server.host.is_some() {
        return Ok(());
    }
    let words = Words::read();
    let terminal = server.console.open_terminal(server, LEADER)?;
    let (program, more) = match words.get("exec") {
        Some(program) => (program, None),
        None => (SHELL, Some(PROFILE)),
    };
    let arguments = words.get("args").unwrap_or("").split(',').filter(|word| !word.is_empty());
    let arguments = [program].into_iter().chain(arguments);
    let arguments = arguments.map(str::as_bytes).collect();
    let streams = [terminal.clone(), terminal.clone(), terminal];
    run(server, program.as_bytes(), arguments, more, streams)
}

/// Looks whether what was written to the console is sent: a driver that sends nothing is complained about.
pub fn look(server: &Server) {
    if driver(server).is_some_and(|driver| driver.look() == Ok(true)) {
        // If nobody supervises it nobody can help.
        let _ = server.control().map(|it| it.tell(Complain { service: console::NAME }));
    }
}

fn driver(server: &Server) -> Option<&Client> {
    server.host.as_ref().map(|host| &host.client).or_else(|| server.console.driver())
}

/// Something has arrived at the console.
pub fn arrived(server: &'static Server) {
    let Some(host) = &server.host else { return server.console.interrupt(server) };
    let Some(command) = host.arrived() else { return };
    let stream = |stream, flags| {
        let inode = server.anonymous(Kind::Fifo(crate::file::pipe::Pipe::new()), 0o600);
        Open::new(Rc::new(HostFile(host.clone(), stream)), inode, flags)
    };
    let streams = [
        stream(Stream::Input, O_RDONLY),
        stream(Stream::Output, O_WRONLY),
        stream(Stream::Errors, O_WRONLY),
    ];
    let arguments = [b"sh", b"-c", &*command].into_iter().collect();
    if let Err(Errno(error)) = run(server, SHELL.as_bytes(), arguments, None, streams) {
        rt::println!("posix: {SHELL} cannot be run: error {error}");
        // What a shell says of what it cannot run.
        server.finished(126 << 8);
    }
}

/// Says what the leader has ended with, and waits until all is out.
pub fn farewell(server: &Server, code: u64) -> u64 {
    let Some(host) = &server.host else {
        server.console.drain();
        return code;
    };
    let end = rt::time::now().saturating_add(FAREWELL);
    let wait = || {
        rt::time::nap();
        rt::time::now() < end
    };
    while !host.send_status(code as u8) && wait() {}
    while !host.is_drained() && wait() {}
    0
}

/// A process that runs nothing yet.
fn process(
    server: &'static Server,
    native: rt::Process,
    pid: u32,
    parent: Weak<Process>,
) -> Process {
    Process {
        server,
        pid,
        native,
        parent: RefCell::new(parent),
        children: RefCell::default(),
        tasks: RefCell::default(),
        group: Cell::new(pid),
        session: Cell::new(pid),
        space: RefCell::default(),
        files: Descriptors::default(),
        current: RefCell::new(server.root.clone()),
        root: RefCell::new(server.root.clone()),
        umask: Cell::new(0o022),
        ids: RefCell::new(Ids::default()),
        signals: Signals::default(),
        program: RefCell::default(),
        state: Cell::new(State::Running),
        told: Cell::new(true),
        exit_signal: Cell::new(SIGCHLD),
        has_execed: Cell::new(false),
        child_changed: Default::default(),
        changed: Default::default(),
        started: rt::time::now(),
        times: Cell::default(),
        limits: RefCell::new(process::limits::DEFAULT),
        timers: Default::default(),
        traits: Traits::default(),
    }
}

/// Starts the leader, with something more in its environment.
fn run(
    server: &'static Server,
    program: &[u8],
    arguments: Strings,
    more: Option<&str>,
    streams: [Rc<Open>; 3],
) -> Result<()> {
    let init = server.init().ok_or(Errno::ESRCH)?;
    let parent = Rc::downgrade(&init);
    let leader = server.first_process(|native, pid| process(server, native, pid, parent))?;
    init.children.borrow_mut().push(leader.clone());
    for (fd, stream) in (0..).zip(streams) {
        leader.files.set(fd, stream, false)?;
    }
    let make = |native: &rt::Process, tag| rt::Thread::create(native, 0, 0, 0, tag, fork::FLAGS);
    let task = server.new_task(&leader, None, make)?;
    let call = Call { server, task: task.clone(), args: [0; 6], resolve: 0 };
    let file = call.walk(&server.root, program, true)?.inode()?;
    let environment = ENVIRONMENT.into_iter().chain(more);
    let environment = environment.map(str::as_bytes).collect();
    let image = Image::open(&call, file, program.to_vec(), arguments, environment)?;
    image.start(&task)?;
    task.thread.resume()?;
    Ok(())
}
