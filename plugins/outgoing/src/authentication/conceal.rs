//! Answers without the access token, where the other side has echoed it: what comes of them is recorded with the run.

use crate::{Answer, Body, Response, SendError};

/// What stands for the token.
const CONCEALED: &[u8] = b"(concealed)";

/// The response without `token`.
pub(super) fn response(mut response: Response, token: &str) -> Response {
    headers(&mut response.headers, token);
    let mut rest = std::mem::take(&mut response.body);
    response.body = taken(&mut rest, token.as_bytes());
    response.body.append(&mut rest);
    response
}

/// The answer without `token`, also where it comes in two parts.
pub(super) fn answer(mut answer: Answer, token: &str) -> Answer {
    if token.is_empty() {
        return answer;
    }
    headers(&mut answer.headers, token);
    answer.body = Box::new(Concealing {
        body: answer.body,
        token: token.to_owned(),
        held: Vec::new(),
    });
    answer
}

fn headers(headers: &mut [(String, String)], token: &str) {
    let concealed = String::from_utf8_lossy(CONCEALED);
    let holding = headers.iter_mut().map(|(_, value)| value);
    for value in holding.filter(|value| !token.is_empty() && value.contains(token)) {
        *value = value.replace(token, &concealed);
    }
}

/// Takes off the front of `bytes` all up to the last token in it, concealed.
fn taken(bytes: &mut Vec<u8>, token: &[u8]) -> Vec<u8> {
    let mut clean = Vec::new();
    let mut done = 0;
    if token.is_empty() {
        return clean;
    }
    while let Some(at) = bytes[done..]
        .windows(token.len())
        .position(|part| part == token)
    {
        clean.extend_from_slice(&bytes[done..done + at]);
        clean.extend_from_slice(CONCEALED);
        done += at + token.len();
    }
    bytes.drain(..done);
    clean
}

/// A body that holds back what may be the beginning of a token.
struct Concealing {
    body: Box<dyn Body>,
    token: String,
    held: Vec<u8>,
}

impl Body for Concealing {
    fn next(&mut self) -> Result<Option<Vec<u8>>, SendError> {
        loop {
            let Some(part) = self.body.next()? else {
                let rest = std::mem::take(&mut self.held);
                return Ok(Some(rest).filter(|rest| !rest.is_empty()));
            };
            self.held.extend(part);
            let mut clean = taken(&mut self.held, self.token.as_bytes());
            let begun = beginning(&self.held, self.token.as_bytes());
            let certain = self.held.len() - begun;
            clean.extend(self.held.drain(..certain));
            if !clean.is_empty() {
                return Ok(Some(clean));
            }
        }
    }

    fn trailers(&mut self) -> Result<Vec<(String, String)>, SendError> {
        let mut trailers = self.body.trailers()?;
        headers(&mut trailers, &self.token);
        Ok(trailers)
    }
}

/// How many bytes at the end of `bytes` may be the beginning of `token`.
fn beginning(bytes: &[u8], token: &[u8]) -> usize {
    let longest = bytes.len().min(token.len().saturating_sub(1));
    let is_begun = |length: &usize| token.starts_with(&bytes[bytes.len() - length..]);
    (1..=longest).rev().find(is_begun).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(parts: &[&str]) -> Vec<String> {
        let parts: Vec<Vec<u8>> = parts.iter().map(|part| part.as_bytes().to_vec()).collect();
        let given = Answer {
            status: 200,
            headers: vec![("x-echo".to_owned(), "a tok1 b".to_owned())],
            body: Box::new(parts.into_iter()),
        };
        let mut answer = answer(given, "tok1");
        assert_eq!(answer.headers[0].1, "a (concealed) b");
        let next = || answer.body.next().expect("it does not break off");
        std::iter::from_fn(next)
            .map(|part| String::from_utf8(part).expect("text"))
            .collect()
    }

    #[test]
    fn a_token_is_found_within_and_across_parts() {
        assert_eq!(through(&["a tok1", " b"]).concat(), "a (concealed) b");
        assert_eq!(
            through(&["a t", "o", "k1 b tok"]).concat(),
            "a (concealed) b tok"
        );
        assert_eq!(
            through(&["totok1tok1"]).concat(),
            "to(concealed)(concealed)"
        );
    }

    #[test]
    fn what_is_no_token_is_not_held_back() {
        assert_eq!(through(&["one", "two"]), ["one", "two"]);
        assert_eq!(through(&["to", "day"]), ["today"]);
    }

    #[test]
    fn a_whole_response_is_cleaned_too() {
        let given = Response {
            status: 200,
            headers: Vec::new(),
            body: b"tok1,tok1,".to_vec(),
        };
        assert_eq!(
            response(given.clone(), "tok1").body,
            b"(concealed),(concealed),"
        );
        assert_eq!(response(given.clone(), "").body, given.body);
    }
}
