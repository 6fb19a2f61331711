//! Every default of a process's settings, with its reason. Those of the Kafka client stand beside
//! the client, in `longshore-kafka`; those of a pipeline beside the pipeline.

/// Kubernetes kills a process 30 s after it asked it to stop: a drain must be over by then, its
/// last commit included.
pub(super) const DRAIN_TIMEOUT: &str = "25s";

/// The port that OpenTelemetry's Prometheus exporters use; on the loopback, since nothing asks for
/// a password.
pub(super) const ADMIN: &str = "127.0.0.1:9464";

/// People at a terminal and log collectors are both served by the guess.
pub(super) const LOGS: &str = "auto";
