//! One item made into the parts of a group.

use std::collections::BTreeSet;

use longshore_schemas::PartId;
use longshore_schemas::records::Expect;

use crate::{HandlerError, Output, class};

/// The parts that a splitter makes of an item, and which of them the group waits for.
///
/// Collected from outputs, the parts are numbered 0, 1, ... and the group waits for all of them:
///
/// ```
/// # use longshore_handler::{FanOut, HandlerError, Outcome, Output};
/// # use longshore_schemas::WorkItem;
/// # fn split<Line: WorkItem>(lines: &[Line]) -> Result<Outcome, HandlerError> {
/// let parts: FanOut = lines.iter().map(Output::of).collect::<Result<_, _>>()?;
/// Ok(Outcome::fan_out(parts))
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FanOut {
    parts: Vec<Part>,
    expecting: Option<Expect>,
}

/// A part: one work item of the stages behind the splitter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its number within the group.
    pub id: PartId,
    /// What is written for it.
    pub output: Output,
}

impl FanOut {
    /// A group without parts so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a part.
    pub fn push(&mut self, id: PartId, output: Output) {
        self.parts.push(Part { id, output });
    }

    /// Says which parts the group waits for, where they aren't the parts published here: some come
    /// from elsewhere, or some aren't for every stage of the join.
    #[must_use]
    pub fn expecting(self, expect: Expect) -> Self {
        Self { expecting: Some(expect), ..self }
    }

    /// The parts, in the order in which they are published.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The parts, to be given keys.
    pub(crate) fn parts_mut(&mut self) -> impl Iterator<Item = &mut Part> {
        self.parts.iter_mut()
    }

    /// What the group waits for: as said by [`FanOut::expecting`], otherwise as many parts as are
    /// published, each counted once.
    ///
    /// # Errors
    /// If a part isn't among them, for good: nothing would ever come of its outcome.
    pub fn expect(&self) -> Result<Expect, HandlerError> {
        let expect = self.expecting.clone().unwrap_or_else(|| self.count());
        match self.stranger(&expect) {
            None => Ok(expect),
            Some(id) => Err(HandlerError::permanent(
                class::MISFIT,
                format!(
                    "part {id} is published and its group doesn't wait for it; number the parts \
                     from 0, or say which ones are expected"
                ),
            )),
        }
    }

    fn count(&self) -> Expect {
        let ids: BTreeSet<PartId> = self.parts.iter().map(|part| part.id).collect();
        Expect::Count(u32::try_from(ids.len()).unwrap_or(u32::MAX))
    }

    /// A part that isn't expected.
    fn stranger(&self, expect: &Expect) -> Option<PartId> {
        let mut ids = self.parts.iter().map(|part| part.id);
        match expect {
            Expect::Parts(parts) => {
                let expected: BTreeSet<PartId> = parts.iter().map(|part| part.part_id).collect();
                ids.find(|id| !expected.contains(id))
            }
            Expect::Count(count) => ids.find(|id| id.0 >= *count),
            Expect::OpenEnded => None,
        }
    }
}

impl FromIterator<Output> for FanOut {
    fn from_iter<I: IntoIterator<Item = Output>>(outputs: I) -> Self {
        let mut fan_out = Self::new();
        for (id, output) in (0..).map(PartId).zip(outputs) {
            fan_out.push(id, output);
        }
        fan_out
    }
}

#[cfg(test)]
mod tests {
    use longshore_schemas::records::ExpectedPart;

    use super::*;

    fn of(ids: &[u32]) -> FanOut {
        let mut fan_out = FanOut::new();
        for id in ids {
            fan_out.push(PartId(*id), Output::bytes("part"));
        }
        fan_out
    }

    #[test]
    fn a_group_waits_for_each_published_part_once() {
        for (ids, count) in [(&[] as &[u32], 0), (&[0, 1, 2], 3), (&[1, 0, 1], 2)] {
            assert_eq!(of(ids).expect(), Ok(Expect::Count(count)), "{ids:?}");
        }
    }

    #[test]
    fn collected_outputs_are_numbered() {
        let fan_out: FanOut = ["a", "b"].map(Output::bytes).into_iter().collect();
        let ids: Vec<_> = fan_out.parts().iter().map(|part| part.id).collect();
        assert_eq!(ids, [PartId(0), PartId(1)]);
    }

    #[test]
    fn more_parts_can_be_expected_than_are_published() {
        let expect = Expect::Count(5);
        assert_eq!(of(&[0]).expecting(expect.clone()).expect(), Ok(expect));
        let open = of(&[9]).expecting(Expect::OpenEnded);
        assert_eq!(open.expect(), Ok(Expect::OpenEnded));
    }

    #[test]
    fn a_part_that_nobody_waits_for_is_an_error() {
        let named = Expect::Parts(vec![ExpectedPart { stage: "price".into(), part_id: PartId(3) }]);
        assert!(of(&[3]).expecting(named.clone()).expect().is_ok());
        for wrong in
            [of(&[1, 2]), of(&[0, 1]).expecting(Expect::Count(1)), of(&[0]).expecting(named)]
        {
            let error = wrong.expect().unwrap_err();
            assert_eq!((error.may_heal(), error.class()), (false, class::MISFIT));
        }
    }
}
