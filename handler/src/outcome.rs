//! What comes of an item that was handled.

use bytes::Bytes;
use longshore_schemas::WorkItem;

use crate::{FanOut, HandlerError, Output};

/// What comes of an item: written together with the progress of its stage, or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Handled, with these outputs.
    Done(Vec<Output>),
    /// Left out on purpose: nothing goes on to the next stage, and a group that waits for the item
    /// learns so.
    Skipped,
    /// Made into the parts of a group.
    FanOut(FanOut),
}

impl Outcome {
    /// Handled, with one output that has the item's key.
    ///
    /// # Errors
    /// If the value doesn't fit its schema: for good, since it never will.
    pub fn done<T: WorkItem>(value: &T) -> Result<Self, HandlerError> {
        Ok(Self::Done(vec![Output::of(value)?]))
    }

    /// Handled, and there is nothing to say.
    pub fn nothing() -> Self {
        Self::Done(Vec::new())
    }

    /// Handled, with these outputs in this order.
    pub fn many(outputs: impl IntoIterator<Item = Output>) -> Self {
        Self::Done(outputs.into_iter().collect())
    }

    /// Left out on purpose.
    pub fn skipped() -> Self {
        Self::Skipped
    }

    /// Made into the parts of a group. Only a stage with `fan_out` has a place for it.
    pub fn fan_out(parts: FanOut) -> Self {
        Self::FanOut(parts)
    }

    /// The same, and every output or part has this key.
    #[must_use]
    pub fn keyed(mut self, key: impl Into<Bytes>) -> Self {
        let key = key.into();
        for output in self.outputs_mut() {
            *output = output.clone().keyed(key.clone());
        }
        self
    }

    fn outputs_mut(&mut self) -> Box<dyn Iterator<Item = &mut Output> + '_> {
        match self {
            Self::Done(outputs) => Box::new(outputs.iter_mut()),
            Self::Skipped => Box::new(std::iter::empty()),
            Self::FanOut(parts) => Box::new(parts.parts_mut().map(|part| &mut part.output)),
        }
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self::Done(vec![output])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OutputKey;
    use crate::samples::Line;

    #[test]
    fn one_output_is_typed_and_has_the_items_key() {
        let line = Line { quantity: 1 };
        let done = Outcome::done(&line).unwrap();
        assert_eq!(done, Outcome::from(Output::of(&line).unwrap()));
        let keyed = Outcome::done(&line).unwrap().keyed("order 7");
        let own = Output::of(&line).unwrap().keyed("order 7");
        assert_eq!(keyed, Outcome::from(own));
    }

    #[test]
    fn a_key_is_given_to_every_output_and_part() {
        let outputs = || ["a", "b"].map(Output::bytes);
        let own = OutputKey::Own("key".into());
        let Outcome::Done(many) = Outcome::many(outputs()).keyed("key") else {
            panic!("it was done");
        };
        assert!(many.iter().all(|output| output.key == own));
        let parts = outputs().into_iter().collect();
        let Outcome::FanOut(parts) = Outcome::fan_out(parts).keyed("key") else {
            panic!("it was fanned out");
        };
        assert!(parts.parts().iter().all(|part| part.output.key == own));
        assert_eq!(Outcome::skipped().keyed("key"), Outcome::Skipped);
    }
}
