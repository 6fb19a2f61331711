//! An audit in this process, which tells when it waits for an open transaction: whoever holds one
//! open decides when it goes on.

use std::fmt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use clap::Parser;
use longshore::{CommandLine, Exit};
use longshore_schemas::TopicName;
use longshore_tests::{DEADLINE, Fleet, handlers};
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// An audit on its way.
pub struct AuditAtHand {
    waits: Receiver<String>,
    audit: JoinHandle<(Exit, String)>,
}

impl AuditAtHand {
    /// Begins one of a fleet.
    pub fn of(fleet: &Fleet) -> Self {
        let (sender, waits) = channel();
        let servers = fleet.settings().bootstrap_servers;
        let pipeline = fleet.file("pipeline.yaml").display().to_string();
        let line = ["longshore", "-b", &servers, "-p", &pipeline, "-o", "json", "audit"];
        let line = CommandLine::try_parse_from(line).expect("a command");
        let audit = thread::spawn(move || {
            let listens = tracing_subscriber::registry().with(Waits(sender));
            let _listens = tracing::subscriber::set_default(listens);
            let mut answer = Vec::new();
            let exit = handlers().try_execute(&line.options, &line.command, &mut answer);
            let answer = String::from_utf8(answer).expect("text");
            (exit.expect("it can be made"), answer)
        });
        Self { waits, audit }
    }

    /// Waits until it waits for a transaction in this topic, which it has begun to read then.
    pub fn until_it_waits_for(&self, topic: &TopicName) {
        let waits = self.waits.recv_timeout(DEADLINE).expect("it waits for a transaction");
        assert_eq!(waits, topic.as_str());
    }

    /// Waits for its end: its exit, and the faults that it names.
    pub fn ends(self) -> (Exit, Vec<(String, String)>) {
        let (exit, said) = self.audit.join().expect("it doesn't panic");
        (exit, faults(&said))
    }
}

/// The faults that an audit names in JSON: what each breaks, and what is wrong. Lines of a log may
/// stand around them.
pub fn faults(said: &str) -> Vec<(String, String)> {
    let starts = said.match_indices('{').map(|(at, _)| &said[at..]);
    let mut values = starts
        .filter_map(|it| serde_json::Deserializer::from_str(it).into_iter::<Value>().next()?.ok());
    let answer = values.find(|it| it["report"].is_object());
    let answer = answer.unwrap_or_else(|| panic!("no report: {said}"));
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let faults = answer["report"]["faults"].as_array().expect("faults");
    faults.iter().map(|it| (text(&it["breaks"]), text(&it["what"]))).collect()
}

/// Tells the topics of such waits.
struct Waits(Sender<String>);

impl<S: Subscriber> Layer<S> for Waits {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        if said.message == "waits for an open transaction" {
            // Nobody may listen any more.
            let _ = self.0.send(said.topic);
        }
    }
}

/// What an event says.
#[derive(Default)]
struct Said {
    message: String,
    topic: String,
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "topic" => self.topic = format!("{value:?}"),
            _ => {}
        }
    }
}
