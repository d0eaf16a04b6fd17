//! A table of the page.

/// Where nothing is said.
pub const NONE: &str = "–";

/// What one of them says.
pub struct Row {
    pub name: &'static str,
    /// Percent of good requests over the objective's window.
    pub observed: String,
    /// Burn rates over 5 m, 1 h, 6 h and 3 d.
    pub burns: [String; 4],
    /// Percent of the budget that is left.
    pub budget: String,
    /// Alerts that fire, or a condition.
    pub says: String,
}

/// `rows` below `title`, as Markdown.
pub fn table(title: &str, rows: &[Row]) -> String {
    let head = "| | good % | 5 m | 1 h | 6 h | 3 d | budget % | says |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n";
    let line = |row: &Row| {
        let burns = row.burns.join(" | ");
        let Row {
            name,
            observed,
            budget,
            says,
            ..
        } = row;
        format!("| {name} | {observed} | {burns} | {budget} | {says} |\n")
    };
    let rows: String = rows.iter().map(line).collect();
    format!("### {title}\n{head}{rows}")
}

/// `value` with so many `decimals`, but without zeros at its end.
pub fn number(value: f64, decimals: usize) -> String {
    let scale = 10_f64.powi(i32::try_from(decimals).expect("a few"));
    // Not minus zero.
    ((value * scale).round() / scale + 0.0).to_string()
}
