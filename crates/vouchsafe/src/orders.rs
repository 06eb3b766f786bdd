use vouchsafe_types::{DataClass, SubjectPseudonym};

use crate::Error;
use crate::act::Act;

pub(crate) fn order_deletions(_act: &mut Act<'_>, _subject: SubjectPseudonym) -> Result<u64, Error> {
    Ok(0)
}

pub(crate) fn open_orders(_act: &mut Act<'_>, _subject: SubjectPseudonym, _class: DataClass) -> Result<u64, Error> {
    Ok(0)
}
