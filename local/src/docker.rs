//! Kafka from its Docker image, for a machine without Java and Maven.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{getgid, getuid};
use serde::{Deserialize, Serialize};

use crate::Environment;

/// The image of the Apache Kafka project.
pub(crate) const IMAGE: &str = "apache/kafka:4.3.1";

/// Runs any class of Kafka's inside the image.
const RUN_CLASS: &str = "/opt/kafka/bin/kafka-run-class.sh";

/// A Docker client whose daemon answers.
#[derive(Debug, Clone)]
pub(crate) struct Docker {
    program: PathBuf,
    path: OsString,
}

impl Docker {
    /// Docker on the path, if its daemon answers.
    pub(crate) fn find(environment: &Environment) -> Option<Self> {
        let program = environment.find("docker")?;
        let docker = Self { program, path: environment.path.clone() };
        let answer = docker.command("info").stdout(Stdio::null()).stderr(Stdio::null()).status();
        answer.is_ok_and(|status| status.success()).then_some(docker)
    }

    /// Runs a class in a container of its own. The broker's folder has the same path inside as
    /// outside, so that one settings file serves both, and its files belong to the user.
    pub(crate) fn run_class(&self, folder: &Path, ports: &[u16], class: &str) -> Command {
        let mut command = self.command("run");
        let user = format!("{}:{}", getuid().as_raw(), getgid().as_raw());
        let (name, folder) = (container_name(folder), folder.display());
        for port in ports {
            command.args(["--publish", &format!("127.0.0.1:{port}:{port}")]);
        }
        command
            .args(["--rm", "--name", &name, "--user", &user])
            .args(["--volume", &format!("{folder}:{folder}")])
            .args(["--env", &format!("LOG_DIR={folder}/logs")])
            .args(["--entrypoint", RUN_CLASS, IMAGE, class]);
        command
    }

    /// Runs a class in the broker's container, where the broker has the same address.
    pub(crate) fn tool(&self, folder: &Path, class: &str) -> Command {
        let mut command = self.command("exec");
        command.args(["--interactive", &container_name(folder), RUN_CLASS, class]);
        command
    }

    /// The container that `run_class` names.
    pub(crate) fn container(&self, folder: &Path) -> Container {
        Container { docker: self.program.clone(), name: container_name(folder) }
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.env("PATH", &self.path).arg(verb);
        command
    }
}

/// What has to be ended by name: to kill the client that is attached to it leaves it running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Container {
    pub(crate) docker: PathBuf,
    pub(crate) name: String,
}

impl Container {
    /// Ends and removes it. That it is gone already is no error.
    pub(crate) fn remove(&self) {
        let _gone_already = Command::new(&self.docker)
            .args(["rm", "--force", &self.name])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

/// One broker, one folder, one container.
fn container_name(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    format!("longshore-{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_published_on_the_loopback_alone_and_the_folder_keeps_its_path() {
        let docker = Docker { program: "docker".into(), path: OsString::new() };
        let command =
            docker.run_class(Path::new("/c/brokers/broker-x"), &[9099, 9100], "kafka.Kafka");
        let arguments: Vec<_> = command.get_args().map(|part| part.to_string_lossy()).collect();
        let line = arguments.join(" ");
        assert!(line.starts_with("run "), "{line}");
        assert!(line.contains(" --rm --name longshore-broker-x "), "{line}");
        assert!(line.contains(" --publish 127.0.0.1:9099:9099 "), "{line}");
        assert!(line.contains(" --publish 127.0.0.1:9100:9100 "), "{line}");
        assert!(line.contains(" --volume /c/brokers/broker-x:/c/brokers/broker-x "), "{line}");
        assert!(line.ends_with(&format!("{RUN_CLASS} {IMAGE} kafka.Kafka")), "{line}");
    }

    #[test]
    fn the_image_is_of_the_version_that_the_launcher_names() {
        assert_eq!(IMAGE.rsplit(':').next(), Some(crate::KAFKA_VERSION));
    }
}
