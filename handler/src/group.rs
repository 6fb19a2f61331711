//! What a gather is given: the parts of a group that has closed.

use bytes::Bytes;
use longshore_schemas::records::{
    CompletedBy, Counts, ExpectedPart, GroupStatus, PartError, PartStatus,
};
use longshore_schemas::{Codec, GroupId, PartId, Revision, RunId, StageName, WorkItem};

use crate::{HandlerError, InputError};

/// A group that has closed, with the outcomes of its parts. A handler that takes one is a gather.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The group.
    pub group_id: GroupId,
    /// The opening that is answered.
    pub revision: Revision,
    /// The run that it belongs to, if any.
    pub run_id: Option<RunId>,
    /// Whether it has what its rule asked for.
    pub status: GroupStatus,
    /// What closed it.
    pub completed_by: CompletedBy,
    /// Its parts, counted.
    pub counts: Counts,
    /// The parts that had not ended when it closed, sorted by stage and part.
    pub missing: Vec<ExpectedPart>,
    /// The parts that had, sorted by stage and part.
    pub parts: Vec<GroupPart>,
}

/// A part of a group that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPart {
    /// The stage that ended it.
    pub stage: StageName,
    /// Its number within the group.
    pub part_id: PartId,
    /// How it ended.
    pub status: PartStatus,
    /// What the stage's handler made of it, encoded; none unless done.
    pub payload: Option<Bytes>,
    /// Why it failed; none unless failed.
    pub error: Option<PartError>,
}

impl Group {
    /// The parts that ended in this stage, in any way, in the order of their ids.
    pub fn parts_of(&self, stage: &str) -> impl Iterator<Item = &GroupPart> {
        self.parts.iter().filter(move |part| part.stage.as_str() == stage)
    }

    /// What this stage made of the parts, in the order of their ids; parts without a payload (left
    /// out, failed, done with no output) are left out.
    ///
    /// # Errors
    /// If a payload doesn't read as a `T`: for good, since it never will.
    pub fn decode<T: WorkItem>(&self, stage: &str) -> Result<Vec<(PartId, T)>, HandlerError> {
        let codec = Codec::<T>::shared().map_err(InputError::from)?;
        let read = |(part_id, payload): (PartId, &Bytes)| {
            let value = codec.decode(payload).map_err(InputError::from)?;
            Ok((part_id, value))
        };
        self.parts_of(stage)
            .filter_map(|part| Some((part.part_id, part.payload.as_ref()?)))
            .map(read)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class;
    use crate::samples::{self, Line};

    #[test]
    fn payloads_of_one_stage_are_decoded_in_order() {
        let group = samples::group();
        let priced: Vec<(PartId, Line)> = group.decode("price").unwrap();
        assert_eq!(
            priced,
            [(PartId(0), Line { quantity: 10 }), (PartId(2), Line { quantity: 12 }),]
        );
        assert_eq!(group.parts_of("price").count(), 3);
        assert_eq!(group.decode::<Line>("supply").unwrap(), []);
    }

    #[test]
    fn a_payload_that_does_not_read_fails_for_good() {
        let mut group = samples::group();
        group.parts[0].payload = Some(Bytes::from_static(b"?"));
        let error = group.decode::<Line>("price").unwrap_err();
        assert_eq!(error.class(), class::UNDECODABLE);
        assert!(!error.may_heal());
    }
}
