//! Changes to parsed expressions before they are compiled, where jaq differs from jq.
//!
//! - jaq turns what stands in `"\( )"` into text by itself, with its own spelling of numbers: `"\(6 / 2)"`
//!   would be `3.0`. Strings that name a format call the filter of that name instead, so each string
//!   without one is given `@text`, which [`crate::library`] defines.
//! - `=`, `|=` and their kin become calls of the functions in [`crate::paths`], which create what is
//!   missing.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::path::{Opt, Part, Path};

use crate::paths::{ASSIGN, MODIFY};

/// What `paths += value` binds the value to.
const VALUE: &str = "$baton_value__";

/// Makes the changes, everywhere in `term`.
pub fn apply(term: Term<&str>) -> Term<&str> {
    match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) => term,
        Term::Str(format, parts) => string(format, parts),
        Term::Arr(inner) => Term::Arr(inner.map(boxed)),
        Term::Obj(fields) => Term::Obj(
            fields
                .into_iter()
                .map(|(key, value)| (apply(key), value.map(apply)))
                .collect(),
        ),
        Term::Neg(inner) => Term::Neg(boxed(inner)),
        Term::BinOp(left, operator, right) => binary(apply(*left), operator, apply(*right)),
        Term::Label(name, inner) => Term::Label(name, boxed(inner)),
        Term::Fold(name, inner, binding, arguments) => {
            Term::Fold(name, boxed(inner), pattern(binding), all(arguments))
        }
        Term::TryCatch(inner, handler) => Term::TryCatch(boxed(inner), handler.map(boxed)),
        Term::IfThenElse(branches, otherwise) => Term::IfThenElse(
            branches
                .into_iter()
                .map(|(test, then)| (apply(test), apply(then)))
                .collect(),
            otherwise.map(boxed),
        ),
        Term::Def(definitions, inner) => Term::Def(
            definitions.into_iter().map(definition).collect(),
            boxed(inner),
        ),
        Term::Call(name, arguments) => Term::Call(name, all(arguments)),
        Term::Path(inner, Path(parts)) => {
            Term::Path(boxed(inner), Path(parts.into_iter().map(part).collect()))
        }
    }
}

fn string<'s>(
    format: Option<&'s str>,
    parts: Vec<StrPart<&'s str, Term<&'s str>>>,
) -> Term<&'s str> {
    let interpolates = parts.iter().any(|part| matches!(part, StrPart::Term(_)));
    let parts = parts
        .into_iter()
        .map(|part| match part {
            StrPart::Term(term) => StrPart::Term(apply(term)),
            other => other,
        })
        .collect();
    Term::Str(format.or(interpolates.then_some("@text")), parts)
}

#[allow(clippy::boxed_local, reason = "the terms come in boxes")]
fn boxed(term: Box<Term<&str>>) -> Box<Term<&str>> {
    Box::new(apply(*term))
}

fn all(terms: Vec<Term<&str>>) -> Vec<Term<&str>> {
    terms.into_iter().map(apply).collect()
}

pub fn definition(definition: Def<&str>) -> Def<&str> {
    Def {
        body: apply(definition.body),
        ..definition
    }
}

fn binary<'s>(
    left: Term<&'s str>,
    operator: BinaryOp<&'s str>,
    right: Term<&'s str>,
) -> Term<&'s str> {
    let operation = |left, operator, right| Term::BinOp(Box::new(left), operator, Box::new(right));
    // The value is computed once, from the input as it was before any change.
    let computed = |by: BinaryOp<&'s str>, left, right| {
        let update = operation(Term::Id, by, Term::Var(VALUE));
        let modify = Term::Call(MODIFY, vec![left, update]);
        operation(right, BinaryOp::Pipe(Some(Pattern::Var(VALUE))), modify)
    };
    match operator {
        BinaryOp::Assign => Term::Call(ASSIGN, vec![left, right]),
        BinaryOp::Update => Term::Call(MODIFY, vec![left, right]),
        BinaryOp::UpdateMath(by) => computed(BinaryOp::Math(by), left, right),
        BinaryOp::UpdateAlt => computed(BinaryOp::Alt, left, right),
        BinaryOp::Pipe(binding) => operation(left, BinaryOp::Pipe(binding.map(pattern)), right),
        other => operation(left, other, right),
    }
}

fn pattern(binding: Pattern<&str>) -> Pattern<&str> {
    match binding {
        Pattern::Var(_) => binding,
        Pattern::Arr(items) => Pattern::Arr(items.into_iter().map(pattern).collect()),
        Pattern::Obj(fields) => Pattern::Obj(
            fields
                .into_iter()
                .map(|(key, value)| (apply(key), pattern(value)))
                .collect(),
        ),
    }
}

fn part((part, optional): (Part<Term<&str>>, Opt)) -> (Part<Term<&str>>, Opt) {
    let part = match part {
        Part::Index(index) => Part::Index(apply(index)),
        Part::Range(from, to) => Part::Range(from.map(apply), to.map(apply)),
    };
    (part, optional)
}
