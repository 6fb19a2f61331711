//! Results as pictures.

use anyhow::{Result, anyhow};
use plotters::prelude::*;

/// A program's figures in one column: from the least to the most.
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

const WIDTH: u32 = 760;
const AROUND: u32 = 80;
const BAR: u32 = 40;
/// Readable on light and dark pages.
const COLOR: RGBColor = RGBColor(70, 120, 180);

/// Bars up to the medians, with lines from the least to the most, as SVG.
pub(crate) fn bars(what: &str, bars: &[Bar]) -> Result<String> {
    let mut svg = String::new();
    draw(&mut svg, what, bars).map_err(|error| anyhow!("the picture of {what}: {error}"))?;
    Ok(svg)
}

fn draw(svg: &mut String, what: &str, bars: &[Bar]) -> Result<(), Box<dyn std::error::Error>> {
    let most = bars.iter().map(|bar| bar.most).fold(0.0, f64::max);
    let height = AROUND + BAR * u32::try_from(bars.len())?;
    let root = SVGBackend::with_string(svg, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .x_label_area_size(48)
        .y_label_area_size(150)
        .build_cartesian_2d(0.0..most * 1.05, (0..bars.len()).into_segmented())?;
    let name = |at: &SegmentValue<usize>| match at {
        SegmentValue::CenterOf(index) => bars.get(*index).map(|bar| bar.name.clone()),
        _ => None,
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .x_desc(what)
        .y_labels(bars.len())
        .y_label_formatter(&|at| name(at).unwrap_or_default())
        .draw()?;
    chart.draw_series(bars.iter().enumerate().map(|(index, bar)| {
        let corners =
            [(0.0, SegmentValue::Exact(index)), (bar.median, SegmentValue::Exact(index + 1))];
        let mut rectangle = Rectangle::new(corners, COLOR.filled());
        rectangle.set_margin(8, 8, 0, 0);
        rectangle
    }))?;
    chart.draw_series(bars.iter().enumerate().map(|(index, bar)| {
        let line = [bar.least, bar.most].map(|value| (value, SegmentValue::CenterOf(index)));
        PathElement::new(line, BLACK.stroke_width(2))
    }))?;
    root.present()?;
    drop(chart);
    drop(root);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_names_every_program_and_the_figure() {
        let bar = |name: &str, median| Bar {
            name: name.to_owned(),
            least: median * 0.9,
            median,
            most: median * 1.1,
        };
        let svg = bars("items/s", &[bar("longshore", 200.0), bar("bare", 300.0)]).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        for said in ["longshore", "bare", "items/s"] {
            assert!(svg.contains(said), "{said} isn't in {svg}");
        }
    }
}
