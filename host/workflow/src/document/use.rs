//! What the parts of a workflow refer to by name (dsl-reference, "Use").

use std::collections::HashMap;

use super::extension::Extensions;
use super::read::{Field, Kind, Read, Reader, Scope};
use super::{Authentication, Endpoint, ErrorDefinition, Extension, Located, Retry, Task, Timeout};

/// The reusable parts of a workflow.
#[derive(Debug, Clone, Default)]
pub struct Use {
    /// Authentication policies.
    pub authentications: Table<Authentication>,
    /// Catalogs: the root URL of each.
    pub catalogs: Table<Endpoint>,
    /// Errors.
    pub errors: Table<ErrorDefinition>,
    /// Extensions, in order.
    pub extensions: Vec<Extension>,
    /// Functions: a task each.
    pub functions: Table<Task>,
    /// Retry policies.
    pub retries: Table<Retry>,
    /// The names of the secrets that the workflow uses.
    pub secrets: Vec<Located<String>>,
    /// Timeouts.
    pub timeouts: Table<Timeout>,
}

/// Named parts, in the order of declaration.
#[derive(Debug, Clone)]
pub struct Table<T> {
    entries: Vec<(Located<String>, T)>,
    index: HashMap<String, usize>,
}

/// A part that is written where it is used, or under a name below `use`.
#[derive(Debug, Clone)]
pub enum Reusable<T> {
    /// Written here.
    Inline(T),
    /// The name of one that `use` defines. That it does has been checked.
    Reference(Located<String>),
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            index: HashMap::new(),
        }
    }
}

impl<T> Table<T> {
    /// The part with that name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.index.get(name).map(|index| &self.entries[*index].1)
    }

    /// All parts with their names, whose place is that of the key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Located<String>, &T)> {
        self.entries.iter().map(|(name, part)| (name, part))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<T> Reusable<T> {
    pub(super) fn resolve<'a>(&'a self, table: &'a Table<T>, kind: Kind) -> &'a T {
        match self {
            Self::Inline(part) => part,
            Self::Reference(name) => table.get(name).unwrap_or_else(|| {
                panic!(
                    "{} `{}` was found when the document was read",
                    kind.what(),
                    name.value
                )
            }),
        }
    }
}

impl<T: Read> Read for Table<T> {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(entries) = field.entries() else {
            reader.wrong_type(field, "a mapping from names to definitions", None);
            return None;
        };
        let parts: Vec<_> = entries
            .map(|(name, part)| (name_of(name, &part), T::read(&part, reader)))
            .collect();
        let mut table = Self::default();
        for (name, part) in parts {
            table.index.insert(name.value.clone(), table.entries.len());
            table.entries.push((name, part?));
        }
        Some(table)
    }
}

fn name_of(name: &str, field: &Field<'_>) -> Located<String> {
    Located {
        value: name.to_owned(),
        location: super::Location {
            span: field.key_span.unwrap_or_default(),
            pointer: field.pointer.clone(),
        },
    }
}

/// A mapping is read as the part, a string as a name of one.
pub(super) fn read_reusable<T: Read>(
    field: &Field<'_>,
    reader: &mut Reader<'_>,
    kind: Kind,
) -> Option<Reusable<T>> {
    if field.as_str().is_none() {
        return T::read(field, reader).map(Reusable::Inline);
    }
    let name = Located::<String>::read(field, reader)?;
    reader.check_reference(kind, &name)?;
    Some(Reusable::Reference(name))
}

impl Read for Use {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`use`")?;
        let authentications = object.optional("authentications");
        let catalogs = object.optional::<Table<Catalog>>("catalogs");
        let errors = object.optional("errors");
        let extensions = object.optional::<Extensions>("extensions");
        let functions = object.optional::<Table<Function>>("functions");
        let retries = object.optional("retries");
        let secrets = object.optional::<Vec<Located<String>>>("secrets");
        let timeouts = object.optional("timeouts");
        object.finish()?;
        Some(Self {
            authentications: authentications?.unwrap_or_default(),
            catalogs: catalogs?.unwrap_or_default().map(|catalog| catalog.0),
            errors: errors?.unwrap_or_default(),
            extensions: extensions?
                .map(|extensions| extensions.0)
                .unwrap_or_default(),
            functions: functions?.unwrap_or_default().map(|function| function.0),
            retries: retries?.unwrap_or_default(),
            secrets: secrets?.unwrap_or_default(),
            timeouts: timeouts?.unwrap_or_default(),
        })
    }
}

impl<T> Table<T> {
    fn map<U>(self, convert: impl Fn(T) -> U) -> Table<U> {
        let entries = self
            .entries
            .into_iter()
            .map(|(name, part)| (name, convert(part)))
            .collect();
        Table {
            entries,
            index: self.index,
        }
    }
}

/// A catalog as it is written: a mapping with its endpoint.
struct Catalog(Endpoint);

impl Read for Catalog {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "a catalog")?;
        let endpoint = object.required("endpoint");
        object.finish()?;
        Some(Self(endpoint?))
    }
}

/// A task that stands alone.
struct Function(Task);

impl Read for Function {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let name = field.pointer.last_key().unwrap_or_default().to_owned();
        let name = name_of(&name, field);
        reader
            .in_scope(
                Scope::Closed("a function has no tasks beside it"),
                |reader| Task::read(name, field, reader),
            )
            .map(Self)
    }
}
