//! Messages in a body: a flag, a length and the bytes (gRPC over HTTP/2, "Length-Prefixed-Message").

use calls::Failure;
use outgoing::{Body, Request};

/// The flag and the length.
const HEAD: usize = 5;

/// Appends a message to a body.
///
/// # Errors
///
/// `validation` where it is longer than four gigabytes.
pub fn write(message: &[u8], body: &mut Vec<u8>) -> Result<(), Failure> {
    let length = u32::try_from(message.len())
        .map_err(|_| Failure::validation("arguments: the message is too long"))?;
    body.push(0);
    body.extend_from_slice(&length.to_be_bytes());
    body.extend_from_slice(message);
    Ok(())
}

/// The messages of a body, as they arrive.
pub struct Frames<'b> {
    body: &'b mut dyn Body,
    /// What has arrived and is no whole message yet. The host's bound on responses is its bound.
    pending: Vec<u8>,
}

impl<'b> Frames<'b> {
    /// The messages of `body`.
    pub fn new(body: &'b mut dyn Body) -> Self {
        Self {
            body,
            pending: Vec::new(),
        }
    }

    /// Waits for the next message; none at the end.
    ///
    /// # Errors
    ///
    /// Where the body broke off or is longer than it may be, or a message is compressed, which was not asked
    /// for.
    pub fn next(&mut self, request: &Request) -> Result<Option<Vec<u8>>, Failure> {
        loop {
            if let Some((head, rest)) = self.pending.split_first_chunk::<HEAD>() {
                let [flag, length @ ..] = *head;
                if flag != 0 {
                    let detail = format!("{}: a message is compressed", request.uri);
                    return Err(Failure::broken(detail));
                }
                let length = u32::from_be_bytes(length) as usize;
                if rest.len() >= length {
                    let behind = self.pending.split_off(HEAD + length);
                    let mut message = std::mem::replace(&mut self.pending, behind);
                    message.drain(..HEAD);
                    return Ok(Some(message));
                }
            }
            let next = self.body.next();
            match next.map_err(|error| Failure::no_response(request, &error))? {
                Some(bytes) => self.pending.extend_from_slice(&bytes),
                // What broke off has no status either, which says so better where there is one.
                None => return Ok(None),
            }
        }
    }
}
