//! The results as Markdown.

use std::fmt::Write;

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
    let columns = plan.columns();
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    // Writing to a text can't fail.
    let _ = writeln!(text, "| | {} |\n|{}", names.join(" | "), " --- |".repeat(names.len() + 1));
    for figures in &results.figures {
        let cell = |(column, (_, digits)): (usize, &(&str, usize))| {
            spread(figures.runs.iter().map(|run| run[column]).collect(), *digits)
        };
        let cells: Vec<_> = columns.iter().enumerate().map(cell).collect();
        let _ = writeln!(text, "| {} | {} |", figures.contestant, cells.join(" | "));
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
