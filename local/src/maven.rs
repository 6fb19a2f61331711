//! Fetches Kafka's jars with Maven, by the pom that is compiled in.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, PipeReader, pipe};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::java::Java;
use crate::{Environment, LocalError, Progress};

const POM: &str = include_str!("../kafka/pom.xml");

/// Pinned, so that an install does the same everywhere.
const COPY_DEPENDENCIES: &str =
    "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// Maven writes a line per file, and Kafka's largest has 10 MB: who is silent for longer hangs.
const SILENCE_MAX: Duration = Duration::from_secs(300);

/// Lines of Maven's that an error shows.
const TAIL_LINES: usize = 15;

/// The Maven on the path, and the Java it is to run on.
pub(crate) struct Maven {
    command: Command,
}

impl Maven {
    pub(crate) fn find(environment: &Environment, java: &Java) -> Option<Self> {
        let mut command = Command::new(environment.find("mvn")?);
        command.env("PATH", &environment.path);
        if let Some(home) = java.home() {
            command.env("JAVA_HOME", home);
        }
        Some(Self { command })
    }

    /// Puts every jar of the pom's into `libs` of the folder.
    pub(crate) fn fetch_into(
        mut self,
        folder: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), LocalError> {
        let pom = folder.join("pom.xml");
        std::fs::write(&pom, POM).map_err(LocalError::io("write", &pom))?;
        let mut libs = OsString::from("-DoutputDirectory=");
        libs.push(folder.join("libs"));
        self.command
            .args(["--batch-mode", "-Dstyle.color=never", "-DincludeScope=runtime"])
            .args([COPY_DEPENDENCIES, "--file"])
            .arg(pom)
            .arg(libs);
        let (child, output) = self.run()?;
        follow(child, output, progress)
    }

    /// Starts Maven. Both of its outputs go into one pipe, whose only writers are Maven's: the
    /// command keeps them open until it is dropped here, and the reader then sees Maven's end.
    fn run(mut self) -> Result<(Child, PipeReader), LocalError> {
        let program = PathBuf::from(self.command.get_program());
        let (reader, writer) = pipe().map_err(LocalError::io("make a pipe for", &program))?;
        let errors = writer.try_clone().map_err(LocalError::io("make a pipe for", &program))?;
        self.command.stdin(Stdio::null()).stdout(writer).stderr(errors);
        let child = self.command.spawn().map_err(LocalError::io("run", &program))?;
        Ok((child, reader))
    }
}

/// Waits for Maven's end and judges it; kills Maven when it falls silent.
fn follow(
    mut child: Child,
    output: PipeReader,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), LocalError> {
    let mut tail = VecDeque::with_capacity(TAIL_LINES);
    let ended = listen(&lines_of(output), &mut tail, progress);
    if !ended {
        let _ended_meanwhile = child.kill();
    }
    let status = child.wait().map_err(LocalError::io("wait for", Path::new("mvn")))?;
    if ended && status.success() {
        return Ok(());
    }
    let silent = format!("it was silent for {SILENCE_MAX:?}");
    let reason = if ended { status.to_string() } else { silent };
    Err(LocalError::Maven { reason, tail: Vec::from(tail).join("\n") })
}

/// Passes on what Maven says, and keeps its last lines. True at its end, false at its silence.
fn listen(
    lines: &Receiver<String>,
    tail: &mut VecDeque<String>,
    progress: &mut dyn FnMut(Progress),
) -> bool {
    let mut count = 0;
    loop {
        let line = match lines.recv_timeout(SILENCE_MAX) {
            Ok(line) => line,
            Err(end) => return end == RecvTimeoutError::Disconnected,
        };
        if let Some(jar) = downloaded_jar(&line) {
            count += 1;
            progress(Progress::Downloaded { jar: jar.to_owned(), count });
        }
        if tail.len() == TAIL_LINES {
            tail.pop_front();
        }
        tail.push_back(line);
    }
}

/// A thread reads, so that the listener can lose patience. It ends with Maven's output.
fn lines_of(output: PipeReader) -> Receiver<String> {
    let (sender, receiver) = sync_channel(64);
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The jar's name in `Downloaded from central: https://.../zstd-jni-1.5.6-10.jar (7.3 MB at ...)`.
fn downloaded_jar(line: &str) -> Option<&str> {
    let address = line.split_once("Downloaded from ")?.1.split_whitespace().nth(1)?;
    address.rsplit('/').next().filter(|name| name.ends_with(".jar"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_downloaded_jar_is_told_and_poms_are_not() {
        let line = "Downloaded from central: https://host/maven2/a/b/b-1.5.jar (7.3 MB at 2 MB/s)";
        assert_eq!(downloaded_jar(line), Some("b-1.5.jar"));
        let line = "Downloaded from central: https://host/maven2/a/b/b-1.5.pom (7 kB at 2 MB/s)";
        assert_eq!(downloaded_jar(line), None);
        assert_eq!(downloaded_jar("[INFO] BUILD SUCCESS"), None);
    }

    #[test]
    fn the_pom_asks_for_the_version_that_the_launcher_names() {
        let version = format!("<kafka.version>{}</kafka.version>", crate::KAFKA_VERSION);
        assert!(POM.contains(&version));
    }
}
