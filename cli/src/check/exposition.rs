//! Metrics as Prometheus' text format has them, as far as a name is looked for.

/// Names of `wanted` that no line of `text` measures with more than zero.
pub(super) fn missing<'a>(text: &str, wanted: &[&'a str]) -> Vec<&'a str> {
    let is_there = |name: &&&str| {
        text.lines().any(|line| {
            let Some((series, value)) = line.rsplit_once(' ') else {
                return false;
            };
            let family = series.split('{').next().unwrap_or_default();
            let its = family == **name || family.strip_suffix("_count") == Some(**name);
            its && !line.starts_with('#') && value.parse::<f64>().is_ok_and(|value| value > 0.0)
        })
    };
    wanted
        .iter()
        .filter(|name| !is_there(name))
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_counts_once_it_has_measured_something() {
        let text = "# TYPE a_total counter\na_total{path=\"/x y\"} 3\nb_total 0\nc_seconds_bucket{le=\"1\"} 1\n\
                    c_seconds_count 1\n# HELP d_total 4\n";
        let wanted = ["a_total", "b_total", "c_seconds", "d_total", "a"];
        assert_eq!(missing(text, &wanted), ["b_total", "d_total", "a"]);
    }
}
