//! Where items come from: a source yields entries, each with its place, and can go on behind one.

mod entry;
mod error;
mod identity;

mod lines;

mod file;
mod pipe;
mod tpch;

use std::collections::BTreeMap;
use std::time::Duration;

use longshore_schemas::records::Cursor;

pub use entry::{BadLine, Entry, Place, Polled};
pub use error::SourceError;
pub use file::JsonFile;
pub use identity::SourceId;
pub use pipe::JsonPipe;
pub use tpch::TpchOrders;

use crate::{Input, ProducerConfig};

/// A bounded input that reads the same every time, as far as it goes.
pub trait Source {
    /// Goes on behind a place that a cursor remembers. Asked before anything is read.
    ///
    /// # Errors
    /// If the source isn't what it was when the cursor was written.
    fn resume(&mut self, place: Place) -> Result<(), SourceError>;

    /// What comes next; waits for it at most about `wait`.
    ///
    /// # Errors
    /// If it can't be read.
    fn poll(&mut self, wait: Duration) -> Result<Polled, SourceError>;
}

/// A source, and how it is known.
pub(crate) struct Opened {
    /// It.
    pub(crate) source: Box<dyn Source>,
    /// How cursors and ids know it.
    pub(crate) id: SourceId,
    /// How people know it.
    pub(crate) name: String,
}

/// Opens what the config names. `known` gives the cursors by source, and is asked only by a source
/// that is recognised by them.
pub(crate) fn open<E: From<SourceError>>(
    config: &ProducerConfig,
    known: impl FnOnce() -> Result<BTreeMap<String, Cursor>, E>,
) -> Result<Opened, E> {
    let given = config.source_id.as_deref().map(SourceId::given);
    let opened = match &config.input {
        Input::TpchOrders { scale } => Opened {
            source: Box::new(TpchOrders::new(*scale)?),
            id: given.unwrap_or_else(|| SourceId::tpch_orders(*scale)),
            name: format!("TPC-H orders at scale {scale}"),
        },
        Input::JsonLines { path } => {
            let file = JsonFile::open(path, config.line_bytes_max)?;
            let id = match given {
                Some(id) => id,
                None => file.identity(known()?.keys().map(String::as_str))?,
            };
            Opened { source: Box::new(file), id, name: path.display().to_string() }
        }
        Input::StandardInput => {
            let pipe = JsonPipe::new(std::io::stdin(), config.line_bytes_max)?;
            let id = given.unwrap_or_else(SourceId::never_again);
            Opened { source: Box::new(pipe), id, name: "standard input".to_owned() }
        }
    };
    Ok(opened)
}
