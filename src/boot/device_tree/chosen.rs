//! `/chosen` and `/aliases`: the command line, the initrd, the console's path.

use super::DtNode;
use super::node::{Node, number, text};
use super::reader::Reader;
use crate::boot::regions;
use crate::boot::text::prefix;
use crate::units::PhysAddr;

#[derive(Default)]
pub(super) struct Chosen<'a> {
    pub aliases: Option<DtNode<'a>>,
    pub stdout_path: Option<&'a [u8]>,
    boot_arguments: Option<&'a [u8]>,
    initrd_start: Option<&'a [u8]>,
    initrd_end: Option<&'a [u8]>,
}

impl<'a> Chosen<'a> {
    pub fn read(&mut self, node: &Node<'a>) {
        self.stdout_path = node.stdout_path.map(text);
        self.boot_arguments = node.boot_arguments.map(text);
        self.initrd_start = node.initrd_start;
        self.initrd_end = node.initrd_end;
    }

    /// The full path of the console: without its options (`:115200n8`), its alias resolved.
    pub fn console(&self) -> Option<&'a [u8]> {
        let path = self.stdout_path?.split(|&byte| byte == b':').next()?;
        if path.starts_with(b"/") {
            return Some(path);
        }
        let alias = self.aliases?.raw_property(str::from_utf8(path).ok()?).ok()??;
        Some(text(alias.value))
    }
}

impl Reader<'_> {
    pub fn finish_chosen(&mut self) {
        if let Some(arguments) = self.chosen.boot_arguments {
            let (kept, whole) = prefix(arguments);
            self.info.command_line = kept;
            if !whole {
                let (kept, all) = (kept.len(), arguments.len());
                self.info.note(format_args!("command line: cut after {kept} of {all} bytes"));
            }
        }
        self.finish_initrd();
    }

    fn finish_initrd(&mut self) {
        let (start, end) = match (self.chosen.initrd_start, self.chosen.initrd_end) {
            (None, None) => return,
            (start, end) => (start.and_then(number), end.and_then(number)),
        };
        let (Some(start), Some(end)) = (start, end) else {
            return self.info.note(format_args!("initrd: only half described, ignored"));
        };
        let initrd = PhysAddr(start)..PhysAddr(end);
        if initrd.is_empty() {
            self.info.note(format_args!("initrd {start:#x}..{end:#x}: empty, ignored"));
        } else if !regions::contains(&self.info.memory, &initrd) {
            self.info.note(format_args!("initrd {start:#x}..{end:#x}: not in memory, ignored"));
        } else {
            regions::reserve(&mut self.info.reserved, initrd.clone());
            self.info.initrd = Some(initrd);
        }
    }
}
