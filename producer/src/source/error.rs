//! Why a source can't be read, or can't be gone on with.

use std::io;

use thiserror::Error;

/// What is wrong with a source.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The file can't be opened.
    #[error("{name} can't be opened: {error}")]
    Open {
        /// Its path.
        name: String,
        /// What the operating system says.
        #[source]
        error: io::Error,
    },
    /// It is a folder, or a device.
    #[error("{name} is no regular file; give a file, or pipe it into standard input")]
    NotAFile {
        /// Its path.
        name: String,
    },
    /// Reading failed.
    #[error("{name} can't be read on at byte {byte}: {error}; run again to go on there")]
    Read {
        /// The source.
        name: String,
        /// Where.
        byte: u64,
        /// What the operating system says.
        #[source]
        error: io::Error,
    },
    /// The source ends before what is published of it.
    #[error(
        "{name} ends before its line {line}, byte {byte}, to which it is published: it was cut off \
         or replaced; give it a source id of its own to publish it from its beginning"
    )]
    Shorter {
        /// The source.
        name: String,
        /// The last line that is published.
        line: u64,
        /// Where it ended.
        byte: u64,
    },
    /// No line ends where one did.
    #[error(
        "{name} has changed since its first {line} lines were published: none ends at byte {byte} \
         any more; give it a source id of its own to publish it from its beginning"
    )]
    Changed {
        /// The source.
        name: String,
        /// The last line that is published.
        line: u64,
        /// Where it ended.
        byte: u64,
    },
    /// No such scale.
    #[error("scale {scale} is out of range; it must be from {min} to {max}")]
    Scale {
        /// What was asked for.
        scale: f64,
        /// The least.
        min: f64,
        /// The most.
        max: f64,
    },
}
