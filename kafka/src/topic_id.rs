//! Which of all topics that ever had its name a topic is.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use thiserror::Error;

/// What a topic is given when it is made, and no other ever has: a topic that is deleted and made
/// again under its name has another one (KIP-516). Written as Kafka's tools write it, in 22
/// characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TopicId([u8; 16]);

/// A text that is no topic id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a topic id is 22 characters of base64")]
pub struct NoTopicId;

impl TopicId {
    /// The id of this number.
    pub const fn new(id: u128) -> Self {
        Self(id.to_be_bytes())
    }

    /// Whether it says which topic it is: clusters before Kafka 2.8 gave none.
    pub fn is_known(self) -> bool {
        self.0 != [0; 16]
    }
}

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl FromStr for TopicId {
    type Err = NoTopicId;

    fn from_str(text: &str) -> Result<Self, NoTopicId> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| NoTopicId)?;
        bytes.try_into().map(Self).map_err(|_| NoTopicId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_kafka_writes_it() {
        // The id of the topic of a cluster's own metadata, as Kafka's `Uuid` prints it.
        assert_eq!(TopicId::new(1).to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
        for id in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef] {
            assert_eq!(TopicId::new(id).to_string().parse(), Ok(TopicId::new(id)));
        }
        for text in ["", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAQ==", "not:base64"] {
            assert_eq!(text.parse::<TopicId>(), Err(NoTopicId), "{text}");
        }
    }
}
