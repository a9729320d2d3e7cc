//! Where in the tree a node lies: its path, how its addresses are written, and what they are on
//! the memory bus once every bus in between has translated them (sections 2.3.5 and 2.3.8).

use super::check::MAX_DEPTH;
use super::node::{Cells, Node};
use arrayvec::{ArrayString, ArrayVec};

/// The nodes from the root down to the one in hand.
pub(super) struct Place<'a>(ArrayVec<Bus<'a>, { MAX_DEPTH + 1 }>);

/// The path of a node, as `/chosen` and `/aliases` write it.
pub(super) type Path = ArrayString<80>;

/// What a node means for its children.
struct Bus<'a> {
    name: &'a str,
    unit: &'a str,
    address_cells: u32,
    size_cells: u32,
    ranges: Option<&'a [u8]>,
}

impl<'a> Bus<'a> {
    fn new(node: &Node<'a>) -> Bus<'a> {
        Bus {
            name: node.name,
            unit: node.unit,
            address_cells: node.address_cells.unwrap_or(2),
            size_cells: node.size_cells.unwrap_or(1),
            ranges: node.ranges,
        }
    }

    /// What a child's `address` is on the bus of the parent, which writes `parent_cells` cells.
    fn translate(&self, address: u64, parent_cells: u32) -> Option<u64> {
        let mut ranges = Cells(self.ranges?);
        if ranges.0.is_empty() {
            return Some(address);
        }
        // Without cells for an address an entry may have no bytes at all, and there is no end.
        while self.address_cells > 0 {
            let child = ranges.take(self.address_cells)?;
            let parent = ranges.take(parent_cells)?;
            let size = ranges.take(self.size_cells)?;
            match address.checked_sub(child) {
                Some(offset) if offset < size => return parent.checked_add(offset),
                _ => {}
            }
        }
        None
    }
}

impl<'a> Place<'a> {
    pub fn new(root: &Node<'a>) -> Place<'a> {
        Place(ArrayVec::from_iter([Bus::new(root)]))
    }

    /// Goes to `node`, `depth` levels below the root, from the node that comes before it.
    pub fn go(&mut self, depth: usize, node: &Node<'a>) {
        self.0.truncate(depth);
        // The check has refused trees that are deeper than there is room here.
        let _ = self.0.try_push(Bus::new(node));
    }

    /// Levels below the root.
    pub fn depth(&self) -> usize {
        self.0.len() - 1
    }

    /// The name of the node around the one in hand; empty for the root's children.
    pub fn parent(&self) -> &'a str {
        match self.depth() {
            0 | 1 => "",
            depth => self.0[depth - 1].name,
        }
    }

    /// How addresses and sizes are written in the `reg` of the node in hand.
    pub fn cells(&self) -> (u32, u32) {
        let bus = &self.0[self.depth().saturating_sub(1)];
        (bus.address_cells, bus.size_cells)
    }

    /// The (address, size) pairs in the `reg` of `node`, the node in hand, as its bus knows them.
    /// A pair that is cut short or too wide ends them.
    pub fn reg(&self, node: &Node<'a>) -> impl Iterator<Item = (u64, u64)> + use<'a> {
        let (address_cells, size_cells) = self.cells();
        let mut cells = Cells(node.reg.unwrap_or_default());
        core::iter::from_fn(move || {
            // Without cells for an address a pair may have no bytes at all, and there is no end.
            let some = address_cells > 0 && !cells.0.is_empty();
            some.then_some(())?;
            Some((cells.take(address_cells)?, cells.take(size_cells)?))
        })
    }

    /// Whether `reg` holds whole pairs that [`Place::reg`] can read, at least one.
    pub fn reg_is_whole(&self, node: &Node<'a>) -> bool {
        let (address_cells, size_cells) = self.cells();
        let pair = (address_cells.min(3) + size_cells.min(3)) as usize * 4;
        let bytes = node.reg.unwrap_or_default().len();
        (1..=2).contains(&address_cells) && size_cells <= 2 && bytes > 0 && bytes.is_multiple_of(pair)
    }

    /// The `index`th pair of `reg`, its address translated to the memory bus.
    pub fn registers(&self, node: &Node<'a>, index: usize) -> Option<(u64, u64)> {
        let (mut address, size) = self.reg(node).nth(index)?;
        for level in (1..self.depth()).rev() {
            address = self.0[level].translate(address, self.0[level - 1].address_cells)?;
        }
        Some((address, size))
    }

    /// The path of the node in hand. Empty where it is too long to be kept.
    pub fn path(&self) -> Path {
        let mut path = Path::new();
        for bus in self.0.iter().skip(1) {
            let at = if bus.unit.is_empty() { "" } else { "@" };
            for part in ["/", bus.name, at, bus.unit] {
                if path.try_push_str(part).is_err() {
                    return Path::new();
                }
            }
        }
        path
    }
}

/// Whether `wanted` leads to the node at `path`. Its names may go without their unit addresses.
pub(super) fn leads_to(wanted: &[u8], path: &Path) -> bool {
    let mut names = path.as_bytes().split(|&byte| byte == b'/');
    wanted.split(|&byte| byte == b'/').all(|wanted| {
        let name = names.next();
        name == Some(wanted)
            || name.and_then(|name| name.split(|&byte| byte == b'@').next()) == Some(wanted)
    }) && names.next().is_none()
}
