//! The codecs of a process, one for each type, for those who have a value and no codec at hand.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use foldhash::fast::RandomState;

use super::{Codec, SchemaError, WorkItem};

/// Looked up for every value that is read or written.
type Codecs = HashMap<TypeId, &'static (dyn Any + Send + Sync), RandomState>;

/// There are as many as types, so they are kept for ever.
static SHARED: RwLock<Option<Codecs>> = RwLock::new(None);

impl<T: WorkItem> Codec<T> {
    /// The type's codec as [`Codec::new`] makes it, made once.
    ///
    /// # Errors
    /// As [`Codec::new`].
    pub fn shared() -> Result<&'static Self, SchemaError> {
        match Self::known() {
            Some(codec) => Ok(codec),
            None => Self::make_known(),
        }
    }

    /// The codec of a type of ours, whose schema file is part of this crate.
    pub(crate) fn checked_in() -> &'static Self {
        Self::shared().expect("a schema file of this crate: the tests read each of them")
    }

    fn known() -> Option<&'static Self> {
        let shared = SHARED.read().unwrap_or_else(PoisonError::into_inner);
        shared.as_ref()?.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// Two that come here at once make the same codec; the second one's is kept.
    fn make_known() -> Result<&'static Self, SchemaError> {
        let codec: &'static Self = Box::leak(Box::new(Self::new()?));
        let mut shared = SHARED.write().unwrap_or_else(PoisonError::into_inner);
        shared.get_or_insert_default().insert(TypeId::of::<T>(), codec);
        Ok(codec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::Tick;

    #[test]
    fn a_type_has_one_codec() {
        let first = Codec::<Tick>::shared().unwrap();
        let second = Codec::<Tick>::shared().unwrap();
        assert_eq!(first.schema_name(), "longshore.Tick");
        assert_eq!(first.fingerprint(), second.fingerprint());
    }
}
