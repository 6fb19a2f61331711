//! What one transaction publishes: entries as records, and the cursor behind them.

use std::time::{Duration, Instant};

use bytes::Bytes;
use longshore_kafka::{Outgoing, Refusal};

use crate::dead_letter;
use crate::recipe::{Recipe, Unfit};
use crate::source::{Entry, Place};

/// Bytes at which a batch is full. The last entry may take it a good deal beyond, still within
/// what a transaction holds.
const BYTES_FULL: usize = 4 << 20;

/// A stretch of the source.
pub(crate) struct Batch {
    /// Where it begins.
    pub(crate) begin: Place,
    /// Behind its last entry.
    pub(crate) end: Place,
    /// Whether that is the end of the source.
    pub(crate) ended: bool,
    records: Vec<Outgoing>,
    slips: Vec<Slip>,
    bytes: usize,
    first_at: Option<Instant>,
}

/// What a record was made of.
struct Slip {
    place: Place,
    original: Bytes,
    form: Form,
}

/// As what an entry is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Item,
    DeadLetter,
}

/// A record that can't be replaced by anything that may be taken.
pub(crate) struct Stuck {
    /// The number of its entry; none for the cursor.
    pub(crate) line: Option<u64>,
    /// Why it was refused.
    pub(crate) refusal: Refusal,
}

impl Batch {
    /// An empty one.
    pub(crate) fn new(begin: Place) -> Self {
        Self {
            begin,
            end: begin,
            ended: false,
            records: Vec::new(),
            slips: Vec::new(),
            bytes: 0,
            first_at: None,
        }
    }

    /// Whether there are no entries.
    pub(crate) fn is_empty(&self) -> bool {
        self.slips.is_empty()
    }

    /// Whether it is large enough.
    pub(crate) fn is_full(&self, items_max: usize) -> bool {
        self.slips.len() >= items_max || self.bytes >= BYTES_FULL
    }

    /// How much of `interval` its first entry may still wait; none if there is no entry.
    pub(crate) fn time_left(&self, interval: Duration, now: Instant) -> Option<Duration> {
        let first = self.first_at?;
        Some(interval.saturating_sub(now.saturating_duration_since(first)))
    }

    /// Adds an entry as an item, or as the dead letter of one.
    pub(crate) fn add(&mut self, entry: Entry, recipe: &Recipe, now: Instant) {
        let (place, original) = (entry.place, entry.original.clone());
        let (record, form) = match recipe.item(&entry) {
            Ok(item) => (item, Form::Item),
            Err(unfit) => {
                log(&recipe.name, place, &unfit);
                (recipe.unfit(place, original.clone(), &unfit), Form::DeadLetter)
            }
        };
        self.bytes += record.bytes() + original.len();
        self.records.push(record);
        self.slips.push(Slip { place, original, form });
        self.end = place;
        self.first_at.get_or_insert(now);
    }

    /// The source has ended here.
    pub(crate) fn end_at(&mut self, place: Place) {
        self.end = place;
        self.ended = true;
    }

    /// Adds the cursor, behind which nothing more is added.
    pub(crate) fn seal(&mut self, cursor: Outgoing) {
        debug_assert_eq!(self.records.len(), self.slips.len(), "a batch is sealed once");
        self.records.push(cursor);
    }

    /// All of it, in order.
    pub(crate) fn records(&self) -> &[Outgoing] {
        &self.records
    }

    /// What the entries are published as.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Form, &Outgoing)> {
        self.slips.iter().map(|slip| slip.form).zip(&self.records)
    }

    /// Puts something in the place of a refused record that its topic may take: of an item its dead
    /// letter, of that one the beginning.
    pub(crate) fn replace(
        &mut self,
        index: usize,
        refusal: Refusal,
        recipe: &Recipe,
    ) -> Result<(), Stuck> {
        let Some(slip) = self.slips.get_mut(index) else {
            return Err(Stuck { line: None, refusal });
        };
        let place = slip.place;
        let replacement = match slip.form {
            Form::Item => Some(recipe.refused(place, slip.original.clone(), &refusal)),
            Form::DeadLetter => dead_letter::cut(&self.records[index]),
        };
        slip.form = Form::DeadLetter;
        self.records[index] = replacement.ok_or(Stuck { line: Some(place.line), refusal })?;
        Ok(())
    }
}

/// Not a warning each: a file may hold millions of them, and the summary counts them.
fn log(source: &str, place: Place, unfit: &Unfit) {
    let (line, class) = (place.line, unfit.class());
    tracing::debug!(source, line, class, error = %unfit, "line set aside");
}
