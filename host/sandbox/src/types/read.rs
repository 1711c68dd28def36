//! Types out of a decoded component.

use std::collections::HashMap;
use std::sync::Arc;

use wit_parser::{
    Docs, Function, Resolve, Type as WitType, TypeDef, TypeDefKind, TypeId, TypeOwner,
};

use super::{Case, ErrorType, Field, Integer, Names, Record, ResultType, Signature, Type, Variant};
use crate::limits::TYPE_DEPTH_MAX;

/// The interface of `wit/connector.wit` that declares `failure`.
const CONNECTOR_TYPES: &str = "baton:connector/types";

/// Why a type has no JSON form, as a sentence's part that fits after "cannot be called: ".
type Unsupported = String;

/// Reads types, each declaration once.
pub(crate) struct Reader<'a> {
    resolve: &'a Resolve,
    /// What has been read, and how many declarations it nests below itself.
    read: HashMap<TypeId, (Type, usize)>,
    /// The deepest nesting below the declaration that is being read.
    deepest: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(resolve: &'a Resolve) -> Self {
        Self {
            resolve,
            read: HashMap::new(),
            deepest: 0,
        }
    }

    /// Reads what a function takes and gives.
    pub(crate) fn signature(&mut self, function: &Function) -> Result<Signature, Unsupported> {
        let parameters = function.params.iter().map(|parameter| {
            let ty = self.ty(&parameter.ty, 0);
            let ty = ty.map_err(|reason| format!("parameter `{}` {reason}", parameter.name))?;
            Ok(Field {
                name: parameter.name.clone(),
                docs: None,
                ty,
            })
        });
        let parameters = parameters.collect::<Result<_, Unsupported>>()?;
        let result = function
            .result
            .as_ref()
            .map(|ty| self.ty(ty, 0))
            .transpose();
        let result = result.map_err(|reason| format!("the result {reason}"))?;
        let (result, error) = match result {
            Some(Type::Result(result)) => (result.ok.clone(), error_type(result.err.clone())),
            other => (other, ErrorType::Never),
        };
        Ok(Signature {
            parameters,
            result,
            error,
        })
    }

    fn ty(&mut self, ty: &WitType, depth: usize) -> Result<Type, Unsupported> {
        Ok(match ty {
            WitType::Bool => Type::Bool,
            WitType::S8 => Type::Integer(Integer::S8),
            WitType::S16 => Type::Integer(Integer::S16),
            WitType::S32 => Type::Integer(Integer::S32),
            WitType::S64 => Type::Integer(Integer::S64),
            WitType::U8 => Type::Integer(Integer::U8),
            WitType::U16 => Type::Integer(Integer::U16),
            WitType::U32 => Type::Integer(Integer::U32),
            WitType::U64 => Type::Integer(Integer::U64),
            WitType::F32 => Type::F32,
            WitType::F64 => Type::F64,
            WitType::Char => Type::Char,
            WitType::String => Type::String,
            WitType::ErrorContext => {
                return Err("has an error context, which has no JSON form".to_owned());
            }
            WitType::Id(id) => return self.declared(*id, depth + 1),
        })
    }

    fn declared(&mut self, id: TypeId, depth: usize) -> Result<Type, Unsupported> {
        let height = self.read.get(&id).map_or(0, |(_, height)| *height);
        if depth + height > TYPE_DEPTH_MAX {
            return Err(format!(
                "has a type that nests more than {TYPE_DEPTH_MAX} deep"
            ));
        }
        if let Some((ty, height)) = self.read.get(&id) {
            self.deepest = self.deepest.max(depth + height);
            return Ok(ty.clone());
        }
        let outer = std::mem::replace(&mut self.deepest, depth);
        let ty = self.definition(&self.resolve.types[id], depth)?;
        self.read.insert(id, (ty.clone(), self.deepest - depth));
        self.deepest = self.deepest.max(outer);
        Ok(ty)
    }

    fn definition(&mut self, def: &TypeDef, depth: usize) -> Result<Type, Unsupported> {
        let name = || def.name.clone().unwrap_or_default();
        let docs = docs(&def.docs);
        Ok(match &def.kind {
            TypeDefKind::Type(target) => {
                let target = self.ty(target, depth)?;
                let named_json = def.name.as_deref() == Some("json") && target == Type::String;
                if named_json { Type::Json } else { target }
            }
            TypeDefKind::List(WitType::U8) => Type::Bytes,
            TypeDefKind::List(item) => match self.ty(item, depth)? {
                Type::Integer(Integer::U8) => Type::Bytes,
                item => Type::List(Arc::new(item)),
            },
            TypeDefKind::Option(inner) => Type::Option(Arc::new(self.ty(inner, depth)?)),
            TypeDefKind::Result(result) => Type::Result(Arc::new(ResultType {
                ok: self.maybe(result.ok.as_ref(), depth)?,
                err: self.maybe(result.err.as_ref(), depth)?,
            })),
            TypeDefKind::Tuple(tuple) => {
                let types = tuple.types.iter().map(|ty| self.ty(ty, depth));
                Type::Tuple(types.collect::<Result<_, _>>()?)
            }
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter().map(|field| {
                    let ty = self.ty(&field.ty, depth)?;
                    Ok(Field {
                        name: field.name.clone(),
                        docs: self::docs(&field.docs),
                        ty,
                    })
                });
                let fields = fields.collect::<Result<_, Unsupported>>()?;
                Type::Record(Arc::new(Record {
                    name: name(),
                    interface: self.owner(def),
                    docs,
                    fields,
                }))
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter().map(|case| {
                    let ty = self.maybe(case.ty.as_ref(), depth)?;
                    Ok(Case {
                        name: case.name.clone(),
                        docs: self::docs(&case.docs),
                        ty,
                    })
                });
                let cases = cases.collect::<Result<_, Unsupported>>()?;
                Type::Variant(Arc::new(Variant {
                    name: name(),
                    docs,
                    cases,
                }))
            }
            TypeDefKind::Enum(cases) => {
                let names = cases.cases.iter().map(|case| case.name.clone()).collect();
                Type::Enum(Arc::new(Names {
                    name: name(),
                    docs,
                    names,
                }))
            }
            TypeDefKind::Flags(flags) => {
                let names = flags.flags.iter().map(|flag| flag.name.clone()).collect();
                Type::Flags(Arc::new(Names {
                    name: name(),
                    docs,
                    names,
                }))
            }
            TypeDefKind::Resource | TypeDefKind::Handle(_) => {
                return Err("is a resource, which lives no longer than one call".to_owned());
            }
            kind => return Err(format!("has a {}, which has no JSON form", kind.as_str())),
        })
    }

    fn maybe(&mut self, ty: Option<&WitType>, depth: usize) -> Result<Option<Type>, Unsupported> {
        ty.map(|ty| self.ty(ty, depth)).transpose()
    }

    /// The interface that declares a type, without its version.
    fn owner(&self, def: &TypeDef) -> Option<String> {
        let TypeOwner::Interface(id) = def.owner else {
            return None;
        };
        let interface = &self.resolve.interfaces[id];
        let package = &self.resolve.packages[interface.package?].name;
        Some(format!(
            "{}:{}/{}",
            package.namespace,
            package.name,
            interface.name.as_ref()?
        ))
    }
}

fn error_type(ty: Option<Type>) -> ErrorType {
    let Some(ty) = ty else {
        return ErrorType::Empty;
    };
    match &ty {
        Type::Record(record)
            if record.name == "failure" && record.interface.as_deref() == Some(CONNECTOR_TYPES) =>
        {
            ErrorType::Failure(ty)
        }
        _ => ErrorType::Other(ty),
    }
}

/// What an author wrote about an item.
pub(crate) fn docs(docs: &Docs) -> Option<String> {
    docs.contents
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}
