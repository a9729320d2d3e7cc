//! Quotas: who pays for what. A child's limit is charged to its parent as a whole, so what is charged
//! anywhere below an account is covered by it.
//!
//! Invariant: `used <= limit`; a closed account has `used == limit`, and is gone at zero.

use super::super::{Arena, FrameSource, Id, Ram};
use super::Vm;
use crate::abi::Error;
use crate::units::{Frame, PAGE_SIZE, Result};

/// Accounts above one another at most.
pub const MAX_DEPTH: u8 = 32;

/// Bytes that may be used, and that are.
pub struct Account {
    pub(super) parent: Option<Id<Account>>,
    pub(super) used: u64,
    pub(super) limit: u64,
    depth: u8,
    closed: bool,
}

impl Account {
    /// Uses bytes of it.
    #[inline(always)]
    pub(super) fn charge(&mut self, bytes: u64) -> Result {
        if bytes > self.limit - self.used {
            return Err(Error::NoMemory);
        }
        self.used += bytes;
        Ok(())
    }

    /// A frame of zeroes, paid for.
    #[inline]
    pub(super) fn take_zeroed(&mut self, ram: &mut Ram) -> Result<Frame> {
        self.charge(PAGE_SIZE)?;
        let frame = ram.frames.take().ok_or(Error::NoMemory);
        let frame = frame.inspect_err(|_| self.used -= PAGE_SIZE)?;
        // SAFETY: the frame was just taken.
        unsafe { ram.memory.zero(frame) };
        Ok(frame)
    }
}

impl Vm {
    /// An account of nobody's quota: the machine's.
    pub fn account_root(&mut self, limit: u64) -> Result<Id<Account>> {
        let account = Account { parent: None, used: 0, limit, depth: 1, closed: false };
        self.accounts.insert(account, &mut self.ram)
    }

    /// An account with part of another's quota: the parent is charged the limit and the account itself.
    pub fn account_open(&mut self, parent: Id<Account>, limit: u64) -> Result<Id<Account>> {
        let depth = self.accounts[parent].depth + 1;
        if depth > MAX_DEPTH {
            return Err(Error::Invalid);
        }
        let cost = limit.checked_add(Arena::<Account>::COST).ok_or(Error::NoMemory)?;
        self.charge(parent, cost)?;
        let account = Account { parent: Some(parent), used: 0, limit, depth, closed: false };
        self.accounts
            .insert(account, &mut self.ram)
            .inspect_err(|_| self.accounts[parent].used -= cost)
    }

    /// Changes an account's limit, at its parent's cost or to its benefit.
    pub fn account_resize(&mut self, account: Id<Account>, limit: u64) -> Result {
        let Account { parent, used, limit: before, .. } = self.accounts[account];
        let parent = parent.filter(|_| limit >= used).ok_or(Error::Invalid)?;
        match limit.checked_sub(before) {
            Some(more) => self.charge(parent, more)?,
            None => self.uncharge(parent, before - limit),
        }
        self.accounts[account].limit = limit;
        Ok(())
    }

    /// Uses bytes of an account.
    #[inline]
    pub fn charge(&mut self, account: Id<Account>, bytes: u64) -> Result {
        self.accounts[account].charge(bytes)
    }

    /// Gives bytes back that were charged.
    #[inline]
    pub fn uncharge(&mut self, account: Id<Account>, bytes: u64) {
        let payer = &mut self.accounts[account];
        payer.used -= bytes;
        if payer.closed {
            self.settle(account);
        }
    }

    /// Nothing more is charged to it. What is free of it goes back to the parent now, the rest as it is
    /// given back; then the account is gone.
    pub fn account_close(&mut self, account: Id<Account>) {
        self.accounts[account].closed = true;
        self.settle(account);
    }

    /// Bytes used, and the limit: none of an account that is gone.
    pub fn usage(&self, account: Id<Account>) -> (u64, u64) {
        self.accounts.get(account).map_or((0, 0), |account| (account.used, account.limit))
    }

    /// Passes on what closed accounts do not use, from this one upwards.
    fn settle(&mut self, account: Id<Account>) {
        let mut next = Some(account);
        while let Some(id) = next
            && self.accounts[id].closed
        {
            let account = &mut self.accounts[id];
            let mut back = account.limit - account.used;
            account.limit = account.used;
            next = account.parent;
            if account.used == 0 {
                self.accounts.remove(id);
                back += Arena::<Account>::COST;
            }
            if let Some(parent) = next {
                self.accounts[parent].used -= back;
            }
        }
    }
}
