//! Plans and differences as tables for people.

use std::fmt;

use super::topics::TopicPlan;
use super::{Differences, Plan};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Topics of pipeline {}", self.pipeline)?;
        topics(f, &self.topics)?;
        writeln!(f, "\nAccess")?;
        for access in &self.access {
            writeln!(f, "  {}", access.component)?;
            for right in &access.allow {
                writeln!(f, "    {right}")?;
            }
        }
        section(f, "\nBounds", &self.bounds)?;
        section(f, "\nAdvice", &self.advice)
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.create.is_empty() {
            writeln!(f, "To create")?;
            topics(f, &self.create)?;
        }
        section(f, "As it must be", &self.ok)?;
        section(f, "Wrong", &self.wrong)
    }
}

fn section<T: fmt::Display>(f: &mut fmt::Formatter<'_>, title: &str, lines: &[T]) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(f, "{title}")?;
    lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
}

fn topics(f: &mut fmt::Formatter<'_>, topics: &[TopicPlan]) -> fmt::Result {
    let width = topics.iter().map(|topic| topic.name.as_str().len()).max().unwrap_or(0);
    writeln!(f, "  {:width$}  PARTITIONS  WHAT FOR", "TOPIC")?;
    for topic in topics {
        writeln!(f, "  {:width$}  {:>10}  {}", topic.name.as_str(), topic.partitions, topic.why)?;
        for setting in &topic.settings {
            writeln!(f, "  {:width$}              {}={}", "", setting.name, setting.value)?;
        }
    }
    Ok(())
}
