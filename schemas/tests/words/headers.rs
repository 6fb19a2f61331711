//! Headers are read as they were written, whatever else stands beside them.

use bytes::Bytes;
use longshore_schemas::headers::{ERROR_MESSAGE_MAX, Failure, ID, IDEMPOTENCY_KEY, OURS};
use longshore_schemas::{
    GroupId, Headers, Inbox, Origin, PartHeaders, PartId, ResultOrigin, Revision, RunId, StageName,
    TopicName,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::values::timestamp;

fn topic() -> impl Strategy<Value = TopicName> {
    "[a-zA-Z0-9._-]{1,20}".prop_map(TopicName::from)
}

fn origin() -> impl Strategy<Value = Origin> {
    (topic(), 0..=i32::MAX, 0..=i64::MAX, any::<u32>())
        .prop_map(|(topic, partition, offset, index)| Origin { topic, partition, offset, index })
}

fn result_origin() -> impl Strategy<Value = ResultOrigin> {
    (stage(), origin(), any::<u32>(), any::<u32>()).prop_map(|(join, origin, revision, index)| {
        ResultOrigin { join, group_id: origin.group_id(), revision: Revision(revision), index }
    })
}

fn stage() -> impl Strategy<Value = StageName> {
    "[a-z_]{1,12}".prop_map(StageName::from)
}

fn part() -> impl Strategy<Value = PartHeaders> {
    let inbox = (topic(), 0..=i32::MAX).prop_map(|(topic, partition)| Inbox { topic, partition });
    let numbers = any::<[u32; 3]>();
    (".+", timestamp(), numbers, inbox, option::of(".+")).prop_map(
        |(group, opened_at, [revision, part_id, attempt], inbox, run)| PartHeaders {
            group_id: GroupId::from(group),
            revision: Revision(revision),
            opened_at,
            part_id: PartId(part_id),
            inbox,
            attempt,
            run_id: run.map(RunId::from),
        },
    )
}

fn failure() -> impl Strategy<Value = Failure> {
    ("[a-z]{1,10}", "\\PC{0,1200}", origin(), any::<u32>(), stage(), timestamp()).prop_map(
        |(class, message, origin, attempts, stage, failed_at)| Failure {
            class,
            message,
            origin,
            attempts,
            stage,
            failed_at,
            item_time: (attempts % 2 == 0).then_some(failed_at),
        },
    )
}

/// Headers of any kind, ours among them.
fn any_headers() -> impl Strategy<Value = Headers> {
    let name = prop_oneof![
        "[a-z-]{0,12}",
        "ls-[a-z-]{0,6}",
        Just("ls-group".to_owned()),
        Just("ls-attempt".to_owned()),
        Just("ls-origin".to_owned()),
        Just("ls-error-class".to_owned()),
    ];
    let value = option::of(vec(any::<u8>(), 0..8).prop_map(Bytes::from));
    vec((name, value), 0..12).prop_map(|list| {
        let mut headers = Headers::new();
        list.into_iter().for_each(|(name, value)| headers.push(&name, value));
        headers
    })
}

proptest! {
    #[test]
    fn a_part_is_read_as_it_was_written(part in part(), mut headers in any_headers()) {
        part.write(&mut headers);
        prop_assert_eq!(PartHeaders::read(&headers), Ok(Some(part)));
    }

    #[test]
    fn an_origin_is_read_as_it_was_written(origin in origin(), mut headers in any_headers()) {
        origin.write(&mut headers);
        prop_assert_eq!(Origin::read(&headers), Ok(Some(origin)));
    }

    #[test]
    fn the_origin_of_a_result_is_read_as_it_was_written(origin in result_origin()) {
        let mut headers = Headers::new();
        origin.write(&mut headers);
        prop_assert_eq!(ResultOrigin::read(&headers), Ok(Some(origin)));
        prop_assert!(Origin::read(&headers).is_err());
    }

    #[test]
    fn a_failure_is_read_as_far_as_it_was_kept(failure in failure(), headers in any_headers()) {
        let mut dead = headers.clone();
        failure.write(&mut dead);
        let read = Failure::read(&dead).unwrap().unwrap();
        prop_assert!(read.message.len() <= ERROR_MESSAGE_MAX);
        prop_assert!(failure.message.starts_with(&read.message));
        prop_assert!(failure.message.len() - read.message.len() < 4
            || read.message.len() > ERROR_MESSAGE_MAX - 4);
        prop_assert_eq!(Failure { message: failure.message.clone(), ..read }, failure);
        prop_assert!(dead.iter().take(headers.len()).eq(headers.iter()), "its own headers stay");
    }

    #[test]
    fn any_headers_read_as_something_or_an_error(headers in any_headers()) {
        let _ = PartHeaders::read(&headers);
        let _ = Origin::read(&headers);
        let _ = Failure::read(&headers);
    }

    #[test]
    fn stripped_headers_keep_what_is_not_ours(headers in any_headers()) {
        let mut stripped = headers.clone();
        stripped.strip_ours();
        let kept = |name: &str| !name.starts_with(OURS) || [ID, IDEMPOTENCY_KEY].contains(&name);
        prop_assert!(stripped.iter().eq(headers.iter().filter(|(name, _)| kept(name))));
        prop_assert_eq!(PartHeaders::read(&stripped), Ok(None));
    }
}
