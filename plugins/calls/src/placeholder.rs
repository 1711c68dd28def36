//! Placeholders of secrets, where the host can't put values in their place.

use crate::Failure;
use crate::failure::Kind;

/// What every placeholder begins with (`wit/connector.wit`, `secrets`).
const BEGINNING: &[u8] = b"baton-secret-";

/// Refuses a message that holds a placeholder, in one of its parts. A message with its length before it would not be as
/// long as it says once a value is in it; one that is masked or compressed would take the placeholder along.
///
/// # Errors
///
/// `configuration`, with what to do instead.
pub fn refuse<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Result<(), Failure> {
    let holds = |part: &[u8]| {
        part.windows(BEGINNING.len())
            .any(|window| window == BEGINNING)
    };
    if !parts.into_iter().any(holds) {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Configuration,
        "Secret in a message",
        "a secret can't stand in a message of this protocol, which the host can't fill in on its way: use \
         `authentication`"
            .to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_in_any_part_is_refused() {
        let placeholder = "{\"token\":\"baton-secret-0123456789abcdef0123456789abcdef\"}";
        assert!(refuse([b"x".as_slice(), b"", b"baton-secre"]).is_ok());
        let failure = refuse([b"x".as_slice(), placeholder.as_bytes()]).expect_err("it has one");
        assert_eq!(failure.kind, Kind::Configuration);
    }
}
