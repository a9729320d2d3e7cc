//! The devices the kernel itself needs: console, interrupt controller, timer, power.

use super::blob::{Cells, Node};
use super::place::Place;
use super::reader::Reader;
use crate::boot::info::{Console, InterruptController, Power, Timer};
use crate::units::PhysAddr;

/// The kinds of device that are known.
enum Kind {
    Timer,
    Pl011,
    MiniUart,
    OtherUart,
    GicV2,
    GicV3,
    /// The BCM2836's interrupt controller.
    Local,
    Watchdog,
}

impl Kind {
    /// What is compatible with `name`.
    fn of(name: &[u8]) -> Option<Kind> {
        Some(match name {
            b"arm,armv8-timer" | b"arm,armv7-timer" => Kind::Timer,
            b"arm,pl011" => Kind::Pl011,
            b"brcm,bcm2835-aux-uart" => Kind::MiniUart,
            b"ns16550a" | b"ns16550" | b"snps,dw-apb-uart" => Kind::OtherUart,
            b"arm,cortex-a15-gic" | b"arm,gic-400" => Kind::GicV2,
            b"arm,gic-v3" => Kind::GicV3,
            b"brcm,bcm2836-l1-intc" => Kind::Local,
            b"brcm,bcm2835-pm" | b"brcm,bcm2835-pm-wdt" => Kind::Watchdog,
            _ => return None,
        })
    }
}

#[derive(Default)]
pub(super) struct Devices<'a> {
    console_path: &'a [u8],
    /// The UART that it leads to, `Console::None` if there is no driver for it.
    chosen_console: Option<Console>,
    /// The first there is a driver for.
    first_console: Option<Console>,
    /// With the cells of one of its interrupts.
    gic: Option<(InterruptController, u32)>,
    local: Option<PhysAddr>,
    timer: Option<Node<'a>>,
    watchdog: Option<PhysAddr>,
}

impl<'a> Reader<'a> {
    /// Finds out which path the console has: without its options (`:115200n8`), its alias resolved.
    pub fn find_console(&mut self) {
        let path = self.chosen.text("stdout-path").split(|&byte| byte == b':').next();
        self.devices.console_path = match path.unwrap_or_default() {
            path @ [b'/', ..] => path,
            alias => self.aliases.text(str::from_utf8(alias).unwrap_or_default()),
        };
    }

    /// Takes a node by the first name that is known of those it is compatible with.
    pub fn device(&mut self, place: &Place<'a>) {
        let node = place.node();
        let known = node.compatible().find_map(Kind::of);
        let Some(kind) = known.filter(|_| node.is_enabled()) else { return };
        let first = place.registers(0).map(|(address, _)| PhysAddr(address));
        match (kind, first) {
            (Kind::Timer, _) => {
                self.devices.timer.get_or_insert(node);
            }
            (_, None) => {}
            (Kind::Pl011, Some(at)) => self.uart(place, Console::Pl011(at)),
            (Kind::MiniUart, Some(at)) => self.uart(place, Console::MiniUart(at)),
            (Kind::OtherUart, Some(_)) => self.uart(place, Console::None),
            (Kind::GicV2, Some(distributor)) => {
                self.gic(place, |cpu, _| InterruptController::GicV2 { distributor, cpu });
            }
            (Kind::GicV3, Some(distributor)) => {
                self.gic(place, |redistributor, redistributor_size| InterruptController::GicV3 {
                    distributor,
                    redistributor,
                    redistributor_size,
                });
            }
            (Kind::Local, Some(at)) => {
                self.devices.local.get_or_insert(at);
            }
            (Kind::Watchdog, Some(at)) => {
                self.devices.watchdog.get_or_insert(at);
            }
        }
    }

    fn uart(&mut self, place: &Place<'a>, console: Console) {
        if place.is_at(self.devices.console_path) {
            self.devices.chosen_console.get_or_insert(console);
        }
        if console != Console::None {
            self.devices.first_console.get_or_insert(console);
        }
    }

    fn gic(&mut self, place: &Place<'a>, gic: impl FnOnce(PhysAddr, u64) -> InterruptController) {
        let node = place.node();
        match place.registers(1) {
            Some((at, size)) => {
                let cells = node.cell("#interrupt-cells").unwrap_or(3);
                self.devices.gic.get_or_insert((gic(PhysAddr(at), size), cells));
            }
            None => self.info.note(format_args!("{}: its reg is malformed", node.name)),
        }
    }

    pub fn finish_devices(&mut self) {
        self.info.console = self.console();
        self.info.timer = self.timer();
        // The Pi 4 has both controllers. All that matters comes in through the GIC there.
        self.info.interrupts = match (self.devices.gic, self.devices.local) {
            (Some((gic, _)), _) => gic,
            (None, Some(local)) => InterruptController::Bcm2836(local),
            (None, None) => InterruptController::None,
        };
        if self.info.interrupts == InterruptController::None {
            self.info.note(format_args!("no interrupt controller the kernel knows"));
        }
        self.info.power = match (self.psci, self.devices.watchdog) {
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
        let why = match (self.devices.chosen_console, self.chosen.get("stdout-path")) {
            (Some(Console::None), _) => "the chosen console has no driver",
            (Some(console), _) => return console,
            (None, Some(_)) => "the chosen console is not there",
            (None, None) => "no console is chosen",
        };
        match self.devices.first_console {
            Some(console) => self.info.note(format_args!("{why}: taking the {console}")),
            None => self.info.note(format_args!("{why}, and no other either")),
        }
        self.devices.first_console.unwrap_or(Console::None)
    }

    fn timer(&mut self) -> Timer {
        let Some(node) = self.devices.timer else {
            self.info.note(format_args!("no timer in the device tree: taking the generic one"));
            return Timer::Generic { interrupt: VIRTUAL_TIMER, frequency: None };
        };
        let frequency = node.number("clock-frequency").filter(|&hz| hz > 0);
        if frequency.is_none() && node.get("clock-frequency").is_some() {
            self.info.note(format_args!("timer: its clock-frequency is malformed, ignored"));
        }
        // The BCM2836 has one line for it and no number.
        let number = self.devices.gic.map(|(_, cells)| virtual_timer(&node, cells));
        if number == Some(None) {
            self.info.note(format_args!("timer: no virtual timer's interrupt, taking 27"));
        }
        Timer::Generic { interrupt: number.flatten().unwrap_or(VIRTUAL_TIMER), frequency }
    }
}

/// The INTID that Arm's Base System Architecture gives the EL1 virtual timer.
const VIRTUAL_TIMER: u32 = 27;

/// The INTID of the virtual timer at a GIC that writes an interrupt in so many cells: the third of
/// the timer's, private to each CPU, which is type 1 and a number that counts from 16.
fn virtual_timer(node: &Node<'_>, cells: u32) -> Option<u32> {
    let mut third = Cells(node.get("interrupts")?.get(cells as usize * 8..)?);
    match (third.take(1)?, third.take(1)?) {
        (1, number @ 0..16) => Some(16 + number as u32),
        _ => None,
    }
}
