//! Server-sent events, as bytes come in (WHATWG HTML, section 9.2.6, "Interpreting an event stream").

/// The longest event that is read, in bytes. A history item carries an output, of which the host keeps
/// 4 MiB at most; JSON within an event adds some escapes.
const EVENT_BYTES_MAX: usize = 32 << 20;

/// An event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// The `event` field; empty without one.
    pub(super) name: String,
    /// The `data` fields, joined by line ends.
    pub(super) data: String,
}

/// An event, or a line of one, that is longer than anything the host sends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// What makes events of bytes.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// The bytes of a line whose end has not come.
    line: Vec<u8>,
    /// The line before ended in a carriage return, so that a line feed right after it belongs to that end.
    after_return: bool,
    event: Event,
    has_data: bool,
}

impl Decoder {
    /// Takes the next bytes, and gives the events that they complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        for &byte in bytes {
            let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => events.extend(self.end_line()),
                _ => self.line.push(byte),
            }
            if self.line.len() + self.event.data.len() > EVENT_BYTES_MAX {
                return Err(TooLong);
            }
        }
        Ok(events)
    }

    /// Interprets the line that is complete; gives the event that an empty line completes.
    fn end_line(&mut self) -> Option<Event> {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return std::mem::take(&mut self.has_data).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            // A comment, which has no field name; or `id` and `retry`, which the data says better.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(pieces: &[&str]) -> Vec<(String, String)> {
        let mut decoder = Decoder::default();
        let mut events = Vec::new();
        for piece in pieces {
            events.extend(decoder.push(piece.as_bytes()).unwrap());
        }
        events
            .into_iter()
            .map(|event| (event.name, event.data))
            .collect()
    }

    #[test]
    fn reads_events_however_they_are_cut() {
        let text = ": hello\n\nid: 1\nevent: task.started\ndata: {\"a\":1}\n\ndata:x\ndata: y\n\nevent: lost\n\n";
        let expected = vec![
            ("task.started".to_owned(), "{\"a\":1}".to_owned()),
            (String::new(), "x\ny".to_owned()),
        ];
        assert_eq!(decode(&[text]), expected);
        for ending in ["\r\n", "\r"] {
            let text = text.replace('\n', ending);
            assert_eq!(decode(&[&text]), expected);
            let bytes: Vec<String> = text.chars().map(String::from).collect();
            assert_eq!(
                decode(&bytes.iter().map(String::as_str).collect::<Vec<_>>()),
                expected
            );
        }
    }

    #[test]
    fn an_event_that_is_not_complete_is_none() {
        assert_eq!(decode(&["data: x\n"]), vec![]);
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let mut decoder = Decoder::default();
        let chunk = vec![b'x'; 1 << 20];
        let given_up = (0..100).any(|_| decoder.push(&chunk) == Err(TooLong));
        assert!(given_up);
    }
}
