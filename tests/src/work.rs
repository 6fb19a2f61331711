//! What the fleet under test does: each item says itself what becomes of it.

use std::fs::OpenOptions;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use longshore::Fleet;
use longshore::prelude::*;
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};

/// Bytes of an output that no topic takes by default.
const OVERSIZED: usize = 2 << 20;
/// How long a nap is: long enough that a fleet has work while something happens to it.
const NAP: Duration = Duration::from_millis(20);
/// How often a held item looks whether it is released.
const LOOK: Duration = Duration::from_millis(20);
/// Parts of an item that is split.
pub(crate) const PARTS: u32 = 3;

/// A work item.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Job {
    /// Its key.
    pub key: String,
    /// Its number: each is published once, and rises within a key.
    pub number: i64,
    /// What becomes of it: `echo`, `nap`, `fail`, `panic`, `oversize`, `kill` (its process), `hang`
    /// (it never returns), `block` (nor lets go of its thread), or `hold` and a file. Of
    /// `ungathered` and a file its parts are done, but not their gather, each call of which adds a
    /// line to the file. Of `hold-last` and a file, and anything behind it, the last part is held;
    /// of `hold-split` and a file the splitter holds it as a whole.
    pub does: String,
}

impl WorkItem for Job {
    const SCHEMA: &'static str = r#"{
        "type": "record",
        "name": "Job",
        "fields": [
            {"name": "key", "type": "string"},
            {"name": "number", "type": "long"},
            {"name": "does", "type": "string"}
        ]
    }"#;
}

impl Job {
    /// An item that is done at once.
    pub fn echo(number: i64, key: impl Into<String>) -> Self {
        Self { key: key.into(), number, does: "echo".to_owned() }
    }

    /// The same item, with this to do instead.
    #[must_use]
    pub fn doing(self, does: &str) -> Self {
        Self { does: does.to_owned(), ..self }
    }

    /// What comes of it where items are split, if each of its parts is done once.
    #[must_use]
    pub fn whole(&self) -> Self {
        let parts: Vec<_> = (0..PARTS).map(|part| part_of(self, part)).collect();
        gathered(self, &parts)
    }

    /// The same item, which isn't done before the file is there.
    #[must_use]
    pub fn held_until(self, file: &Path) -> Self {
        let does = format!("hold {}", file.display());
        self.doing(&does)
    }

    /// The same item, which isn't split before the file is there.
    #[must_use]
    pub fn split_when(self, file: &Path) -> Self {
        let does = format!("hold-split {}", file.display());
        self.doing(&does)
    }
}

struct Work;

impl Handler for Work {
    type Item = Job;

    async fn handle(&self, job: Job, _: &Context) -> Result<Outcome, HandlerError> {
        match job.does.split_once(' ').unwrap_or((&job.does, "")) {
            ("nap", _) => tokio::time::sleep(NAP).await,
            ("fail", _) => return Err(HandlerError::permanent("poison", "it never can be done")),
            ("panic", _) => panic!("job {} asked for it", job.number),
            ("kill", _) => kill_process(getpid(), Signal::KILL)?,
            ("hang", _) => std::future::pending().await,
            ("block", file) => {
                while !Path::new(file).exists() {
                    std::thread::sleep(LOOK);
                }
            }
            ("oversize", _) => return Ok(Output::bytes(vec![0; OVERSIZED]).into()),
            ("hold", file) => until_there(file).await,
            _ => {}
        }
        Outcome::done(&job)
    }
}

async fn until_there(file: &str) {
    while !Path::new(file).exists() {
        tokio::time::sleep(LOOK).await;
    }
}

struct Split;

impl Handler for Split {
    type Item = Job;

    async fn handle(&self, job: Job, _: &Context) -> Result<Outcome, HandlerError> {
        match job.does.split_once(' ').unwrap_or((&job.does, "")) {
            // Each makes several times the work.
            ("nap", _) => tokio::time::sleep(2 * NAP).await,
            ("hold-split", file) => until_there(file).await,
            _ => {}
        }
        let mut parts = FanOut::new().expecting(Expect::Count(PARTS));
        for part in 0..PARTS {
            let output = Output::of(&part_of(&job, part))?.keyed(format!("{}/{part}", job.number));
            parts.push(PartId(part), output);
        }
        Ok(Outcome::fan_out(parts))
    }
}

fn part_of(job: &Job, part: u32) -> Job {
    let held = job.does.strip_prefix("hold-last ").and_then(|rest| rest.split_once(' '));
    match held {
        Some((file, _)) if part == PARTS - 1 => job.clone().held_until(Path::new(file)),
        Some((_, rest)) => job.clone().doing(&format!("echo {part} {rest}")),
        None => job.clone(),
    }
}

struct Gather;

impl Handler for Gather {
    type Item = Group;

    async fn handle(&self, group: Group, _: &Context) -> Result<Outcome, HandlerError> {
        let parts = group.decode::<Job>("part")?.into_iter().map(|(_, job)| job);
        let parts: Vec<_> = parts.collect();
        let [job, ..] = &parts[..] else {
            return Err(HandlerError::permanent("empty", "a group without parts"));
        };
        if let Some(file) = job.does.strip_prefix("ungathered ") {
            writeln!(OpenOptions::new().create(true).append(true).open(file)?, "called")?;
            return Err(HandlerError::transient("away", "it can't be gathered now"));
        }
        Outcome::done(&gathered(job, &parts))
    }
}

/// What comes of a job whose parts were gathered: it tells them from any others.
fn gathered(job: &Job, parts: &[Job]) -> Job {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    job.clone().doing(&format!("{} parts {:x}", parts.len(), hasher.finish()))
}

/// The fleet with these handlers: `work`, and for a join `split` and `gather`.
pub fn handlers() -> Fleet {
    Fleet::new()
        .item::<Job>("Job")
        .handler("work", Work)
        .handler("split", Split)
        .handler("gather", Gather)
}

/// The handler `work` alone, for a worker that is put together by hand.
pub(crate) fn work() -> Result<longshore_handler::Handlers, longshore_handler::RegisterError> {
    let mut handlers = longshore_handler::Handlers::new();
    handlers.add("work", Work)?;
    Ok(handlers)
}
