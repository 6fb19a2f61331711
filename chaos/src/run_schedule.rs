//! Performs a schedule on a proxy.

use std::num::NonZeroU64;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{Control, Disturbance, Fault, Rules, Then, Trap};

/// A request that is delivered late is delivered after this time, whatever happens.
const LATE_MAX: Duration = Duration::from_secs(30);

/// More of one kind than clients ask within a disturbance.
const ALL: u32 = u32::MAX;

/// Disturbs one after another until it is stopped, and then lets everything pass. Answers how many
/// there were.
pub async fn run_schedule(
    control: &Control,
    schedule: impl Iterator<Item = Disturbance>,
    stop: &CancellationToken,
) -> usize {
    let mut count = 0;
    for Disturbance { after, fault, lasts } in schedule {
        if is_stopped(after, stop).await {
            break;
        }
        begin(control, fault);
        count += 1;
        let stopped = is_stopped(lasts, stop).await;
        end(control);
        if stopped {
            break;
        }
    }
    end(control);
    count
}

fn begin(control: &Control, fault: Fault) {
    let rules = Rules::default();
    match fault {
        Fault::DelayRequests(delay_requests) => {
            control.set_rules(Rules { delay_requests, ..rules })
        }
        Fault::DelayAnswers(delay_answers) => control.set_rules(Rules { delay_answers, ..rules }),
        Fault::Throttle(pace) => {
            control.set_rules(Rules { bytes_per_second: NonZeroU64::new(pace), ..rules });
        }
        Fault::BlackHole => control.set_rules(Rules { black_hole: true, ..rules }),
        Fault::Cut => control.cut_all(),
        Fault::Reset => control.reset_all(),
        Fault::SwallowAnswer(of) => {
            control.set_trap(Trap::SwallowAnswer { of, then: Then::Reset }, 1);
        }
        Fault::Unanswered(of) => {
            control.set_trap(Trap::SwallowAnswer { of, then: Then::Reset }, ALL);
        }
        Fault::DeliverLate(of) => {
            control.set_trap(Trap::HoldRequest { of, at_most: LATE_MAX, then: Then::Reset }, 1);
        }
    }
}

fn end(control: &Control) {
    control.set_rules(Rules::default());
    control.clear_traps();
    control.release();
}

/// Waits; whether it was stopped meanwhile.
async fn is_stopped(time: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => true,
        () = sleep(time) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_schedule_that_is_stopped_leaves_nothing_broken() {
        let (control, stop) = (Control::new(), CancellationToken::new());
        let fault = Fault::BlackHole;
        let at_once = Disturbance { after: Duration::ZERO, fault, lasts: LATE_MAX };
        let running = {
            let (control, stop) = (control.clone(), stop.clone());
            tokio::spawn(
                async move { run_schedule(&control, std::iter::repeat(at_once), &stop).await },
            )
        };
        while !control.rules().black_hole {
            tokio::task::yield_now().await;
        }
        stop.cancel();
        assert_eq!(running.await.expect("it ends"), 1);
        assert_eq!(control.rules(), Rules::default());
    }
}
