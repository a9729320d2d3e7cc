//! The devices the kernel itself needs: console, interrupt controller, timer, power.

use super::blob::{Cells, Node};
use super::place::Place;
use super::reader::Reader;
use crate::boot::info::{Console, InterruptController, Power};
use crate::units::PhysAddr;

impl<'a> Reader<'a> {
    /// Finds out which path the console has: without its options (`:115200n8`), its alias resolved.
    pub fn find_console(&mut self) {
        let path = self.chosen.text("stdout-path").split(|&byte| byte == b':').next();
        self.console_path = match path.unwrap_or_default() {
            path @ [b'/', ..] => path,
            alias => self.aliases.text(str::from_utf8(alias).unwrap_or_default()),
        };
    }

    /// Takes a node by the first name that is known of those it is compatible with.
    pub fn device(&mut self, place: &Place<'a>) {
        let node = place.node();
        let first = || place.registers(0).map(|(at, _)| at);
        if !node.is_enabled() {
            return;
        }
        for name in node.compatible() {
            match name {
                b"arm,armv8-timer" | b"arm,armv7-timer" => {
                    self.timer.get_or_insert(node);
                }
                b"arm,pl011" => self.uart(place, Console::Pl011),
                b"brcm,bcm2835-aux-uart" => self.uart(place, Console::MiniUart),
                b"ns16550a" | b"ns16550" | b"snps,dw-apb-uart" => {
                    self.uart(place, |_| Console::None);
                }
                b"arm,cortex-a15-gic" | b"arm,gic-400" => self.gic(place, 2),
                b"arm,gic-v3" => self.gic(place, 3),
                b"brcm,bcm2836-l1-intc" => self.local = self.local.or_else(first),
                b"brcm,bcm2835-pm" | b"brcm,bcm2835-pm-wdt" => {
                    self.watchdog = self.watchdog.or_else(first);
                }
                _ => continue,
            }
            return;
        }
    }

    fn uart(&mut self, place: &Place<'a>, console: fn(PhysAddr) -> Console) {
        let Some((at, _)) = place.registers(0) else { return };
        let console = console(at);
        if place.is_at(self.console_path) {
            self.chosen_console.get_or_insert(console);
        }
        if console != Console::None {
            self.first_console.get_or_insert(console);
        }
    }

    fn gic(&mut self, place: &Place<'a>, version: u8) {
        let node = place.node();
        match (place.registers(0), place.registers(1)) {
            (Some((distributor, _)), Some((own, size))) => {
                let cells = node.cell("#interrupt-cells").unwrap_or(3);
                let gic = InterruptController::Gic { version, distributor, own, size };
                self.gic.get_or_insert((gic, cells));
            }
            _ => self.info.note(format_args!("{}: its reg is malformed", node.name)),
        }
    }

    pub fn finish_devices(&mut self) {
        self.info.console = self.console();
        self.timer();
        // The Pi 4 has both controllers. All that matters comes in through the GIC there.
        self.info.interrupts = match (self.gic, self.local) {
            (Some((gic, _)), _) => gic,
            (None, Some(local)) => InterruptController::Bcm2836(local),
            (None, None) => InterruptController::None,
        };
        if self.info.interrupts == InterruptController::None {
            self.info.note(format_args!("no interrupt controller the kernel knows"));
        }
        self.info.power = match (self.psci, self.watchdog) {
            (Some(call), _) => Power::Psci(call),
            (None, Some(watchdog)) => Power::Bcm2835(watchdog),
            (None, None) => Power::None,
        };
        if self.info.power == Power::None {
            self.info.note(format_args!("no known way to switch the machine off"));
        }
    }

    /// The UART that `/chosen` names; failing that the first there is, with a note.
    fn console(&mut self) -> Console {
        let why = match (self.chosen_console, self.chosen.get("stdout-path")) {
            (Some(Console::None), _) => "the chosen console has no driver",
            (Some(console), _) => return console,
            (None, Some(_)) => "the chosen console is not there",
            (None, None) => "no console is chosen",
        };
        match self.first_console {
            Some(console) => self.info.note(format_args!("{why}: taking the {console}")),
            None => self.info.note(format_args!("{why}, and no other either")),
        }
        self.first_console.unwrap_or(Console::None)
    }

    fn timer(&mut self) {
        let Some(node) = self.timer else {
            return self
                .info
                .note(format_args!("no timer in the device tree: taking the generic one"));
        };
        self.info.timer_frequency = node.number("clock-frequency").filter(|&hz| hz > 0);
        if self.info.timer_frequency.is_none() && node.get("clock-frequency").is_some() {
            self.info.note(format_args!("timer: its clock-frequency is malformed, ignored"));
        }
        // The BCM2836 has one line for it and no number.
        let Some((_, cells)) = self.gic else { return };
        match virtual_timer(&node, cells) {
            Some(number) => self.info.timer_interrupt = number,
            None => self.info.note(format_args!("timer: no virtual timer's interrupt, taking 27")),
        }
    }
}

/// The INTID of the virtual timer at a GIC that writes an interrupt in so many cells: the third of
/// the timer's, private to each CPU, which is type 1 and a number that counts from 16.
fn virtual_timer(node: &Node<'_>, cells: u32) -> Option<u32> {
    let mut third = Cells(node.get("interrupts")?.get(cells as usize * 8..)?);
    match (third.take(1)?, third.take(1)?) {
        (1, number @ 0..16) => Some(16 + number as u32),
        _ => None,
    }
}
