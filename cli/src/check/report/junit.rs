//! A report as JUnit's XML, a suite an area. Written with quick-xml: the crates that know JUnit bring
//! clocks, ids and colours along, and this is all that CI reads.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{Check, Report, Verdict};

pub(super) fn junit(report: &Report) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Memory takes whatever is written to it.
    let _ = write(&mut writer, report);
    String::from_utf8_lossy(&writer.into_inner()).into_owned() + "\n"
}

fn write(writer: &mut Writer<Vec<u8>>, report: &Report) -> io::Result<()> {
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let totals = totals(report.checks.iter());
    writer
        .create_element("testsuites")
        .with_attribute(("name", report.tenant.as_str()))
        .with_attributes(totals.iter().map(|(key, value)| (*key, value.as_str())))
        .write_inner_content(|writer| {
            for suite in report.checks.chunk_by(|a, b| a.area == b.area) {
                self::suite(writer, suite)?;
            }
            Ok(())
        })?;
    Ok(())
}

fn suite(writer: &mut Writer<Vec<u8>>, checks: &[Check]) -> io::Result<()> {
    let name = checks.first().map_or("", |check| check.area.name());
    let totals = totals(checks.iter());
    writer
        .create_element("testsuite")
        .with_attribute(("name", name))
        .with_attributes(totals.iter().map(|(key, value)| (*key, value.as_str())))
        .write_inner_content(|writer| {
            checks
                .iter()
                .try_for_each(|check| case(writer, name, check))
        })?;
    Ok(())
}

fn case(writer: &mut Writer<Vec<u8>>, suite: &str, check: &Check) -> io::Result<()> {
    let seconds = seconds(check.took.as_secs_f64());
    let case = writer.create_element("testcase").with_attributes([
        ("classname", suite),
        ("name", check.claim.as_str()),
        ("time", seconds.as_str()),
    ]);
    let (element, detail) = match &check.verdict {
        Verdict::Passed(seen) if seen.is_empty() => return case.write_empty().map(drop),
        Verdict::Passed(seen) => ("system-out", seen),
        Verdict::Failed(why) => ("failure", why),
        Verdict::Skipped(why) => ("skipped", why),
    };
    case.write_inner_content(|writer| {
        writer
            .create_element(element)
            .write_text_content(BytesText::new(detail))?;
        Ok(())
    })?;
    Ok(())
}

fn totals<'a>(checks: impl Iterator<Item = &'a Check> + Clone) -> [(&'static str, String); 4] {
    let count = |which: fn(&Verdict) -> bool| {
        let counted = checks.clone().filter(|check| which(&check.verdict));
        counted.count().to_string()
    };
    [
        ("tests", count(|_| true)),
        ("failures", count(|it| matches!(it, Verdict::Failed(_)))),
        ("skipped", count(|it| matches!(it, Verdict::Skipped(_)))),
        (
            "time",
            seconds(checks.clone().map(|it| it.took.as_secs_f64()).sum()),
        ),
    ]
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.3}")
}
