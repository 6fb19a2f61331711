//! The calls into librdkafka that the crate rdkafka doesn't offer, or not safely: the only unsafe
//! code of the workspace.
//!
//! - Offsets are sent under group metadata that was looked at: the crate's own type is opaque, and
//!   metadata without a member switches the group coordinator's check off.
//! - A topic's id isn't offered, nor who has a slot of a group.
//! - Names of headers and metadata of offsets may be anything that other clients wrote; the crate
//!   panics when they aren't UTF-8.
#![allow(unsafe_code)]

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;
use std::time::Duration;

use longshore_schemas::TopicName;
use rdkafka::TopicPartitionList;
use rdkafka::bindings as c;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::producer::{Producer, ProducerContext, ThreadedProducer};

use super::remedy_of::{Class, ClientError};
use crate::TopicId;

/// Sends offsets into the producer's transaction under a membership. Where the coordinator of the
/// group has gone it may never return, whatever `wait` says (librdkafka issues 5456 and 5511).
pub(super) fn send_offsets<P: ProducerContext + 'static>(
    producer: &ThreadedProducer<P>,
    membership: &Membership,
    offsets: &TopicPartitionList,
    wait: Duration,
) -> Result<(), ClientError> {
    let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the producer, the list and the metadata are borrowed here, so all three live
    // throughout the call, which keeps none of them (it copies what outlives it). The client is
    // thread-safe. What it returns is ours.
    let error = unsafe {
        c::rd_kafka_send_offsets_to_transaction(
            producer.client().native_ptr(),
            offsets.ptr(),
            membership.0,
            wait,
        )
    };
    take_error(error).map_or(Ok(()), Err)
}

/// A snapshot of a consumer's membership, owned. Never null.
#[derive(Debug)]
pub(super) struct Membership(*mut c::rd_kafka_consumer_group_metadata_t);

// SAFETY: the snapshot is memory of its own that belongs to no thread, and only its owner has it.
unsafe impl Send for Membership {}

impl Membership {
    /// The consumer's membership as it is at this moment; none, if it is no member. To be called on
    /// the thread that polls the consumer, before it gives a partition back.
    pub(super) fn of<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> Option<Self> {
        // SAFETY: the consumer lives as long as its borrow. The snapshot that is returned is ours,
        // or null for a consumer without a group.
        let pointer =
            unsafe { c::rd_kafka_consumer_group_metadata(consumer.client().native_ptr()) };
        (!pointer.is_null()).then_some(Self(pointer)).filter(Self::is_live)
    }

    /// The member's id. It stays the same as long as the membership does: who was lost by the group
    /// and taken in again has another one.
    pub(super) fn member(&self) -> String {
        // SAFETY: the pointer isn't null and the snapshot is ours. The member id points into it,
        // and is copied before it can be destroyed.
        unsafe { text(c::rd_kafka_consumer_group_metadata_member_id(self.0)) }
    }

    /// Whether the group coordinator will check it: generation -1 with an empty member id passes
    /// unchecked, even in a group that has members (Kafka keeps that for old clients).
    fn is_live(&self) -> bool {
        // SAFETY: the pointer isn't null and the snapshot is ours.
        let generation = unsafe { c::rd_kafka_consumer_group_metadata_generation_id(self.0) };
        generation >= 0 && !self.member().is_empty()
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        // SAFETY: the snapshot is ours, and this is the only place that gives it back.
        unsafe { c::rd_kafka_consumer_group_metadata_destroy(self.0) }
    }
}

/// Reads an error object, and gives it back to the client.
fn take_error(error: *mut c::rd_kafka_error_t) -> Option<ClientError> {
    if error.is_null() {
        return None;
    }
    // SAFETY: the object isn't null, it is ours and is destroyed once, after everything in it was
    // read or copied.
    unsafe {
        let class = Class::from_flags(
            c::rd_kafka_error_is_fatal(error) != 0,
            c::rd_kafka_error_txn_requires_abort(error) != 0,
            c::rd_kafka_error_is_retriable(error) != 0,
        );
        let found = ClientError {
            code: c::rd_kafka_error_code(error).into(),
            class,
            message: text(c::rd_kafka_error_string(error)),
        };
        c::rd_kafka_error_destroy(error);
        Some(found)
    }
}

/// The name of a code as librdkafka writes it, such as `INVALID_TXN_STATE`.
pub(super) fn code_name(code: RDKafkaErrorCode) -> String {
    let Ok(raw) = c::rd_kafka_resp_err_t::try_from(code as i32) else {
        return format!("{code:?}");
    };
    // SAFETY: the function takes any code and returns a text that is never freed.
    unsafe { text(c::rd_kafka_err2name(raw)) }
}

/// The id of a topic, as a broker tells it within `wait`.
pub(crate) fn topic_id<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &TopicName,
    wait: Duration,
) -> Result<TopicId, KafkaError> {
    let invalid = |_| KafkaError::AdminOp(RDKafkaErrorCode::InvalidTopic);
    let name = CString::new(topic.as_str()).map_err(invalid)?;
    // The question goes to the controller, and the client remembers which broker that is for
    // minutes after it has died (`rk_controllerid`): until any metadata names another one.
    consumer.fetch_metadata(Some(topic.as_str()), wait)?;
    let client = consumer.client().native_ptr();
    let operation = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
    let ask = |options, queue| {
        // SAFETY: the client lives as long as its borrow and is thread-safe; the options and the
        // queue live throughout the call. The name outlives the collection, which copies it, is
        // ours and is destroyed once.
        unsafe {
            let mut name = name.as_ptr();
            let topics = c::rd_kafka_TopicCollection_of_topic_names(&mut name, 1);
            c::rd_kafka_DescribeTopics(client, topics, options, queue);
            c::rd_kafka_TopicCollection_destroy(topics);
        }
    };
    // SAFETY: what is asked is answered by an event of this kind.
    administer(consumer, operation, wait, ask, |event| unsafe { described_id(event) })
}

/// Asks a question of a client that administers, and reads the answer that comes within `wait`.
fn administer<C: ConsumerContext, T>(
    consumer: &BaseConsumer<C>,
    operation: c::rd_kafka_admin_op_t,
    wait: Duration,
    ask: impl FnOnce(*const c::rd_kafka_AdminOptions_t, *mut c::rd_kafka_queue_t),
    read: impl FnOnce(*mut c::rd_kafka_event_t) -> Result<T, RDKafkaErrorCode>,
) -> Result<T, KafkaError> {
    let millis = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
    let client = consumer.client().native_ptr();
    // SAFETY: the client lives as long as its borrow and is thread-safe. The options and the queue
    // are ours, are used by the request while it is made only, and are destroyed once; the client
    // counts references to the queue, so that an answer that comes late is dropped. The event is
    // null or ours, and is read before it is destroyed.
    unsafe {
        let options = c::rd_kafka_AdminOptions_new(client, operation);
        c::rd_kafka_AdminOptions_set_request_timeout(options, millis, ptr::null_mut(), 0);
        let queue = c::rd_kafka_queue_new(client);
        ask(options, queue);
        let event = c::rd_kafka_queue_poll(queue, millis);
        let found = match event.is_null() {
            true => Err(RDKafkaErrorCode::OperationTimedOut),
            false => read(event),
        };
        if !event.is_null() {
            c::rd_kafka_event_destroy(event);
        }
        c::rd_kafka_queue_destroy(queue);
        c::rd_kafka_AdminOptions_destroy(options);
        found.map_err(KafkaError::AdminOp)
    }
}

/// What an answer says of the one topic that was asked about.
///
/// # Safety
/// The event is an answer to DescribeTopics, and lives throughout the call.
unsafe fn described_id(event: *mut c::rd_kafka_event_t) -> Result<TopicId, RDKafkaErrorCode> {
    // SAFETY: the event lives by the caller's promise, and owns all that is read here; each pointer
    // is looked at before it is used.
    unsafe {
        let code = c::rd_kafka_event_error(event);
        if !is_ok(code) {
            return Err(code.into());
        }
        let result = c::rd_kafka_event_DescribeTopics_result(event);
        let mut count = 0;
        let topics = c::rd_kafka_DescribeTopics_result_topics(result, &mut count);
        if count == 0 || topics.is_null() {
            return Err(RDKafkaErrorCode::UnknownTopic);
        }
        let error = c::rd_kafka_TopicDescription_error(*topics);
        if !error.is_null() && !is_ok(c::rd_kafka_error_code(error)) {
            return Err(c::rd_kafka_error_code(error).into());
        }
        let id = c::rd_kafka_TopicDescription_topic_id(*topics);
        if id.is_null() {
            return Err(RDKafkaErrorCode::UnknownTopic);
        }
        let high = c::rd_kafka_Uuid_most_significant_bits(id) as u64;
        let low = c::rd_kafka_Uuid_least_significant_bits(id) as u64;
        Ok(TopicId::new(u128::from(high) << 64 | u128::from(low)))
    }
}

/// Who has a slot of a group, as the group's coordinator tells within `wait`.
pub(super) fn holder_of_slot<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    group: &str,
    slot: &str,
    wait: Duration,
) -> Result<Holder, KafkaError> {
    let invalid = |_| KafkaError::AdminOp(RDKafkaErrorCode::InvalidGroupId);
    let name = CString::new(group).map_err(invalid)?;
    let client = consumer.client().native_ptr();
    let operation = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS;
    let ask = |options, queue| {
        // SAFETY: the client lives as long as its borrow and is thread-safe; the options and the
        // queue live throughout the call. The name outlives the call, which copies it.
        unsafe {
            let mut name = name.as_ptr();
            c::rd_kafka_DescribeConsumerGroups(client, &mut name, 1, options, queue);
        }
    };
    // SAFETY: what is asked is answered by an event of this kind.
    administer(consumer, operation, wait, ask, |event| unsafe { described_holder(event, slot) })
}

/// What an answer says of a slot in the one group that was asked about.
///
/// # Safety
/// The event is an answer to DescribeConsumerGroups, and lives throughout the call.
unsafe fn described_holder(
    event: *mut c::rd_kafka_event_t,
    slot: &str,
) -> Result<Holder, RDKafkaErrorCode> {
    use c::rd_kafka_consumer_group_state_t as State;
    // SAFETY: the event lives by the caller's promise, and owns all that is read here; each pointer
    // is looked at before it is used, and each index lies within the count.
    unsafe {
        let code = c::rd_kafka_event_error(event);
        if !is_ok(code) {
            return Err(code.into());
        }
        let result = c::rd_kafka_event_DescribeConsumerGroups_result(event);
        let mut count = 0;
        let groups = c::rd_kafka_DescribeConsumerGroups_result_groups(result, &mut count);
        if count == 0 || groups.is_null() {
            return Err(RDKafkaErrorCode::InvalidGroupId);
        }
        let group = *groups;
        let error = c::rd_kafka_ConsumerGroupDescription_error(group);
        if !error.is_null() && !is_ok(c::rd_kafka_error_code(error)) {
            return match c::rd_kafka_error_code(error).into() {
                RDKafkaErrorCode::GroupIdNotFound => Ok(Holder::Nobody),
                code => Err(code),
            };
        }
        let state = c::rd_kafka_ConsumerGroupDescription_state(group);
        for index in 0..c::rd_kafka_ConsumerGroupDescription_member_count(group) {
            let member = c::rd_kafka_ConsumerGroupDescription_member(group, index);
            if shown(c::rd_kafka_MemberDescription_group_instance_id(member)) == slot {
                return Ok(Holder::Member {
                    id: text(c::rd_kafka_MemberDescription_consumer_id(member)),
                    client: text(c::rd_kafka_MemberDescription_client_id(member)),
                    host: text(c::rd_kafka_MemberDescription_host(member)),
                    is_settled: state == State::RD_KAFKA_CONSUMER_GROUP_STATE_STABLE,
                });
            }
        }
        match state {
            State::RD_KAFKA_CONSUMER_GROUP_STATE_UNKNOWN => Err(RDKafkaErrorCode::NotCoordinator),
            _ => Ok(Holder::Nobody),
        }
    }
}

/// Who has a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Nobody,
    Member {
        /// The id that the coordinator gave it.
        id: String,
        /// What it calls itself.
        client: String,
        host: String,
        /// Its group is between rebalances: its session is counted.
        is_settled: bool,
    },
}

/// The metadata beside each offset of a list, in the list's order.
pub(super) fn metadata(list: &TopicPartitionList) -> Vec<String> {
    let read = |index: isize| {
        // SAFETY: the index lies within the list's own count, nothing changes the list while it is
        // borrowed, and its metadata is null or as long as it says.
        unsafe {
            let element = (*list.ptr()).elems.offset(index);
            let metadata = bytes((*element).metadata, (*element).metadata_size);
            String::from_utf8_lossy(metadata.unwrap_or_default()).into_owned()
        }
    };
    (0..list.count() as isize).map(read).collect()
}

/// Shows the headers of a message, in their order.
pub(super) fn visit_headers(
    message: &BorrowedMessage<'_>,
    mut visit: impl FnMut(&str, Option<&[u8]>),
) {
    let mut native = ptr::null_mut();
    // SAFETY: the message lives as long as its borrow, and owns the headers that are looked at.
    if !is_ok(unsafe { c::rd_kafka_message_headers(message.ptr(), &mut native) }) {
        return;
    }
    let (mut name, mut value, mut size) = (ptr::null::<c_char>(), ptr::null::<c_void>(), 0);
    for index in 0.. {
        // SAFETY: the headers live as long as the message; an index behind the last is answered
        // with an error, and nothing is written then.
        let got =
            unsafe { c::rd_kafka_header_get_all(native, index, &mut name, &mut value, &mut size) };
        if !is_ok(got) {
            break;
        }
        // SAFETY: the call has just set all three: a name with a nul at its end, and a value that
        // is null or as long as it says. Both are shown while the message is borrowed.
        unsafe { visit(&shown(name), bytes(value, size)) }
    }
}

fn is_ok(code: c::rd_kafka_resp_err_t) -> bool {
    code == c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR
}

/// A copy of a C text, whatever its encoding; empty for null.
///
/// # Safety
/// The pointer is null, or valid up to a nul.
unsafe fn text(pointer: *const c_char) -> String {
    // SAFETY: by the caller's promise, and it is copied at once.
    unsafe { shown(pointer) }.into_owned()
}

/// A C text, whatever its encoding; empty for null.
///
/// # Safety
/// The pointer is null, or valid up to a nul as long as the result is used.
unsafe fn shown<'a>(pointer: *const c_char) -> Cow<'a, str> {
    if pointer.is_null() {
        return Cow::Borrowed("");
    }
    // SAFETY: by the caller's promise.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy()
}

/// Some bytes; none for null.
///
/// # Safety
/// The pointer is null, or valid for `size` bytes as long as the result is used.
unsafe fn bytes<'a>(pointer: *const c_void, size: usize) -> Option<&'a [u8]> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: by the caller's promise.
    Some(unsafe { std::slice::from_raw_parts(pointer.cast::<u8>(), size) })
}

#[cfg(test)]
mod tests {
    use rdkafka::ClientConfig;

    use super::*;

    #[test]
    fn a_consumer_that_was_never_taken_in_has_no_membership() {
        let mut config = ClientConfig::new();
        // It knows of no broker.
        let consumer: BaseConsumer = config.set("group.id", "g").create().expect("a consumer");
        assert!(Membership::of(&consumer).is_none());
    }
}
