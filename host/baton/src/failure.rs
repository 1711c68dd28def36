//! Why a command did not do what it was asked to.

use std::error::Error;
use std::fmt::Display;
use std::ops::Range;
use std::path::Path;

use crate::exit::Exit;

/// What every command answers.
pub(crate) type Outcome = Result<Exit, Failure>;

/// A place in a text that the user gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    /// The name of the file or the flag.
    pub(crate) origin: String,
    /// All of the text.
    pub(crate) text: String,
    /// The bytes that are meant.
    pub(crate) span: Range<usize>,
}

/// A failure as the user reads it: what and where, why, and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    /// A fragment that fits behind "error: ".
    pub(crate) message: String,
    /// The place in a file or an argument that is wrong, where there is one.
    pub(crate) excerpt: Option<Box<Excerpt>>,
    /// The chain of causes, the nearest first.
    pub(crate) causes: Vec<String>,
    /// What to do about it.
    pub(crate) help: Option<String>,
    /// The code that the process ends with.
    pub(crate) exit: Exit,
}

impl Failure {
    /// A failure of something that was tried. Exit code 1.
    pub(crate) fn new(message: impl Display) -> Self {
        Self {
            message: message.to_string(),
            excerpt: None,
            causes: Vec::new(),
            help: None,
            exit: Exit::Failed,
        }
    }

    /// An error and all that caused it, as a failure of something that was tried.
    pub(crate) fn of(error: &dyn Error) -> Self {
        let failure = Self::new(error);
        match error.source() {
            Some(cause) => failure.because(cause),
            None => failure,
        }
    }

    /// A failure of what was given; nothing was tried. Exit code 2.
    pub(crate) fn invalid(message: impl Display) -> Self {
        Self {
            exit: Exit::Invalid,
            ..Self::new(message)
        }
    }

    /// A failure of a directory that was given, which no host has used.
    pub(crate) fn no_store(data: &Path) -> Self {
        Self::invalid(format!("there is no store in {}", data.display()))
            .help("name the data directory of a host, as the host itself has it")
    }

    /// Says where in a text.
    #[must_use]
    pub(crate) fn at(mut self, origin: impl Display, text: &str, span: Range<usize>) -> Self {
        self.excerpt = Some(Box::new(Excerpt {
            origin: origin.to_string(),
            text: text.to_owned(),
            span,
        }));
        self
    }

    /// Says why: `cause` and all that caused it.
    #[must_use]
    pub(crate) fn because(mut self, cause: &dyn Error) -> Self {
        let mut next = Some(cause);
        while let Some(error) = next {
            let text = error.to_string();
            // Some libraries repeat their source in their own message.
            if !self.causes.last().is_some_and(|last| last.ends_with(&text)) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// Says what to do.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Display) -> Self {
        self.help = Some(help.to_string());
        self
    }
}
