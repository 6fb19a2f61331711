//! The pipeline file of one run: that of the example, under names that no other run has.

use std::time::Duration;

/// The example's text with another name, source, sink and join timeout. None if the example has
/// been changed so that one of them can't be found.
pub fn of_run(example: &str, name: &str, timeout: Duration) -> Option<String> {
    let seconds = timeout.as_secs();
    let changes = [
        ("\npipeline: orders\n", format!("\npipeline: {name}\n")),
        ("source:  {topic: orders,", format!("source:  {{topic: {name},")),
        ("{topic: settled}", format!("{{topic: {name}.settled}}")),
        ("    timeout: 10s\n", format!("    timeout: {seconds}s\n")),
    ];
    changes.iter().try_fold(example.to_owned(), |text, (from, to)| {
        (text.matches(from).count() == 1).then(|| text.replace(from, to))
    })
}

#[cfg(test)]
mod tests {
    use longshore_orders::faults::Faults;

    use super::*;

    #[test]
    fn every_topic_of_a_run_carries_its_name() {
        let text = of_run(longshore_orders::PIPELINE, "orders-4f2a", Duration::from_secs(45));
        let fleet = longshore_orders::fleet(Faults::none()).pipeline(&text.unwrap());
        let pipeline = fleet.default_pipeline().unwrap();
        for topic in pipeline.plan().topics {
            assert!(topic.name.as_str().starts_with("orders-4f2a"), "{}", topic.name);
        }
        assert_eq!(pipeline.joins()[0].rules.timeout, Duration::from_secs(45));
    }

    #[test]
    fn an_example_that_was_changed_is_not_run_under_its_own_names() {
        assert_eq!(of_run("\npipeline: orders\n", "orders-4f2a", Duration::from_secs(1)), None);
    }
}
