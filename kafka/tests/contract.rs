//! What a lane leans on, as a list of named behaviours that the model and a real Kafka both show.
//!
//! A behaviour that the model alone had would let the simulation prove what is not so.

mod contract {
    pub mod fencing;
    pub mod harness;
    pub mod membership;
    pub mod on_kafka;
    pub mod on_model;
    pub mod progress;
    pub mod reading;
    pub mod refusal;
    pub mod seat;
    pub mod transaction;
    pub mod visibility;
}

/// Declares each behaviour as a test of each implementation.
macro_rules! contract {
    ($($area:ident { $($behaviour:ident,)+ })+) => {
        mod model {
            $($(#[test]
            fn $behaviour() {
                crate::contract::$area::$behaviour(&crate::contract::on_model::OnModel::new());
            })+)+
        }
        mod kafka {
            $($(#[test]
            fn $behaviour() {
                crate::contract::$area::$behaviour(&crate::contract::on_kafka::OnKafka::new());
            })+)+
        }
    };
}

contract! {
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
    }
    membership {
        a_member_that_stopped_polling_loses_its_partitions_and_is_refused,
        a_member_whose_slot_was_taken_is_refused,
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
