//! Where in the tree a node lies: its path, how its addresses are written, and what they are on
//! the memory bus once every bus in between has translated them (sections 2.3.5 and 2.3.8).

use super::blob::{Cells, MAX_DEPTH, Node};
use crate::units::PhysAddr;
use arrayvec::ArrayVec;

/// Bytes of a path that are looked at.
const MAX_PATH: usize = 256;

/// The nodes from the root down to the one in hand.
#[derive(Default)]
pub(super) struct Place<'a>(ArrayVec<Level<'a>, { MAX_DEPTH + 1 }>);

/// A node, and what it means for its children once there is one.
struct Level<'a> {
    node: Node<'a>,
    bus: Option<Bus<'a>>,
}

/// How children's addresses and sizes are written, and what becomes of the addresses.
#[derive(Clone, Copy)]
struct Bus<'a> {
    address_cells: u32,
    size_cells: u32,
    ranges: Option<&'a [u8]>,
}

impl<'a> Place<'a> {
    /// Goes to `node`, `depth` levels below the root, from the node that comes before it.
    pub fn go(&mut self, depth: usize, node: Node<'a>) {
        self.0.truncate(depth);
        if let Some(Level { node, bus }) = self.0.last_mut() {
            bus.get_or_insert_with(|| Bus::of(node));
        }
        // A walk refuses trees that are deeper than there is room here.
        let _ = self.0.try_push(Level { node, bus: None });
    }

    /// The node in hand.
    pub fn node(&self) -> Node<'a> {
        self.0.last().map(|level| level.node).unwrap_or_default()
    }

    /// Levels below the root.
    pub fn depth(&self) -> usize {
        self.0.len() - 1
    }

    /// The name of the node around the one in hand; empty for the root's children.
    pub fn parent(&self) -> &'a str {
        self.0.iter().nth_back(1).map_or("", |level| level.node.name)
    }

    /// The buses around the node in hand, up to the memory bus.
    fn buses(&self) -> impl Iterator<Item = &Bus<'a>> {
        self.0.iter().rev().filter_map(|level| level.bus.as_ref())
    }

    /// The (address, size) pairs in the `reg` of the node in hand, as its bus knows them, and whether
    /// that is all of it and not nothing.
    pub fn reg(&self) -> (impl Iterator<Item = (u64, u64)> + use<'a>, bool) {
        let mut buses = self.buses();
        let (address, size) =
            buses.next().map_or((2, 1), |bus| (bus.address_cells, bus.size_cells));
        // An address of no cells is none, and one of three is PCI's.
        let readable = (1..=2).contains(&address) && size <= 2;
        let reg = self.node().get("reg").filter(|_| readable).unwrap_or_default();
        let pairs = reg.chunks_exact(4 * (address.clamp(1, 2) + size.min(2)) as usize);
        let whole = !reg.is_empty() && pairs.remainder().is_empty();
        let pair = move |pair| {
            let mut cells = Cells(pair);
            Some((cells.take(address)?, cells.take(size)?))
        };
        (pairs.filter_map(pair), whole)
    }

    /// The `index`th pair of `reg`, its address translated to the memory bus.
    pub fn registers(&self, index: usize) -> Option<(PhysAddr, u64)> {
        let (mut address, size) = self.reg().0.nth(index)?;
        let mut buses = self.buses();
        let mut bus = buses.next();
        for outer in buses {
            address = bus?.translate(address, outer.address_cells)?;
            bus = Some(outer);
        }
        Some((PhysAddr(address), size))
    }

    /// Whether `path` leads to the node in hand. Its names may go without their unit addresses.
    pub fn is_at(&self, path: &[u8]) -> bool {
        let mut names = path.get(..MAX_PATH).unwrap_or(path).split(|&byte| byte == b'/');
        self.0.iter().map(|level| level.node).all(|node| {
            let name = names.next();
            name == Some(node.name.as_bytes()) || name == Some(node.plain_name().as_bytes())
        }) && names.next().is_none()
    }
}

impl<'a> Bus<'a> {
    /// The bus that a node is for its children (sections 2.3.5 and 2.3.8).
    fn of(node: &Node<'a>) -> Bus<'a> {
        Bus {
            address_cells: node.cell("#address-cells").unwrap_or(2),
            size_cells: node.cell("#size-cells").unwrap_or(1),
            ranges: node.get("ranges"),
        }
    }

    /// What an `address` is on the bus around this one, which writes it in `outer_cells`.
    fn translate(&self, address: u64, outer_cells: u32) -> Option<u64> {
        let mut ranges = Cells(self.ranges?);
        if ranges.0.is_empty() {
            return Some(address);
        }
        // Without cells for an address an entry may have no bytes at all, and there is no end.
        if self.address_cells == 0 {
            return None;
        }
        loop {
            let inner = ranges.take(self.address_cells)?;
            let outer = ranges.take(outer_cells)?;
            let size = ranges.take(self.size_cells)?;
            match address.checked_sub(inner) {
                Some(offset) if offset < size => return outer.checked_add(offset),
                _ => {}
            }
        }
    }
}
