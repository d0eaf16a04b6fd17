//! Tags of a document, as callers give them and as they are stored.

use docket_platform::error::Error;
use utoipa::ToSchema;

/// A tag as callers may give it; control characters and blanks alone are none.
#[derive(ToSchema)]
#[schema(
    min_length = 1,
    max_length = 64,
    pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
)]
#[expect(dead_code, reason = "it tells the OpenAPI document what `tag` checks")]
pub(super) struct Tag(String);

/// As the schema has it.
const MOST: usize = 50;
const LONGEST: usize = 64;

/// `sent`, of at most 64 characters, none a control one, without the space around it.
pub(super) fn tag(sent: &str) -> Option<String> {
    let tag = sent.trim();
    let sane = sent.chars().count() <= LONGEST && !sent.contains(char::is_control);
    (sane && !tag.is_empty()).then(|| tag.to_owned())
}

/// At most 50 of them, each once then, sorted.
///
/// # Errors
/// [`Error::Unprocessable`].
pub(super) fn tags(sent: &[String]) -> Result<Vec<String>, Error> {
    let tags: Option<Vec<String>> = sent.iter().map(|sent| tag(sent)).collect();
    let mut tags = tags.ok_or_else(|| {
        Error::Unprocessable(format!(
            "each of the tags must have 1 to {LONGEST} characters, none a control one"
        ))
    })?;
    if tags.len() > MOST {
        let many = tags.len();
        return Err(Error::Unprocessable(format!(
            "a document can have {MOST} tags at most, not {many}"
        )));
    }
    tags.sort_unstable();
    tags.dedup();
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(sent: &[&str]) -> Option<Vec<String>> {
        let sent: Vec<String> = sent.iter().map(|tag| (*tag).to_owned()).collect();
        tags(&sent).ok()
    }

    #[test]
    fn tags_are_trimmed_sorted_and_there_once() {
        let tags = of(&["offer", " 2026 ", "offer", "żółw "]).expect("tags");
        assert_eq!(tags, ["2026", "offer", "żółw"]);
        assert_eq!(of(&[]), Some(vec![]));
    }

    #[test]
    fn what_is_empty_long_or_invisible_is_no_tag() {
        let padded = format!(" {}", "ż".repeat(64));
        for sent in ["", "  ", "a\0b", "a\n", &"ż".repeat(65), &padded] {
            assert_eq!(of(&["good", sent]), None, "{sent:?}");
        }
        assert!(of(&[&"ż".repeat(64)]).is_some());
    }

    #[test]
    fn fifty_are_accepted_and_one_more_is_not() {
        let many: Vec<String> = (0..51).map(|i| i.to_string()).collect();
        assert!(tags(&many).is_err());
        assert!(tags(&many[..50]).is_ok());
        let same = vec!["same".to_owned(); 51];
        assert!(tags(&same).is_err(), "what is sent is bounded");
        assert_eq!(tags(&same[..50]).expect("one tag"), ["same"]);
    }

    proptest! {
        #[test]
        fn tags_that_are_accepted_stay_as_they_are(sent in prop::collection::vec(".{0,70}", 0..60)) {
            if let Ok(once) = tags(&sent) {
                prop_assert!(once.len() <= MOST);
                prop_assert!(once.iter().all(|tag| (1..=64).contains(&tag.chars().count())));
                prop_assert!(once.is_sorted());
                prop_assert_eq!(tags(&once).expect("still tags"), once);
            }
        }
    }
}
