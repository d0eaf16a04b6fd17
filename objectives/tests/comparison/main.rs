//! What Docket, Sloth and Pyrra compute of one objective from the same series, by a real Prometheus: the
//! tables of docs/objectives-compared.md.

mod contender;
mod docket;
mod prometheus;
mod pyrra;
mod situation;
mod sloth;
mod status;
mod table;

use std::path::Path;

use crate::prometheus::Prometheus;
use crate::situation::Situation;
use crate::table::table;

/// The page that shows the tables.
const PAGE: &str = "../docs/objectives-compared.md";

#[test]
fn the_page_shows_what_each_computes() {
    let situations = situation::all();
    let prometheus = Prometheus::of(&situations);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = std::fs::read_to_string(path).expect("the page");
    let missing: Vec<String> = situations
        .iter()
        .map(|situation| measured(situation, &prometheus))
        .filter(|table| !page.contains(table.as_str()))
        .collect();
    assert!(missing.is_empty(), "{PAGE} lacks\n{}", missing.join("\n"));
}

/// The table of a situation, below its title.
fn measured(situation: &Situation, prometheus: &Prometheus) -> String {
    let objective = situation.objective();
    let rows = [
        docket::of(&objective).row(prometheus),
        status::row(&objective, prometheus),
        sloth::of(&objective).row(prometheus),
        pyrra::of(&objective).row(prometheus),
    ];
    table(situation.title, &rows)
}
