//! The fleet as a whole, on a real Kafka.
