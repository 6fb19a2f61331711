//! The door to Kafka: settings, transactions, progress and the lane.
