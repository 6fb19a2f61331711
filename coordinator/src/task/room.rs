//! Room for what is absorbed: in memory, in the spill file, or once something that has closed has
//! left.
//!
//! A record for which there is no room waits, and every later one of its partition behind it. First
//! the time passes that it brings, so that deadlines close what they can. Then only the gathers at
//! work can give room, each of which ends in bounded time; when none is at work any more and there
//! is still no room, there never will be, and the join stops.

use std::sync::Arc;

use longshore_kafka::lane::step::{Item, StepError};
use longshore_schemas::Timestamp;
use longshore_schemas::records::{InboxRecord, JournalRecord};

use super::{Job, JoinTask, appended, check_clock, decode};
use crate::gather::Room;

impl JoinTask {
    /// Takes what the journal says, and how late it was at `low`.
    pub fn recall(
        &mut self,
        watermark: Timestamp,
        records: Vec<JournalRecord>,
    ) -> Result<(), StepError> {
        self.gather.recall_time(watermark);
        for record in records {
            self.gather.recall(record);
            self.keep_bounds()?;
        }
        Ok(())
    }

    /// Accumulates a record below the committed position.
    pub fn replay(&mut self, record: &longshore_kafka::Record) -> Result<(), StepError> {
        self.replayed += 1;
        // What doesn't read was set aside when it was first absorbed.
        if let Ok(decoded) = decode(record) {
            self.gather.replay(record.offset.0, appended(record), decoded);
        }
        self.keep_bounds()
    }

    /// Absorbs a record, now or once there is room.
    pub fn absorb(&mut self, item: Arc<Item>) -> Result<Vec<Job>, StepError> {
        self.waiting.push_back(item);
        self.absorb_waiting()
    }

    /// Absorbs a record whose gathers killed so many processes: they are not called again, and what
    /// it closes has FAILED.
    pub fn give_up(&mut self, item: Arc<Item>, deaths: u32) -> Result<Vec<Job>, StepError> {
        self.deadly = Some((item.record.offset, deaths));
        self.absorb(item)
    }

    /// Absorbs what waits, as far as there is room.
    pub fn absorb_waiting(&mut self) -> Result<Vec<Job>, StepError> {
        let mut jobs = Vec::new();
        while let Some(item) = self.waiting.front().cloned() {
            if !self.take_in(item, &mut jobs)? {
                break;
            }
            self.waiting.pop_front();
        }
        Ok(jobs)
    }

    /// Whether anything waits for room.
    pub fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// False: there is no room, but there will be.
    fn take_in(&mut self, item: Arc<Item>, jobs: &mut Vec<Job>) -> Result<bool, StepError> {
        let record = &item.record;
        let decoded = match decode(record) {
            Ok(decoded) => decoded,
            Err(reason) => {
                self.set_aside(item, &reason);
                return Ok(true);
            }
        };
        let (at, appended) = (record.offset.0, appended(record));
        if !self.make_room(&decoded)? {
            let effects = self.gather.let_time_pass(at, appended);
            if !effects.is_empty() {
                let deaths = self.deaths_of(&item);
                jobs.extend(self.perform(None, deaths, effects)?);
            }
            if !self.make_room(&decoded)? {
                return self.wait_for_room().map(|()| false);
            }
        }
        self.is_full = false;
        check_clock(&decoded, appended);
        let effects = self.gather.absorb(at, appended, decoded);
        self.spill()?;
        let deaths = self.deaths_of(&item);
        jobs.extend(self.perform(Some(item), deaths, effects)?);
        Ok(true)
    }

    /// How many processes its gathers have killed; none if they may be called.
    fn deaths_of(&self, item: &Item) -> Option<u32> {
        let (deadly, deaths) = self.deadly?;
        (deadly == item.record.offset).then_some(deaths)
    }

    /// Makes room for a record by spilling others' payloads, if its own can't be or isn't enough.
    fn make_room(&mut self, record: &InboxRecord) -> Result<bool, StepError> {
        loop {
            match self.gather.room_for(record, self.closing_bytes) {
                Room::Memory => return Ok(true),
                Room::File(bytes) if self.file.has_room(bytes) => return Ok(true),
                Room::File(_) | Room::None => {}
            }
            if !self.spill_one()? {
                return Ok(false);
            }
        }
    }

    fn wait_for_room(&mut self) -> Result<(), StepError> {
        if self.closings == 0 {
            return Err(self.too_much().into());
        }
        if !self.is_full {
            self.is_full = true;
            let join = self.config.join.to_string();
            metrics::counter!("longshore_join_pauses_total", "join" => join).increment(1);
            tracing::error!(
                join = %self.config.join,
                partition = %self.partition,
                open_groups = self.gather.open_count(),
                open_bytes = self.gather.open_bytes(),
                closing_bytes = self.closing_bytes,
                spilled_bytes = self.file.bytes(),
                closings = self.closings,
                "open groups take all of their room: pauses until gathers at work have ended"
            );
        }
        Ok(())
    }

    /// Moves payloads into the file while memory is short.
    fn spill(&mut self) -> Result<(), StepError> {
        while self.gather.is_over(self.closing_bytes) && self.spill_one()? {}
        Ok(())
    }

    /// The same where nothing closes: what has no room never will.
    fn keep_bounds(&mut self) -> Result<(), StepError> {
        self.spill()?;
        match self.gather.is_over(self.closing_bytes) {
            true => Err(self.too_much().into()),
            false => Ok(()),
        }
    }

    /// Moves a payload into the file. False: there is none, or no place for it.
    fn spill_one(&mut self) -> Result<bool, StepError> {
        let Some((place, payload)) = self.gather.next_to_spill() else {
            return Ok(false);
        };
        match self.file.put(&payload).map_err(|error| self.cannot_spill(&error))? {
            Some(spilled) => self.gather.spilled(&place, Arc::new(spilled)),
            None => {
                self.gather.not_spilled(place);
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn too_much(&self) -> String {
        let rules = &self.config.rules;
        format!(
            "join {}, partition {}: {} open groups hold {} bytes in memory and {} in the spill \
             file, and the next record is more than `open_bytes_max` ({} bytes) and \
             `spill_bytes_max` ({} bytes) leave room for; give the join more of either, a shorter \
             `timeout` or more `partitions`",
            self.config.join,
            self.partition,
            self.gather.open_count(),
            self.gather.open_bytes(),
            self.file.bytes(),
            rules.open_bytes_max,
            rules.spill_bytes_max,
        )
    }

    fn cannot_spill(&self, error: &std::io::Error) -> String {
        format!(
            "join {}, partition {}: the spill file in {} can't be written: {error}; nothing is \
             lost by it: make room there, name another folder in TMPDIR, or set `spill_bytes_max` \
             to what the disk has",
            self.config.join,
            self.partition,
            std::env::temp_dir().display(),
        )
    }
}
