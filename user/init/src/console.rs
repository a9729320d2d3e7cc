//! The keeper of the console's driver: starts it, tells it of its client, and starts another with the same
//! client should it end.

use console::CONNECT;
use rt::abi::{ANY_CPU, COOPERATIVE, Error, MachineRights, NOW, PortRights};
use rt::files::Files;
use rt::loader::Child;
use rt::message::{Message, Received};
use rt::object::{Object, State};
use rt::{Memory, Port, println, time};

/// Its program, what it may use, and how urgent it is.
const PROGRAM: &str = "console";
const QUOTA: u64 = 1 << 20;
const PRIORITY: u8 = 24;
/// Messages that may wait for it.
const QUEUE: u64 = 4;
/// One that lives no longer than this would not live longer another time: there is no device.
const TRIAL: u64 = 1_000_000_000;

/// The driver.
pub struct Console<'a> {
    program: &'a [u8],
    /// Where it is spoken to, whichever it is.
    port: Port,
    driver: Child,
    started: u64,
    client: Option<Client>,
}

/// Whom it serves.
struct Client {
    bits: u64,
    memory: Memory,
    port: Port,
}

impl<'a> Console<'a> {
    /// Starts the driver, if there is one; its end will signal these bits.
    pub fn start(files: &'a Files, watcher: &Port, bits: u64) -> Result<Option<Self>, Error> {
        let Some(program) = files.program(PROGRAM) else { return Ok(None) };
        let port = Port::create(QUEUE)?;
        let driver = start(program, &port, watcher, bits)?;
        Ok(Some(Console { program, port, driver, started: time::now(), client: None }))
    }

    /// Starts another driver if this one has ended.
    pub fn restart(&mut self, watcher: &Port, bits: u64) -> Result<(), Error> {
        let info = self.driver.process.info()?;
        if info.state != State::Ended || time::now() - self.started < TRIAL {
            return Ok(());
        }
        println!("init: the console's driver ended with code {}: starting another", info.code);
        self.driver = start(self.program, &self.port, watcher, bits)?;
        self.started = time::now();
        self.introduce()
    }

    /// The client that a message makes itself is the driver's from now on; what it is answered.
    pub fn connect(&mut self, message: &Received) -> Result<Message<'static>, Error> {
        let &[memory, port] = message.handles() else { return Err(Error::Invalid) };
        let (memory, port) = (Memory::from_raw(memory), Port::from_raw(port));
        if message.label() != CONNECT {
            return Err(Error::Invalid);
        }
        self.client = Some(Client { bits: message.words[0], memory, port });
        self.introduce()?;
        let driver = self.port.duplicate(PortRights::SIGNAL | PortRights::TRANSFER)?;
        Ok(Message::new(0).handle(driver.into_raw()))
    }

    /// Tells the driver whom it serves.
    fn introduce(&self) -> Result<(), Error> {
        let Some(Client { bits, memory, port }) = &self.client else { return Ok(()) };
        let message = Message::new(CONNECT).words(&[*bits]);
        let message = message.handle(memory.raw()).handle(port.raw()).copied();
        self.port.send(&message, NOW)
    }
}

fn start(program: &[u8], port: &Port, watcher: &Port, bits: u64) -> Result<Child, Error> {
    let child = Child::load(program, QUOTA, PRIORITY)?.with_machine(
        &rt::machine(),
        MachineRights::DEVICES | MachineRights::INSPECT | MachineRights::LOG,
    )?;
    let handle = child.give(port.duplicate(PortRights::all() & !PortRights::DUPLICATE)?)?;
    let child = child.with_words([handle, 0]);
    // It does a bounded piece of work at a time: nobody needs to take turns with it.
    child.thread.schedule(PRIORITY, COOPERATIVE, ANY_CPU)?;
    child.process.watch(watcher, bits)?;
    child.start()?;
    Ok(child)
}
