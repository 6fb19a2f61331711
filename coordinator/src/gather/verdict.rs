//! The one place that says whether a group closes, and as what.
//!
//! The status follows from three questions, asked in this order:
//! - Is the rule met? COMPLETE. (`all_done` and `all_ended` aren't, with a FAILED part: the group
//!   has not got everything.)
//! - Is what failed, and at the deadline what is missing, acceptable? PARTIAL. Where `tolerate`
//!   gives a bound, the bound decides; else `on_failed` (`include` and `drop` accept, `fail_fast`
//!   doesn't) and `on_timeout`.
//! - Otherwise FAILED.
//!
//! So `all_done` and `all_ended` are one rule under two names: with a FAILED part the group waits
//! for the others all the same, and what becomes of it is for `tolerate` and `on_failed` to say.
//!
//! `quorum` and `any_done` count parts that are DONE: a skipped part is no answer. `fraction`
//! counts DONE and SKIPPED as `all_done` does. So a group closes early only when its rule is met,
//! or by `fail_fast`: a rule that can't be met any more still waits for the other parts, as one of
//! the failed may be repaired.

use longshore_schemas::records::{CompletedBy, GroupStatus};

use super::group::Group;
use super::rules::{OnFailed, OnTimeout, Rules};
use super::stages::Stages;
use super::tally::StageTally;
use super::when::{Truth, When};

/// As what a group closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) status: GroupStatus,
    pub(super) completed_by: CompletedBy,
}

/// Whether the group closes with the parts it has.
pub(super) fn now(rules: &Rules, group: &Group, stages: &Stages) -> Option<Verdict> {
    let all_ended = group.all_ended();
    let by = |early| if all_ended { CompletedBy::All } else { early };
    if is_met(rules, group, stages) {
        let completed_by = by(met_early_by(&rules.when));
        return Some(Verdict { status: GroupStatus::Complete, completed_by });
    }
    if fails_fast(rules, group) {
        let completed_by = by(CompletedBy::Rule);
        return Some(Verdict { status: GroupStatus::Failed, completed_by });
    }
    let status =
        if accepts_unmet(rules, group) { GroupStatus::Partial } else { GroupStatus::Failed };
    all_ended.then_some(Verdict { status, completed_by: CompletedBy::All })
}

/// As what the group closes when it can wait no longer: at its deadline, or opened again.
pub(super) fn at_the_end(rules: &Rules, group: &Group, completed_by: CompletedBy) -> Verdict {
    let total = group.total();
    let accepted = accepts_failed(rules, total) && accepts_missing(rules, group, total);
    let status = if accepted { GroupStatus::Partial } else { GroupStatus::Failed };
    Verdict { status, completed_by }
}

fn is_met(rules: &Rules, group: &Group, stages: &Stages) -> bool {
    let total = group.total();
    match &rules.when {
        When::AllDone | When::AllEnded => group.all_ended() && total.failed == 0,
        When::AnyDone => total.done >= 1,
        When::Quorum(parts) => total.done >= *parts,
        When::Fraction(share) => {
            group.is_sealed() && total.done + total.skipped >= share.at_least(total.expected)
        }
        When::Stages(expr) => {
            let tally = |stage: &_| group.tally(stages, stage);
            group.is_sealed() && expr.truth(&tally) == Truth::Yes
        }
    }
}

fn met_early_by(when: &When) -> CompletedBy {
    match when {
        When::AnyDone | When::Quorum(_) => CompletedBy::Quorum,
        When::AllDone | When::AllEnded | When::Fraction(_) | When::Stages(_) => CompletedBy::Rule,
    }
}

/// More parts failed than any number of further ones could make tolerable.
fn fails_fast(rules: &Rules, group: &Group) -> bool {
    let total = group.total();
    let tolerated = match rules.tolerate.failed {
        None => Some(0),
        Some(tolerance) if group.is_sealed() => Some(tolerance.of(total.expected)),
        Some(tolerance) => tolerance.of_unknown(),
    };
    rules.on_failed == OnFailed::FailFast
        && tolerated.is_some_and(|tolerated| total.failed > tolerated)
}

/// Whether a group is good for something whose rule is false with every part ended. Under
/// `fail_fast` only what `tolerate` grants to the rules that ask for all.
fn accepts_unmet(rules: &Rules, group: &Group) -> bool {
    let asks_for_all = matches!(rules.when, When::AllDone | When::AllEnded);
    accepts_failed(rules, group.total()) && (asks_for_all || rules.on_failed != OnFailed::FailFast)
}

fn accepts_failed(rules: &Rules, total: StageTally) -> bool {
    match rules.tolerate.failed {
        Some(tolerance) => total.failed <= tolerance.of(total.expected),
        None => rules.on_failed != OnFailed::FailFast || total.failed == 0,
    }
}

/// Before the seal nobody knows how many are missing, so no bound on them can be held.
fn accepts_missing(rules: &Rules, group: &Group, total: StageTally) -> bool {
    match rules.tolerate.missing {
        Some(tolerance) if group.is_sealed() => {
            total.expected - total.ended() <= tolerance.of(total.expected)
        }
        _ => rules.on_timeout == OnTimeout::Partial,
    }
}
