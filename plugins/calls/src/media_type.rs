//! Media types, as far as they decide how content is read (RFC 9110, section 8.3.1).

/// The value of a `Content-Type`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    essence: String,
    charset: Option<String>,
}

impl MediaType {
    /// Reads the type and its charset. What is malformed is a type of its own, that means nothing here.
    pub fn parse(text: &str) -> Self {
        let mut parts = text.split(';');
        let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let charset = parts.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            let is_charset = name.trim().eq_ignore_ascii_case("charset");
            is_charset.then(|| value.trim().trim_matches('"').to_ascii_lowercase())
        });
        Self { essence, charset }
    }

    /// The type without its parameters, in lower case: `text/plain`.
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// JSON, and what is built on it: `application/problem+json` (RFC 6839, section 3.1).
    pub fn is_json(&self) -> bool {
        matches!(self.essence.as_str(), "application/json" | "text/json")
            || self.essence.ends_with("+json")
    }

    /// What a person can read.
    pub fn is_text(&self) -> bool {
        self.essence.starts_with("text/")
            || self.essence.ends_with("+xml")
            || matches!(
                self.essence.as_str(),
                "application/xml" | "application/yaml" | "application/javascript"
            )
    }

    /// A form, as HTML has it.
    pub fn is_form(&self) -> bool {
        self.essence == "application/x-www-form-urlencoded"
    }

    /// The text of a content. Bytes that are none in its charset become replacement characters.
    pub fn decode(&self, body: &[u8]) -> String {
        match self.charset.as_deref() {
            Some("iso-8859-1" | "latin1") => body.iter().copied().map(char::from).collect(),
            _ => String::from_utf8_lossy(body).into_owned(),
        }
    }
}
