//! How the programs are set up.

/// How a program is set up, beyond what the workload asks of all.
pub(crate) fn settings(contestant: &str) -> &'static str {
    match contestant {
        "longshore" => {
            "one worker process with one lane, all defaults; the handler gets a decoded item and \
             answers with it"
        }
        "bare" => {
            "one thread over librdkafka with the lane's settings, headers and order of calls \
             (begin, produce, wait for delivery, offsets, commit); it decodes nothing, keeps no \
             order but the broker's, and survives nothing"
        }
        "bare-2" => "the same with two producers in turn",
        "bare-as-they-come" => "the same, but each record is produced as it is read",
        "streams" => {
            "Kafka Streams 4.3.1, `exactly_once_v2`, 1 thread, `max.poll.records` 10,000, \
             `batch.size` 1 MB, `linger.ms` 5, `buffer.memory` 64 MiB, heap 1 GiB; items decoded \
             and encoded by Avro's generated classes"
        }
        "streams-bytes" => "the same, but items are passed on unseen",
        "parallel-consumer" => {
            "Parallel Consumer 0.5.3.2, `ordering` KEY, `commitMode` \
             PERIODIC_TRANSACTIONAL_PRODUCER, a thread for each item that may be worked on at once \
             (100 at least), `max.poll.records` 10,000, `batch.size` 1 MB, `linger.ms` 5, heap 1 \
             GiB; items decoded and encoded by Avro's generated classes"
        }
        _ => "",
    }
}
