//! RAM and what in it is taken: `/memory`, `/reserved-memory` and the reservation block.

use super::node::Node;
use super::reader::Reader;
use crate::boot::info::Regions;
use crate::boot::regions::{self, BadRange};

impl<'a> Reader<'a> {
    pub fn memory(&mut self, node: &Node<'a>) {
        // Secure memory is "disabled" to us.
        if !node.is_enabled() {
            return;
        }
        if !self.place.reg_is_whole(node) {
            self.info.note(format_args!("memory@{}: its reg is malformed", node.unit));
        }
        let mut too_many = 0;
        for (start, size) in self.place.reg(node) {
            match regions::add_memory(&mut self.info.memory, start, size) {
                Ok(()) => {}
                Err(BadRange::TooMany) => too_many += 1,
                Err(bad) => {
                    self.info.note(format_args!("memory at {start:#x} {}: ignored", bad.text()))
                }
            }
        }
        if too_many > 0 {
            self.info.note(format_args!("memory: {too_many} banks too many, ignored"));
        }
    }

    /// A child of `/reserved-memory`. One without `reg` only asks for memory to be found for it,
    /// which is for those to do who want to use it.
    pub fn reserved_memory(&mut self, node: &Node<'a>) {
        if !node.is_enabled() || node.reg.is_none() {
            return;
        }
        if !self.place.reg_is_whole(node) {
            self.info.note(format_args!("reserved-memory/{}: its reg is malformed", node.name));
        }
        for (start, size) in self.place.reg(node) {
            let list = if node.no_map { &mut self.unmapped } else { &mut self.info.reserved };
            match regions::range(start, size) {
                Ok(range) => regions::reserve(list, range),
                Err(bad) => self.bad_reservation(start, bad),
            }
        }
    }

    /// The reservation block (section 5.3), to its terminator.
    pub fn reservations(&mut self, entries: impl Iterator<Item = (u64, u64)>) {
        for (start, size) in entries.take_while(|&entry| entry != (0, 0)) {
            match regions::range(start, size) {
                Ok(range) => regions::reserve(&mut self.info.reserved, range),
                Err(bad) => self.bad_reservation(start, bad),
            }
        }
    }

    fn bad_reservation(&mut self, start: u64, bad: BadRange) {
        self.info.note(format_args!("reservation at {start:#x} {}: ignored", bad.text()));
    }

    /// Puts the lists in order. What must not be mapped is no memory as far as the kernel goes.
    pub fn finish_memory(&mut self) {
        let changes = regions::order_memory(&mut self.info.memory);
        if changes.overlaps {
            self.info.note(format_args!("memory banks overlap: taken as one"));
        }
        if changes.cut {
            self.info.note(format_args!("memory above 1 TiB: ignored"));
        }
        regions::order_reserved(&mut self.unmapped);
        let mut lost = 0;
        let mut memory = Regions::new();
        for part in regions::free(&self.info.memory, &self.unmapped) {
            lost += u64::from(memory.try_push(part).is_err());
        }
        if lost > 0 {
            self.info.note(format_args!("memory is in too many pieces: {lost} of them ignored"));
        }
        self.info.memory = memory;
        if self.info.memory.is_empty() {
            self.info.note(format_args!("device tree: no memory in it"));
        }
    }
}
