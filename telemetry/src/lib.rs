//! The process around the work: logs, metrics, trace context, health, shutdown; no domain.
//!
//! Reading order: what an operator may set, what the process says (log lines, metrics and their
//! names, the trace context it hands on), how it is asked (health, the admin server), how it ends,
//! and the value that puts these together.

mod settings;

pub mod logs;
pub mod metrics;
pub mod names;
pub mod propagation;

pub mod admin;
pub mod health;
pub mod shutdown;

mod telemetry;

pub use health::{Component, Health, Readiness};
pub use logs::{LogFormat, LogValue, Surroundings};
pub use metrics::Metrics;
pub use propagation::{Extractor, Injector, TraceContext};
pub use settings::TelemetrySettings;
pub use shutdown::Shutdown;
pub use telemetry::{StartError, Telemetry};
