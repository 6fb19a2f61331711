//! What commands say on standard output: tables for people, JSON for programs.

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;

/// The form of a command's answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs: one JSON value.
    Json,
}

/// Where a command's answer goes.
pub struct Output<'a> {
    /// Its form.
    pub format: Format,
    /// Where it is written.
    pub to: &'a mut dyn Write,
}

impl Output<'_> {
    /// Answers with a value that people and programs can read.
    ///
    /// # Errors
    /// If nobody reads it.
    pub fn answer<T: Serialize + Display>(&mut self, value: &T) -> io::Result<()> {
        match self.format {
            Format::Table => write_line(self.to, &value.to_string()),
            Format::Json => {
                serde_json::to_writer_pretty(&mut *self.to, value)?;
                writeln!(self.to)
            }
        }
    }
}

fn write_line(to: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(to, "{}", text.trim_end_matches('\n'))
}
