//! What can be wrong with the settings, and what to do about it.

use std::time::Duration;

use rdkafka::error::KafkaError;
use thiserror::Error;

use super::is_secret;
use crate::remedy::{Failure, Remedy};

/// What is wrong with the settings.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SettingsError {
    /// A property that isn't the user's to set.
    #[error("the Kafka property `{key}` can't be overridden: {reason}; leave it out")]
    Owned {
        /// The property.
        key: String,
        /// Why.
        reason: &'static str,
    },
    /// The client doesn't know the property, or not this value.
    #[error("the Kafka property `{key}` is refused: {reason}; see librdkafka's CONFIGURATION.md")]
    Refused {
        /// The property.
        key: String,
        /// What the client says.
        reason: String,
    },
    /// Properties that don't go together.
    #[error("the Kafka client can't be made from these settings: {reason}; check the overrides")]
    Unusable {
        /// What the client says.
        reason: String,
    },
    /// The order that keeps a hung transaction from outliving its member is broken.
    #[error(
        "`{shorter}` ({shorter_value:?}) must be shorter than `{longer}` ({longer_value:?}): \
         raise the second or lower the first"
    )]
    Order {
        /// The setting that should be less.
        shorter: &'static str,
        /// Its value.
        shorter_value: Duration,
        /// The setting that should be more.
        longer: &'static str,
        /// Its value.
        longer_value: Duration,
    },
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self {
            remedy: Remedy::Stop,
            call: "settings",
            code: "INVALID_CONFIG".to_owned(),
            message: error.to_string(),
        }
    }
}

/// What the client says when it can't be made.
pub(crate) fn rejected(error: KafkaError) -> SettingsError {
    match error {
        // Of a secret not even the client's complaint is repeated: it quotes the value.
        KafkaError::ClientConfig(_, _, key, _) if is_secret(&key) => {
            SettingsError::Refused { key, reason: "its value isn't valid".to_owned() }
        }
        KafkaError::ClientConfig(_, reason, key, _) => SettingsError::Refused { key, reason },
        other => SettingsError::Unusable { reason: other.to_string() },
    }
}
