//! A result that no topic takes becomes a FAILED one without its payload.

use longshore_kafka::{Outgoing, Refusal};
use longshore_schemas::Codec;
use longshore_schemas::records::{GroupResult, GroupStatus, JournalRecord, PartError};

use crate::config::JoinConfig;

/// The same outputs with the result stripped and failed, and the journal saying so too. An outcome
/// has one group's result at most (`task/perform.rs`), so whatever was refused for its size, no
/// other group fails with it. None if it wasn't a result: nothing else can be made smaller.
pub fn without_payload(
    config: &JoinConfig,
    outputs: &[Outgoing],
    refusal: &Refusal,
) -> Option<Vec<Outgoing>> {
    let is_result = |output: &Outgoing| output.topic == config.topics.results;
    if refusal.topic != config.topics.results || !outputs.iter().any(is_result) {
        return None;
    }
    let replace = |output: &Outgoing| match () {
        () if is_result(output) => failed_result(output, refusal),
        () if output.topic == config.topics.journal => failed_journal(output),
        () => Some(output.clone()),
    };
    outputs.iter().map(replace).collect()
}

fn failed_result(output: &Outgoing, refusal: &Refusal) -> Option<Outgoing> {
    let codec = Codec::<GroupResult>::shared().ok()?;
    let mut result = codec.decode(output.value.as_ref()?).ok()?;
    result.status = GroupStatus::Failed;
    result.payload = None;
    result.error = Some(PartError::new("refused", &refusal.message));
    Some(Outgoing { value: Some(codec.encode(&result).ok()?), ..output.clone() })
}

fn failed_journal(output: &Outgoing) -> Option<Outgoing> {
    let mut record = JournalRecord::decode(output.value.as_ref()?).ok()?;
    if let JournalRecord::Closed(closed) = &mut record {
        closed.status = GroupStatus::Failed;
    }
    Some(Outgoing { value: Some(record.encode().ok()?), ..output.clone() })
}

#[cfg(test)]
mod tests {
    use longshore_kafka::Partition;
    use longshore_schemas::TopicName;
    use longshore_telemetry::TraceContext;

    use super::*;
    use crate::closing::Gathered;
    use crate::fixture;
    use crate::gather::Cancel;
    use crate::outputs::Outputs;

    /// A cancellation, a result with a payload, and the journal's record.
    fn outputs(config: &JoinConfig) -> Vec<Outgoing> {
        let closing = fixture::closing("g".into());
        let (group_id, revision) = (closing.closed.group_id.clone(), closing.closed.revision);
        let mut gathered = Gathered::given_up(closing, 1);
        gathered.closed.status = GroupStatus::Complete;
        gathered.result.status = GroupStatus::Complete;
        gathered.result.payload = Some(vec![1; 1_000].into());
        gathered.result.error = None;
        let outputs = Outputs { config, partition: Partition(0) };
        let mut all = vec![outputs.cancel(&Cancel { group_id, revision })];
        all.extend(outputs.gathered(gathered, &TraceContext::root()).unwrap());
        all
    }

    fn refusal(topic: &TopicName) -> Refusal {
        let (code, message) = ("MSG_SIZE_TOO_LARGE".to_owned(), "too large".to_owned());
        Refusal { topic: topic.clone(), code, message }
    }

    #[test]
    fn a_result_that_is_refused_fails_and_the_journal_says_so() {
        let config = fixture::join();
        let before = outputs(&config);
        let after = without_payload(&config, &before, &refusal(&config.topics.results)).unwrap();
        assert_eq!((after.len(), &after[0]), (3, &before[0]));
        let value = after[1].value.as_ref().unwrap();
        let result = Codec::<GroupResult>::shared().unwrap().decode(value).unwrap();
        assert_eq!((result.status, result.payload), (GroupStatus::Failed, None));
        assert_eq!(result.error, Some(PartError::new("refused", "too large")));
        assert_eq!((&after[1].key, &after[1].headers), (&before[1].key, &before[1].headers));
        match JournalRecord::decode(after[2].value.as_ref().unwrap()).unwrap() {
            JournalRecord::Closed(closed) => assert_eq!(closed.status, GroupStatus::Failed),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_result_doesnt_fail_for_what_another_topic_refuses() {
        let config = fixture::join();
        let all = outputs(&config);
        for topic in [&config.topics.cancels, &config.topics.journal] {
            assert_eq!(without_payload(&config, &all, &refusal(topic)), None, "{topic}");
        }
        let results = refusal(&config.topics.results);
        assert_eq!(without_payload(&config, &all[..1], &results), None, "there is none");
    }
}
