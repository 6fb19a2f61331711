//! Of the real client, and of what it is told.

use super::{CLIENT, SETTINGS, mutant};

pub const MUTANTS: &[super::Mutant] = &[
    mutant(
        SETTINGS,
        "reads what was aborted",
        "kafka/src/settings.rs",
        ".set(\"isolation.level\", \"read_committed\")",
        ".set(\"isolation.level\", \"read_uncommitted\")",
    ),
    mutant(
        SETTINGS,
        "starts a lost position at the log's start",
        "kafka/src/settings.rs",
        ".set(\"auto.offset.reset\", \"error\")",
        ".set(\"auto.offset.reset\", \"earliest\")",
    ),
    mutant(
        SETTINGS,
        "commits progress outside of transactions",
        "kafka/src/settings.rs",
        ".set(\"enable.auto.commit\", \"false\")",
        ".set(\"enable.auto.commit\", \"true\")",
    ),
    mutant(
        SETTINGS,
        "doesn't log failures of connections",
        "kafka/src/settings.rs",
        "        self.log_for_us(&mut config, \"broker\");\n",
        "",
    ),
    mutant(
        SETTINGS,
        "doesn't log that a topic was made anew",
        "kafka/src/settings.rs",
        "        self.log_for_us(&mut config, \"metadata\");\n",
        "",
    ),
    mutant(
        CLIENT,
        "lets a commit that failed be aborted",
        "kafka/src/client/remedy_of.rs",
        "        Phase::Commit => Remedy::Rebuild,\n",
        "        Phase::Commit if class == Class::RequiresAbort => Remedy::Abort,\n        \
         Phase::Commit => Remedy::Rebuild,\n",
    ),
    mutant(
        CLIENT,
        "waits for ever for a slot that another process has",
        "kafka/src/client/taken_slot.rs",
        "if had >= 2 * *session + MARGIN {",
        "if had >= 2 * *session + MARGIN && member.is_empty() {",
    ),
    mutant(
        CLIENT,
        "takes a slot while its group has no coordinator that tells",
        "kafka/src/client/taken_slot.rs",
        "        return Holder::Untold;\n",
        "        return Holder::Nobody;\n",
    ),
    mutant(
        CLIENT,
        "takes a member whose slot begins alike for the holder of its own",
        "kafka/src/client/taken_slot.rs",
        "rest.is_some_and(|it| it.len() == 36)",
        "rest.is_some()",
    ),
    mutant(
        CLIENT,
        "takes a request that timed out for an answered one",
        "kafka/src/client/reports.rs",
        "\"REQTMOUT\" => true,",
        "\"REQTMOUT\" => line.is_empty(),",
    ),
    mutant(
        CLIENT,
        "takes no notice of requests that were not answered",
        "kafka/src/client/live.rs",
        "            || context.reports.unanswered() != self.unanswered_before\n",
        "",
    ),
    mutant(
        CLIENT,
        "takes no notice of errors of brokers",
        "kafka/src/client/live.rs",
        "            || context.reports.errors() != self.errors_before\n",
        "",
    ),
    mutant(
        CLIENT,
        "taints a producer for no call that had to be repeated",
        "kafka/src/client/live.rs",
        "call(&self.native).inspect_err(|_| self.calls = Calls::Faltered)",
        "call(&self.native)",
    ),
    mutant(
        CLIENT,
        "sends progress without a membership",
        "kafka/src/client/native.rs",
        "generation >= 0 && !self.member().is_empty()",
        "generation >= -1 && self.member().len() < usize::MAX",
    ),
    mutant(
        CLIENT,
        "takes progress that can't be read for none",
        "kafka/src/client/lookup.rs",
        "    read?;\n    Ok(match offset {",
        "    drop(read);\n    Ok(match offset {",
    ),
];
