//! Which tests there are, what each must end in, and running the one that was asked for.

use crate::{bench, cpus, exceptions, honesty, memory, protection, time};
use ochre::arch::{self, Exit};
use ochre::panic::{self, Doing};
use ochre::{info, kernel};

/// How a test must end.
pub enum Expect {
    /// It returns.
    Pass,
    /// The kernel panics, and its report has this text.
    Panic(&'static str),
}

/// One test.
pub struct Test {
    pub name: &'static str,
    pub group: &'static str,
    pub expect: Expect,
    pub run: fn(),
}

impl Test {
    pub const fn pass(group: &'static str, name: &'static str, run: fn()) -> Test {
        Test { name, group, expect: Expect::Pass, run }
    }

    pub const fn panic(name: &'static str, text: &'static str, run: fn()) -> Test {
        Test { name, group: "kernel", expect: Expect::Panic(text), run }
    }
}

const TABLES: [&[Test]; 5] =
    [cpus::TESTS, exceptions::TESTS, memory::TESTS, protection::TESTS, time::TESTS];

pub extern "C" fn main() -> ! {
    panic::now_doing(Doing::Test);
    let line = kernel::lock().info.command_line;
    let wanted = line.split_ascii_whitespace().find_map(|word| word.strip_prefix("test="));
    match wanted {
        Some("list") => list(),
        Some("bench") => bench::run(),
        Some(name) => run(name),
        None => panic!("the test kernel wants test=NAME, test=list or test=bench"),
    }
    arch::power::exit(Exit::Success)
}

fn all() -> impl Iterator<Item = &'static Test> {
    TABLES.into_iter().flatten()
}

fn list() {
    for Test { name, group, expect, .. } in all() {
        match expect {
            Expect::Pass => info!("test {name} {group} pass"),
            Expect::Panic(text) => info!("test {name} {group} panic {text:?}"),
        }
    }
}

fn run(name: &str) {
    let Some(test) = all().chain(honesty::TESTS).find(|test| test.name == name) else {
        panic!("there is no test {name:?}; test=list lists them");
    };
    (test.run)();
    info!("test {name}: ok");
}
