//! What a lane leans on, as a list of named behaviours that the model and a real Kafka both show.
//!
//! A behaviour that the model alone had would let the simulation prove what is not so.

mod contract {
    pub mod death;
    pub mod fencing;
    pub mod harness;
    pub mod lateness;
    pub mod markers;
    pub mod membership;
    pub mod on_kafka;
    pub mod on_model;
    pub mod on_proxied_kafka;
    pub mod plain_client;
    pub mod progress;
    #[path = "../client/proxied.rs"]
    pub mod proxied;
    pub mod reading;
    pub mod refusal;
    pub mod seat;
    pub mod transaction;
    pub mod visibility;
}

/// Declares each behaviour as a test of each implementation. Some share a Kafka; the others make
/// trouble, and have one for themselves.
macro_rules! contract {
    (
        shared { $($area:ident { $($behaviour:ident,)+ })+ }
        alone { $($own_area:ident { $($own_behaviour:ident,)+ })+ }
    ) => {
        mod model {
            use crate::contract::on_model::OnModel;
            $($(#[test]
            fn $behaviour() {
                crate::contract::$area::$behaviour(&OnModel::new());
            })+)+
            $($(#[test]
            fn $own_behaviour() {
                crate::contract::$own_area::$own_behaviour(&OnModel::new());
            })+)+
        }
        mod kafka {
            use crate::contract::on_kafka::{Alone, Shared};
            $($(#[test]
            fn $behaviour() {
                crate::contract::$area::$behaviour(&Shared::shared());
            })+)+
            $($(#[test]
            fn $own_behaviour() {
                crate::contract::$own_area::$own_behaviour(&Alone::alone());
            })+)+
        }
    };
}

contract! {
    shared {
        visibility {
            aborted_output_is_never_read_by_committed_readers,
            output_and_progress_are_committed_together,
            without_a_commit_there_is_neither_output_nor_progress,
            markers_take_offsets,
            delivered_records_tell_their_offsets,
            a_timed_out_transaction_is_never_read_and_its_producer_must_be_rebuilt,
        }
        fencing {
            a_second_producer_of_an_id_fences_the_first,
            initialising_ends_the_open_transaction_of_a_predecessor,
            an_idle_producer_is_fenced_when_it_writes_again,
        }
        progress {
            metadata_of_4096_bytes_is_kept_and_5000_are_refused,
            no_progress_is_told_from_progress_at_zero,
            progress_elsewhere_in_the_topic_is_told,
            a_partition_that_was_begun_is_told_while_it_has_no_progress,
            the_logs_bounds_and_times_are_told,
            locating_waits_for_pending_progress,
            progress_of_a_partition_not_owned_is_accepted,
            progress_goes_with_its_topic,
            of_two_producers_the_progress_appended_last_counts,
            progress_without_a_membership_is_accepted_unchecked,
        }
        membership {
            a_member_that_stopped_polling_loses_its_partitions_and_is_refused,
            a_member_whose_slot_was_taken_is_refused_and_loses_all_and_stops,
            a_rebalance_hands_over_at_the_last_commit,
            while_a_revocation_waits_for_its_answer_nothing_is_read,
        }
        reading {
            nothing_is_read_before_the_start,
            the_end_of_a_partition_lies_behind_its_markers,
            an_end_is_always_told_at_the_same_place,
            a_start_in_a_gap_goes_on_behind_it,
            an_offset_below_the_logs_start_is_out_of_range,
            an_offset_beyond_the_logs_end_is_out_of_range,
            a_pause_stops_delivery_and_a_resume_loses_nothing,
            a_topic_that_is_made_anew_is_not_read_on,
        }
        refusal {
            a_record_too_large_is_refused_by_name_and_others_are_not,
            after_a_refusal_nothing_more_is_taken_and_the_reason_is_still_told,
        }
    }
    alone {
        markers {
            records_wait_while_the_markers_of_the_transaction_before_are_written,
            until_its_markers_are_written_a_commit_is_seen_by_nobody_and_its_id_waits,
            progress_that_is_late_still_counts_until_the_markers_are_written,
        }
        lateness {
            a_late_commit_commits_what_the_next_transaction_of_its_producer_has_open,
            a_late_abort_aborts_the_next_transaction_of_its_producer,
            late_requests_do_nothing_to_a_producer_that_was_replaced,
            late_progress_overwrites_that_of_the_next_transaction_of_its_producer,
            late_progress_finds_no_way_into_a_transaction_that_has_none,
            a_repeated_commit_is_answered_like_the_first,
            while_a_commit_is_under_way_nothing_else_is_taken,
            a_commit_that_was_given_up_has_landed_or_not_once_its_successor_is_ready,
            progress_of_a_generation_that_has_passed_is_refused,
        }
        death {
            a_crashed_members_partitions_move_when_its_session_runs_out,
            a_slot_passes_to_its_next_holder_at_once,
            a_member_takes_its_slot_again_when_nobody_has_it_any_more,
            a_member_whose_session_ran_out_is_refused_and_hears_of_it_and_joins_again,
        }
    }
}
