//! What servers do with page views by themselves: they count days that are over, and forget what is no
//! longer needed.

mod count_days;
mod forget;

pub(crate) use count_days::CountDays;
pub(crate) use forget::Forget;
