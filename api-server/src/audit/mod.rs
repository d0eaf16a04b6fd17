//! Who changed what, when: an entry in the transaction of the change itself, for every workload.

mod origin;
#[expect(dead_code, reason = "changes of a document are about to use it")]
mod record;

pub(crate) use origin::Origin;
pub(crate) use record::TABLE;
#[expect(unused_imports, reason = "changes of a document are about to use it")]
pub(crate) use record::{Entry, record};
