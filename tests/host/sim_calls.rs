//! What threads do: calls whose arguments are often right, and sometimes anything.

use crate::sim::Sim;
use ochre::abi::{
    Argument, CALLS, Call, Info, Kind, Lease, MAP_WRITE, Row, THREAD_COPY, THREAD_FPU,
    THREAD_START, THREAD_TLS, USER_END,
};
use ochre::arch::timer;
use ochre::kernel::Kernel;
use ochre::mm::Id;
use ochre::object::{Handle, Named, Process, Thread};

/// Handles of a process that are looked at to choose one.
const LOOKED_AT: usize = 48;

/// Pages where things are mapped: around borders of tables of each level, and at the end.
const PLACES: [u64; 6] =
    [0x1000, 0x10_0000, 0x1f_e000, 0x3fff_e000, 0x7f_ffff_e000, USER_END - 0x4000];

/// Which of them programs begin with.
const HOME: usize = 1;

/// What can be done with a call that was received.
const SERVING: [Call; 8] = [
    Call::Reply,
    Call::Reply,
    Call::ReplyReceive,
    Call::ReplySave,
    Call::LeaseRead,
    Call::LeaseWrite,
    Call::CallerRegistersGet,
    Call::CallerRegistersSet,
];

/// How often a call is made, compared with others.
fn weight(call: Call) -> u64 {
    match call {
        Call::Power => 0,
        Call::Exit | Call::ThreadExit => 1,
        Call::ProcessKill | Call::ThreadKill | Call::MachineInfo | Call::CommandLine => 3,
        Call::Log | Call::IoCreate | Call::IoRead | Call::IoWrite | Call::TlsSet | Call::Clock => 3,
        Call::MemoryWindow | Call::MemoryContiguous | Call::Null | Call::Translation => 4,
        Call::ThreadSuspend | Call::HandleInfo | Call::ProcessInfo => 8,
        Call::LeaseRead | Call::LeaseWrite | Call::ReplySave | Call::CallerRegistersGet => 4,
        Call::CallerRegistersSet | Call::InterruptAck | Call::LogRead => 4,
        Call::Reply => 10,
        Call::Send | Call::Call | Call::Receive => 50,
        Call::ReplyReceive => 70,
        Call::Close => 60,
        Call::Duplicate | Call::Give | Call::Signal | Call::Map => 25,
        Call::ThreadResume | Call::ThreadCancel => 25,
        _ => 12,
    }
}

/// The calls, each as often as it is made in so many.
pub fn menu() -> Vec<&'static Row> {
    CALLS.iter().flat_map(|row| (0..weight(row.call)).map(move |_| row)).collect()
}

/// Those about messages and threads, which then meet more often.
pub fn short_menu() -> Vec<&'static Row> {
    let mut menu = menu();
    menu.retain(|row| {
        let number = row.call as u64;
        (Call::Close as u64..=Call::ReplySave as u64 + 3).contains(&number)
            || (Call::ThreadSuspend as u64..=Call::ThreadInfo as u64).contains(&number)
            || matches!(row.call, Call::Yield | Call::TimerSet | Call::TimerCreate)
    });
    menu
}

/// The row of a call.
pub fn row(call: Call) -> &'static Row {
    &CALLS[call as usize]
}

impl Sim {
    /// Puts the registers of a call that makes sense now, or of any, into a thread.
    pub fn draw_next(&mut self, id: Id<Thread>, menu: &[&'static Row]) -> Call {
        let serves = self.kernel.threads[id].caller.is_some();
        let which = match serves && self.rng.often(400) {
            true => row(self.rng.one_of(&SERVING)),
            false => self.rng.one_of(menu),
        };
        self.draw_call(id, which);
        which.call
    }

    /// Memory that a program begins with, mapped where it often looks.
    pub fn settle_in(&mut self, process: Id<Process>) {
        let Process { space, account, .. } = self.kernel.processes[process];
        let Ok(memory) = self.kernel.vm.memory_create(account, 12) else {
            return;
        };
        let Kernel { vm, .. } = &mut self.kernel;
        // Without quota it has to do without.
        let _ = vm.map(space, memory, PLACES[HOME], 0, 8, MAP_WRITE, MAP_WRITE);
        let _ = self.kernel.install(process, Named::Memory(memory), u8::MAX, 0);
        self.kernel.vm.release(memory);
    }

    /// Puts the registers of some call into a thread.
    pub fn draw_call(&mut self, id: Id<Thread>, row: &Row) {
        self.check_status(id);
        let process = self.kernel.threads[id].process;
        let mut args = [0; 8];
        for (at, argument) in row.arguments.iter().enumerate() {
            args[at] = match argument {
                Argument::Object(kind, _) => self.draw_handle(process, Some(*kind)),
                Argument::Word("pages" | "first") => self.draw_pages(row.call),
                Argument::Word("payer") if self.rng.often(70) => 0,
                Argument::Word("payer") => self.draw_handle(process, Some(Kind::Process)),
                Argument::Word(name) => self.draw_word(process, name),
            };
        }
        match row.call {
            Call::Send | Call::Call => self.draw_message(process, &mut args, row.call),
            // Most answer the call that they received last.
            Call::Reply | Call::ReplyReceive => self.draw_message(process, &mut args, row.call),
            Call::Receive if self.rng.often(100) => args[0] = 0,
            Call::LeaseRead | Call::LeaseWrite => args[1] = self.rng.below(3) / 2,
            Call::IoRead | Call::IoWrite => args[1] = self.rng.below(16),
            _ => {}
        }
        if self.rng.often(5) {
            let at = self.rng.below(8) as usize;
            args[at] = self.draw_extreme();
        }
        let deadline = self.draw_deadline();
        let number = if self.rng.often(2) { self.rng.word() >> 50 } else { row.call as u64 };
        let power = number == Call::Power as u64;
        let frame = &mut self.kernel.threads[id].context.frame;
        frame.number = if power { Call::Null as u64 } else { number };
        frame.args = args;
        frame.extra = [deadline, 0];
    }

    /// A handle: most often one that this process has, of this kind if one is asked for.
    pub fn draw_handle(&mut self, process: Id<Process>, kind: Option<Kind>) -> u64 {
        match self.rng.below(100) {
            0 => self.draw_extreme(),
            1 => 0,
            2 => self.rng.below(40) | (self.rng.below(9) * 2 + 1) << 32,
            3 | 4 => self.own_handle(process, None),
            5 => {
                let all: Vec<_> = self.kernel.processes.iter().map(|(id, _)| id).collect();
                let other = self.rng.one_of(&all);
                self.own_handle(other, kind)
            }
            _ => self.own_handle(process, kind),
        }
    }

    fn own_handle(&mut self, process: Id<Process>, kind: Option<Kind>) -> u64 {
        let handles = &self.kernel.handles;
        let next = |id: &Id<Handle>| handles[*id].links.1;
        let all = std::iter::successors(self.kernel.processes[process].handles, next);
        let fitting =
            all.take(LOOKED_AT).filter(|id| kind.is_none_or(|k| handles[*id].named.kind() == k));
        let mut found = 0;
        for (seen, id) in fitting.enumerate() {
            if self.rng.below(seen as u64 + 1) == 0 {
                found = id.to_bits();
            }
        }
        found
    }

    fn draw_word(&mut self, process: Id<Process>, name: &str) -> u64 {
        match name {
            "handle" => self.draw_handle(process, None),
            "reply" if self.rng.often(700) => 0,
            "reply" => self.draw_handle(process, Some(Kind::Reply)),
            "port" => self.draw_handle(process, Some(Kind::Port)),
            "address" | "there" => self.draw_address(),
            "length" => self.draw_length(),
            "count" => self.rng.below(9),
            "offset" if self.rng.often(500) => self.rng.below(5) * 8,
            "offset" => self.rng.below(4) * 4096 + self.rng.below(3) * 100,
            "capacity" => self.rng.below(6),
            "rights" | "bits" | "badge" | "tag" | "value" => self.draw_bits(),
            "quota" => self.rng.below(64) * 4096,
            "priority" => self.rng.below(64),
            "slice" => self.rng.below(4) * 50_000,
            "cpus" => self.rng.one_of(&[1, 2, 3, 6, 8, 15, u64::MAX]),
            "access" => self.rng.one_of(&[0, 1, 1, 1, 2, 3, 4, 5, 6]),
            "set" | "attributes" | "which" => self.rng.below(5) / 2,
            "line" => self.rng.below(12) + 14,
            "entry" | "stack" => self.draw_address(),
            "flags" => {
                let [start, fpu] = [u64::from(self.rng.often(850)), u64::from(self.rng.often(500))];
                let copy = if self.rng.often(300) { THREAD_COPY | THREAD_TLS } else { 0 };
                self.rng.below(40) | (start * THREAD_START) | (fpu * THREAD_FPU) | copy
            }
            "physical" => self.rng.one_of(&[0x900_0000, 0x4000_0000, 0x8000_0000, 0]),
            "size" => self.rng.below(5),
            "index" => self.rng.below(3),
            "place" => self.rng.below(400),
            "code" | "argument" => self.rng.below(1000),
            "deadline" => self.draw_deadline(),
            "info" => self.rng.below(3),
            other => panic!("no idea what `{other}` might be"),
        }
    }

    /// A message: data, maybe windows, maybe handles.
    fn draw_message(&mut self, process: Id<Process>, args: &mut [u64; 8], call: Call) {
        let handles = self.rng.below(10).saturating_sub(6) as usize;
        let leases = if call == Call::Call { self.rng.below(3) } else { 0 };
        let mut info = Info::new(self.rng.below(4) as u32).with_handles(handles);
        info = info.with_leases(leases as usize);
        if self.rng.often(400) {
            info = info.copied();
        }
        args[1] = if self.rng.often(10) { self.rng.word() >> 20 } else { info.0 };
        for word in &mut args[2..] {
            *word = self.rng.below(100);
        }
        for lease in 0..leases as usize {
            let at = 8 - handles - 2 * (lease + 1);
            let access = self.rng.one_of(&[Lease::READ, Lease::WRITE, Lease::READ | Lease::WRITE]);
            [args[at], args[at + 1]] = [self.draw_address(), self.draw_length() | access];
        }
        for word in &mut args[8 - handles..] {
            *word = self.draw_handle(process, None);
        }
    }

    pub fn draw_address(&mut self) -> u64 {
        let place = if self.rng.often(600) { PLACES[HOME] } else { self.rng.one_of(&PLACES) };
        let page = place + self.rng.below(8) * 4096;
        match self.rng.below(20) {
            0 => page + self.rng.below(4096),
            1 => self.draw_extreme(),
            _ => page,
        }
    }

    fn draw_length(&mut self) -> u64 {
        match self.rng.below(20) {
            0 => self.rng.below(240),
            1 => self.rng.below(6 * 4096),
            2 => self.draw_extreme(),
            _ => self.rng.below(10) * 8,
        }
    }

    fn draw_pages(&mut self, call: Call) -> u64 {
        match self.rng.below(30) {
            3.. if matches!(call, Call::MemoryCreate | Call::MemoryResize) => self.rng.below(16),
            0 => self.rng.below(5000),
            1 => self.draw_extreme(),
            2 => self.rng.one_of(&[512, 1024, 511, 513, 1 << 18]),
            _ => self.rng.below(4),
        }
    }

    fn draw_bits(&mut self) -> u64 {
        match self.rng.below(3) {
            0 => u64::MAX,
            1 => 1 << self.rng.below(64),
            _ => self.rng.word(),
        }
    }

    fn draw_extreme(&mut self) -> u64 {
        let near = self.rng.below(3).wrapping_sub(1);
        self.rng
            .one_of(&[
                0,
                1,
                1 << 12,
                1 << 16,
                1 << 31,
                1 << 32,
                1 << 47,
                USER_END,
                1 << 63,
                u64::MAX,
            ])
            .wrapping_add(near)
    }

    fn draw_deadline(&mut self) -> u64 {
        match self.rng.below(10) {
            0..=2 => u64::MAX,
            3 => 0,
            4 => timer::now() + self.rng.below(20_000_000),
            5 => self.rng.word(),
            _ => timer::now() + self.rng.below(300_000),
        }
    }
}
