//! Ranges that were freed and are not handed out yet.

use alloc::collections::BTreeMap;

/// Ranges of numbers: the first of each, and the first after it.
#[derive(Default, Debug)]
pub struct Held {
    ranges: BTreeMap<u64, u64>,
}

impl Held {
    /// Holds a range.
    pub fn hold(&mut self, first: u64, count: u64) {
        let (mut first, mut end) = (first, first.saturating_add(count));
        if first == end {
            return;
        }
        while let Some((&from, &to)) = self.ranges.range(..=end).next_back() {
            if to < first {
                break;
            }
            self.ranges.remove(&from);
            (first, end) = (first.min(from), end.max(to));
        }
        self.ranges.insert(first, end);
    }

    /// Where the range ends that a number is in, if it is held.
    pub fn end_of(&self, number: u64) -> Option<u64> {
        let (_, &end) = self.ranges.range(..=number).next_back()?;
        Some(end).filter(|&end| number < end)
    }

    /// How many ranges there are.
    pub fn ranges(&self) -> usize {
        self.ranges.len()
    }

    /// Lets go of all.
    pub fn clear(&mut self) {
        self.ranges.clear();
    }
}
