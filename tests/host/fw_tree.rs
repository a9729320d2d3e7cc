//! Builds device trees for tests, right or wrong, word by word.

/// A flattened device tree under construction.
pub struct Tree {
    structure: Vec<u8>,
    strings: Vec<u8>,
    reservations: Vec<(u64, u64)>,
}

impl Tree {
    /// A tree whose root has begun.
    pub fn new() -> Tree {
        let tree = Tree { structure: vec![], strings: vec![], reservations: vec![] };
        tree.node("")
    }

    /// A root with two cells for addresses and for sizes.
    pub fn machine() -> Tree {
        Tree::new().cells("#address-cells", &[2]).cells("#size-cells", &[2])
    }

    pub fn word(mut self, word: u32) -> Tree {
        self.structure.extend(word.to_be_bytes());
        self
    }

    pub fn node(self, name: &str) -> Tree {
        let mut tree = self.word(1);
        tree.structure.extend(name.bytes());
        tree.structure.push(0);
        tree.pad()
    }

    pub fn end(self) -> Tree {
        self.word(2)
    }

    pub fn property(mut self, name: &str, value: &[u8]) -> Tree {
        let at = self.strings.len() as u32;
        self.strings.extend(name.bytes());
        self.strings.push(0);
        let mut tree = self.word(3).word(value.len() as u32).word(at);
        tree.structure.extend(value);
        tree.pad()
    }

    pub fn text(self, name: &str, value: &str) -> Tree {
        self.property(name, format!("{value}\0").as_bytes())
    }

    pub fn cells(self, name: &str, cells: &[u32]) -> Tree {
        let bytes: Vec<u8> = cells.iter().flat_map(|cell| cell.to_be_bytes()).collect();
        self.property(name, &bytes)
    }

    /// A `reg` of pairs, two cells each.
    pub fn reg(self, pairs: &[(u64, u64)]) -> Tree {
        let cells: Vec<u32> = pairs
            .iter()
            .flat_map(|&(start, size)| [start >> 32, start, size >> 32, size])
            .map(|cell| cell as u32)
            .collect();
        self.cells("reg", &cells)
    }

    pub fn memory(self, pairs: &[(u64, u64)]) -> Tree {
        self.node("memory@0").text("device_type", "memory").reg(pairs).end()
    }

    pub fn reserve(mut self, start: u64, size: u64) -> Tree {
        self.reservations.push((start, size));
        self
    }

    /// The blob, the root ended.
    pub fn build(self) -> Vec<u8> {
        self.end().word(9).raw()
    }

    /// The blob as it stands.
    pub fn raw(self) -> Vec<u8> {
        let structure_at = 40 + 16 * (self.reservations.len() + 1);
        let strings_at = structure_at + self.structure.len();
        let sizes = [self.strings.len(), self.structure.len()];
        let total = strings_at + self.strings.len();
        let header = [0xd00d_feed, total, structure_at, strings_at, 40, 17, 16, 0];
        let mut blob = vec![];
        for word in header.into_iter().chain(sizes) {
            blob.extend((word as u32).to_be_bytes());
        }
        for (start, size) in self.reservations.into_iter().chain([(0, 0)]) {
            blob.extend(start.to_be_bytes());
            blob.extend(size.to_be_bytes());
        }
        blob.extend(self.structure);
        blob.extend(self.strings);
        blob
    }

    fn pad(mut self) -> Tree {
        while !self.structure.len().is_multiple_of(4) {
            self.structure.push(0);
        }
        self
    }
}
