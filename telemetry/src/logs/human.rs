//! One log line for a person: time, level, what it is about, message, fields.

use std::fmt as std_fmt;

use tracing::{Event, Level, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{
    self, FmtContext, FormatEvent, FormatFields, FormattedFields, MakeWriter,
};
use tracing_subscriber::registry::LookupSpan;

use super::surroundings::{LogValue, Surroundings};

const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// Writes every event as a line.
pub(super) fn layer<S, W>(writer: W, ansi: bool, surroundings: Surroundings) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    fmt::layer().with_writer(writer).with_ansi(ansi).event_format(HumanLines(surroundings))
}

struct HumanLines(Surroundings);

impl<S> FormatEvent<S, DefaultFields> for HumanLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, DefaultFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std_fmt::Result {
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
        let (dim, plain) = if writer.has_ansi_escapes() { (DIM, PLAIN) } else { ("", "") };
        writer.write_str(dim)?;
        SystemTime.format_time(&mut writer)?;
        let (color, level) = (color(metadata.level(), &writer), metadata.level());
        write!(writer, "{plain} {color}{level:>5}{plain} ")?;
        self.write_surroundings(&mut writer)?;
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            write!(writer, "{}", span.name())?;
            if let Some(fields) = span.extensions().get::<FormattedFields<DefaultFields>>()
                && !fields.fields.is_empty()
            {
                write!(writer, "{{{}}}", fields.fields)?;
            }
            writer.write_str(": ")?;
        }
        write!(writer, "{dim}{}:{plain} ", metadata.target())?;
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

impl HumanLines {
    fn write_surroundings(&self, writer: &mut Writer<'_>) -> std_fmt::Result {
        let mut written = Ok(());
        let mut before = "process{";
        (self.0)(&mut |name, value| {
            let now = match value {
                LogValue::Text(text) => write!(writer, "{before}{name}={text:?}"),
                LogValue::Number(number) => write!(writer, "{before}{name}={number}"),
            };
            before = " ";
            written = written.and(now);
        });
        if before == " " {
            writer.write_str("}: ")?;
        }
        written
    }
}

fn color(level: &Level, writer: &Writer<'_>) -> &'static str {
    match *level {
        _ if !writer.has_ansi_escapes() => "",
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG => "\x1b[34m",
        Level::TRACE => "\x1b[35m",
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::logs::sink::Sink;

    fn line(ansi: bool, within: Surroundings) -> String {
        let sink = Sink::default();
        let lines = tracing_subscriber::registry().with(layer(sink.writer(), ansi, within));
        tracing::subscriber::with_default(lines, || {
            let span = tracing::info_span!("call", to = "prices");
            span.in_scope(|| tracing::warn!(tries = 2, "no answer"));
        });
        sink.text()
    }

    #[test]
    fn a_line_says_what_is_at_work_and_within_what() {
        let nothing = line(false, |_| {});
        let target = module_path!();
        let says = format!("  WARN call{{to=\"prices\"}}: {target}: no answer tries=2\n");
        assert!(nothing.ends_with(&says), "{nothing}");

        let at_work = line(false, |tell| {
            tell("topic", LogValue::Text("orders"));
            tell("offset", LogValue::Number(7));
        });
        let says = " WARN process{topic=\"orders\" offset=7}: call{to=\"prices\"}: ";
        assert!(at_work.contains(says), "{at_work}");
    }

    #[test]
    fn only_a_terminal_gets_colors() {
        assert!(!line(false, |_| {}).contains('\x1b'));
        assert!(line(true, |_| {}).contains("\x1b[33m WARN"));
    }
}
