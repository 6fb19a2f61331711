//! The demo: a fleet of processes settles orders on a real Kafka, faults and kills included, and
//! the outcome is proven from the topics alone.
//!
//! Reading order: what can be asked for; the run as a whole; where it runs and what it is told; its
//! processes and how they are killed; what is seen of it while it runs; and what is read when it is
//! over.

mod options;

mod course;
mod run;

mod assembly;
mod broker;
mod faults;
mod pipeline_file;

mod killer;

mod counts;
mod followers;
mod lag;
mod live;

mod cleaning;
mod evidence;
mod hidden;
mod summary;

pub use faults::faults_of_process;
pub use options::Args;
pub use run::run;
