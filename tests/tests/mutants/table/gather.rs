//! Of the gather.

use super::{GATHER, mutant};

pub const MUTANTS: &[super::Mutant] = &[
    mutant(
        GATHER,
        "doesn't recall a carried group",
        "coordinator/src/gather/replay.rs",
        "JournalRecord::Carried(carried) => self.recall_carried(carried),",
        "JournalRecord::Carried(_) => {}",
    ),
    mutant(
        GATHER,
        "doesn't raise the start of a replay by what it carries",
        "coordinator/src/gather/effect.rs",
        "Action::Carry(carry) => Some(&carry.hold),",
        "Action::Carry(_) => None,",
    ),
    mutant(
        GATHER,
        "lets the start of a replay pass a group whose carrying isn't committed",
        "coordinator/src/gather/carry.rs",
        "self.holds.add(group.hold());",
        "self.holds.add(group.hold());\n        self.holds.release(&hold);",
    ),
    mutant(
        GATHER,
        "takes a carried group's parts once more from the inbox",
        "coordinator/src/gather/accumulate.rs",
        "// A carried group has its older parts already.\n        if at < group.oldest {",
        "if at < 0 {",
    ),
    mutant(
        GATHER,
        "replays what is settled",
        "coordinator/src/gather/closed.rs",
        "if self.has_closed_since(group_id, revision, at) {",
        "if false {",
    ),
    mutant(
        GATHER,
        "remembers in a replay what its owner had forgotten",
        "coordinator/src/gather/closed.rs",
        "(!is_old).then_some(",
        "(is_old || !is_old).then_some(",
    ),
    mutant(
        GATHER,
        "forgets every closing of a group with its first",
        "coordinator/src/gather/closed.rs",
        "marks.pop_front();",
        "marks.clear();",
    ),
    mutant(
        GATHER,
        "carries a group without its seal",
        "coordinator/src/gather/replay.rs",
        "if let Some(total) = carried.total {",
        "if let Some(total) = carried.total.filter(|total| *total == u32::MAX) {",
    ),
    mutant(
        GATHER,
        "carries what is hardly smaller than what it frees",
        "coordinator/src/gather/carry.rs",
        "if bytes * WORTH < self.tail.bytes_between(low, from) {",
        "if bytes < self.tail.bytes_between(low, from) {",
    ),
    mutant(
        GATHER,
        "doesn't recall what has closed",
        "coordinator/src/gather/replay.rs",
        "        self.closed.insert(closed, &mut self.stages);\n",
        "",
    ),
    mutant(
        GATHER,
        "lets its own clock move the watermark",
        "coordinator/src/gather/carry.rs",
        "        let low = self.low(self.next, &BTreeSet::new());\n",
        "        self.pass_time(now);\n        let low = self.low(self.next, &BTreeSet::new());\n",
    ),
    mutant(
        GATHER,
        "opens a group for a late part",
        "coordinator/src/gather/accumulate.rs",
        "out.late(LateCause::Expired, at, outcome);",
        "let opening = GroupOpen {\n                    \
         group_id: outcome.group_id.clone(),\n                    \
         run_id: None,\n                    revision: outcome.revision,\n                    \
         opened_at: outcome.opened_at,\n                    \
         timeout: self.rules.timeout,\n                    \
         expect: longshore_schemas::records::Expect::OpenEnded,\n                    \
         parent: None,\n                };\n                \
         self.take_opening(at, appended, opening, out);\n                \
         return self.offer_open(at, outcome, out);",
    ),
    mutant(
        GATHER,
        "opens a group for a part that nobody opened one for",
        "coordinator/src/gather/accumulate.rs",
        "Standing::Unknown => self.wait(at, appended, outcome),",
        "Standing::Unknown => {\n                \
         let opening = GroupOpen {\n                    \
         group_id: outcome.group_id.clone(),\n                    \
         run_id: None,\n                    revision: outcome.revision,\n                    \
         opened_at: outcome.opened_at,\n                    \
         timeout: self.rules.timeout,\n                    \
         expect: longshore_schemas::records::Expect::OpenEnded,\n                    \
         parent: None,\n                };\n                \
         self.take_opening(at, appended, opening, out);\n                \
         return self.offer_open(at, outcome, out);\n            }",
    ),
    mutant(
        GATHER,
        "fires a deadline after the record that brings it",
        "coordinator/src/gather/live.rs",
        "        self.fire(at, appended, &mut out);\n        \
         self.supersede(&record, &mut out);\n        \
         let touched = self.accumulate(at, appended, record, &mut out);\n",
        "        self.supersede(&record, &mut out);\n        \
         let touched = self.accumulate(at, appended, record, &mut out);\n        \
         self.fire(at, appended, &mut out);\n",
    ),
    mutant(
        GATHER,
        "waits for a part that was repaired as if it had failed",
        "coordinator/src/gather/accumulate.rs",
        "let changed = matches!(offer, Offer::Kept | Offer::Repaired);",
        "let changed = matches!(offer, Offer::Kept);",
    ),
    mutant(
        GATHER,
        "lets a part that waited for its opening go before the group has closed",
        "coordinator/src/gather/accumulate.rs",
        "            group.oldest = group.oldest.min(part.offset);\n",
        "",
    ),
    mutant(
        GATHER,
        "takes any closing for one of the group's own revision",
        "coordinator/src/gather/closed.rs",
        "at < mark.through_offset && mark.revision >= revision",
        "at < mark.through_offset && mark.revision > Revision(0)",
    ),
    mutant(
        GATHER,
        "never calls a group's other parts off",
        "coordinator/src/gather/close.rs",
        "let early = closed.completed_by == CompletedBy::Rule && closed.status == \
         GroupStatus::Failed;",
        "let early = closed.completed_by == CompletedBy::Rule && closed.missing.is_empty();",
    ),
    mutant(
        GATHER,
        "keeps the deadline of a group that has closed",
        "coordinator/src/gather/accumulate.rs",
        "        let due = Due::Group(group.key.clone());\n        \
         self.deadlines.remove(group.deadline, group.opened_offset, due);\n",
        "",
    ),
    mutant(
        GATHER,
        "takes a copy of a part for a conflict",
        "coordinator/src/gather/group.rs",
        "Some(stored) if stored.says(&outcome) => {",
        "Some(stored) if stored.says(&outcome) && stored.offset < 0 => {",
    ),
    mutant(
        GATHER,
        "gives a part up as an orphan again",
        "coordinator/src/gather/accumulate.rs",
        "if self.orphaned.contains(&at) {",
        "if at < 0 {",
    ),
    mutant(
        GATHER,
        "recalls a carried group that has closed since",
        "coordinator/src/gather/replay.rs",
        "if self.closed.has_closed_since(&key.group_id, key.revision, carried_at) {",
        "if carried_at < 0 {",
    ),
    mutant(
        GATHER,
        "counts no bytes of groups that are being gathered",
        "coordinator/src/gather/effect.rs",
        "self.parts.iter().map(bytes).sum()",
        "self.parts.iter().take(0).map(bytes).sum()",
    ),
    mutant(
        GATHER,
        "remembers where payloads were that have left",
        "coordinator/src/gather/live.rs",
        "        self.tidy_movable();\n",
        "",
    ),
    mutant(
        GATHER,
        "forgets the run of a group that it carries",
        "coordinator/src/gather/group.rs",
        "run_id: self.run_id.clone(),",
        "run_id: None,",
    ),
    mutant(
        GATHER,
        "gives the file back a payload that has no place there",
        "coordinator/src/gather/spilling.rs",
        "        self.movable.places.push(place);\n",
        "        drop(place);\n",
    ),
    mutant(
        GATHER,
        "lets an orphan hold the start of a replay for ever",
        "coordinator/src/gather/effect.rs",
        "Action::Orphan(orphan) => Some(&orphan.hold),",
        "Action::Orphan(_) => None,",
    ),
    mutant(
        GATHER,
        "lets a part that waited hold the start of a replay for ever",
        "coordinator/src/gather/accumulate.rs",
        "            self.holds.release(&Hold::waiting_part(part.offset));\n",
        "",
    ),
];
