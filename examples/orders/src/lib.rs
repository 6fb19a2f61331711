//! Order settlement: the demo's pipeline, handlers and verification.
