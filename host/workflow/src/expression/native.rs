//! The small evaluator: jq expressions that are a constant, a path, or a string with paths in it.
//!
//! It answers only where jq's answer is beyond doubt, and is held equal to the jq component by a
//! property test.

use std::borrow::Cow;

use serde_json::Value;

use super::Variables;
use crate::extent::BYTES_MAX;

/// An expression of a shape that needs no expression language.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Native {
    Constant(Value),
    Path(Path),
    Text(Vec<Part>),
}

/// A path into the input or into a variable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    root: Root,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
enum Root {
    Input,
    Variable(String),
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Member(String),
    Item(usize),
}

/// A part of a string literal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Literal(String),
    Path(Path),
}

impl Native {
    /// Parses `source`; none where it is of no such shape, or uses a variable that is not `available`.
    pub(super) fn parse(source: &str, available: &[String]) -> Option<Self> {
        let mut parser = Parser {
            rest: source.trim(),
            available,
        };
        let native = match parser.rest.chars().next()? {
            '.' | '$' => Self::Path(parser.path()?),
            '"' => parser.text()?,
            _ => Self::Constant(parser.constant()?),
        };
        parser.rest.is_empty().then_some(native)
    }

    /// Whether it is `.`.
    pub(super) fn is_identity(&self) -> bool {
        matches!(self, Self::Path(Path { root: Root::Input, steps }) if steps.is_empty())
    }

    /// The path of members into the input, where it is one.
    pub(super) fn path_in_input(&self) -> Option<Vec<String>> {
        let Self::Path(Path {
            root: Root::Input,
            steps,
        }) = self
        else {
            return None;
        };
        let member = |step: &Step| match step {
            Step::Member(name) => Some(name.clone()),
            Step::Item(_) => None,
        };
        steps.iter().map(member).collect()
    }

    /// The value; none where jq would have to say.
    pub(super) fn evaluate<'a>(
        &self,
        input: &'a Value,
        variables: &'a dyn Variables,
    ) -> Option<Cow<'a, Value>> {
        match self {
            Self::Constant(value) => Some(Cow::Owned(value.clone())),
            Self::Path(path) => path.evaluate(input, variables),
            Self::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    // What grows beyond all bounds is left to the component, which has one of memory.
                    if text.len() > BYTES_MAX {
                        return None;
                    }
                    match part {
                        Part::Literal(literal) => text.push_str(literal),
                        Part::Path(path) => {
                            push_scalar(&mut text, &*path.evaluate(input, variables)?)?;
                        }
                    }
                }
                Some(Cow::Owned(Value::String(text)))
            }
        }
    }
}

impl Path {
    fn evaluate<'a>(
        &self,
        input: &'a Value,
        variables: &'a dyn Variables,
    ) -> Option<Cow<'a, Value>> {
        let name = match &self.root {
            Root::Input => return walk(input, &self.steps).map(Cow::Borrowed),
            Root::Variable(name) => name,
        };
        // What is put together when it is asked for can be large, and most paths are about one member.
        if let Some((Step::Member(member), steps)) = self.steps.split_first()
            && let Some(value) = variables.member(name, member)
        {
            return match value {
                Cow::Borrowed(value) => walk(value, steps).map(Cow::Borrowed),
                Cow::Owned(value) => walk(&value, steps).map(|it| Cow::Owned(it.clone())),
            };
        }
        walk(variables.variable(name)?, &self.steps).map(Cow::Borrowed)
    }
}

static NULL: Value = Value::Null;

fn walk<'a>(mut value: &'a Value, steps: &[Step]) -> Option<&'a Value> {
    for step in steps {
        value = match (step, value) {
            (_, Value::Null) => &NULL,
            (Step::Member(name), Value::Object(members)) => members.get(name).unwrap_or(&NULL),
            (Step::Item(index), Value::Array(items)) => items.get(*index).unwrap_or(&NULL),
            _ => return None,
        };
    }
    Some(value)
}

/// Appends what jq puts into a string for a scalar. Floats are left to jq, whose notation is its own.
fn push_scalar(text: &mut String, value: &Value) -> Option<()> {
    match value {
        Value::String(part) => text.push_str(part),
        Value::Null => text.push_str("null"),
        Value::Bool(part) => text.push_str(if *part { "true" } else { "false" }),
        Value::Number(part) if part.is_i64() || part.is_u64() => text.push_str(&part.to_string()),
        Value::Number(_) | Value::Array(_) | Value::Object(_) => return None,
    }
    Some(())
}

struct Parser<'s> {
    rest: &'s str,
    available: &'s [String],
}

impl<'s> Parser<'s> {
    fn take(&mut self, prefix: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(prefix)?;
        Some(())
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'s str {
        let length = self.rest.find(|c| !accept(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn name(&mut self) -> Option<&'s str> {
        let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        (!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())).then_some(name)
    }

    fn path(&mut self) -> Option<Path> {
        let mut steps = Vec::new();
        let root = if self.take("$").is_some() {
            let name = self.name()?;
            self.available.iter().any(|it| it == name).then_some(())?;
            Root::Variable(name.to_owned())
        } else {
            self.take(".")?;
            if self
                .rest
                .starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            {
                steps.push(Step::Member(self.name()?.to_owned()));
            }
            Root::Input
        };
        loop {
            if self.take(".").is_some() {
                // `..`, `.[0].` and `. .a` are other things.
                if matches!(&root, Root::Input) && steps.is_empty() {
                    return None;
                }
                steps.push(Step::Member(self.name()?.to_owned()));
            } else if self.take("[").is_some() {
                steps.push(self.bracket()?);
            } else {
                return Some(Path { root, steps });
            }
        }
    }

    fn bracket(&mut self) -> Option<Step> {
        let step = if self.rest.starts_with('"') {
            match self.text()? {
                Native::Text(parts) => match <[Part; 1]>::try_from(parts) {
                    Ok([Part::Literal(name)]) => Step::Member(name),
                    _ => return None,
                },
                _ => return None,
            }
        } else {
            let digits = self.take_while(|c| c.is_ascii_digit());
            (!digits.is_empty() && digits.len() < 9).then_some(())?;
            Step::Item(digits.parse().ok()?)
        };
        self.take("]")?;
        Some(step)
    }

    fn text(&mut self) -> Option<Native> {
        self.take("\"")?;
        let mut parts = Vec::new();
        let mut literal = String::new();
        loop {
            literal.push_str(self.take_while(|c| c != '"' && c != '\\' && !c.is_control()));
            if self.take("\"").is_some() {
                if !literal.is_empty() || parts.is_empty() {
                    parts.push(Part::Literal(literal));
                }
                return Some(Native::Text(parts));
            }
            self.take("\\")?;
            if self.take("(").is_some() {
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                self.take_while(|c| c == ' ');
                parts.push(Part::Path(self.path()?));
                self.take_while(|c| c == ' ');
                self.take(")")?;
            } else {
                literal.push(self.escape()?);
            }
        }
    }

    /// An escape of one character. `\u` is left to jq.
    fn escape(&mut self) -> Option<char> {
        let escape = self.rest.chars().next()?;
        self.rest = &self.rest[escape.len_utf8()..];
        match escape {
            '"' | '\\' | '/' => Some(escape),
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            _ => None,
        }
    }

    fn constant(&mut self) -> Option<Value> {
        let word = self.take_while(|c| c.is_ascii_alphanumeric());
        match word {
            "null" => Some(Value::Null),
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            // Up to 15 digits, an integer is the same in every number model.
            _ if word.len() <= 15 && word.bytes().all(|b| b.is_ascii_digit()) => {
                word.parse::<u64>().ok().map(Value::from)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(source: &str, expected: Option<&Value>) {
        let available = ["context".to_owned()];
        let input = json!({"a": {"b": [10, {"c d": "x"}]}, "n": 1.5, "i": 7, "t": "ü", "z": null});
        let context = json!({"k": [true]});
        let variables = [("context", &context)];
        let value = Native::parse(source, &available)
            .and_then(|native| native.evaluate(&input, &variables).map(Cow::into_owned));
        assert_eq!(value.as_ref(), expected, "{source}");
    }

    #[test]
    fn paths_lead_to_what_is_there_or_null() {
        check(".a.b[0]", Some(&json!(10)));
        check(r#".a.b[1]["c d"]"#, Some(&json!("x")));
        check(".a.b[9].c", Some(&Value::Null));
        check(" .z.y ", Some(&Value::Null));
        check(".[\"a\"].b[0]", Some(&json!(10)));
        check("$context.k[0]", Some(&json!(true)));
        check("$context", Some(&json!({"k": [true]})));
    }

    /// Has nothing as a whole.
    struct InParts(Value);

    impl Variables for InParts {
        fn variable(&self, _: &str) -> Option<&Value> {
            None
        }

        fn member(&self, name: &str, member: &str) -> Option<Cow<'_, Value>> {
            (name == "workflow").then(|| match member {
                "id" => Cow::Owned(json!({"made": 1})),
                _ => Cow::Borrowed(&self.0),
            })
        }
    }

    #[test]
    fn a_path_asks_for_the_member_that_it_leads_to() {
        let variables = InParts(json!({"x": [7]}));
        let available = ["workflow".to_owned()];
        for (source, expected) in [
            ("$workflow.id.made", Some(json!(1))),
            ("$workflow.input.x[0]", Some(json!(7))),
            ("$workflow[\"input\"].y", Some(Value::Null)),
            ("\"\\($workflow.input.x[0])\"", Some(json!("7"))),
            ("$workflow.input.x.y", None),
            ("$workflow", None),
            ("$workflow[0]", None),
        ] {
            let native = Native::parse(source, &available).expect("a path");
            let value = native.evaluate(&Value::Null, &variables);
            assert_eq!(value.as_deref(), expected.as_ref(), "{source}");
        }
    }

    #[test]
    fn strings_take_scalars_in() {
        check(
            r#""id \(.i), \( .t ): \(.a.b[0]) \(.z)""#,
            Some(&json!("id 7, ü: 10 null")),
        );
        check(r#""a\n\"b\"""#, Some(&json!("a\n\"b\"")));
        check(r#""""#, Some(&json!("")));
    }

    #[test]
    fn constants_are_themselves() {
        check("42", Some(&json!(42)));
        check("true", Some(&json!(true)));
        check("null", Some(&Value::Null));
    }

    #[test]
    fn all_else_is_left_to_jq() {
        let sources = [
            "..",
            ".a | .b",
            ".a?",
            ".a[]",
            ".[-1]",
            ".a.b[0:1]",
            ".i.x",
            ".a[0]",
            "$other.k",
            "1.5",
            "-1",
            ". .a",
            r#""\u00fc""#,
            r#""\(.n)""#,
            r#""\(.a)""#,
            r#""\(1 + 1)""#,
            ".a.",
            "$context.",
            "\"open",
            "1 + 1",
            "",
            ".a.b.c",
        ];
        for source in sources {
            check(source, None);
        }
    }
}
