//! The text that says what runs, and with what.
//!
//! A block begins with `service NAME`, or with `template NAME…` for what is started when somebody asks for it, and
//! has a line for each thing that the service is given; `#` begins a comment. `docs/services.md` has all of them.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Bytes of the longest name.
const LONGEST: usize = 16;
const PAGE: u64 = 4096;
/// The priority of what has no reason for another.
const PRIORITY: u8 = 16;
/// Bytes of memory that are enough for most.
const QUOTA: u64 = 1 << 20;
/// Priorities are below this.
const PRIORITIES: u64 = 64;

/// All that may run.
#[derive(Clone, Default, Debug)]
pub struct Manifest {
    /// What runs from the beginning, each after those that it needs.
    pub services: Vec<Spec>,
    /// What is started when somebody asks for it.
    pub templates: Vec<Spec>,
}

/// What a service is, and what it is given.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Spec {
    /// Its names: of a template one for each kind; of a service, those of its instances.
    pub names: Vec<String>,
    /// The file of its program.
    pub program: String,
    /// The kinds of devices that it drives: there is an instance for each.
    pub devices: Vec<String>,
    /// What is to be started before it.
    pub needs: Vec<String>,
    /// Services that it may send messages to and call.
    pub clients: Vec<String>,
    /// Services that it may set signals at.
    pub bells: Vec<String>,
    /// Memory that outlives it: names, and pages.
    pub kept: Vec<(String, u64)>,
    /// Such memory of other services: the service, the name.
    pub shares: Vec<(String, String)>,
    /// Pages of memory that outlives it, and devices reach.
    pub dma: u64,
    /// Numbers.
    pub words: Vec<(String, u64)>,
    /// Bytes of memory; none is all that is left.
    pub quota: Option<u64>,
    /// Its priority, and the highest that it may have.
    pub priority: u8,
    /// See above.
    pub limit: u8,
    /// What else it is given, and how it is treated.
    pub is: Vec<Trait>,
}

/// Declares what a single word says.
macro_rules! traits {
    ($($word:literal $name:ident $text:literal;)+) => {
        /// What a service is given beside, or how it is treated: lines of a single word.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Trait {
            $(#[doc = $text] $name,)+
        }

        impl Trait {
            fn of(word: &str) -> Option<Trait> {
                [$(($word, Trait::$name)),+].into_iter().find(|it| it.0 == word).map(|it| it.1)
            }
        }
    };
}

traits! {
    "cooperative" Cooperative "Nobody takes turns with it.";
    "inspect" Inspect "It may read the log, and figures of the machine.";
    "initrd" Initrd "It has the initrd.";
    "anyway" Anyway "It is started without a device if there is none of its kinds.";
    "control" Control "It may ask the supervisor for everything.";
    "block" Block "A template's: it has the disk, or the partition, that it is started for.";
    "saves" Saves "It is asked to save what it has before it is ended.";
    "once" Once "It is not started again.";
    "critical" Critical "The machine ends with it.";
}

/// Why a manifest cannot be read: the line, and what is wrong there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// The line, counted from 1; 0 if it is the whole.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

impl Spec {
    /// What it is called.
    pub fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// Whether a line says so.
    pub fn has(&self, what: Trait) -> bool {
        self.is.contains(&what)
    }

    /// The name of one of its instances.
    pub fn instance(&self, nth: usize) -> String {
        match self.names.get(nth) {
            Some(name) => name.clone(),
            None => format!("{}{}", self.name(), nth + 1),
        }
    }
}

impl Manifest {
    /// Reads it; the services are in the order to start them in.
    pub fn parse(text: &str) -> Result<Manifest, Wrong> {
        let mut manifest = Manifest::default();
        let mut current: Option<&mut Spec> = None;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or("");
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            let wrong = |why| Wrong { line: number, why };
            match (words.as_slice(), &mut current) {
                ([], _) => {}
                ([kind @ ("service" | "template"), names @ ..], _) => {
                    manifest.check_new(names).map_err(wrong)?;
                    let names = names.iter().map(ToString::to_string).collect();
                    let quota = Some(QUOTA);
                    let spec = Spec { names, quota, priority: PRIORITY, ..Spec::default() };
                    let list = match *kind {
                        "service" => &mut manifest.services,
                        _ => &mut manifest.templates,
                    };
                    list.push(spec);
                    current = list.last_mut();
                }
                ([what, rest @ ..], Some(spec)) => spec.line(what, rest).map_err(wrong)?,
                (_, None) => return Err(wrong("a `service` or `template` comes first".into())),
            }
        }
        manifest.check()?;
        Ok(manifest)
    }

    fn check_new(&self, names: &[&str]) -> Result<(), String> {
        let mut taken = self.services.iter().chain(&self.templates).flat_map(|spec| &spec.names);
        match names {
            [] => Err("a name is wanted".into()),
            _ => names.iter().try_for_each(|name| match () {
                () if name.len() > LONGEST => Err(format!("`{name}` is too long")),
                () if taken.any(|it| it == name) => Err(format!("there is a `{name}` already")),
                () => Ok(()),
            }),
        }
    }

    /// Checks what it says of one and another, and puts the services in order.
    fn check(&mut self) -> Result<(), Wrong> {
        for spec in self.services.iter().chain(&self.templates) {
            let wrong = |why| Err(Wrong { line: 0, why: format!("`{}` {why}", spec.name()) });
            if spec.program.is_empty() {
                return wrong("has no program".into());
            }
            let shared = spec.shares.iter().map(|(service, _)| service);
            let named = spec.needs.iter().chain(&spec.clients).chain(&spec.bells).chain(shared);
            for name in named {
                if self.find(name).is_none() {
                    return wrong(format!("names `{name}`, which is no service"));
                }
            }
            for (service, kept) in &spec.shares {
                let has = |owner: &Spec| owner.kept.iter().any(|(name, _)| name == kept);
                if !self.find(service).is_some_and(has) {
                    return wrong(format!("shares `{kept}`, which `{service}` does not keep"));
                }
            }
        }
        let mut ordered: Vec<Spec> = Vec::new();
        while !self.services.is_empty() {
            let is_there = |name: &String| ordered.iter().any(|spec| spec.name() == name);
            let can = |spec: &Spec| spec.needs.iter().chain(&spec.clients).all(is_there);
            let Some(next) = self.services.iter().position(can) else {
                let names: Vec<&str> = self.services.iter().map(Spec::name).collect();
                let why = format!("these need each other: {}", names.join(", "));
                return Err(Wrong { line: 0, why });
            };
            ordered.push(self.services.remove(next));
        }
        self.services = ordered;
        Ok(())
    }

    /// The service of a name.
    pub fn find(&self, name: &str) -> Option<&Spec> {
        self.services.iter().find(|spec| spec.name() == name)
    }

    /// The template for a kind.
    pub fn template(&self, kind: &str) -> Option<&Spec> {
        self.templates.iter().find(|spec| spec.names.iter().any(|name| name == kind))
    }
}

impl Spec {
    /// Takes in a line of its block.
    fn line(&mut self, what: &str, rest: &[&str]) -> Result<(), String> {
        let all = || rest.iter().map(ToString::to_string);
        let several = |list: &mut Vec<String>| match rest {
            [] => Err(format!("`{what}` wants a name")),
            _ => {
                list.extend(all());
                Ok(())
            }
        };
        match (what, rest) {
            ("program", [program]) => self.program = program.to_string(),
            ("device", _) => several(&mut self.devices)?,
            ("names", _) => {
                self.names.clear();
                several(&mut self.names)?;
            }
            ("needs", _) => several(&mut self.needs)?,
            ("client", _) => several(&mut self.clients)?,
            ("bell", _) => several(&mut self.bells)?,
            ("kept", [name, size]) => self.kept.push((name.to_string(), pages(size)?)),
            ("share", [service, name]) => self.shares.push((service.to_string(), name.to_string())),
            ("dma", [size]) => self.dma = pages(size)?,
            ("word", [name, value]) => self.words.push((name.to_string(), number(value)?)),
            ("quota", ["rest"]) => self.quota = None,
            ("quota", [size]) => self.quota = Some(pages(size)? * PAGE),
            ("priority", [priority]) => self.priority = priority_of(priority)?,
            ("limit", [limit]) => self.limit = priority_of(limit)?,
            (_, []) if let Some(is) = Trait::of(what) => self.is.push(is),
            ("program" | "kept" | "share" | "dma" | "word" | "quota" | "priority" | "limit", _) => {
                return Err(format!("`{what}` wants another number of words"));
            }
            _ => return Err(format!("`{what}` is not known")),
        }
        self.limit = self.limit.max(self.priority);
        Ok(())
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

fn priority_of(text: &str) -> Result<u8, String> {
    match number(text)? {
        priority @ ..PRIORITIES => Ok(priority as u8),
        _ => Err(format!("`{text}` is no priority: they are below {PRIORITIES}")),
    }
}

/// The pages of a size, such as 40K or 4M.
fn pages(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'K') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M') => (&text[..text.len() - 1], 1 << 20),
        _ => (text, 1),
    };
    let bytes = number(digits)?.checked_mul(unit).filter(|&bytes| bytes > 0);
    bytes.map(|bytes| bytes.div_ceil(PAGE)).ok_or(format!("`{text}` is no size"))
}
