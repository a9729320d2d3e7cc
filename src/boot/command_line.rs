//! The kernel's command line: words between blanks, each understood or complained about.

use crate::log::Level;
use arrayvec::ArrayString;

/// What the command line asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// The least important level the console shows: `log=`, or `quiet`.
    pub level: Level,
    /// Slices that a second has for threads that ask for no other: `hz=`, 1 to 1000.
    pub hz: u64,
    /// Whether an emulator waits for an exit status: `exit=qemu`.
    pub emulator: bool,
    /// What to do when boot is done: `then=`.
    pub then: Then,
    /// The test to run: `test=`. Empty for none; only the test kernel looks at it.
    pub test: TestName,
    /// The file of the initrd that is the first process: `init=`.
    pub init: FileName,
}

/// What to do when boot is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    /// Wait for whatever may come.
    Idle,
    /// Switch the machine off.
    Off,
    /// Panic, to see what that looks like.
    Panic,
}

/// The name of a test.
pub type TestName = ArrayString<40>;

/// The name of a file in the initrd.
pub type FileName = ArrayString<40>;

/// The first process, where no word says otherwise.
const INIT: &str = "ochre/init";

/// Words that the first process reads, and not the kernel.
const NOT_OURS: [&str; 8] = ["run", "services", "exec", "args", "stdio", "window", "count", "seed"];
/// Those of them without a value.
const NOT_OURS_ALONE: [&str; 2] = ["caps", "chaos"];

/// Complaints about a command line that are worth their lines.
const MAX_COMPLAINTS: usize = 8;

impl Default for Options {
    fn default() -> Options {
        Options {
            level: Level::Info,
            hz: 100,
            emulator: false,
            then: Then::Idle,
            test: TestName::new(),
            init: FileName::from(INIT).unwrap_or_default(),
        }
    }
}

impl Options {
    /// Reads a command line; later words win. What is not understood changes nothing.
    pub fn parse(line: &str) -> Options {
        let mut options = Options::default();
        for word in line.split_ascii_whitespace() {
            options.understand(word);
        }
        options
    }

    /// Takes one word. `None` if it means nothing.
    fn understand(&mut self, word: &str) -> Option<()> {
        match word.split_once('=') {
            None if word == "quiet" => self.level = Level::Warn,
            None if NOT_OURS_ALONE.contains(&word) => {}
            Some(("log", level)) => self.level = Level::parse(level)?,
            Some(("hz", hz)) => self.hz = hz.parse().ok().filter(|hz| (1..=1000).contains(hz))?,
            Some(("exit", "qemu")) => self.emulator = true,
            Some(("then", "idle")) => self.then = Then::Idle,
            Some(("then", "off")) => self.then = Then::Off,
            Some(("then", "panic")) => self.then = Then::Panic,
            Some(("test", name)) if !name.is_empty() => self.test = TestName::from(name).ok()?,
            Some(("init", name)) if !name.is_empty() => self.init = FileName::from(name).ok()?,
            Some((word, text)) if !text.is_empty() && NOT_OURS.contains(&word) => {}
            _ => return None,
        }
        Some(())
    }
}

/// The words that mean nothing to [`Options::parse`], the first few of them.
pub fn unknown_words(line: &str) -> impl Iterator<Item = &str> {
    let unknown = |word: &&str| Options::default().understand(word).is_none();
    line.split_ascii_whitespace().filter(unknown).take(MAX_COMPLAINTS)
}
