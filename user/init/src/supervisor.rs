//! All services: what happens to them, and what comes of it.
//!
//! Everything arrives at one port: the ends of processes, their faults, which wait there until their process is
//! ended, and what clients ask for. Nothing in here waits for a service.

use crate::device::{self, Device};
use crate::errand::Errands;
use crate::service::{Id, Life, Program, Running, Service, Then};
use crate::status;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::OnceCell;
use rt::abi::{ANY_CPU, Arrival, COOPERATIVE, EXIT_FAULT, Error, FOREVER, PortRights, REPLY_KILL};
use rt::files::{Files, Words};
use rt::loader::Child;
use rt::message::{Message, Received};
use rt::object::{State, reply};
use rt::panic::EXIT_PANIC;
use rt::thread::{PRIORITY, SLICE};
use rt::{Memory, Port, println, time};
use services::manifest::{Manifest, Spec, Trait};
use services::policy::Verdict;

/// Messages that may wait.
const QUEUE: u64 = 16;
/// The signal of the end of a process.
const ENDED: u64 = 1;
/// The signal of an errand that is done.
pub const ERRAND: u64 = 2;
/// What a badge begins with; the rest is the number of a service.
const FAULT: u64 = 1;
const CLIENT: u64 = 2;
const SHIFT: u32 = 8;

/// The supervisor.
pub struct Supervisor {
    /// All services.
    pub services: BTreeMap<Id, Service>,
    /// What can be started when somebody asks for it.
    pub templates: Vec<Spec>,
    /// Where everything arrives.
    pub port: Port,
    /// What the machine was booted with.
    pub initrd: (Memory, u64),
    /// The files of that.
    pub files: &'static Files,
    /// What is left of lives that went wrong, the latest first.
    pub records: VecDeque<String>,
    /// What services are being asked.
    pub errands: Errands,
    /// Whether harm may be done, for tests.
    pub may_hurt: bool,
    /// How the machine is to end, when it is to.
    pub over: Option<u64>,
    next: Id,
}

impl Supervisor {
    /// Makes all that outlives the services. None of them runs yet.
    pub fn new(
        manifest: Manifest,
        files: &'static Files,
        initrd: (Memory, u64),
        firmware: Option<(Memory, u64)>,
        words: &Words,
    ) -> Result<Supervisor, Error> {
        let mut supervisor = Supervisor {
            services: BTreeMap::new(),
            templates: manifest.templates,
            port: Port::create(QUEUE)?,
            initrd,
            files,
            records: VecDeque::new(),
            errands: Errands::default(),
            may_hurt: words.has("chaos"),
            over: None,
            next: 0,
        };
        let devices = device::all(firmware);
        for spec in manifest.services {
            supervisor.add_instances(&spec, &devices)?;
        }
        supervisor.start_due();
        if words.has("caps") {
            supervisor.caps().lines().for_each(|line| println!("caps: {line}"));
        }
        Ok(supervisor)
    }

    /// Adds a service: one for each of its devices, if it is for devices.
    fn add_instances(&mut self, spec: &Spec, devices: &[Device]) -> Result<(), Error> {
        let is_for = |device: &&Device| spec.devices.iter().any(|kind| device.found.is(kind));
        let driven = devices.iter().filter(is_for).cloned().map(Some);
        let mut instances: Vec<_> = driven.collect();
        if spec.devices.is_empty() || spec.has(Trait::Anyway) && instances.is_empty() {
            instances.push(None);
        }
        for (nth, device) in instances.into_iter().enumerate() {
            let added = self.add(spec.clone(), spec.instance(nth), device);
            if added.is_err() && spec.has(Trait::Critical) {
                return added.map(|_| ());
            }
        }
        Ok(())
    }

    /// Adds a service that is to be started next.
    pub fn add(&mut self, spec: Spec, name: String, device: Option<Device>) -> Result<Id, Error> {
        let Some(program) = self.files.program(&spec.program) else {
            println!("init: {name} cannot run: there is no file ochre/{}", spec.program);
            return Err(Error::NotFound);
        };
        let new = Service::new(spec, name, device, Program::Shipped(program));
        let mut service = new.inspect_err(|why| println!("init: a service cannot be: {why:?}"))?;
        let id = self.new_id();
        for name in &service.spec.clients {
            if let Some(other) = self.find(name) {
                service.clients.push((name.clone(), other, id << SHIFT));
            }
        }
        self.services.insert(id, service);
        Ok(id)
    }

    /// A number that nobody has had.
    pub fn new_id(&mut self) -> Id {
        self.next += 1;
        self.next
    }

    /// The service of a name.
    pub fn find(&self, name: &str) -> Option<Id> {
        self.services.iter().find(|(_, service)| service.name == name).map(|(&id, _)| id)
    }

    /// A service that is there.
    pub fn service(&mut self, id: Id) -> &mut Service {
        self.services.get_mut(&id).expect("a service that is there")
    }

    /// The badge of a service as a client.
    pub fn badge_of_client(id: Id) -> u64 {
        id << SHIFT | CLIENT
    }

    /// Supervises to the end; how the machine is to end.
    pub fn run(mut self) -> u64 {
        loop {
            self.start_due();
            if let Some(how) = self.over {
                return how;
            }
            let pauses = self.services.values().filter_map(|service| match service.life {
                Life::Pausing(until) => Some(until),
                _ => None,
            });
            match self.port.receive(pauses.min().unwrap_or(FOREVER)) {
                Ok(received) => self.arrived(&received),
                Err(Error::TimedOut) => {}
                Err(error) => println!("init: receiving failed: {error:?}"),
            }
        }
    }

    fn arrived(&mut self, received: &Received) {
        let id = received.badge >> SHIFT;
        match received.arrival {
            Arrival::Signals => {
                if received.signals() & ENDED != 0 {
                    self.find_ended();
                }
                if received.signals() & ERRAND != 0 {
                    self.errands_done();
                }
            }
            Arrival::Fault | Arrival::Foreign => {
                let code = if self.fault(id, received) { EXIT_PANIC } else { EXIT_FAULT };
                // It may have been ended meanwhile.
                let _ = reply(&Message::new(REPLY_KILL).words(&[code]));
            }
            Arrival::Call if received.badge & CLIENT != 0 && self.services.contains_key(&id) => {
                self.asked(id, received);
            }
            Arrival::Call | Arrival::Message => received.close_handles(),
        }
    }

    /// Starts all that are to be started by now.
    pub fn start_due(&mut self) {
        let now = time::now();
        let due = |service: &Service| matches!(service.life, Life::Pausing(until) if until <= now);
        let due: Vec<Id> = self.services.iter().filter(|it| due(it.1)).map(|it| *it.0).collect();
        for id in due {
            let program = self.services[&id].program.clone();
            match self.load(id, program.bytes()) {
                Ok(child) => self.launch(id, child),
                Err(error) => self.cannot_start(id, error),
            }
        }
    }

    /// Starts a service whose program is loaded.
    pub fn launch(&mut self, id: Id, child: Child) {
        match self.try_launch(id, child) {
            Ok(running) => {
                let service = self.service(id);
                service.lives += 1;
                service.life = Life::Running(running);
                if service.before.is_some() {
                    // Without memory to ask it is seen whether it serves when somebody else asks.
                    let _ = self.ping(id);
                }
            }
            Err(error) => self.cannot_start(id, error),
        }
    }

    fn try_launch(&mut self, id: Id, child: Child) -> Result<Running, Error> {
        let (child, diary) = self.give(id, child)?;
        let spec = &self.services[&id].spec;
        let rights = PortRights::all() & !PortRights::RECEIVE;
        child.process.set_handler(Some(&self.port.badged(rights, id << SHIFT | FAULT)?))?;
        child.process.watch(&self.port, ENDED)?;
        let slice = if spec.has(Trait::Cooperative) { COOPERATIVE } else { SLICE };
        if slice != SLICE || spec.priority != PRIORITY {
            child.thread.schedule(spec.priority, slice, ANY_CPU)?;
        }
        let given = child.process.handles().map(|held| held.handle).collect();
        child.start()?;
        let after = Some(self.services[&id].died).filter(|&died| died > 0);
        Ok(Running { child, diary, since: time::now(), after, is_recorded: false, given })
    }

    fn cannot_start(&mut self, id: Id, error: Error) {
        println!("init: {} cannot be started: {error:?}", self.services[&id].name);
        self.died(id, false, EXIT_FAULT);
    }

    fn find_ended(&mut self) {
        let ids: Vec<Id> = self.services.keys().copied().collect();
        for id in ids {
            let Some(running) = self.services[&id].running() else { continue };
            if let Ok(info) = running.child.process.info()
                && info.state == State::Ended
            {
                self.ended(id, info.code);
            }
        }
    }

    /// A service's process is gone.
    fn ended(&mut self, id: Id, code: u64) {
        let service = self.service(id);
        service.dies();
        let recovery = service.running().and_then(Running::recovery);
        recovery.inspect(|&time| service.recoveries.note(time));
        let has_served = service.has_served();
        service.past = service.done();
        match core::mem::replace(&mut service.life, Life::Over("ended")) {
            Life::Ending(_, Then::Again) => service.life = Life::Pausing(0),
            Life::Ending(_, Then::Replaced(child)) => self.launch(id, child),
            Life::Ending(_, Then::Over) => service.life = Life::Over("stopped"),
            Life::Ending(_, Then::Forgotten) => self.forget(id),
            Life::Running(running) => {
                let is_told = running.is_recorded || service.spec.has(Trait::Once);
                service.life = Life::Running(running);
                if !is_told {
                    self.record(id, &format!("it ended with code {code} ({code:#x})"), None);
                }
                self.died(id, has_served, code);
            }
            Life::Pausing(_) | Life::Over(_) => {}
        }
    }

    /// A life is over that nobody ended.
    fn died(&mut self, id: Id, has_served: bool, code: u64) {
        let service = self.service(id);
        if service.spec.has(Trait::Critical) {
            service.life = Life::Over("ended");
            let how = status(&service.name, code);
            return self.finish(how);
        }
        if service.spec.has(Trait::Once) {
            service.life = Life::Over("ended");
            return;
        }
        service.fall_back(has_served);
        match service.patience.died(has_served) {
            Verdict::Again(pause) => service.life = Life::Pausing(time::now() + pause),
            Verdict::GiveUp => {
                println!("init: {} is given up: it dies, and serves nothing", service.name);
                service.life = Life::Over("given up");
                // Whoever waits for it hears of it. Should it be started again it begins with another.
                if let Ok(port) = Port::create(0) {
                    service.port = port;
                    service.interrupt = OnceCell::new();
                }
            }
        }
    }
}
