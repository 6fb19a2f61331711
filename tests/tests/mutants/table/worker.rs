//! Of the work on an item.

use super::{WORKER, mutant};

pub const MUTANTS: &[super::Mutant] = &[
    mutant(
        WORKER,
        "tells no join of a part that killed its processes",
        "worker/src/workshop.rs",
        "let ending = self.give_up(&item.record, envelope.as_ref(), &error, deaths)?;",
        "let ending = self.give_up(&item.record, None, &error, deaths)?;",
    ),
    mutant(
        WORKER,
        "tells no join of a part whose outcome has no place",
        "worker/src/workshop.rs",
        ".or_else(|error| self.give_up(record, Some(&envelope), &error, handled.attempts))",
        ".or_else(|error| self.give_up(record, None, &error, handled.attempts))",
    ),
    mutant(
        WORKER,
        "tries again what can never heal",
        "worker/src/workshop.rs",
        "if !error.may_heal() || cx.is_last_attempt() {",
        "if cx.is_last_attempt() {",
    ),
    mutant(
        WORKER,
        "gives an item up one attempt early",
        "worker/src/workshop.rs",
        "if !error.may_heal() || cx.is_last_attempt() {",
        "if !error.may_heal() || cx.attempt + 1 >= cx.attempts_max {",
    ),
    mutant(
        WORKER,
        "never counts an attempt",
        "worker/src/workshop.rs",
        "            cx.attempt += 1;\n",
        "",
    ),
    mutant(
        WORKER,
        "lets any number of attempts run at once",
        "worker/src/workshop.rs",
        "let _held = permit.expect(\"the semaphore lives and is never closed\");",
        "drop(permit.expect(\"the semaphore lives and is never closed\"));",
    ),
    mutant(
        WORKER,
        "works on in a partition that it has given back",
        "worker/src/step.rs",
        "        self.assigned.remove(&partition);\n",
        "",
    ),
    mutant(
        WORKER,
        "never looks whether its tasks still run",
        "worker/src/step.rs",
        "            assigned.crew.check()?;\n",
        "",
    ),
];
