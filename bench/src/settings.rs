//! How the programs are set up.

use crate::workload::Measure;

/// How a program is set up, beyond what the workload asks of all.
pub(crate) fn settings(measure: &Measure, contestant: &str) -> &'static str {
    match measure {
        Measure::Relay(_) | Measure::Latency { .. } | Measure::Held(..) => relaying(contestant),
        Measure::Gather(_) | Measure::Restart { .. } => gathering(contestant),
    }
}

fn relaying(contestant: &str) -> &'static str {
    match contestant {
        "longshore" => {
            "one worker process with one lane, all defaults; the handler gets a decoded item and \
             answers with it"
        }
        "longshore-2" => "the same in two processes, each with a lane",
        "longshore-4" => "the same in four processes",
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

fn gathering(contestant: &str) -> &'static str {
    match contestant {
        "longshore" => {
            "one coordinator process with one lane, all defaults, with a day as the `timeout` of \
             groups, which has no default; its inbox has what a splitter and a stage write, with \
             headers; the gather decodes the items of all parts and answers with one record of \
             them, which is written as a group's result beside the journal's record. It keeps \
             deadlines, and remembers closed groups to tell late parts from unknown ones"
        }
        "streams-rocksdb" => {
            "Kafka Streams 4.3.1, `exactly_once_v2`, 1 thread, Processor API, `max.poll.records` \
             10,000, `batch.size` 1 MB, `linger.ms` 5, `buffer.memory` 64 MiB, heap 1 GiB; what is \
             read, kept and written by Avro's generated classes. The state of a group is one value \
             of a key-value store (RocksDB with Kafka Streams' settings, changelog): its opening \
             puts it there, each part is added to it, the last one deletes it, and the items of \
             all parts are decoded and make one record. It has no deadlines, and remembers no \
             closed groups"
        }
        "streams-rocksdb-cached" => {
            "the same with caching of the store enabled (10 MiB, Kafka Streams' default): only \
             what stands at a commit goes to RocksDB and the changelog"
        }
        "streams-memory" => {
            "as `streams-rocksdb`, with Kafka Streams' store in memory, and its changelog"
        }
        _ => "",
    }
}
