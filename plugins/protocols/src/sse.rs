//! Server-sent events (HTML standard, section "Server-sent events").

use outgoing::{Body, SendError};

/// An event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its type; empty where the stream gives none, which means `message`.
    pub kind: String,
    /// Its data, lines joined by line feeds.
    pub data: String,
    /// The last id that the stream gave.
    pub id: String,
}

/// The events of a body, read as they arrive.
pub struct Events<'b> {
    body: &'b mut dyn Body,
    /// What has arrived and is no whole line yet. The host's bound on responses is its bound.
    pending: Vec<u8>,
    /// Whether anything has been read: a byte order mark may stand in front of all.
    started: bool,
    event: Event,
    has_data: bool,
}

impl<'b> Events<'b> {
    /// The events of `body`.
    pub fn new(body: &'b mut dyn Body) -> Self {
        Self {
            body,
            pending: Vec::new(),
            started: false,
            event: Event::default(),
            has_data: false,
        }
    }

    /// Waits for the next event. None at the end of the stream; an event that has not been ended by an empty
    /// line is dropped, as the standard asks.
    ///
    /// # Errors
    ///
    /// Where the body broke off, or is longer than it may be.
    pub fn receive(&mut self) -> Result<Option<Event>, SendError> {
        loop {
            while let Some(line) = self.line() {
                if let Some(event) = self.take(&line) {
                    return Ok(Some(event));
                }
            }
            match self.body.next()? {
                Some(bytes) => self.pending.extend_from_slice(&bytes),
                None => return Ok(None),
            }
        }
    }

    /// The next whole line: ended by LF, CR LF or CR. A CR at the very end may be half of a CR LF.
    fn line(&mut self) -> Option<String> {
        let end = self
            .pending
            .iter()
            .position(|byte| matches!(byte, b'\n' | b'\r'))?;
        let is_pair = self.pending[end] == b'\r';
        let behind = match self.pending.get(end + 1) {
            None if is_pair => return None,
            Some(b'\n') if is_pair => end + 2,
            _ => end + 1,
        };
        let line = String::from_utf8_lossy(&self.pending[..end]).into_owned();
        self.pending.drain(..behind);
        let first = !std::mem::replace(&mut self.started, true);
        Some(match line.strip_prefix('\u{feff}').filter(|_| first) {
            Some(rest) => rest.to_owned(),
            None => line,
        })
    }

    fn take(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.kind),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            "id" if !value.contains('\0') => value.clone_into(&mut self.event.id),
            // Comments, `retry`, and what the standard does not know.
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Event> {
        let next = Event {
            id: self.event.id.clone(),
            ..Event::default()
        };
        let event = std::mem::replace(&mut self.event, next);
        std::mem::take(&mut self.has_data).then_some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(parts: &[&str]) -> Vec<(String, String, String)> {
        let parts: Vec<Vec<u8>> = parts.iter().map(|part| part.as_bytes().to_vec()).collect();
        let mut body = parts.into_iter();
        let mut events = Events::new(&mut body);
        let mut all = Vec::new();
        while let Some(event) = events.receive().expect("a body that does not fail") {
            all.push((event.kind, event.data, event.id));
        }
        all
    }

    fn event(kind: &str, data: &str, id: &str) -> (String, String, String) {
        (kind.to_owned(), data.to_owned(), id.to_owned())
    }

    #[test]
    fn events_are_read_as_the_standard_says() {
        assert_eq!(
            events(&[
                "\u{feff}event: a\r\ndata: 1\r",
                "\ndata:2\rid: 7\n\n: ping\n\ndata\n\ndata: end"
            ]),
            [event("a", "1\n2", "7"), event("", "", "7")]
        );
        assert_eq!(
            events(&["event: x\n\n", "retry: 5\nda", "ta: ü\n\n"]),
            [event("", "ü", "")]
        );
    }

    #[test]
    fn where_the_stream_is_cut_does_not_matter() {
        let text = "event: a\r\ndata: one\r\ndata: two\r\n\r\nid: 1\rdata: three\r\r\n";
        let whole = events(&[text]);
        for at in 0..text.len() {
            let (before, after) = text.split_at(at);
            assert_eq!(events(&[before, after]), whole, "{at}");
        }
    }
}
