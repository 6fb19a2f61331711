//! The results as Markdown, and as a page with a picture.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::picture::{Bar, bars};
use crate::round::{Figures, Plan, Results};
use crate::settings::settings;
use crate::workload::Measure;
use crate::{Workload, machine};

/// What is measured, and the digits of it that are shown.
pub(crate) type Column = (&'static str, usize);

/// A table of a workload's results: medians, with minimum and maximum.
pub fn report(results: &Results) -> String {
    let plan = &results.plan;
    let Workload { name, what, details, .. } = plan.workload;
    let mut text = format!("## {}: {what}\n\n", name.to_uppercase());
    // Writing to a text can't fail.
    if !details.is_empty() {
        let _ = writeln!(text, "{details}\n");
    }
    let _ = writeln!(text, "Kafka {}, {}.\n", results.kafka, turns(plan));
    let columns = plan.workload.measure.columns();
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
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

/// How often each was run, and for how long.
fn turns(plan: &Plan) -> String {
    let rounds = format!("{} runs each in turn", plan.rounds);
    match plan.workload.measure {
        Measure::Restart { .. } | Measure::Held(..) => rounds,
        _ => format!("{rounds}, {:?} of warm-up, {:?} measured", plan.warm_up, plan.span),
    }
}

/// Writes a page of these results and its picture into a folder: `w1.md` and `w1.svg`.
///
/// # Errors
/// If the folder can't be written to, or the machine doesn't say what it is.
pub fn save(results: &Results, folder: &Path) -> Result<()> {
    let plan = &results.plan;
    let name = plan.workload.name;
    let column = plan.workload.measure.columns()[0].0;
    let bar = |figures: &Figures| {
        let (least, median, most) = range(figures.runs.iter().map(|run| run[0]).collect())?;
        Some(Bar { name: figures.contestant.clone(), least, median, most })
    };
    let bars = bars(column, &results.figures.iter().filter_map(bar).collect::<Vec<_>>())?;
    let mut page = report(results);
    // Writing to a text can't fail.
    let _ = writeln!(page, "\n![{column}]({name}.svg)\n");
    let today = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let _ = writeln!(page, "- Date: {}", today.split('T').next().unwrap_or_default());
    for fact in machine::facts(&results.kafka)? {
        let _ = writeln!(page, "- {fact}");
    }
    for figures in &results.figures {
        let contestant = &figures.contestant;
        let set_up = settings(&plan.workload.measure, contestant);
        let _ = writeln!(page, "- `{contestant}`: {set_up}");
    }
    let _ = writeln!(page, "\nAgain: `longshore-bench {name} --save {}`", folder.display());
    let write = |file: String, text: &str| {
        let path = folder.join(file);
        fs::write(&path, text).with_context(|| format!("{} to be written", path.display()))
    };
    write(format!("{name}.svg"), &bars)?;
    write(format!("{name}.md"), &page)
}

/// The median, and what it lies between.
fn spread(values: Vec<f64>, digits: usize) -> String {
    match range(values) {
        Some((least, median, most)) => {
            format!("**{median:.digits$}** ({least:.digits$} to {most:.digits$})")
        }
        None => "-".to_owned(),
    }
}

/// The least, the median and the most; none of nothing.
fn range(mut values: Vec<f64>) -> Option<(f64, f64, f64)> {
    values.sort_by(f64::total_cmp);
    let (least, most) = (*values.first()?, *values.last()?);
    let median = (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0;
    Some((least, median, most))
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
