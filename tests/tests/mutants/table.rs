//! The mutants.

/// A defect, as a change of a few words.
pub struct Mutant {
    /// Who must find it.
    pub tests: Tests,
    /// What is wrong with it.
    pub defect: &'static str,
    /// Where.
    pub file: &'static str,
    /// These words,
    pub words: &'static str,
    /// and what stands in their place.
    pub instead: &'static str,
}

/// Tests of a crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tests {
    /// The crate.
    pub package: &'static str,
    /// Which of its test binaries, as cargo is told.
    pub binaries: &'static [&'static str],
    /// Which of them.
    pub filter: &'static str,
}

/// The lane's own tests: its core by tables, its loop over the model.
pub const LANE: Tests =
    Tests { package: "longshore-kafka", binaries: &["--lib"], filter: "lane::" };
/// The gather's own tests, and the join over the model.
pub const JOIN: Tests =
    Tests { package: "longshore-coordinator", binaries: &["--tests"], filter: "" };
/// Histories by seed, of stages and of joins.
pub const HISTORIES: Tests =
    Tests { package: "longshore-simulation", binaries: &["--tests"], filter: "" };

const fn mutant(
    tests: Tests,
    defect: &'static str,
    file: &'static str,
    words: &'static str,
    instead: &'static str,
) -> Mutant {
    Mutant { tests, defect, file, words, instead }
}

/// All of them.
pub const MUTANTS: &[Mutant] = &[
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
        LANE,
        "forgets the finished map on take-over",
        "kafka/src/lane/start.rs",
        "Ok(Start { position, finished, state, guard, resumed: true })",
        "Ok(Start { position, finished: FinishedMap::default(), state, guard, resumed: true })",
    ),
    mutant(
        LANE,
        "uses a map that was made for another position",
        "kafka/src/lane/progress/metadata.rs",
        "if made_for != offset {",
        "if false {",
    ),
    mutant(
        LANE,
        "uses a map without its checksum",
        "kafka/src/lane/progress/metadata.rs",
        "if crc != checksum(body) {",
        "if false {",
    ),
    mutant(
        LANE,
        "runs the items of a key at once",
        "kafka/src/lane/queues.rs",
        "Ordering::Key => item.record.key.clone(),",
        "Ordering::Key => None,",
    ),
    mutant(
        LANE,
        "puts outcomes back in reverse order after an abort",
        "kafka/src/lane/ready.rs",
        "taken.into_iter().enumerate().rev()",
        "taken.into_iter().enumerate()",
    ),
    mutant(
        LANE,
        "forgets outcomes after an abort",
        "kafka/src/lane/core/batch.rs",
        "            kept.push(finished);\n",
        "            drop(finished);\n",
    ),
    mutant(
        LANE,
        "takes outcomes of an earlier assignment",
        "kafka/src/lane/core/mod.rs",
        "self.partitions.get_mut(&partition).filter(|owned| owned.epoch == epoch)",
        "self.partitions.get_mut(&partition).filter(|_| epoch.0 > 0)",
    ),
    mutant(
        LANE,
        "commits a position past what is unfinished",
        "kafka/src/lane/progress/window.rs",
        "self.first(|mark| mark == Mark::Open)",
        "self.first(|mark| mark == Mark::Open && self.horizon < Offset(0))",
    ),
    mutant(
        LANE,
        "has no window",
        "kafka/src/lane/progress/window.rs",
        "span <= SPAN_DENSE || (unfinished_up_to <= UNFINISHED_SPARSE && span <= SPAN_SPARSE)",
        "span <= i64::MAX || unfinished_up_to == 0",
    ),
    mutant(
        LANE,
        "reads on below the log's start",
        "kafka/src/lane/start.rs",
        "if position < log_start {",
        "if position.0 < 0 {",
    ),
    mutant(
        LANE,
        "reads on beyond the log's end",
        "kafka/src/lane/start.rs",
        "if position > log_end {",
        "if position.0 < 0 {",
    ),
    mutant(
        LANE,
        "counts a death although the position moved",
        "kafka/src/lane/guard.rs",
        "Self::Progress => 0,",
        "Self::Progress => DEATH,",
    ),
    mutant(
        LANE,
        "leaves no room in a transaction for partitions that must say first that they are at work",
        "kafka/src/lane/core/batch.rs",
        "seen.len() > OUTCOME_PARTITIONS_MAX",
        "seen.len() > 128",
    ),
    mutant(
        JOIN,
        "lets the start of a replay pass a closing that isn't committed",
        "coordinator/src/task.rs",
        "let low = self.gather.low(position.0, &leaving);",
        "let low = position.0;",
    ),
    mutant(
        JOIN,
        "reads the journal from its end, not from where it stood",
        "coordinator/src/task.rs",
        "self.marks.at(low)",
        "self.marks.at(i64::MAX)",
    ),
    mutant(
        JOIN,
        "forgets a closing before it is committed",
        "coordinator/src/task.rs",
        "self.handed.drain(..count.min(self.handed.len()))",
        "self.handed.drain(..)",
    ),
    mutant(
        JOIN,
        "doesn't recall a carried group",
        "coordinator/src/gather/replay.rs",
        "JournalRecord::Carried(carried) => self.recall_carried(carried),",
        "JournalRecord::Carried(_) => {}",
    ),
    mutant(
        JOIN,
        "reads the journal from where it stood once a carried group was in it",
        "coordinator/src/journal.rs",
        "self.marks.partition_point(|mark| mark.from < low)",
        "self.marks.partition_point(|mark| mark.from <= low)",
    ),
    mutant(
        JOIN,
        "doesn't raise the start of a replay by what it carries",
        "coordinator/src/gather/effect.rs",
        "Action::Carry(carry) => Some(&carry.hold),",
        "Action::Carry(_) => None,",
    ),
    mutant(
        JOIN,
        "lets the start of a replay pass a group whose carrying isn't committed",
        "coordinator/src/gather/carry.rs",
        "self.holds.add(group.hold());",
        "self.holds.add(group.hold());\n        self.holds.release(&hold);",
    ),
    mutant(
        JOIN,
        "takes a carried group's parts once more from the inbox",
        "coordinator/src/gather/accumulate.rs",
        "// A carried group has its older parts already.\n        if at < group.oldest {",
        "if at < 0 {",
    ),
    mutant(
        JOIN,
        "replays what is settled",
        "coordinator/src/gather/closed.rs",
        "if self.has_closed_since(group_id, revision, at) {",
        "if false {",
    ),
    mutant(
        JOIN,
        "remembers in a replay what its owner had forgotten",
        "coordinator/src/gather/closed.rs",
        "(!is_old).then_some(",
        "(is_old || !is_old).then_some(",
    ),
    mutant(
        JOIN,
        "forgets every closing of a group with its first",
        "coordinator/src/gather/closed.rs",
        "marks.pop_front();",
        "marks.clear();",
    ),
    mutant(
        JOIN,
        "carries a group without its seal",
        "coordinator/src/gather/replay.rs",
        "if let Some(total) = carried.total {",
        "if let Some(total) = carried.total.filter(|total| *total == u32::MAX) {",
    ),
    mutant(
        JOIN,
        "carries what is hardly smaller than what it frees",
        "coordinator/src/gather/carry.rs",
        "if bytes * WORTH < self.tail.bytes_between(low, from) {",
        "if bytes < self.tail.bytes_between(low, from) {",
    ),
    mutant(
        JOIN,
        "gives a spilled payload's blocks back when it is read",
        "coordinator/src/spill.rs",
        "let payload = Bytes::from(payload);\n        match",
        "let payload = Bytes::from(payload);\n        \
         self.runs.iter().for_each(|run| self.store.blocks().give_back(*run));\n        match",
    ),
    mutant(
        JOIN,
        "never gives a spilled payload's blocks back",
        "coordinator/src/spill.rs",
        "self.runs.iter().for_each(|run| blocks.give_back(*run));",
        "self.runs.iter().for_each(|_| blocks.used += 0);",
    ),
    mutant(
        JOIN,
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
        HISTORIES,
        "begins another transaction with a tainted producer",
        "kafka/src/lane/run/commit.rs",
        "Producing::Ready if self.broker.tainted() =>",
        "Producing::Ready if false =>",
    ),
    mutant(
        HISTORIES,
        "gives a partition back before its work is done",
        "kafka/src/lane/core/ownership.rs",
        "now >= deadline || !(self.has_work(owned) || owned.is_untold(now))",
        "true",
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
        HISTORIES,
        "begins items before it has said that it is at work",
        "kafka/src/lane/guard.rs",
        "Lease::None | Lease::Waiting => false,",
        "Lease::None | Lease::Waiting => true,",
    ),
    mutant(
        HISTORIES,
        "blames a partition that waits for its turn",
        "kafka/src/lane/guard.rs",
        "Said::Waiting { eighths, through } => (eighths, through),",
        "Said::Waiting { eighths, through } => (eighths.saturating_add(DEATH), through),",
    ),
    mutant(
        HISTORIES,
        "never gives a killer up",
        "kafka/src/lane/guard.rs",
        "self.deaths() >= ALONE_AFTER.saturating_add(deaths_max)",
        "self.deaths() == u32::MAX && deaths_max == 0",
    ),
    mutant(
        HISTORIES,
        "ends a suspect's turn before its outcome is committed",
        "kafka/src/lane/core/items.rs",
        "(it.runs() && it.window.unfinished() > 0) || self.has_work(it)",
        "it.runs() && it.queues.len() + it.in_flight > 0",
    ),
    mutant(
        HISTORIES,
        "begins others beside a suspect",
        "kafka/src/lane/core/items.rs",
        "        self.suspect = suspect;\n",
        "        self.suspect = suspect.filter(|_| false);\n",
    ),
];
