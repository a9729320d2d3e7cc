//! Files with a text that is made when somebody looks.

use super::Subject;
use crate::errno::Result;
use crate::file::{File, Open};
use crate::fs::{Inode, Regular};
use crate::user::Transfer;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

/// A file.
#[derive(Clone, Copy)]
pub struct Text {
    pub subject: Subject,
    pub make: fn(&Subject) -> Result<Vec<u8>>,
}

impl Regular for Text {
    fn size(&self) -> u64 {
        0
    }

    fn read(&self, at: u64, to: &mut Transfer<'_>) -> Result<()> {
        put_from(&(self.make)(&self.subject)?, at, to)
    }

    fn opened(&self, _: &Rc<Inode>) -> Option<Rc<dyn File>> {
        Some(Rc::new(OpenText { text: *self, made: RefCell::default() }))
    }
}

/// Some bytes of a text.
pub fn put_from(text: &[u8], at: u64, to: &mut Transfer<'_>) -> Result<()> {
    let rest = text.get(at.min(text.len() as u64) as usize..).unwrap_or_default();
    to.put(rest).map(|_| ())
}

/// An open file: what is in it is made when its beginning is read, and stays the same up to the end.
struct OpenText {
    text: Text,
    made: RefCell<Option<Vec<u8>>>,
}

impl File for OpenText {
    fn read(&self, _: &Open, at: &mut u64, to: &mut Transfer<'_>) -> Result<()> {
        if *at == 0 || self.made.borrow().is_none() {
            let made = (self.text.make)(&self.text.subject)?;
            self.made.replace(Some(made));
        }
        let (made, before) = (self.made.borrow(), to.done);
        put_from(made.as_deref().unwrap_or_default(), *at, to)?;
        *at += to.done - before;
        Ok(())
    }

    fn seekable(&self) -> bool {
        true
    }
}
