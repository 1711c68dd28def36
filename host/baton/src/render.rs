//! What people read on a terminal. Each module turns data into text and writes nothing itself, except
//! for [`live`], which draws.

pub(crate) mod connector;
pub(crate) mod diagnostic;
pub(crate) mod failure;
pub(crate) mod history;
pub(crate) mod live;
pub(crate) mod table;
pub(crate) mod text;
