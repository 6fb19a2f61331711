//! From the text of a pipeline file to a draft, and on to a checked pipeline.

use std::io;
use std::path::{Path, PathBuf};

use crate::pipeline::check::{self, Registered};
use crate::pipeline::defaults::FILE_BYTES_MAX;
use crate::pipeline::draft::PipelineDraft;
use crate::pipeline::problem::{Findings, Problems};
use crate::pipeline::shape::Pipeline;

use super::section::Section;
use super::tree::{self, Node};

/// Why a pipeline file gave no pipeline.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It couldn't be read.
    #[error("pipeline file {path} can't be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It is no pipeline file by its size.
    #[error("pipeline file {path} has {bytes} bytes, more than {FILE_BYTES_MAX}: is it another?")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// It was read, and something is wrong with what it says.
    #[error(transparent)]
    Wrong(#[from] Problems),
}

/// Reads and checks a pipeline file.
///
/// # Errors
/// The file can't be read, or something in it is wrong: then every problem at once.
pub fn load(path: &Path, registered: &Registered<'_>) -> Result<Pipeline, LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
    let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(LoadError::TooLarge { path: path.to_owned(), bytes });
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    Ok(read(&path.display().to_string(), &text, registered)?)
}

/// Reads and checks the text of a pipeline file; `origin` is the file's name for messages.
///
/// # Errors
/// Every problem of the text at once, each with its line and column.
pub fn read(origin: &str, text: &str, registered: &Registered<'_>) -> Result<Pipeline, Problems> {
    let mut findings = Findings::default();
    let draft = tree::parse(text, &mut findings).and_then(|root| draft(&root, &mut findings));
    match draft {
        Some(draft) => {
            let draft = PipelineDraft { origin: origin.to_owned(), ..draft };
            check::check(&draft, registered, findings)
        }
        None => Err(Problems { origin: origin.to_owned(), list: findings.into_list() }),
    }
}

fn draft(root: &Node, findings: &mut Findings) -> Option<PipelineDraft> {
    let keys = ["pipeline", "partitions", "source", "stages", "joins", "sinks"];
    let section = Section::open(root, "the file", &keys, findings)?;
    let (name, partitions) =
        (section.value("pipeline", findings), section.value("partitions", findings));
    findings.about("source");
    let source = section.value("source", findings);
    Some(PipelineDraft {
        origin: String::new(),
        top: root.place,
        name,
        partitions,
        source,
        stages: section.named("stages", "stage", findings),
        joins: section.named("joins", "join", findings),
        sinks: section.named("sinks", "sink", findings),
    })
}
