//! Of a join: its partitions at work, its journal, and what it writes.

use super::{GATHER, JOIN, mutant};

pub const MUTANTS: &[super::Mutant] = &[
    mutant(
        GATHER,
        "lets the start of a replay pass a closing that isn't committed",
        "coordinator/src/task.rs",
        "let low = self.gather.low(position.0, &leaving);",
        "let low = position.0;",
    ),
    mutant(
        GATHER,
        "reads the journal from its end, not from where it stood",
        "coordinator/src/task.rs",
        "self.marks.at(low)",
        "self.marks.at(i64::MAX)",
    ),
    mutant(
        GATHER,
        "forgets a closing before it is committed",
        "coordinator/src/task.rs",
        "self.handed.drain(..count.min(self.handed.len()))",
        "self.handed.drain(..)",
    ),
    mutant(
        GATHER,
        "reads the journal from where it stood once a carried group was in it",
        "coordinator/src/journal.rs",
        "self.marks.partition_point(|mark| mark.from < low)",
        "self.marks.partition_point(|mark| mark.from <= low)",
    ),
    mutant(
        GATHER,
        "gives a spilled payload's blocks back when it is read",
        "coordinator/src/spill.rs",
        "let payload = Bytes::from(payload);\n        match",
        "let payload = Bytes::from(payload);\n        \
         self.runs.iter().for_each(|run| self.store.blocks().give_back(*run));\n        match",
    ),
    mutant(
        GATHER,
        "never gives a spilled payload's blocks back",
        "coordinator/src/spill.rs",
        "self.runs.iter().for_each(|run| blocks.give_back(*run));",
        "self.runs.iter().for_each(|_| blocks.used += 0);",
    ),
    mutant(
        GATHER,
        "stops for want of room while a gather is at work",
        "coordinator/src/task/room.rs",
        "if self.closings == 0 {",
        "if self.closings < usize::MAX {",
    ),
    mutant(
        JOIN,
        "stops for want of room that a deadline would give",
        "coordinator/src/task/room.rs",
        "let effects = self.gather.let_time_pass(at, appended);",
        "let effects: Vec<crate::gather::Effect> = Vec::new();",
    ),
    mutant(
        GATHER,
        "sets aside again what it replays",
        "coordinator/src/task/room.rs",
        "        if let Ok(decoded) = decode(record) {\n            \
         self.gather.replay(record.offset.0, appended(record), decoded);\n        }\n",
        "        match decode(record) {\n            \
         Ok(decoded) => self.gather.replay(record.offset.0, appended(record), \
         decoded),\n            Err(reason) => {\n                \
         let aside = self.outputs().foreign(record, &reason);\n                \
         self.push(None, vec![super::Slot::Ready(vec![aside])], Vec::new());\n            \
         }\n        }\n",
    ),
    mutant(
        GATHER,
        "reads the journal by time only",
        "coordinator/src/step.rs",
        "let from = JournalFrom { offset: state.journal, since: Some(since) };",
        "let from = JournalFrom { offset: i64::MAX, since: Some(since) };",
    ),
    mutant(
        GATHER,
        "reads the journal by its offset only",
        "coordinator/src/step.rs",
        "let from = JournalFrom { offset: state.journal, since: Some(since) };",
        "let from = JournalFrom { offset: state.journal, since: None };",
    ),
    mutant(
        JOIN,
        "carries groups into the inbox",
        "coordinator/src/outputs.rs",
        "records.map(|record| Ok(self.journal(&JournalRecord::Carried(record))?)).collect()",
        "let carried = |record| -> Result<Outgoing, StepError> {\n            \
         let topic = self.config.topics.inbox.clone();\n            \
         Ok(Outgoing { topic, ..self.journal(&JournalRecord::Carried(record))? })\n        \
         };\n        records.map(carried).collect()",
    ),
    mutant(
        JOIN,
        "marks the journal's end at the position it was taken up at",
        "coordinator/src/step.rs",
        "        assigned.next = item.record.offset.next();\n        \
         let Some(task) = &mut assigned.task else {\n            return;\n        \
         };\n        let jobs = task.absorb(item);\n",
        "        let Some(task) = &mut assigned.task else {\n            return;\n        \
         };\n        let jobs = task.absorb(item);\n",
    ),
    mutant(
        JOIN,
        "lets the start of a replay pass closings that only other partitions have committed",
        "coordinator/src/step.rs",
        "let count = batch.iter().filter(|finished| finished.partition == partition).count();",
        "let count = batch.len();",
    ),
    mutant(
        JOIN,
        "settles what only other partitions have committed",
        "coordinator/src/step.rs",
        "let count = batch.iter().filter(mine).count();",
        "let _ = mine;\n            let count = batch.len();",
    ),
    mutant(
        GATHER,
        "takes the journal of an earlier assignment for its own",
        "coordinator/src/step.rs",
        "if self.owns(partition, epoch) {",
        "if epoch.0 > 0 && self.assignments.contains_key(&partition) {",
    ),
    mutant(
        GATHER,
        "says that a full file has room",
        "coordinator/src/spill.rs",
        "blocks_of(bytes) <= u64::from(self.blocks_max - used)",
        "blocks_of(bytes) > u64::from(used) || used <= self.blocks_max",
    ),
    mutant(
        GATHER,
        "reads a real journal by time only",
        "coordinator/src/journal.rs",
        "since.map_or(offset, |since| since.min(offset))",
        "since.unwrap_or(offset)",
    ),
    mutant(
        GATHER,
        "reads a real journal by its offset only",
        "coordinator/src/journal.rs",
        "since.map_or(offset, |since| since.min(offset))",
        "since.map_or(offset, |_| offset)",
    ),
    mutant(
        JOIN,
        "commits what no item brought without its progress",
        "kafka/src/lane/run/commit.rs",
        "if let Err(spoiled) = transaction.send_progress(&progress) {",
        "let brought = |it: &crate::lane::step::Finished| it.item.is_some();\n        \
         let sends = batch.outcomes.is_empty() || batch.outcomes.iter().any(brought);\n        \
         if sends && let Err(spoiled) = transaction.send_progress(&progress) {",
    ),
    mutant(
        GATHER,
        "drops all but the last records of a group that was carried in several",
        "coordinator/src/journal.rs",
        "                if !carried.continues {\n                    \
         self.void(&group_id);\n                }\n",
        "                self.void(&group_id);\n",
    ),
    mutant(
        GATHER,
        "writes tick upon tick while none is committed",
        "coordinator/src/task.rs",
        "!self.live || waits ||",
        "!self.live ||",
    ),
    mutant(
        GATHER,
        "writes ticks as fast as they are committed",
        "coordinator/src/task.rs",
        "due && steady >= ticked + TICK_INTERVAL",
        "due && steady >= ticked",
    ),
    mutant(
        GATHER,
        "writes its tick to any partition",
        "coordinator/src/outputs.rs",
        "            partition: Some(self.partition),\n            key: None,\n            \
         value: Some(tick.encode()?),",
        "            partition: None,\n            key: None,\n            \
         value: Some(tick.encode()?),",
    ),
    mutant(
        GATHER,
        "forgets where the journal stood before that is committed",
        "coordinator/src/task.rs",
        "        self.sent_low = low;\n",
        "        self.sent_low = low;\n        self.marks.prune(low);\n",
    ),
    mutant(
        GATHER,
        "keeps the payload of a result that no topic takes",
        "coordinator/src/refused.rs",
        "    result.payload = None;\n",
        "",
    ),
    mutant(
        GATHER,
        "says in the journal that a refused result is complete",
        "coordinator/src/refused.rs",
        "closed.status = GroupStatus::Failed;",
        "let _ = closed;",
    ),
    mutant(
        GATHER,
        "tries to write a result again and again that no topic takes",
        "coordinator/src/step.rs",
        "if finished.verdict == Verdict::Failed {",
        "if false {",
    ),
    mutant(
        GATHER,
        "loses the payload of a conflict that was spilled",
        "coordinator/src/outputs.rs",
        "            outcome.payload = Some(spilled.read()?);\n",
        "            let _ = (outcome, spilled);\n",
    ),
    mutant(
        GATHER,
        "loses the payload of a late part",
        "coordinator/src/outputs.rs",
        "let value = InboxRecord::Outcome(*late.outcome).encode()?;",
        "let mut outcome = *late.outcome;\n        outcome.payload = None;\n        \
         let value = InboxRecord::Outcome(outcome).encode()?;",
    ),
    mutant(
        GATHER,
        "sets a foreign record aside without its bytes",
        "coordinator/src/outputs.rs",
        "            value: record.value.clone(),\n",
        "            value: None,\n",
    ),
    mutant(
        GATHER,
        "writes results that don't say whose they are",
        "coordinator/src/outputs.rs",
        "        origin.write(&mut headers);\n",
        "        let _ = origin;\n",
    ),
    mutant(
        GATHER,
        "gives every revision of a group the same idempotency key",
        "coordinator/src/closing.rs",
        "idempotency_key: format!(\"{id}/{}\", closed.revision).into(),",
        "idempotency_key: id.clone().into(),",
    ),
    mutant(
        GATHER,
        "takes no key from a gather",
        "coordinator/src/closing.rs",
        "                        self.key = Some(key);\n",
        "                        drop(key);\n",
    ),
    mutant(
        GATHER,
        "takes the last of several outputs of a gather for its result",
        "coordinator/src/closing.rs",
        "Outcome::Done(mut outputs) if outputs.len() <= 1 => {",
        "Outcome::Done(mut outputs) => {",
    ),
    mutant(
        GATHER,
        "keeps no bound while it takes a partition up",
        "coordinator/src/task/room.rs",
        "        self.spill()?;\n        \
         match self.gather.is_over(self.closing_bytes) {\n            \
         true => Err(self.too_much().into()),\n            false => Ok(()),\n        }\n",
        "        Ok(())\n",
    ),
    mutant(
        JOIN,
        "gathers any number of groups at once",
        "coordinator/src/step.rs",
        "                let _permit = permits.acquire().await;\n",
        "                drop(permits);\n",
    ),
    mutant(
        GATHER,
        "waits for ever for room after a gather has ended",
        "coordinator/src/task.rs",
        "            self.closings -= 1;\n",
        "",
    ),
    mutant(
        GATHER,
        "fails every group behind a deadly record",
        "coordinator/src/task/room.rs",
        "(deadly == item.record.offset).then_some(deaths)",
        "(deadly <= item.record.offset).then_some(deaths)",
    ),
];
