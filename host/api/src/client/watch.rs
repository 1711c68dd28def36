//! A run, as it goes on.

use bytes::Bytes;
use reqwest::Response;
use std::collections::VecDeque;

use super::events::Decoder;
use super::{Client, ClientError};
use crate::history::HistoryItem;
use crate::routes;

/// The lines of a run's history, as they come.
///
/// A stream that breaks off is opened again after the last line that came, as long as each stream gives at
/// least one: no line is lost or comes twice.
#[derive(Debug)]
pub struct Watch {
    client: Client,
    run: String,
    /// The `seq` of the last line that came.
    last: Option<u64>,
    response: Response,
    decoder: Decoder,
    ready: VecDeque<HistoryItem>,
    /// A line came since the stream was opened.
    moved: bool,
    /// The last line that came is one with which the run ended.
    ended: bool,
}

impl Watch {
    pub(super) async fn open(
        client: Client,
        run: &str,
        after: Option<u64>,
    ) -> Result<Self, ClientError> {
        let response = connect(&client, run, after).await?;
        Ok(Self {
            client,
            run: run.to_owned(),
            last: after,
            response,
            decoder: Decoder::default(),
            ready: VecDeque::new(),
            moved: false,
            ended: false,
        })
    }

    /// The next line; none after the one with which the run has ended and was not retried.
    ///
    /// # Errors
    ///
    /// The stream broke off and could not be opened again, or is no stream of history items.
    pub async fn next(&mut self) -> Result<Option<HistoryItem>, ClientError> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                self.last = Some(item.seq);
                self.ended = item.ends_run();
                return Ok(Some(item));
            }
            // Behind the end there may be more, where the run was retried: the stream says when there is not.
            match self.response.chunk().await {
                Ok(Some(bytes)) => self.take(&bytes)?,
                Ok(None) | Err(_) if self.ended => return Ok(None),
                // Where there was nothing left to tell, the stream of an ended run is empty.
                Ok(None) if !self.moved && self.run_has_ended().await? => return Ok(None),
                Ok(None) => self.reopen("the stream ended before the run").await?,
                Err(error) => self.reopen(&error.to_string()).await?,
            }
        }
    }

    fn take(&mut self, bytes: &Bytes) -> Result<(), ClientError> {
        let events = self
            .decoder
            .push(bytes)
            .map_err(|_| self.not_understood("an event without an end"))?;
        for event in events {
            let item = serde_json::from_str(&event.data)
                .map_err(|error| self.not_understood(&error.to_string()))?;
            self.ready.push_back(item);
            self.moved = true;
        }
        Ok(())
    }

    async fn run_has_ended(&self) -> Result<bool, ClientError> {
        Ok(self.client.run(&self.run).await?.summary.status.is_ended())
    }

    async fn reopen(&mut self, reason: &str) -> Result<(), ClientError> {
        if !std::mem::take(&mut self.moved) {
            let server = self.client.server().to_owned();
            return Err(ClientError::Unreachable {
                server,
                reason: reason.to_owned(),
            });
        }
        self.response = connect(&self.client, &self.run, self.last).await?;
        self.decoder = Decoder::default();
        Ok(())
    }

    fn not_understood(&self, reason: &str) -> ClientError {
        let server = self.client.server().to_owned();
        ClientError::NotUnderstood {
            server,
            status: self.response.status().as_u16(),
            reason: reason.to_owned(),
        }
    }
}

async fn connect(client: &Client, run: &str, after: Option<u64>) -> Result<Response, ClientError> {
    let after = after.map(|seq| seq.to_string());
    let request = client
        .get(&routes::run_events(run))
        .header("last-event-id", after.as_deref());
    request
        .header("accept", Some("text/event-stream"))
        .without_timeout()
        .send()
        .await
}
