//! Who changed what, when: an entry in the transaction of the change itself, for every workload.

mod origin;
mod record;

pub(crate) use origin::Origin;
pub(crate) use record::{Entry, TABLE, record};
