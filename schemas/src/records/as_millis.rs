//! A duration as whole milliseconds in an Avro long.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de, ser};

pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
    let millis = i64::try_from(value.as_millis())
        .map_err(|_| ser::Error::custom(format!("{value:?} exceeds a long of milliseconds")))?;
    to.serialize_i64(millis)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let millis = i64::deserialize(from)?;
    let millis = u64::try_from(millis)
        .map_err(|_| de::Error::custom(format!("a duration of {millis} ms is negative")))?;
    Ok(Duration::from_millis(millis))
}
