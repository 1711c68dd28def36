//! An answer that is too large to be held.

use bytes::Bytes;
use reqwest::Response;

use super::{Client, ClientError};

/// An answer, part by part.
#[derive(Debug)]
pub struct Download {
    client: Client,
    response: Response,
}

impl Download {
    pub(super) fn new(client: Client, response: Response) -> Self {
        Self { client, response }
    }

    /// The next part; none behind the last one.
    ///
    /// # Errors
    ///
    /// The connection broke, or the host could not go on.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        let part = self.response.chunk().await;
        part.map_err(|error| ClientError::unreachable(self.client.server(), &error))
    }
}
