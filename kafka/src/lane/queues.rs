//! The items of one partition that wait: for an earlier one of their key, or for room.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use foldhash::fast::RandomState;

use super::config::Ordering;
use super::step::Item;
use crate::Offset;

/// Hands items out, the lowest offset first, and at most one of a key at a time.
#[derive(Debug)]
pub struct Queues {
    ordering: Ordering,
    runnable: BinaryHeap<Reverse<ByOffset>>,
    /// The keys with an item runnable or under way, and those that wait behind it, in order.
    busy: HashMap<Bytes, VecDeque<Arc<Item>>, RandomState>,
    behind: usize,
}

/// An item, ordered by its offset: the lowest one moves the position.
#[derive(Debug)]
struct ByOffset(Arc<Item>);

impl Queues {
    /// Empty queues.
    pub fn new(ordering: Ordering) -> Self {
        Self { ordering, runnable: BinaryHeap::new(), busy: HashMap::default(), behind: 0 }
    }

    /// Adds an item; items come in offset order.
    pub fn push(&mut self, item: Arc<Item>) {
        let Some(key) = self.key(&item) else {
            return self.runnable.push(Reverse(ByOffset(item)));
        };
        match self.busy.entry(key) {
            Entry::Occupied(mut busy) => {
                self.behind += 1;
                busy.get_mut().push_back(item);
            }
            Entry::Vacant(free) => {
                free.insert(VecDeque::new());
                self.runnable.push(Reverse(ByOffset(item)));
            }
        }
    }

    /// The next item that may run, and how many items of the partition, at most, stand in the
    /// queues at or before it.
    pub fn peek(&self) -> Option<(Offset, usize)> {
        let Reverse(ByOffset(item)) = self.runnable.peek()?;
        Some((item.record.offset, 1 + self.behind))
    }

    /// Takes that item.
    pub fn pop(&mut self) -> Option<Arc<Item>> {
        self.runnable.pop().map(|Reverse(ByOffset(item))| item)
    }

    /// An item that was taken has ended: the next one of its key may run.
    pub fn ended(&mut self, item: &Item) {
        let Some(key) = self.key(item) else { return };
        let Entry::Occupied(mut busy) = self.busy.entry(key) else {
            return;
        };
        match busy.get_mut().pop_front() {
            Some(next) => {
                self.behind -= 1;
                self.runnable.push(Reverse(ByOffset(next)));
            }
            None => drop(busy.remove()),
        }
    }

    /// Items in the queues.
    pub fn len(&self) -> usize {
        self.runnable.len() + self.behind
    }

    /// Drops all that wait; gives the bytes they held.
    pub fn clear(&mut self) -> usize {
        let runnable = self.runnable.drain().map(|Reverse(ByOffset(item))| item);
        let behind = self.busy.drain().flat_map(|(_, queue)| queue);
        self.behind = 0;
        runnable.chain(behind).map(|item| item.record.held_bytes()).sum()
    }

    fn key(&self, item: &Item) -> Option<Bytes> {
        match self.ordering {
            Ordering::Key => item.record.key.clone(),
            Ordering::Partition => Some(Bytes::new()),
            Ordering::None => None,
        }
    }
}

impl PartialEq for ByOffset {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for ByOffset {}

impl PartialOrd for ByOffset {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByOffset {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.record.offset.cmp(&other.0.record.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane::step::Epoch;
    use crate::{Partition, Record};

    fn item(offset: i64, key: Option<&'static str>) -> Arc<Item> {
        Arc::new(Item {
            epoch: Epoch(1),
            record: Record {
                topic: "t".into(),
                partition: Partition(0),
                offset: Offset(offset),
                key: key.map(|key| Bytes::from_static(key.as_bytes())),
                value: None,
                headers: Default::default(),
                timestamp: None,
            },
        })
    }

    fn filled(ordering: Ordering, keys: &[Option<&'static str>]) -> Queues {
        let mut queues = Queues::new(ordering);
        for (offset, key) in (0..).zip(keys) {
            queues.push(item(offset, *key));
        }
        queues
    }

    fn take_all(queues: &mut Queues) -> Vec<Arc<Item>> {
        std::iter::from_fn(|| queues.pop()).collect()
    }

    fn offsets(items: &[Arc<Item>]) -> Vec<i64> {
        items.iter().map(|item| item.record.offset.0).collect()
    }

    #[test]
    fn items_of_a_key_run_one_at_a_time_in_order_and_others_do_not_wait() {
        let mut queues = filled(Ordering::Key, &[Some("a"), Some("a"), Some("b"), None, Some("a")]);
        let taken = take_all(&mut queues);
        assert_eq!(offsets(&taken), [0, 2, 3]);
        queues.ended(&taken[0]);
        let next = take_all(&mut queues);
        assert_eq!(offsets(&next), [1], "one more of the key");
        queues.ended(&next[0]);
        assert_eq!(offsets(&take_all(&mut queues)), [4]);
    }

    #[test]
    fn a_key_is_free_again_once_its_last_item_ended() {
        let mut queues = filled(Ordering::Key, &[Some("a")]);
        let taken = take_all(&mut queues);
        queues.ended(&taken[0]);
        queues.push(item(9, Some("a")));
        assert_eq!(offsets(&take_all(&mut queues)), [9]);
    }

    #[test]
    fn the_lowest_offset_goes_first_even_if_it_was_woken_late() {
        let mut queues = filled(Ordering::Key, &[Some("a"), Some("a"), Some("b")]);
        let first = queues.pop().expect("there is one");
        queues.ended(&first);
        assert_eq!(offsets(&take_all(&mut queues)), [1, 2]);
    }

    #[test]
    fn partition_order_is_one_at_a_time_and_no_order_is_all_at_once() {
        let keys = [Some("a"), Some("b"), None];
        assert_eq!(offsets(&take_all(&mut filled(Ordering::Partition, &keys))), [0]);
        assert_eq!(offsets(&take_all(&mut filled(Ordering::None, &[Some("a"); 3]))), [0, 1, 2]);
    }

    #[test]
    fn clearing_drops_everything() {
        let mut queues = filled(Ordering::Key, &[Some("a"), Some("a"), None]);
        assert_eq!(queues.len(), 3);
        assert_eq!(queues.clear(), 3 * 1_024 + 2, "three records, and the bytes of two keys");
        assert_eq!((queues.len(), queues.peek()), (0, None));
    }
}
