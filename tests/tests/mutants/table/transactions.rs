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
         self.broker.locate(Locate::progress(id, partitions));",
        "settling.asked = Some(id);\n        \
         self.broker.locate(Locate::progress(id, partitions));\n        \
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
        "if let Err(spoiled) = transaction.send_progress(&progress) {",
        "if false && let Err(spoiled) = transaction.send_progress(&progress) {",
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
        LANE,
        "leaves what is on its way in an open transaction when it stops",
        "kafka/src/lane/run/mod.rs",
        "            self.give_up_delivery();\n            self.take_leave(why);",
        "            self.take_leave(why);",
    ),
    mutant(
        LANE,
        "leaves what is on its way in an open transaction when it panics",
        "kafka/src/lane/run/mod.rs",
        "        self.abort_delivery();",
        "",
    ),
    mutant(
        LANE,
        "does nothing else while records are on their way",
        "kafka/src/lane/run/delivering.rs",
        "let attempt = match transaction.delivered(wait) {",
        "let attempt = match Some(transaction.deliver()) {",
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
    mutant(
        LANE,
        "leaves the progress of revoked partitions out and commits the rest",
        "kafka/src/lane/core/batch.rs",
        "            let Some(owned) = self.partitions.get_mut(&partition) else \
         {\n                continue;\n            };\n",
        "            let known = self.partitions.get_mut(&partition);\n            let stays = \
         |it: &&mut Owned| !matches!(it.phase, Phase::Releasing { .. });\n            let \
         Some(owned) = known.filter(stays) else {\n                continue;\n            };\n",
    ),
    mutant(
        LANE,
        "keeps outcomes of partitions that went to others while their commit was unknown",
        "kafka/src/lane/core/batch.rs",
        "            let Some(owned) = self.owned(finished.partition, finished.epoch) else \
         {\n                continue;\n            };\n            if let Some(offset) = \
         finished.offset() {\n                owned.put_back(offset);\n            }\n",
        "            if let (Some(owned), Some(offset)) =\n                \
         (self.owned(finished.partition, finished.epoch), finished.offset())\n            \
         {\n                owned.put_back(offset);\n            }\n",
    ),
    mutant(
        LANE,
        "takes a commit that was given up for an aborted one",
        "kafka/src/lane/run/commit.rs",
        "                self.meter.commit(took, Some(&failure.code));\n                \
         Attempt::Unknown(failure, written)\n",
        "                self.meter.commit(took, Some(&failure.code));\n                \
         drop(written);\n                Attempt::Spoiled(Spoiled::Failed(failure))\n",
    ),
    mutant(
        LANE,
        "taints a producer by its EndTxn only",
        "kafka/src/model/producer.rs",
        "        self.calls = Calls::Faltered;\n        match failure.remedy {\n",
        "        if failure.call != Call::SendProgress.name() {\n            self.calls = \
         Calls::Faltered;\n        }\n        match failure.remedy {\n",
    ),
    mutant(
        TRANSACTION,
        "repeats a call without end",
        "kafka/src/transaction.rs",
        "Err(failure) if failure.remedy == Remedy::Retry && !self.is_late() => {}",
        "Err(failure) if failure.remedy == Remedy::Retry => {}",
    ),
    mutant(
        LANE,
        "takes any answer for that about its commit",
        "kafka/src/lane/run/settle.rs",
        "Producing::Settling(settling) => settling.asked == Some(id),",
        "Producing::Settling(settling) => settling.asked.is_some() && id > 0,",
    ),
    mutant(
        LANE,
        "never asks again what became of a commit",
        "kafka/src/lane/run/settle.rs",
        "            settling.asked = None;\n",
        "            let _ = settling;\n",
    ),
    mutant(
        LANE,
        "doesn't wait for the end of a pause",
        "kafka/src/lane/run/commit.rs",
        "if now >= self.not_before && self.core.is_due(now) {",
        "if self.core.is_due(now) {",
    ),
    mutant(
        LANE,
        "pauses longer with every failure of its life",
        "kafka/src/lane/run/commit.rs",
        "        self.failures = 0;\n",
        "",
    ),
    mutant(
        LANE,
        "counts the fences of its whole life",
        "kafka/src/lane/run/commit.rs",
        "        self.young_fences = 0;\n",
        "",
    ),
    mutant(
        LANE,
        "takes a transaction that the broker has ended for one that another has taken",
        "kafka/src/lane/run/commit.rs",
        "if !failure.is_fence() || self.is_out_of_time(took) {",
        "if !failure.is_fence() {",
    ),
    mutant(
        LANE,
        "fences another process of its slot for ever",
        "kafka/src/lane/run/commit.rs",
        "if self.young_fences < 2 {",
        "if self.young_fences < u32::MAX {",
    ),
    mutant(
        LANE,
        "never makes a transaction smaller that took too long",
        "kafka/src/lane/run/commit.rs",
        "            self.core.shrink(batch.outcomes.len());\n",
        "",
    ),
    mutant(
        LANE,
        "makes a transaction larger for which there is no time",
        "kafka/src/lane/run/commit.rs",
        "if committed && !self.is_out_of_time(took * 2) {",
        "if committed {",
    ),
    mutant(
        LANE,
        "drains without waiting for a transaction that it has left open",
        "kafka/src/lane/run/mod.rs",
        "!self.left_open || (matches!(self.producing, Producing::Ready) && !self.broker.tainted())",
        "true",
    ),
    mutant(
        LANE,
        "never gives up waiting for a transaction that it has left open",
        "kafka/src/lane/run/mod.rs",
        "gave_back && (self.left_nothing_open() || self.broker.now() >= deadline)",
        "deadline > Duration::ZERO && gave_back && self.left_nothing_open()",
    ),
    mutant(
        LANE,
        "puts the end of its drain off with every turn",
        "kafka/src/lane/run/mod.rs",
        "        if self.is_draining() {\n            return;\n        }\n",
        "",
    ),
    mutant(
        LANE,
        "takes its leave with a tainted producer",
        "kafka/src/lane/run/commit.rs",
        "        if self.broker.tainted() {\n            \
         self.broker.discard_producer();\n        }\n",
        "",
    ),
    mutant(
        LANE,
        "says that it is a member of its group when it has lost all",
        "kafka/src/lane/run/group.rs",
        "        self.group.joined = false;\n",
        "",
    ),
    mutant(
        LANE,
        "leaves a word where another owner has gone on",
        "kafka/src/lane/run/commit.rs",
        "LaneError::Start { reason: StartError::GoneOn { .. }, .. } => false,",
        "LaneError::Start { reason: StartError::GoneOn { .. }, .. } => true,",
    ),
    mutant(
        LANE,
        "takes for lost what another owner has done",
        "kafka/src/lane/start.rs",
        ".filter(|it| *it > position)",
        ".filter(|it| *it > position && false)",
    ),
    mutant(
        LANE,
        "leaves a word in a topic that was made anew",
        "kafka/src/lane/run/commit.rs",
        "!failure.is_fence() && failure.code != TOPIC_MADE_ANEW",
        "!failure.is_fence()",
    ),
    mutant(
        LANE,
        "drops an item whose dead letter is refused",
        "kafka/src/lane/run/commit.rs",
        "return Err(LaneError::DeadLetterRefused { topic, partition, refusal });",
        "drop((topic, partition, refusal));\n            self.core.replace(finished, \
         Vec::new());\n            return Ok(());",
    ),
    mutant(
        TRANSACTION,
        "waits for ever for room in the client's queue",
        "kafka/src/transaction.rs",
        "Err(ProduceError::Full) if self.is_late() => {",
        "Err(ProduceError::Full) if false => {",
    ),
    mutant(
        TRANSACTION,
        "takes a refusal that is told late for a failure",
        "kafka/src/transaction.rs",
        "if refused.is_empty() { Spoiled::Failed(failure) } else { Spoiled::Refused(refused) }",
        "drop(refused);\n        Spoiled::Failed(failure)",
    ),
    mutant(
        LANE,
        "settles by the facts of partitions that it has given back",
        "kafka/src/lane/run/settle.rs",
        "        if self.is_told_of_others(facts) {\n            return Ok(());\n        }\n",
        "",
    ),
];
