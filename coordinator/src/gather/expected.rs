//! Which parts a group waits for.

use longshore_schemas::PartId;
use longshore_schemas::records::{Expect, ExpectedPart};

use super::parts::Slot;
use super::stages::Stages;

/// The parts that a group waits for.
#[derive(Debug)]
pub(super) enum Expected {
    /// These, sorted, each once.
    Listed(Box<[Slot]>),
    /// Ids 0..n-1 in every stage of `of`.
    Counted(u32),
    /// Ids 0..n-1 in every stage of `of`, once the seal has said n.
    OpenEnded(Option<u32>),
}

/// More parts, or more stages, than a group may have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany;

impl Expected {
    /// What an opening asks for, if that is within bounds.
    pub(super) fn new(
        expect: &Expect,
        stages: &mut Stages,
        parts_max: u32,
    ) -> Result<Self, TooMany> {
        match expect {
            Expect::OpenEnded => Ok(Self::OpenEnded(None)),
            Expect::Count(count) => {
                check_count(*count, stages, parts_max)?;
                Ok(Self::Counted(*count))
            }
            Expect::Parts(parts) if exceeds(parts.len() as u64, parts_max) => Err(TooMany),
            Expect::Parts(parts) => {
                let slot = |part: &ExpectedPart| {
                    let stage = stages.intern(&part.stage).ok_or(TooMany)?;
                    Ok(Slot { part_id: part.part_id, stage })
                };
                let mut slots = parts.iter().map(slot).collect::<Result<Vec<_>, _>>()?;
                slots.sort_unstable();
                slots.dedup();
                Ok(Self::Listed(slots.into()))
            }
        }
    }

    /// Whether the part is waited for; before the seal, whether it may yet be.
    pub(super) fn includes(&self, slot: Slot, stages: &Stages, parts_max: u32) -> bool {
        let below = |total: u32| stages.is_of(slot.stage) && slot.part_id.0 < total;
        match self {
            Self::Listed(slots) => slots.binary_search(&slot).is_ok(),
            Self::Counted(total) | Self::OpenEnded(Some(total)) => below(*total),
            Self::OpenEnded(None) => below(parts_max),
        }
    }

    /// Whether all parts are known that will ever be waited for.
    pub(super) fn is_sealed(&self) -> bool {
        !matches!(self, Self::OpenEnded(None))
    }

    /// Every part that is waited for, in slot order; none before the seal.
    pub(super) fn slots(&self, stages: &Stages) -> Vec<Slot> {
        match self {
            Self::Listed(slots) => slots.to_vec(),
            Self::Counted(total) | Self::OpenEnded(Some(total)) => (0..*total)
                .flat_map(|id| stages.of().map(move |stage| Slot { part_id: PartId(id), stage }))
                .collect(),
            Self::OpenEnded(None) => Vec::new(),
        }
    }

    /// What the opening said.
    pub(super) fn as_opened(&self, stages: &Stages) -> Expect {
        let named = |slot: &Slot| ExpectedPart {
            stage: stages.name(slot.stage).clone(),
            part_id: slot.part_id,
        };
        match self {
            Self::Listed(slots) => Expect::Parts(slots.iter().map(named).collect()),
            Self::Counted(total) => Expect::Count(*total),
            Self::OpenEnded(_) => Expect::OpenEnded,
        }
    }

    /// What the seal said, if there was one.
    pub(super) fn sealed_total(&self) -> Option<u32> {
        match self {
            Self::OpenEnded(total) => *total,
            Self::Listed(_) | Self::Counted(_) => None,
        }
    }

    /// What it takes in memory, beside its fixed part.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Listed(slots) => size_of_val::<[Slot]>(slots),
            Self::Counted(_) | Self::OpenEnded(_) => 0,
        }
    }
}

/// Whether `count` parts in every stage of `of` are within bounds.
pub(super) fn check_count(count: u32, stages: &Stages, parts_max: u32) -> Result<(), TooMany> {
    let parts = u64::from(count) * stages.of_count() as u64;
    if exceeds(parts, parts_max) { Err(TooMany) } else { Ok(()) }
}

fn exceeds(parts: u64, parts_max: u32) -> bool {
    parts > u64::from(parts_max)
}
