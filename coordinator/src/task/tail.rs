//! Keeps short what the next owner has to replay.

use longshore_kafka::lane::step::StepError;
use longshore_schemas::Timestamp;

use super::JoinTask;
use crate::gather::{CarryRefused, Carrying};

impl JoinTask {
    /// Carries the oldest groups into the journal if they hold too much of the inbox.
    pub(super) fn carry(&mut self, now: Timestamp) -> Result<(), StepError> {
        let Carrying { effects, refused } = self.gather.carry(now);
        if let Some(refused) = refused {
            self.tell_refused(refused);
        }
        if effects.is_empty() {
            return Ok(());
        }
        tracing::info!(
            join = %self.config.join,
            partition = %self.partition,
            groups = effects.len(),
            "carries old groups into the journal"
        );
        // Nothing is gathered for it.
        self.perform(None, None, effects).map(drop)
    }

    fn tell_refused(&self, refused: CarryRefused) {
        let join = self.config.join.to_string();
        metrics::counter!("longshore_carries_refused_total", "join" => join).increment(1);
        tracing::error!(
            join = %self.config.join,
            partition = %self.partition,
            records = refused.span,
            replay_max = self.config.rules.replay_max,
            next_look_at = refused.bound,
            "a restart would replay more than the join should: its old groups are too large, or \
             too many, to be carried into the journal; shorten `timeout` or raise `replay_max`"
        );
    }

    /// The replay has ended.
    pub(super) fn tell_replayed(&self) {
        let join = self.config.join.to_string();
        metrics::counter!("longshore_replayed_records_total", "join" => join)
            .increment(self.replayed);
        tracing::info!(
            join = %self.config.join,
            partition = %self.partition,
            records = self.replayed,
            open_groups = self.gather.open_count(),
            spilled_bytes = self.file.bytes(),
            "replayed"
        );
    }
}
