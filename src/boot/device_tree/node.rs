//! A node as its reader wants it: the properties this kernel knows by name, found in one pass over
//! all it has, and numbers out of cells.

use super::{DtError, DtNode};

/// The properties of one node that matter here. What is absent is `None`, or empty.
#[derive(Clone, Copy, Default)]
pub(super) struct Node<'a> {
    pub name: &'a str,
    pub unit: &'a str,
    pub address_cells: Option<u32>,
    pub size_cells: Option<u32>,
    pub interrupt_cells: Option<u32>,
    pub compatible: &'a [u8],
    pub model: &'a [u8],
    pub device_type: &'a [u8],
    pub enable_method: &'a [u8],
    pub method: &'a [u8],
    pub status: Option<&'a [u8]>,
    pub reg: Option<&'a [u8]>,
    pub ranges: Option<&'a [u8]>,
    pub interrupts: Option<&'a [u8]>,
    pub release_address: Option<&'a [u8]>,
    pub clock_frequency: Option<&'a [u8]>,
    pub boot_arguments: Option<&'a [u8]>,
    pub initrd_start: Option<&'a [u8]>,
    pub initrd_end: Option<&'a [u8]>,
    pub stdout_path: Option<&'a [u8]>,
    pub no_map: bool,
}

impl<'a> Node<'a> {
    pub fn read(node: &DtNode<'a>) -> Result<Node<'a>, DtError> {
        let name = node.name()?;
        let mut read = Node {
            name: name.name,
            unit: name.unit_address.unwrap_or_default(),
            ..Node::default()
        };
        for property in node.properties()?.iter() {
            let property = property?;
            let value = property.value;
            match property.name {
                "#address-cells" => read.address_cells = cell(value),
                "#size-cells" => read.size_cells = cell(value),
                "#interrupt-cells" => read.interrupt_cells = cell(value),
                "compatible" => read.compatible = value,
                "model" => read.model = value,
                "device_type" => read.device_type = value,
                "enable-method" => read.enable_method = value,
                "method" => read.method = value,
                "status" => read.status = Some(value),
                "reg" => read.reg = Some(value),
                "ranges" => read.ranges = Some(value),
                "interrupts" => read.interrupts = Some(value),
                "cpu-release-addr" => read.release_address = Some(value),
                "clock-frequency" => read.clock_frequency = Some(value),
                "bootargs" => read.boot_arguments = Some(value),
                "linux,initrd-start" => read.initrd_start = Some(value),
                "linux,initrd-end" => read.initrd_end = Some(value),
                "stdout-path" => read.stdout_path = Some(value),
                "no-map" => read.no_map = true,
                _ => {}
            }
        }
        Ok(read)
    }

    /// Whether it is there to be used: `status` is absent or says so (section 2.3.4).
    pub fn is_enabled(&self) -> bool {
        self.status.is_none_or(|status| matches!(text(status), b"okay" | b"ok"))
    }

    /// Whether it lists one of `names` as what it is compatible with.
    pub fn is_compatible(&self, names: &[&str]) -> bool {
        self.compatible
            .split(|&byte| byte == 0)
            .any(|entry| names.iter().any(|name| name.as_bytes() == entry))
    }
}

/// A property's text without its terminator.
pub(super) fn text(value: &[u8]) -> &[u8] {
    value.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// A property that is one cell.
pub(super) fn cell(value: &[u8]) -> Option<u32> {
    value.try_into().ok().map(u32::from_be_bytes)
}

/// A property that is one number, of one cell or two.
pub(super) fn number(value: &[u8]) -> Option<u64> {
    match value.len() {
        4 | 8 => Cells(value).take(value.len() as u32 / 4),
        _ => None,
    }
}

/// Reads numbers off the front of a property.
#[derive(Clone)]
pub(super) struct Cells<'a>(pub &'a [u8]);

impl Cells<'_> {
    /// The next number, of `cells` cells. `None` where the property ends before it does, or where
    /// it does not fit: numbers of three cells are PCI's, and nobody here asks for those.
    pub fn take(&mut self, cells: u32) -> Option<u64> {
        if cells > 2 {
            return None;
        }
        let (number, rest) = self.0.split_at_checked(cells as usize * 4)?;
        self.0 = rest;
        Some(number.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }
}
