//! `baton secret key`: a master key.

use baton_engine::MasterKeys;

use crate::failure::Outcome;
use crate::output::print;

pub(super) fn execute() -> Outcome {
    print(MasterKeys::text_of(rand::random()).as_str())
}
