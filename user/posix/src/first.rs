//! The first process, and what it reads from and writes to: the terminal, or whoever started the
//! machine.

use crate::console::Console;
use crate::errno::{Errno, Result};
use crate::file::{Descriptors, Open};
use crate::fs::Kind;
use crate::host::{Host, HostFile, Stream};
use crate::process::exec::Image;
use crate::process::prctl::Traits;
use crate::process::strings::Strings;
use crate::process::{self, Ids, Process, State, fork};
use crate::server::{CONSOLE, Call, Server};
use crate::signal::Signals;
use alloc::rc::{Rc, Weak};
use console::Client;
use core::cell::{Cell, RefCell};
use linux_raw_sys::general::{O_RDONLY, O_WRONLY};
use rt::Port;
use rt::abi::Handle;
use rt::files::Words;
use rt::object::Object;

/// What is run where nothing else is asked for.
const SHELL: &str = "/bin/sh";
/// What the first process finds in its environment.
const ENVIRONMENT: [&str; 6] =
    ["PATH=/bin", "HOME=/root", "TERM=linux", "USER=root", "LOGNAME=root", "SHELL=/bin/sh"];
/// How long the last bytes may take on their way out, in nanoseconds.
const FAREWELL: u64 = 2_000_000_000;

/// The console, and the host if the word `stdio=host` says that it takes the place of the terminal.
pub fn streams(port: &Port, driver: Handle) -> Result<(Console, Option<Rc<Host>>)> {
    if Words::read().get("stdio") != Some("host") || driver == 0 {
        return Ok((Console::open(port, driver)?, None));
    }
    let client = Client::connect(Port::from_raw(driver), port, CONSOLE)?;
    Ok((Console::open(port, 0)?, Some(Host::new(client)?)))
}

/// Starts the first process; if it is the host's the host will say what it is.
pub fn start(server: &'static Server) -> Result<()> {
    if server.host.is_some() {
        return Ok(());
    }
    let words = Words::read();
    let program = words.get("exec").unwrap_or(SHELL);
    let arguments = words.get("args").unwrap_or("").split(',').filter(|word| !word.is_empty());
    let arguments = [program].into_iter().chain(arguments);
    let terminal = server.console.open_terminal(server)?;
    let arguments = arguments.map(str::as_bytes).collect();
    run(server, program.as_bytes(), arguments, [terminal.clone(), terminal.clone(), terminal])
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
    if let Err(Errno(error)) = run(server, SHELL.as_bytes(), arguments, streams) {
        rt::println!("posix: {SHELL} cannot be run: error {error}");
        // What a shell says of what it cannot run.
        server.finished(126 << 8);
    }
}

/// Says what the first process has ended with, and waits until all is out.
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

fn run(
    server: &'static Server,
    program: &[u8],
    arguments: Strings,
    streams: [Rc<Open>; 3],
) -> Result<()> {
    let process = server.first_process(|native, pid| Process {
        server,
        pid,
        native,
        parent: RefCell::new(Weak::new()),
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
        exit_signal: Cell::new(0),
        has_execed: Cell::new(false),
        child_changed: Default::default(),
        changed: Default::default(),
        started: rt::time::now(),
        times: Cell::default(),
        limits: RefCell::new(process::limits::DEFAULT),
        timers: Default::default(),
        traits: Traits::default(),
    })?;
    for (fd, stream) in (0..).zip(streams) {
        process.files.set(fd, stream, false);
    }
    let make = |native: &rt::Process, tag| rt::Thread::create(native, 0, 0, 0, tag, fork::FLAGS);
    let task = server.new_task(&process, None, make)?;
    let call = Call { server, task: task.clone(), args: [0; 6], resolve: 0 };
    let file = call.walk(&server.root, program, true)?.inode()?;
    let environment = ENVIRONMENT.iter().map(|text| text.as_bytes()).collect();
    let image = Image::open(&call, file, program.to_vec(), arguments, environment)?;
    image.start(&task)?;
    task.thread.resume()?;
    Ok(())
}
