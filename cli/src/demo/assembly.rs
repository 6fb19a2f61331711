//! When a fleet has come together: every process is a member, every partition has an owner. What
//! a calm run takes is counted from then.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;
use longshore::inspect::{Consumer, Kind, Observer};
use longshore::pipeline::Pipeline;
use longshore::staff::{Interrupt, Staff};

use super::Args;

/// How long it may take: a few rounds of joining, and a member's slow start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Waits until the fleet has come together.
pub fn wait(
    observer: &Observer,
    pipeline: &Pipeline,
    args: &Args,
    (staff, interrupt): (&mut Staff, &Interrupt),
) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let consumers = Consumer::all(pipeline);
    while Instant::now() < deadline {
        staff.check()?;
        if interrupt.is_asked() {
            bail!("interrupted");
        }
        if all_are_there(observer, &consumers, args)? {
            return Ok(());
        }
        thread::sleep(LOOK_AGAIN);
    }
    bail!("after {} s the partitions are not yet divided among the fleet", PATIENCE.as_secs())
}

fn all_are_there(observer: &Observer, consumers: &[Consumer], args: &Args) -> anyhow::Result<bool> {
    for consumer in consumers {
        let members = match consumer.kind {
            Kind::Stage => args.workers,
            Kind::Join => args.coordinators,
        };
        let Some(group) = observer.admin().group(&consumer.group)? else {
            return Ok(false);
        };
        let owned: usize = group.members.iter().map(|member| member.assigned.len()).sum();
        let partitions = observer.admin().watermarks(&consumer.topic)?.len();
        let is_there = group.members.len() == members as usize && owned == partitions;
        if group.state != "Stable" || !is_there {
            return Ok(false);
        }
    }
    Ok(true)
}
