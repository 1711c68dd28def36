//! How expressions are understood (dsl-reference, "Evaluate").

use super::Located;
use super::read::{Field, Read, Reader};

/// How expressions are understood.
#[derive(Debug, Clone, Default)]
pub struct Evaluate {
    /// `language`. Default: `jq`.
    pub language: Option<Located<String>>,
    /// `mode`. Default: strict.
    pub mode: Option<Located<EvaluateMode>>,
}

/// Which strings are expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EvaluateMode {
    /// `strict`: those in `${ }`.
    #[default]
    Strict,
    /// `loose`: all that can be evaluated.
    Loose,
}

impl Evaluate {
    /// The language of expressions.
    pub fn language(&self) -> &str {
        self.language
            .as_ref()
            .map_or("jq", |language| language.as_str())
    }

    /// Which strings are expressions.
    pub fn mode(&self) -> EvaluateMode {
        self.mode.as_ref().map(|mode| **mode).unwrap_or_default()
    }
}

impl Read for Evaluate {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`evaluate`")?;
        let language = object.optional("language");
        let mode = object.optional("mode");
        object.finish()?;
        Some(Self {
            language: language?,
            mode: mode?,
        })
    }
}

impl Read for Located<EvaluateMode> {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let choices = [
            ("strict", EvaluateMode::Strict),
            ("loose", EvaluateMode::Loose),
        ];
        reader
            .choice(field, &choices)
            .map(|mode| field.located(mode))
    }
}
