//! The report as a picture: for each row a bar that shows how close it is to its stretch target, or to its target if it has no
//! stretch target.

use std::fmt::Write as _;

use super::rows::{Row, Target};

const WIDTH: f64 = 900.0;
const LEFT: f64 = 430.0;
const STEP: f64 = 44.0;
/// The longest bar, as a multiple of the stretch target. Longer ones are cut here.
const MAX_RATIO: f64 = 1.25;

/// Draws an SVG.
pub(crate) fn draw(rows: &[Row]) -> String {
    let height = STEP * (rows.len() as f64 + 2.0);
    let scale = (WIDTH - LEFT - 90.0) / MAX_RATIO;
    let end = LEFT + scale;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{end}\" y=\"20\" text-anchor=\"middle\">stretch target</text>\n\
         <line x1=\"{end}\" x2=\"{end}\" y1=\"26\" y2=\"{height}\" stroke=\"black\"/>\n"
    );
    for (index, row) in rows.iter().enumerate() {
        let y = STEP * (index as f64 + 1.0);
        let stretch_target = row.stretch_target.unwrap_or(row.target);
        // A row without measurement has no bar.
        let ratio = row.measured().map_or(0.0, |measured| stretch_target.ratio(measured).clamp(0.0, MAX_RATIO));
        let measured = row.measured().map_or_else(|| "not measured".to_owned(), |measured| format!("{measured:.2}"));
        // The target, as a part of the stretch target.
        let bound = match row.target {
            Target::AtLeast(bound) | Target::AtMost(bound) => bound,
        };
        let first = LEFT + stretch_target.ratio(bound).clamp(0.0, MAX_RATIO) * scale;
        let meets = |bound: Target| row.measured().is_some_and(|measured| bound.is_met_by(measured));
        let colour = match (meets(stretch_target), meets(row.target)) {
            (true, _) => "#2e7d32",
            (false, true) => "#90a955",
            (false, false) => "#c1666b",
        };
        let (width, text_y, bar_end) = (ratio * scale, y + 16.0, LEFT + ratio * scale + 6.0);
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{text_y}\" text-anchor=\"end\">{}</text>\n\
             <rect x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"24\" fill=\"{colour}\"/>\n\
             <line x1=\"{first:.1}\" x2=\"{first:.1}\" y1=\"{}\" y2=\"{}\" stroke=\"black\" stroke-dasharray=\"3 2\"/>\n\
             <text x=\"{bar_end:.1}\" y=\"{text_y}\">{measured}</text>",
            LEFT - 10.0,
            row.measure,
            y - 4.0,
            y + 28.0
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{}\">Bars: how near to the stretch target. Dashed: the target.</text>\n</svg>",
        height - 10.0
    );
    svg
}
