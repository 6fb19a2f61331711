//! Of progress: positions, finished maps and what stands beside them.

use super::{LANE, mutant};

pub const MUTANTS: &[super::Mutant] = &[
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
        "does again what an earlier owner finished",
        "kafka/src/lane/progress/window.rs",
        "if self.inherited.contains(offset) {",
        "if self.inherited.contains(offset) && offset.0 < 0 {",
    ),
    mutant(
        LANE,
        "passes a gap that isn't one",
        "kafka/src/lane/progress/window.rs",
        "Some((from, to)) if from <= self.horizon => to,",
        "Some((_, to)) => to,",
    ),
    mutant(
        LANE,
        "forgets the end of what is finished",
        "kafka/src/lane/progress/window.rs",
        "        self.finished_end = self.finished_end.max(offset.next());\n",
        "",
    ),
    mutant(
        LANE,
        "drops the inherited map from what it commits",
        "kafka/src/lane/progress/window.rs",
        "for (from, to) in self.inherited.ranges() {\n            map.push",
        "for (from, to) in self.inherited.ranges().take(0) {\n            map.push",
    ),
    mutant(
        LANE,
        "claims what was never received",
        "kafka/src/lane/progress/window.rs",
        "map.push(at.min(self.finished_end), self.horizon.min(self.finished_end));",
        "map.push(at.min(self.finished_end), self.finished_end.max(at));",
    ),
    mutant(
        LANE,
        "forgets open items when it sweeps",
        "kafka/src/lane/progress/window.rs",
        "self.entries.retain(|(_, mark)| *mark != Mark::Finished);",
        "self.entries.retain(|(_, mark)| *mark == Mark::Carried);",
    ),
    mutant(
        LANE,
        "forgets where the inherited map ends",
        "kafka/src/lane/progress/window.rs",
        "let finished_end = inherited.end().unwrap_or(position);",
        "let finished_end = position;",
    ),
    mutant(
        LANE,
        "takes another format for its own",
        "kafka/src/lane/progress/metadata.rs",
        "if ![FORMAT, FORMAT_BEFORE].contains(&version) {",
        "if version.len() < FORMAT.len() {",
    ),
    mutant(
        LANE,
        "never sweeps finished items out",
        "kafka/src/lane/progress/window.rs",
        "if finished > SWEEP_MIN.max(self.unfinished) {",
        "if finished > usize::MAX - SWEEP_MIN {",
    ),
];
