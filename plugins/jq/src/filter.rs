//! Compiling and evaluating expressions.

use jaq_core::data::JustLut;
use jaq_core::load::{Arena, File, Lexer, Loader, Parser};
use jaq_core::{Compiler, Ctx, Vars, unwrap_valr};
use jaq_json::Val;

use crate::syntax::{self, SyntaxError};
use crate::{json, library, rewrite};

/// The type of data that filters work on: JSON values, and nothing beside them.
pub(crate) type Data = JustLut<Val>;

/// How much of an error message is kept, in bytes: jq puts the offending value into it, of any size.
pub const MESSAGE_BYTES_MAX: usize = 2048;

/// The name under which an expression stands in the prelude. jaq takes parsed terms only there.
const EXPRESSION: &str = "baton_expression__";

/// A compiled expression.
pub struct Filter {
    program: jaq_core::Filter<Data>,
    variables: usize,
}

impl Filter {
    /// Compiles `source`; `variables` are the names, without `$`, that it may use.
    ///
    /// # Errors
    ///
    /// Where `source` is no expression, or names a function or variable that there isn't.
    pub fn compile(source: &str, variables: &[String]) -> Result<Self, SyntaxError> {
        let tokens = Lexer::new(source)
            .lex()
            .map_err(|errors| syntax::of_lexer(source, &errors))?;
        let term = Parser::new(&tokens)
            .parse(|parser| parser.term())
            .map_err(|errors| syntax::of_parser(source, &errors))?;

        let globals: Vec<String> = variables.iter().map(|name| format!("${name}")).collect();
        let expression = jaq_core::load::parse::Def {
            name: EXPRESSION,
            args: Vec::new(),
            body: rewrite::apply(term),
        };
        let arena = Arena::default();
        let main = File {
            code: EXPRESSION,
            path: (),
        };
        let modules = Loader::new(library::definitions().chain([expression]))
            .load(&arena, main)
            .expect("the definitions are parsed already, and the main program is one word");
        let program = Compiler::default()
            .with_funs(library::functions())
            .with_global_vars(globals.iter().map(String::as_str))
            .compile(modules)
            .map_err(|errors| {
                let undefined = errors.into_iter().flat_map(|(_file, errors)| errors);
                syntax::of_compiler(source, variables, undefined)
            })?;
        Ok(Self {
            program,
            variables: variables.len(),
        })
    }

    /// Evaluates on `input` (what `.` is), with `values` for the variables in the order of
    /// [`Filter::compile`]. All are JSON texts, and so is the result.
    ///
    /// An expression that yields nothing gives `null`.
    ///
    /// # Errors
    ///
    /// The message of the error that the expression ended with; also where it yields more than one
    /// value, or one that JSON has no form for.
    pub fn evaluate(&self, input: &str, values: &[&str]) -> Result<String, String> {
        if values.len() != self.variables {
            return Err(format!(
                "the expression was compiled for {} variables and given {}",
                self.variables,
                values.len()
            ));
        }
        let input = json::read(input)?;
        let values = values
            .iter()
            .map(|value| json::read(value))
            .collect::<Result<Vec<_>, _>>()?;

        let context = Ctx::<Data>::new(&self.program.lut, Vars::new(values));
        let mut outputs = self.program.id.run((context, input)).map(unwrap_valr);
        let output = match outputs.next() {
            None => return Ok("null".to_owned()),
            Some(output) => output.map_err(message)?,
        };
        match outputs.next() {
            None => json::write(&output),
            Some(Err(error)) => Err(message(error)),
            Some(Ok(_)) => Err(
                "the expression yields more than one value: put it into [ ] for an array of them, \
                 or into first( ) for the first"
                    .to_owned(),
            ),
        }
    }
}

/// The message of an error: its text, or its value as JSON where `error` was given something else.
fn message(error: jaq_json::Error) -> String {
    let value = error.into_val();
    let mut text = match &value {
        Val::TStr(text) => String::from_utf8_lossy(text).into_owned(),
        other => json::text(other),
    };
    if text.len() > MESSAGE_BYTES_MAX {
        let end = (0..=MESSAGE_BYTES_MAX)
            .rev()
            .find(|&at| text.is_char_boundary(at));
        text.truncate(end.unwrap_or(0));
        text.push('…');
    }
    text
}
