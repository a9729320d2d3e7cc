//! The devices the kernel itself needs: console, interrupt controller, timer, power.

use super::bus::{Path, leads_to};
use super::node::{Cells, Node, text};
use super::reader::Reader;
use crate::boot::info::{Console, InterruptController, Power, PsciCall, Timer};
use crate::units::PhysAddr;
use arrayvec::ArrayVec;

/// UARTs that are remembered until it is known which one is the console.
const MAX_UARTS: usize = 8;

#[derive(Default)]
pub(super) struct Devices<'a> {
    uarts: ArrayVec<(Path, Console), MAX_UARTS>,
    gic: Option<InterruptController>,
    /// The cells of an interrupt at the GIC.
    gic_cells: u32,
    local: Option<PhysAddr>,
    timer: Option<Node<'a>>,
    watchdog: Option<PhysAddr>,
}

impl<'a> Reader<'a> {
    /// A node that says what it is compatible with.
    pub fn device(&mut self, node: &Node<'a>) {
        if !node.is_enabled() {
            return;
        }
        if node.is_compatible(&["arm,psci-1.0", "arm,psci-0.2"]) {
            return self.psci(node);
        }
        if node.is_compatible(&["arm,armv8-timer", "arm,armv7-timer"]) {
            self.devices.timer.get_or_insert(*node);
            return;
        }
        let Some(first) = self.place.registers(node, 0).map(|(address, _)| PhysAddr(address))
        else {
            return;
        };
        if node.is_compatible(&["arm,pl011"]) {
            self.uart(Console::Pl011(first));
        } else if node.is_compatible(&["brcm,bcm2835-aux-uart"]) {
            self.uart(Console::MiniUart(first));
        } else if node.is_compatible(&["ns16550a", "ns16550", "snps,dw-apb-uart"]) {
            self.uart(Console::None);
        } else if node.is_compatible(&["arm,cortex-a15-gic", "arm,gic-400", "arm,gic-v3"]) {
            self.gic(node, first);
        } else if node.is_compatible(&["brcm,bcm2836-l1-intc"]) {
            self.devices.local.get_or_insert(first);
        } else if node.is_compatible(&["brcm,bcm2835-pm", "brcm,bcm2835-pm-wdt"]) {
            self.devices.watchdog.get_or_insert(first);
        }
    }

    fn psci(&mut self, node: &Node<'a>) {
        match text(node.method) {
            b"hvc" => self.cpus.psci = Some(PsciCall::Hvc),
            b"smc" => self.cpus.psci = Some(PsciCall::Smc),
            _ => self.info.note(format_args!("psci: neither hvc nor smc, not used")),
        }
    }

    fn uart(&mut self, console: Console) {
        if self.devices.uarts.try_push((self.place.path(), console)).is_err() {
            self.info.note(format_args!("more than {MAX_UARTS} UARTs: {console:?} ignored"));
        }
    }

    fn gic(&mut self, node: &Node<'a>, distributor: PhysAddr) {
        let Some((address, size)) = self.place.registers(node, 1) else {
            return self
                .info
                .note(format_args!("{}@{}: its reg is malformed", node.name, node.unit));
        };
        let gic = if node.is_compatible(&["arm,gic-v3"]) {
            let redistributor = PhysAddr(address);
            InterruptController::GicV3 { distributor, redistributor, redistributor_size: size }
        } else {
            InterruptController::GicV2 { distributor, cpu: PhysAddr(address) }
        };
        if self.devices.gic.is_none() {
            self.devices.gic = Some(gic);
            self.devices.gic_cells = node.interrupt_cells.unwrap_or(3);
        }
    }

    pub fn finish_devices(&mut self) {
        self.info.console = self.console();
        self.info.timer = self.timer();
        // The Pi 4 has both controllers. All that matters comes in through the GIC there.
        self.info.interrupts = match (self.devices.gic, self.devices.local) {
            (Some(gic), _) => gic,
            (None, Some(local)) => InterruptController::Bcm2836(local),
            (None, None) => InterruptController::None,
        };
        if self.info.interrupts == InterruptController::None {
            self.info.note(format_args!("no interrupt controller the kernel knows"));
        }
        self.info.power = match (self.cpus.psci, self.devices.watchdog) {
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
        let wanted = self.chosen.console();
        let uarts = &self.devices.uarts;
        let named =
            uarts.iter().find(|(path, _)| wanted.is_some_and(|wanted| leads_to(wanted, path)));
        if let Some(&(_, console)) = named.filter(|(_, console)| *console != Console::None) {
            return console;
        }
        let any = uarts.iter().map(|&(_, console)| console).find(|&uart| uart != Console::None);
        let why = match (self.chosen.stdout_path, named) {
            (None, _) => "no console is chosen",
            (Some(_), None) => "the chosen console is not there",
            (Some(_), Some(_)) => "the chosen console has no driver",
        };
        match any {
            Some(console) => self.info.note(format_args!("{why}: taking {console:x?}")),
            None => self.info.note(format_args!("{why}, and no other either")),
        }
        any.unwrap_or(Console::None)
    }

    fn timer(&mut self) -> Timer {
        let node = self.devices.timer.unwrap_or_default();
        if self.devices.timer.is_none() {
            self.info.note(format_args!("no timer in the device tree: taking the generic one"));
        }
        let frequency = node.clock_frequency.and_then(super::node::number).filter(|&hz| hz > 0);
        if node.clock_frequency.is_some() && frequency.is_none() {
            self.info.note(format_args!("timer: its clock-frequency is malformed, ignored"));
        }
        let interrupt = self.timer_interrupt(&node).unwrap_or(VIRTUAL_TIMER);
        Timer::Generic { interrupt, frequency }
    }

    /// The virtual timer's is the third interrupt. At a GIC it is private to each CPU: type 1, and
    /// a number that counts from INTID 16. The BCM2836 has one line for it and no number.
    fn timer_interrupt(&mut self, node: &Node<'a>) -> Option<u32> {
        self.devices.gic?;
        let stride = self.devices.gic_cells as usize * 4;
        let third = stride.checked_mul(2).and_then(|at| node.interrupts?.get(at..)).map(Cells);
        let private = third.and_then(|mut cells| Some((cells.take(1)?, cells.take(1)?)));
        match private {
            Some((1, number @ 0..16)) => Some(16 + number as u32),
            _ if self.devices.timer.is_none() => None,
            _ => {
                self.info.note(format_args!("timer: no virtual timer's interrupt, taking 27"));
                None
            }
        }
    }
}

/// The INTID that Arm's Base System Architecture gives the EL1 virtual timer.
const VIRTUAL_TIMER: u32 = 27;
