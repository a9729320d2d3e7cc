//! A file system as its server uses it: what succeeds is committed, what fails is aborted.

use super::Paper;
use ext::Ext;
use files::{Attributes, FileSystem, Node, Receipt, Result, Sink};
use std::cell::Cell;

/// Bytes that are read.
pub struct Taken(pub Vec<u8>, pub usize);

impl Sink for Taken {
    fn room(&self) -> usize {
        self.1 - self.0.len()
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        assert!(bytes.len() <= self.room());
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Requests, as the server does them.
pub trait Requests {
    fn change<R>(&mut self, act: impl FnOnce(&mut Self) -> Result<R>) -> Result<R>;
    fn put(&mut self, node: Node, at: u64, bytes: &[u8]) -> Result<()>;
    fn get(&mut self, node: Node) -> Result<Vec<u8>>;
    fn list(&mut self, node: Node) -> Result<Vec<(Vec<u8>, Node, u32)>>;
}

thread_local! {
    /// The number of the last request.
    static NUMBER: Cell<u64> = const { Cell::new(0) };
}

/// Whether the last request was done.
pub fn is_done(ext: &mut Ext<Paper>) -> bool {
    ext.receipt(NUMBER.get()).is_some()
}

impl Requests for Ext<Paper> {
    fn change<R>(&mut self, act: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        NUMBER.set(NUMBER.get() + 1);
        let done = act(self);
        match done {
            Ok(_) => self.commit(&Receipt::new(NUMBER.get(), 0, &[])),
            Err(_) => self.abort(),
        }
        done
    }

    /// Writes all bytes, as often as it takes.
    fn put(&mut self, node: Node, mut at: u64, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let some = &bytes[..bytes.len().min(files::MOST)];
            let count = self.change(|ext| ext.write(node, at, &mut &some[..]))?;
            assert!(count > 0 && count <= some.len());
            (at, bytes) = (at + count as u64, &bytes[count..]);
        }
        Ok(())
    }

    fn get(&mut self, node: Node) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let mut some = Taken(Vec::new(), 10_000 + all.len() % 50_000);
            self.read(node, all.len() as u64, &mut some)?;
            if some.0.is_empty() {
                return Ok(all);
            }
            all.extend(some.0);
        }
    }

    fn list(&mut self, node: Node) -> Result<Vec<(Vec<u8>, Node, u32)>> {
        let (mut all, mut at) = (Vec::new(), 0);
        while let Some(entry) = self.entry(node, at)? {
            assert!(entry.next > at);
            at = entry.next;
            all.push((entry.name, entry.node, entry.mode));
        }
        Ok(all)
    }
}

/// Attributes of a new file.
pub fn new(mode: u32, time: i64) -> Attributes {
    Attributes { mode, owner: [1000, 100_000], times: [time; 3], ..Attributes::default() }
}
