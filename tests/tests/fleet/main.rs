//! The fleet as a whole on a real Kafka: calm, under faults, and where it must stop.

mod calm;

mod audit_at_hand;
mod strangers;

mod audited_progress;
mod audits;

mod clock_steps;
mod crashes;
mod draining;
mod identities;
mod joins;
mod producers;
mod spilled;
mod take_over;

mod frequent_rebalances;
mod partitions_added;
mod rebalances;
mod revoke_budget;

mod disk_full;
mod features_upgraded;
mod restarts;

mod bad_items;
mod held_items;
mod memory;
mod poison;

mod bad_input;
mod expired_under_a_reader;
mod lost_positions;
mod offsets_deleted;
mod topic_made_anew;

use longshore_tests::{echoes, naps};
