//! The types of files that a tenant takes.

use docket_platform::error::Error;

use super::FileType;
use super::problems::DocumentProblem;

/// Media types such as `application/pdf`, or all of a kind such as `image/*`; all when there are none.
#[derive(Clone, Debug)]
pub(crate) struct AcceptedTypes(Vec<String>);

impl AcceptedTypes {
    pub(crate) fn new(types: &[String]) -> Self {
        Self(types.iter().map(|one| one.to_ascii_lowercase()).collect())
    }

    /// # Errors
    /// One that names what is accepted.
    pub(crate) fn check(&self, found: &FileType) -> Result<(), Error> {
        let found = found.essence();
        let fits = |one: &String| match one.strip_suffix('*') {
            Some(kind) => found.starts_with(kind),
            None => one == found,
        };
        match self.0.is_empty() || self.0.iter().any(fits) {
            true => Ok(()),
            false => Err(DocumentProblem::TypeNotAccepted {
                found: found.to_owned(),
                accepted: self.0.join(", "),
            }
            .into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(types: &[&str], found: &str) -> bool {
        let types: Vec<String> = types.iter().map(|one| (*one).to_owned()).collect();
        let found = FileType::parse(found).expect("a type");
        AcceptedTypes::new(&types).check(&found).is_ok()
    }

    #[test]
    fn a_type_is_accepted_by_its_name_or_its_kind_whatever_its_parameters() {
        for (types, found, accepted) in [
            (&[][..], "application/x-own", true),
            (&["application/pdf"], "application/pdf", true),
            (&["application/pdf"], "application/pdfx", false),
            (&["text/plain"], "Text/PLAIN; charset=utf-8", true),
            (&["image/*"], "image/png", true),
            (&["image/*"], "imagery/png", false),
            (&["image/*", "text/csv"], "text/csv", true),
            (&["image/*", "text/csv"], "text/html", false),
        ] {
            assert_eq!(accepts(types, found), accepted, "{types:?} {found}");
        }
    }

    #[test]
    fn a_refusal_names_what_is_accepted() {
        let types = AcceptedTypes::new(&["application/pdf".into(), "image/*".into()]);
        let found = FileType::parse("text/html").expect("a type");
        assert_eq!(
            types.check(&found).expect_err("refused").to_string(),
            "files of the type text/html are not accepted here, only application/pdf, image/*"
        );
    }
}
