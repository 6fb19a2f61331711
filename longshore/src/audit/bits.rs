//! A set of offsets, one bit each.

/// Offsets from a base on.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// Adds one. Whether it is new.
    pub(super) fn insert(&mut self, index: usize) -> bool {
        let (word, bit) = (index / 64, 1 << (index % 64));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        is_new
    }

    /// Whether it is there.
    pub(super) fn contains(&self, index: usize) -> bool {
        let word = self.words.get(index / 64).copied().unwrap_or_default();
        word & (1 << (index % 64)) != 0
    }
}
