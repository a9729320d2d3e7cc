//! RAM and what in it is taken: `/memory` and `/reserved-memory`.

use super::place::Place;
use super::reader::Reader;
use crate::boot::regions;

impl<'a> Reader<'a> {
    pub fn memory(&mut self, place: &Place<'a>) {
        // Secure memory is "disabled" to us.
        if place.node().is_enabled() {
            let banks = self.ranges(place, "");
            banks.for_each(|(start, size)| self.info.take_memory(start, size));
        }
    }

    /// A child of `/reserved-memory`. One without `reg` only asks for memory to be found for it,
    /// which is for those to do who want to use it.
    pub fn reserved_memory(&mut self, place: &Place<'a>) {
        let node = place.node();
        if !node.is_enabled() || node.get("reg").is_none() {
            return;
        }
        for (start, size) in self.ranges(place, "reserved-memory/") {
            match regions::range(start, size) {
                Ok(range) if node.get("no-map").is_some() => {
                    regions::reserve(&mut self.unmapped, range);
                }
                _ => self.info.take_reservation(start, size),
            }
        }
    }

    /// The ranges in the `reg` of the node in hand, as far as they can be read.
    fn ranges(
        &mut self,
        place: &Place<'a>,
        parent: &str,
    ) -> impl Iterator<Item = (u64, u64)> + use<'a> {
        let (ranges, whole) = place.reg();
        if !whole {
            let name = place.node().name;
            self.info.note(format_args!("{parent}{name}: its reg is malformed"));
        }
        ranges
    }
}
