//! A count as an Avro long, which is signed and has no unsigned brother.

use serde::{Deserialize, Deserializer, Serializer, de, ser};

pub(super) fn serialize<S: Serializer>(value: &u64, to: S) -> Result<S::Ok, S::Error> {
    let long =
        i64::try_from(*value).map_err(|_| ser::Error::custom(format!("{value} exceeds a long")))?;
    to.serialize_i64(long)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let long = i64::deserialize(from)?;
    u64::try_from(long).map_err(|_| de::Error::custom(format!("a count of {long} is negative")))
}
