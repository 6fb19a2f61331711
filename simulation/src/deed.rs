//! What becomes of an item: decided by the seed, and the same in every process that tries it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use longshore_handler::prelude::*;
use rand::Rng;

use crate::subject::{chance, has_killers};

/// Attempts at an item.
pub(crate) const ATTEMPTS_MAX: u32 = 3;
/// What an attempt may take.
pub(crate) const ITEM_TIMEOUT: Duration = Duration::from_secs(2);
/// What a record of the output may take.
pub(crate) const OUTPUT_BYTES_MAX: usize = 2_000;

/// What a handler does with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// It writes so many records, after a time.
    Writes { records: u32, after: Duration },
    /// It fails so often before it writes one.
    HealsAfter(u32),
    /// It fails for good.
    Poison,
    /// It panics each time.
    Panics,
    /// It never returns.
    Hangs,
    /// Its output is more than its topic takes.
    Oversized,
    /// It kills its process.
    Kills,
}

impl Deed {
    /// What becomes of the item of this number.
    pub(crate) fn of(seed: u64, number: usize) -> Self {
        if has_killers(seed) && number % 16 == 7 {
            return Self::Kills;
        }
        let mut chance = chance(seed, number);
        let after = Duration::from_millis(chance.random_range(1..500));
        match chance.random_range(0..100) {
            0..55 => Self::Writes { records: 1, after: Duration::ZERO },
            55..75 => Self::Writes { records: 1, after },
            75..80 => Self::Writes { records: 2, after: Duration::ZERO },
            80..84 => Self::Writes { records: 0, after: Duration::ZERO },
            84..90 => Self::HealsAfter(chance.random_range(1..ATTEMPTS_MAX)),
            90..93 => Self::Poison,
            93..95 => Self::Panics,
            95..97 => Self::Hangs,
            _ => Self::Oversized,
        }
    }

    /// How many outputs there are in the end, and whether there is a dead letter.
    pub(crate) fn comes_to(self) -> (u32, bool) {
        match self {
            Self::Writes { records, .. } => (records, false),
            Self::HealsAfter(_) => (1, false),
            Self::Poison | Self::Panics | Self::Hangs | Self::Oversized | Self::Kills => (0, true),
        }
    }
}

/// A handler that does to each item what the seed says.
pub(crate) struct Doer {
    pub(crate) seed: u64,
    /// Set when it kills its process.
    pub(crate) killed: Arc<AtomicBool>,
    /// How often which item was begun, in all processes: its first attempts.
    pub(crate) begun: Arc<Mutex<BTreeMap<usize, u32>>>,
}

impl Handler for Doer {
    type Item = RawItem;

    async fn handle(&self, item: RawItem, cx: &Context) -> Result<Outcome, HandlerError> {
        let value = item.value.unwrap_or_default();
        let number: usize = std::str::from_utf8(&value)?
            .parse()
            .map_err(|error| HandlerError::permanent("no_number", format!("{error}")))?;
        if cx.attempt == 1 {
            let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
            *begun.entry(number).or_default() += 1;
        }
        match Deed::of(self.seed, number) {
            Deed::Kills => {
                self.killed.store(true, Ordering::Relaxed);
                std::future::pending().await
            }
            Deed::Writes { records, after } => {
                if !after.is_zero() {
                    tokio::time::sleep(after).await;
                }
                Ok(Outcome::many((0..records).map(|_| Output::bytes(value.clone()))))
            }
            Deed::HealsAfter(attempts) if cx.attempt <= attempts => {
                Err(HandlerError::transient("away", "not yet"))
            }
            Deed::HealsAfter(_) => Ok(Output::bytes(value).into()),
            Deed::Poison => Err(HandlerError::permanent("poison", "never")),
            Deed::Panics => panic!("item {number} says so"),
            Deed::Hangs => std::future::pending().await,
            Deed::Oversized => Ok(Output::bytes(vec![0; OUTPUT_BYTES_MAX]).into()),
        }
    }
}
