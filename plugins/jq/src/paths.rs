//! Changing a part of a value: `=`, `|=`, `del` and their kin, as jq has them.
//!
//! jaq's own do not create what is missing (`{} | .a.b = 1` is an error there), and deleting changes the
//! order of an object's keys. These do as jq does: null becomes an object or an array as the path asks,
//! an array grows to the index that is set, and what is left keeps its order.
//!
//! Strings, as parts of a path, name an object's keys; integers index an array, negative ones from its
//! end; objects with `start` and `end` stand for a slice of an array.

use std::ops::Range;

use jaq_core::native::{Fun, run, v};
use jaq_core::{Bind, Cv, Error, Exn, RunPtr, ValX, ValXs};
use jaq_json::{Map, Rc, Val};
use jaq_std::ValT as _;

use crate::filter::Data;

/// The name of the function behind `paths = value`: `.` is changed for each of the values.
pub(crate) const ASSIGN: &str = "baton_assign__";
/// The name of the function behind `paths |= update`.
pub(crate) const MODIFY: &str = "baton_modify__";

type Changed = Result<Val, Error<Val>>;

/// The functions of this module, for expressions.
pub(crate) fn functions() -> impl Iterator<Item = Fun<Data>> {
    let paths_and_value = [Bind::Fun(()), Bind::Var(())].into();
    let paths_and_update = [Bind::Fun(()), Bind::Fun(())].into();
    let functions: [(_, _, RunPtr<Data>); 4] = [
        (ASSIGN, paths_and_value, |cv| once(assign_called(cv))),
        (MODIFY, paths_and_update, |cv| once(modify_called(cv))),
        ("setpath", v(2), |cv| {
            once(setpath_called(cv).map_err(Exn::from))
        }),
        ("delpaths", v(1), |cv| {
            once(delpaths_called(cv).map_err(Exn::from))
        }),
    ];
    functions.into_iter().map(run::<Data>)
}

fn once<'a>(result: ValX<'a, Val>) -> ValXs<'a, Val> {
    Box::new(std::iter::once(result))
}

fn assign_called<'a>(mut cv: Cv<'a, Data>) -> ValX<'a, Val> {
    let value = cv.0.pop_var();
    let paths = paths_of(&mut cv)?;
    Ok(assign(cv.1, &paths, &value)?)
}

fn modify_called<'a>(mut cv: Cv<'a, Data>) -> ValX<'a, Val> {
    let (update, context) = cv.0.pop_fun();
    let paths = paths_of(&mut cv)?;
    // Only the first output counts, as in jq since 1.7.
    let mut update = |value| update.run((context.clone(), value)).next().transpose();
    modify(cv.1, paths, &mut update)
}

fn setpath_called(mut cv: Cv<'_, Data>) -> Changed {
    let (value, path) = (cv.0.pop_var(), cv.0.pop_var());
    assign(cv.1, &[path_of(&path)?], &value)
}

fn delpaths_called(mut cv: Cv<'_, Data>) -> Changed {
    let paths: Vec<Val> =
        cv.0.pop_var()
            .into_seq()
            .map_err(|value| Error::typ(value, "array of paths"))?;
    delete(cv.1, paths.iter().map(path_of).collect::<Result<_, _>>()?)
}

/// The paths that the next argument names in the input.
fn paths_of<'a>(cv: &mut Cv<'a, Data>) -> Result<Vec<Vec<Val>>, Exn<'a, Val>> {
    let (paths, context) = cv.0.pop_fun();
    paths
        .paths((context, (cv.1.clone(), Default::default())))
        .map(|found| {
            let mut path: Vec<Val> = found?.1.iter().cloned().collect();
            path.reverse();
            Ok(path)
        })
        .collect()
}

fn path_of(path: &Val) -> Result<Vec<Val>, Error<Val>> {
    path.clone()
        .into_seq()
        .map_err(|value| Error::typ(value, "path (an array)"))
}

fn assign(value: Val, paths: &[Vec<Val>], new: &Val) -> Changed {
    paths.iter().try_fold(value, |value, path| {
        change(value, path, &mut |_| Ok(new.clone()))
    })
}

/// Gives each place the first output of `update`. Where that has none, the place is deleted, but only
/// when all the others are done: the paths stay valid until then.
fn modify<'a>(
    value: Val,
    paths: Vec<Vec<Val>>,
    update: &mut dyn FnMut(Val) -> Result<Option<Val>, Exn<'a, Val>>,
) -> ValX<'a, Val> {
    let mut value = value;
    let mut deleted = Vec::new();
    for path in paths {
        let mut gone = false;
        value = change::<Exn<'a, Val>>(value, &path, &mut |old| {
            Ok(update(old)?.unwrap_or_else(|| {
                gone = true;
                Val::Null
            }))
        })?;
        if gone {
            deleted.push(path);
        }
    }
    Ok(delete(value, deleted)?)
}

/// Changes what stands at `path`, creating what is missing on the way.
fn change<E: From<Error<Val>>>(
    value: Val,
    path: &[Val],
    update: &mut dyn FnMut(Val) -> Result<Val, E>,
) -> Result<Val, E> {
    let Some((key, rest)) = path.split_first() else {
        return update(value);
    };
    let value = match (value, key) {
        (Val::Null, Val::TStr(_)) => Val::obj(Map::default()),
        (Val::Null, Val::Num(_) | Val::Obj(_)) => Val::Arr(Rc::default()),
        (value, _) => value,
    };
    match (value, key) {
        (Val::Obj(mut fields), Val::TStr(_)) => {
            let field = Rc::make_mut(&mut fields).entry(key.clone()).or_default();
            *field = change(std::mem::take(field), rest, update)?;
            Ok(Val::Obj(fields))
        }
        (Val::Arr(mut items), Val::Num(_)) => {
            let at = index(key, items.len()).ok_or_else(|| out_of_bounds(key))?;
            let items_mut = Rc::make_mut(&mut items);
            if at >= items_mut.len() {
                items_mut.resize(at + 1, Val::Null);
            }
            items_mut[at] = change(std::mem::take(&mut items_mut[at]), rest, update)?;
            Ok(Val::Arr(items))
        }
        (Val::Arr(mut items), Val::Obj(bounds)) => {
            let slice = slice(bounds, items.len())?;
            let part = items[slice.clone()].iter().cloned().collect();
            let part = change(part, rest, update)?;
            let part = part
                .into_seq::<Vec<Val>>()
                .map_err(|value| Error::typ(value, "array"))?;
            Rc::make_mut(&mut items).splice(slice, part);
            Ok(Val::Arr(items))
        }
        (value, key) => Err(Error::index(value, key.clone()).into()),
    }
}

/// Takes out what stands at each of `paths`: the last first, so that the others stay where they are.
fn delete(value: Val, mut paths: Vec<Vec<Val>>) -> Changed {
    paths.sort();
    paths
        .iter()
        .rev()
        .try_fold(value, |value, path| delete_one(value, path))
}

fn delete_one(value: Val, path: &[Val]) -> Changed {
    let Some((key, rest)) = path.split_first() else {
        return Ok(Val::Null);
    };
    match (value, key) {
        (Val::Null, _) => Ok(Val::Null),
        (Val::Obj(mut fields), Val::TStr(_)) => {
            if rest.is_empty() {
                Rc::make_mut(&mut fields).shift_remove(key);
            } else if let Some(field) = Rc::make_mut(&mut fields).get_mut(key) {
                *field = delete_one(std::mem::take(field), rest)?;
            }
            Ok(Val::Obj(fields))
        }
        (Val::Arr(mut items), Val::Num(_)) => {
            if let Some(at) = index(key, items.len()).filter(|at| *at < items.len()) {
                let items = Rc::make_mut(&mut items);
                if rest.is_empty() {
                    items.remove(at);
                } else {
                    items[at] = delete_one(std::mem::take(&mut items[at]), rest)?;
                }
            }
            Ok(Val::Arr(items))
        }
        (Val::Arr(mut items), Val::Obj(bounds)) => {
            let slice = slice(bounds, items.len())?;
            let left = match rest {
                [] => Vec::new(),
                rest => {
                    let part = items[slice.clone()].iter().cloned().collect();
                    delete_one(part, rest)?
                        .into_seq()
                        .map_err(|value| Error::typ(value, "array"))?
                }
            };
            Rc::make_mut(&mut items).splice(slice, left);
            Ok(Val::Arr(items))
        }
        (value, key) => Err(Error::index(value, key.clone())),
    }
}

/// The place that an index means in an array of `len` items; it may lie beyond its end, not before its
/// start. Fractions are dropped, as jq does.
fn index(key: &Val, len: usize) -> Option<usize> {
    let at = key
        .as_isize()
        .or_else(|| key.as_f64().map(|float| float.floor() as isize))?;
    match usize::try_from(at) {
        Ok(at) => Some(at),
        Err(_) => len.checked_sub(at.unsigned_abs()),
    }
}

fn slice(bounds: &Map, len: usize) -> Result<Range<usize>, Error<Val>> {
    let bound = |name: &str, default: usize| match bounds.get(&Val::from(name.to_owned())) {
        None | Some(Val::Null) => Ok(default),
        Some(key @ Val::Num(_)) => Ok(index(key, len).unwrap_or(0).min(len)),
        Some(other) => Err(Error::typ(other.clone(), "integer")),
    };
    let (start, end) = (bound("start", 0)?, bound("end", len)?);
    Ok(start..end.max(start))
}

fn out_of_bounds(key: &Val) -> Error<Val> {
    Error::str(format_args!(
        "index {key} lies before the start of the array"
    ))
}
