//! How a process of the fleet is started: this very program, with another command.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Options;

/// After this long a dead process's partitions go to others, if it isn't restarted in its slot.
const SESSION_TIMEOUT: &str = "12s";
/// After this long the broker aborts a dead process's transaction, if its successor hasn't.
const TRANSACTION_TIMEOUT: &str = "8s";

/// All that the processes of a run are told alike.
pub struct Launch {
    program: PathBuf,
    shared: Vec<String>,
    variables: Vec<(&'static str, String)>,
    /// Where their logs go.
    pub folder: PathBuf,
}

impl Launch {
    /// With these options, which name the Kafka and the pipeline, and these variables in their
    /// environment. Their logs go to the folder.
    pub fn new(
        options: &Options,
        folder: &Path,
        variables: impl Into<Vec<(&'static str, String)>>,
    ) -> io::Result<Self> {
        Ok(Self {
            program: env::current_exe()?,
            shared: shared(options),
            variables: variables.into(),
            folder: folder.to_owned(),
        })
    }

    /// A process that keeps its slot over restarts.
    pub fn member(&self, command: &str, slot: &str) -> Command {
        let mut member = self.command(&[command, "--slot", slot, "--admin", "127.0.0.1:0"]);
        member.args(["--session-timeout", SESSION_TIMEOUT]);
        member.args(["--transaction-timeout", TRANSACTION_TIMEOUT]);
        member
    }

    /// A process that ends by itself.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).args(&self.shared).envs(self.variables.iter().cloned());
        command
    }
}

fn shared(options: &Options) -> Vec<String> {
    let config = options.config.as_ref().map(|path| path.to_string_lossy().into_owned());
    let optional = [
        ("--bootstrap-server", options.bootstrap_server.clone()),
        ("--pipeline", options.pipeline.clone()),
        ("--config", config),
        // The address of the admin server is read in the log.
        ("--logs", Some("json".to_owned())),
    ];
    let named = optional.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?]));
    let properties = options.properties.iter().map(|it| ["-X".to_owned(), it.clone()]);
    named.chain(properties).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_kafka_the_processes_are_told_too() {
        let options = Options {
            bootstrap_server: Some("localhost:9092".to_owned()),
            properties: vec!["sasl.username=me".to_owned()],
            ..Options::default()
        };
        let launch = Launch::new(&options, Path::new("."), [("SEED", "7".to_owned())]).unwrap();
        let command = launch.member("work", "w0");
        let words: Vec<_> = command.get_args().filter_map(|word| word.to_str()).collect();
        let line = words.join(" ");
        assert!(line.starts_with("work --slot w0 "), "{line}");
        assert!(line.contains("--bootstrap-server localhost:9092"), "{line}");
        assert!(line.contains("-X sasl.username=me"), "{line}");
        assert_eq!(command.get_envs().count(), 1);
    }
}
