//! One log line as one JSON object, with the fields of the event and of all its spans at the top.
//!
//! The library's own JSON format nests the spans' fields; a collector that looks for `trace_id`,
//! `topic` or `partition` wants them where every other field is.

use std::fmt as std_fmt;

use serde_json::{Map, Value};
use tracing::{Event, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{
    self, FmtContext, FormatEvent, FormatFields, FormattedFields, MakeWriter,
};
use tracing_subscriber::registry::LookupSpan;

use super::surroundings::{LogValue, Surroundings};

/// Writes every event as a line of JSON.
pub(super) fn layer<S, W>(writer: W, surroundings: Surroundings) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    fmt::layer()
        .with_writer(writer)
        .with_ansi(false)
        .fmt_fields(JsonFields::new())
        .event_format(JsonLines(surroundings))
}

struct JsonLines(Surroundings);

impl<S> FormatEvent<S, JsonFields> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std_fmt::Result {
        let mut line = self.surrounding_fields();
        line.append(&mut span_fields(context));
        line.append(&mut event_fields(context, event)?);
        // Last, so that a field that happens to have one of these names can't break the line.
        line.append(&mut header(event)?);
        writeln!(writer, "{}", Value::Object(line))
    }
}

impl JsonLines {
    fn surrounding_fields(&self) -> Map<String, Value> {
        let mut all = Map::new();
        (self.0)(&mut |name, value| {
            let value = match value {
                LogValue::Text(text) => Value::from(text),
                LogValue::Number(number) => Value::from(number),
            };
            all.insert(name.to_owned(), value);
        });
        all
    }
}

/// The fields of every span around the event, the inner ones over the outer ones.
fn span_fields<S>(context: &FmtContext<'_, S, JsonFields>) -> Map<String, Value>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let mut all = Map::new();
    for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
        if let Some(fields) = span.extensions().get::<FormattedFields<JsonFields>>() {
            all.append(&mut object(&fields.fields).unwrap_or_default());
        }
    }
    all
}

fn event_fields<S>(
    context: &FmtContext<'_, S, JsonFields>,
    event: &Event<'_>,
) -> Result<Map<String, Value>, std_fmt::Error>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let mut text = String::new();
    context.field_format().format_fields(Writer::new(&mut text), event)?;
    let mut fields = object(&text).ok_or(std_fmt::Error)?;
    // How the bridge from the crate `log` carries what the header says already.
    fields.retain(|name, _| !name.starts_with("log."));
    Ok(fields)
}

fn object(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

fn header(event: &Event<'_>) -> Result<Map<String, Value>, std_fmt::Error> {
    let normalized = event.normalized_metadata();
    let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
    let mut timestamp = String::new();
    SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
    Ok(Map::from_iter([
        ("timestamp".to_owned(), Value::from(timestamp)),
        ("level".to_owned(), Value::from(metadata.level().as_str())),
        ("target".to_owned(), Value::from(metadata.target())),
    ]))
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::logs::sink::Sink;

    fn lines(say: impl FnOnce()) -> Vec<Map<String, Value>> {
        lines_within(|_| {}, say)
    }

    fn lines_within(within: Surroundings, say: impl FnOnce()) -> Vec<Map<String, Value>> {
        let sink = Sink::default();
        let lines = tracing_subscriber::registry().with(layer(sink.writer(), within));
        tracing::subscriber::with_default(lines, say);
        sink.text().lines().map(|line| object(line).unwrap()).collect()
    }

    #[test]
    fn fields_of_event_and_spans_stand_side_by_side() {
        let lines = lines(|| {
            let outer = tracing::info_span!("lane", group = "price", partition = 3);
            let _outer = outer.enter();
            let inner = tracing::info_span!("process", trace_id = "0af7", offset = 7_u64);
            let _inner = inner.enter();
            tracing::warn!(attempt = 2, "handler failed");
        });
        let [line] = &lines[..] else { panic!("{lines:?}") };
        assert_eq!(line["message"], "handler failed");
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["target"], module_path!());
        assert_eq!(line["group"], "price");
        assert_eq!(line["partition"], 3);
        assert_eq!(line["trace_id"], "0af7");
        assert_eq!(line["offset"], 7);
        assert_eq!(line["attempt"], 2);
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "{line:?}");
    }

    #[test]
    fn what_surrounds_an_event_stands_beside_its_fields_and_below_them() {
        let within: Surroundings = |tell| {
            tell("topic", LogValue::Text("orders"));
            tell("offset", LogValue::Number(7));
        };
        let lines = lines_within(within, || tracing::info!(topic = "priced", "sent"));
        assert_eq!((&lines[0]["topic"], &lines[0]["offset"]), (&"priced".into(), &7.into()));
    }

    #[test]
    fn a_trace_id_recorded_late_is_there_and_none_is_invented() {
        let lines = lines(|| {
            tracing::info!("outside");
            let span = tracing::info_span!("process", trace_id = tracing::field::Empty);
            span.record("trace_id", "0af7");
            span.in_scope(|| tracing::info!("inside"));
        });
        assert_eq!(lines[0].get("trace_id"), None);
        assert_eq!(lines[1]["trace_id"], "0af7");
    }

    #[test]
    fn the_inner_field_wins_and_no_field_breaks_the_line() {
        let lines = lines(|| {
            let outer = tracing::info_span!("outer", topic = "orders");
            let _outer = outer.enter();
            tracing::info!(topic = "priced", level = "mine", "quote \" and\nnewline");
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["topic"], "priced");
        assert_eq!(lines[0]["level"], "INFO");
        assert_eq!(lines[0]["message"], "quote \" and\nnewline");
    }
}
