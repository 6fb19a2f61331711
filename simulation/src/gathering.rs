//! What a gather makes of a group: decided by the seed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use longshore_handler::Group;
use longshore_handler::prelude::*;
use longshore_schemas::GroupId;
use rand::Rng;

use crate::inbox::number;
use crate::subject::{chance, has_killers};

/// Joins the payloads of the parts, at once or after a while; a few groups it can't gather.
pub(crate) struct Gatherer {
    pub(crate) seed: u64,
    /// Set when it kills its process.
    pub(crate) killed: Arc<AtomicBool>,
}

impl Handler for Gatherer {
    type Item = Group;

    async fn handle(&self, group: Group, cx: &Context) -> Result<Outcome, HandlerError> {
        if kills(self.seed, &group.group_id) {
            self.killed.store(true, Ordering::Relaxed);
            return std::future::pending().await;
        }
        let mut chance = chance(self.seed, number(&group.group_id));
        if chance.random_bool(0.2) {
            tokio::time::sleep(Duration::from_millis(chance.random_range(1..800))).await;
        }
        if chance.random_bool(0.1) && !cx.is_last_attempt() {
            return Err(HandlerError::transient("away", "not yet"));
        }
        let payloads = group.parts.into_iter().filter_map(|part| part.payload);
        let gathered = gathered(self.seed, &group.group_id, payloads);
        let payload = gathered.ok_or_else(|| HandlerError::permanent("poison", "never"))?;
        Ok(Output::bytes(payload).into())
    }
}

/// Whether whoever gathers it is killed by it.
fn kills(seed: u64, group: &GroupId) -> bool {
    has_killers(seed) && number(group) % 4 == 2
}

/// What comes of a group with these payloads; none if it can't be gathered.
pub(crate) fn gathered(
    seed: u64,
    group: &GroupId,
    payloads: impl Iterator<Item = Bytes>,
) -> Option<Bytes> {
    if kills(seed, group) {
        return None;
    }
    let mut chance = chance(!seed, number(group));
    let mut joined = Vec::new();
    payloads.for_each(|payload| joined.extend_from_slice(&payload));
    chance.random_bool(0.95).then(|| Bytes::from(joined))
}
