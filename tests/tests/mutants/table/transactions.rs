//! Of transactions, and of what becomes of those that fail.

use super::{HISTORIES, LANE, TRANSACTION, mutant};

pub const MUTANTS: &[super::Mutant] = &[
    mutant(
        LANE,
        "takes an unknown commit for a committed one",
        "kafka/src/lane/run/settle.rs",
        "Some(facts.committed.as_ref() == Some(&sent.committed))",
        "Some(facts.partition == sent.partition)",
    ),
    mutant(
        LANE,
        "takes an unknown commit for an aborted one",
        "kafka/src/lane/run/settle.rs",
        "Some(facts.committed.as_ref() == Some(&sent.committed))",
        "Some(facts.partition != sent.partition)",
    ),
    mutant(
        LANE,
        "settles by the offset alone",
        "kafka/src/lane/run/settle.rs",
        "Some(facts.committed.as_ref() == Some(&sent.committed))",
        "Some(facts.committed.as_ref().map(|it| it.offset) == Some(sent.committed.offset))",
    ),
    mutant(
        HISTORIES,
        "begins another transaction with a tainted producer",
        "kafka/src/lane/run/commit.rs",
        "Producing::Ready if self.broker.tainted() =>",
        "Producing::Ready if false =>",
    ),
    mutant(
        HISTORIES,
        "goes on before an unknown commit is settled",
        "kafka/src/lane/run/settle.rs",
        "settling.asked = Some(id);\n        \
         self.broker.locate(Locate { id, partitions, time: None });",
        "settling.asked = Some(id);\n        \
         self.broker.locate(Locate { id, partitions, time: None });\n        \
         self.settled_elsewhere();",
    ),
    mutant(
        LANE,
        "loses the outcomes of a transaction that failed",
        "kafka/src/lane/run/commit.rs",
        "self.core.aborted(batch, &[], self.broker.now());\n                \
         self.after_failure(failure, took)",
        "drop(batch);\n                self.after_failure(failure, took)",
    ),
    mutant(
        LANE,
        "leaves the first partition's progress out",
        "kafka/src/lane/run/commit.rs",
        "batch.progress.iter().map(|(_, sent)| sent.clone()).collect();",
        "batch.progress.iter().skip(1).map(|(_, sent)| sent.clone()).collect();",
    ),
    mutant(
        LANE,
        "commits outputs without progress",
        "kafka/src/lane/run/commit.rs",
        "    transaction.send_progress(&progress)?;\n",
        "",
    ),
    mutant(
        LANE,
        "blames the item before the one that was refused",
        "kafka/src/lane/run/commit.rs",
        "if tag < before {",
        "if tag <= before {",
    ),
    mutant(
        LANE,
        "fails an item that was refused among others",
        "kafka/src/lane/run/commit.rs",
        "if batch.outcomes.len() == 1 {",
        "if !batch.outcomes.is_empty() {",
    ),
    mutant(
        LANE,
        "pauses for nothing after a failure",
        "kafka/src/lane/run/commit.rs",
        "self.not_before = self.broker.now() + pause.min(BACKOFF_MAX);",
        "let _ = pause;",
    ),
    mutant(
        LANE,
        "takes a torn transaction for a committed one",
        "kafka/src/lane/run/settle.rs",
        "(true, true) => Err(self.torn(&batch, facts)),",
        "(true, true) => {\n                \
         self.landed(batch, &written);\n                \
         Ok(())\n            \
         }",
    ),
    mutant(
        LANE,
        "settles with the producer whose commit is unknown",
        "kafka/src/lane/run/commit.rs",
        "                if self.producer_ready()? {\n                    self.ask_to_settle();",
        "                if true {\n                    self.ask_to_settle();",
    ),
    mutant(
        TRANSACTION,
        "commits although a record was not delivered",
        "kafka/src/transaction.rs",
        "(true, Some(failure)) => Err(Spoiled::Failed(failure)),",
        "(true, Some(failure)) if failure.remedy == Remedy::Stop => {\n            \
         Err(Spoiled::Failed(failure))\n        \
         }\n        \
         (true, Some(_)) => Ok(deliveries.written),",
    ),
    mutant(
        LANE,
        "commits although a record was refused",
        "kafka/src/transaction.rs",
        "match (deliveries.refused.is_empty(), deliveries.failed) {",
        "match (true, deliveries.failed) {",
    ),
    mutant(
        HISTORIES,
        "keeps the producer of an unknown commit",
        "kafka/src/transaction.rs",
        "                self.producer.discard_producer();\n                \
         Commit::Unknown(failure)",
        "                Commit::Unknown(failure)",
    ),
    mutant(
        HISTORIES,
        "leaves a transaction that failed open",
        "kafka/src/transaction.rs",
        "if self.state == State::Open && self.producer.abort(CALL_WAIT).is_err() {",
        "if self.state == State::Ended && self.producer.abort(CALL_WAIT).is_err() {",
    ),
];
