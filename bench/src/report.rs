//! The results as Markdown.

use std::fmt::Write;

use crate::pace::Pace;
use crate::round::Results;

/// A table of a workload's results: medians, with minimum and maximum.
pub fn report(results: &Results) -> String {
    let plan = &results.plan;
    let mut text = format!(
        "## {}: {}\n\nKafka {}, {} runs each in turn, {:?} of warm-up, {:?} measured.\n\n",
        plan.workload.name.to_uppercase(),
        plan.workload.what,
        results.kafka,
        plan.rounds,
        plan.warm_up,
        plan.span
    );
    text.push_str(
        "| | items/s | CPU s per million | broker's | peak MiB | first commit after s |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    for figures in &results.figures {
        let column = |value: fn(&Pace) -> f64, digits| {
            spread(figures.paces.iter().map(value).collect(), digits)
        };
        // Writing to a text can't fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            figures.contestant,
            column(|it| it.rate, 0),
            column(|it| it.cpu, 2),
            column(|it| it.broker_cpu, 2),
            column(|it| it.peak_mib, 0),
            column(|it| it.first_commit, 2),
        );
    }
    text
}

/// The median, and what it lies between.
fn spread(mut values: Vec<f64>, digits: usize) -> String {
    values.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (values.first(), values.last()) else {
        return "-".to_owned();
    };
    let median = (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0;
    format!("**{median:.digits$}** ({least:.digits$} to {most:.digits$})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_in_the_middle() {
        assert_eq!(spread(vec![4.0, 1.0, 2.0, 8.0], 1), "**3.0** (1.0 to 8.0)");
        assert_eq!(spread(vec![4.0, 1.0, 2.0], 0), "**2** (1 to 4)");
        assert_eq!(spread(Vec::new(), 0), "-");
    }
}
