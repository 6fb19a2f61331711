//! The processes, each in its slot.

use std::path::Path;
use std::process::ExitStatus;
use std::thread;
use std::time::{Duration, Instant};

use super::child::Child;
use super::error::StaffError;
use super::launch::Launch;
use super::metrics::Counters;

/// How long a process may take to drain: its own limit, and a little for what comes behind it.
pub(super) const STOP_MAX: Duration = Duration::from_secs(40);
/// How often an ending process is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Runs the stages.
    Worker,
    /// Runs the joins.
    Coordinator,
}

/// A slot and the process that has it.
struct Member {
    role: Role,
    slot: String,
    starts: u32,
    child: Child,
}

/// All processes of a fleet. Dropping it kills them.
pub struct Staff {
    launch: Launch,
    members: Vec<Member>,
    counted_before: Counters,
    memory_peaks: [u64; 2],
}

/// What is known of a fleet that has stopped.
#[derive(Clone, Debug)]
pub struct Service {
    /// What its processes counted; a killed one since it was last looked at is missing.
    pub counters: Counters,
    /// The most memory that a worker had, in bytes.
    pub worker_memory_peak: u64,
    /// The most memory that a coordinator had, in bytes.
    pub coordinator_memory_peak: u64,
    /// Slots, and how often another process was started in each.
    pub kills: Vec<(String, u32)>,
}

impl Staff {
    /// Starts so many of each.
    ///
    /// # Errors
    /// If one can't be started.
    pub fn start(launch: Launch, workers: u32, coordinators: u32) -> Result<Self, StaffError> {
        let workers = (0..workers).map(|it| (Role::Worker, format!("w{it}")));
        let coordinators = (0..coordinators).map(|it| (Role::Coordinator, format!("c{it}")));
        let members: Result<_, _> = workers
            .chain(coordinators)
            .map(|(role, slot)| {
                let child = start(&launch, role, &slot, 1)?;
                Ok::<_, StaffError>(Member { role, slot, starts: 1, child })
            })
            .collect();
        let counted_before = Counters::default();
        Ok(Self { launch, members: members?, counted_before, memory_peaks: [0; 2] })
    }

    /// How many processes there are.
    pub fn size(&self) -> usize {
        self.members.len()
    }

    /// How often one was killed.
    pub fn kills(&self) -> u32 {
        self.members.iter().map(Member::kills).sum()
    }

    /// Kill -9, and another process in the same slot at once. `index` is below [`Self::size`].
    ///
    /// # Errors
    /// If the other one can't be started.
    pub fn kill(&mut self, index: usize) -> Result<(), StaffError> {
        self.look_at(index);
        let member = &mut self.members[index];
        self.counted_before = self.counted_before + member.child.counters();
        member.child.kill();
        member.starts += 1;
        member.child = start(&self.launch, member.role, &member.slot, member.starts)?;
        Ok(())
    }

    /// SIGSTOP: it stands still until it is thawed.
    pub fn freeze(&self, index: usize) {
        self.members[index].child.freeze();
    }

    /// SIGCONT: it goes on, if it stood still.
    pub fn thaw(&self, index: usize) {
        self.members[index].child.thaw();
    }

    /// Fails if a process has ended that wasn't asked to.
    ///
    /// # Errors
    /// Whose process it was, and its last words.
    pub fn check(&mut self) -> Result<(), StaffError> {
        for member in &mut self.members {
            if let Some(status) = member.child.ended() {
                return Err(member.failed("ended by itself", status));
            }
        }
        Ok(())
    }

    /// Starts those again that have ended without being asked to, as a supervisor would; how each
    /// ended.
    ///
    /// # Errors
    /// If one can't be started.
    pub fn restart_ended(&mut self) -> Result<Vec<StaffError>, StaffError> {
        let mut ended = Vec::new();
        for member in &mut self.members {
            if let Some(status) = member.child.ended() {
                ended.push(member.failed("ended by itself", status));
                self.counted_before = self.counted_before + member.child.counters();
                member.starts += 1;
                member.child = start(&self.launch, member.role, &member.slot, member.starts)?;
            }
        }
        Ok(ended)
    }

    /// Where the logs of the processes are.
    pub fn logs(&self) -> &Path {
        &self.launch.folder
    }

    /// Looks at every process; what they have counted together.
    pub fn look(&mut self) -> Counters {
        (0..self.members.len()).for_each(|index| self.look_at(index));
        let counters = self.members.iter().map(|it| it.child.counters());
        counters.fold(self.counted_before, |sum, it| sum + it)
    }

    /// The memory that a worker had in the mean when they were last looked at, in bytes.
    pub fn worker_memory(&self) -> u64 {
        let workers = self.members.iter().filter(|it| it.role == Role::Worker);
        let known = workers.map(|it| it.child.memory().now).filter(|bytes| *bytes > 0);
        let (sum, count) = known.fold((0, 0), |(sum, count), bytes| (sum + bytes, count + 1));
        sum.checked_div(count).unwrap_or(0)
    }

    fn look_at(&mut self, index: usize) {
        let Member { role, child, .. } = &mut self.members[index];
        child.look();
        let peak = &mut self.memory_peaks[*role as usize];
        *peak = child.memory().peak.max(*peak);
    }

    /// Asks all processes to end in order.
    ///
    /// # Errors
    /// Unless every one does.
    pub fn stop(mut self) -> Result<Service, StaffError> {
        let counters = self.look();
        self.members.iter().for_each(|member| member.child.terminate());
        let deadline = Instant::now() + STOP_MAX;
        for member in &mut self.members {
            let ended = end_of(&mut member.child, deadline);
            let status = ended.ok_or_else(|| StaffError::Slow { slot: member.slot.clone() })?;
            if !status.success() {
                return Err(member.failed("failed when it was asked to end", status));
            }
        }
        let [worker_memory_peak, coordinator_memory_peak] = self.memory_peaks;
        let kills = self.members.iter().map(|it| (it.slot.clone(), it.kills())).collect();
        Ok(Service { counters, worker_memory_peak, coordinator_memory_peak, kills })
    }
}

impl Member {
    fn kills(&self) -> u32 {
        self.starts - 1
    }

    fn failed(&self, how: &'static str, status: ExitStatus) -> StaffError {
        let last_words = self.child.log_tail();
        StaffError::Ended { slot: self.slot.clone(), how, status, last_words }
    }
}

fn start(launch: &Launch, role: Role, slot: &str, nth: u32) -> Result<Child, StaffError> {
    let command = match role {
        Role::Worker => "work",
        Role::Coordinator => "coordinate",
    };
    let log = launch.folder.join(format!("{slot}.{nth}.log"));
    Ok(Child::start(&launch.member(command, slot), log)?)
}

/// Waits for the end of a process; none if it is still there at the deadline.
pub fn end_of(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    while Instant::now() < deadline {
        if let Some(status) = child.ended() {
            return Some(status);
        }
        thread::sleep(LOOK_AGAIN);
    }
    None
}
