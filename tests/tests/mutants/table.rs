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
pub struct Tests {
    /// The crate.
    pub package: &'static str,
    /// Which of them.
    pub filter: &'static [&'static str],
}

/// The lane's own tests: its core by tables, its loop over the model.
pub const LANE: Tests = Tests { package: "longshore-kafka", filter: &["--lib", "lane::"] };
/// The gather's own tests, and the join over the model.
pub const JOIN: Tests = Tests { package: "longshore-coordinator", filter: &["--tests"] };

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
        "Start { position, finished, state, resumed: true }",
        "Start { position, finished: FinishedMap::default(), state, resumed: true }",
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
];
