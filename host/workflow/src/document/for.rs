//! `for`: tasks for each item of a collection (dsl-reference, "For").

use serde_json::Value;

use super::read::{Field, Object, Read, Reader};
use super::{Located, TaskList};
use crate::diagnostic::code;
use crate::yaml::Data;

/// A `for` task.
#[derive(Debug, Clone)]
pub struct For {
    /// `for.each`: the variable that holds the item, without its dollar sign. Default: `item`.
    pub each: Option<Located<String>>,
    /// `for.in`: the collection.
    pub r#in: ForIn,
    /// `for.at`: the variable that holds the item's index from 0, without its dollar sign. Default: `index`.
    pub at: Option<Located<String>>,
    /// `for.concurrency`: how many iterations run at the same time. 1 to [`CONCURRENCY_MAX`]. An addition of
    /// this host.
    pub concurrency: Option<Located<u64>>,
    /// `while`: an expression; the loop ends before the first item for which it is not true.
    pub r#while: Option<Located<String>>,
    /// `do`: the tasks to perform for each item, in order.
    pub tasks: TaskList,
}

/// How many iterations of a loop may run at the same time, at most: all of them are in memory, and each has
/// a copy of the context.
pub const CONCURRENCY_MAX: u64 = 1_000;

/// The collection that a `for` goes through.
#[derive(Debug, Clone)]
pub enum ForIn {
    /// What an expression yields.
    Expression(Located<String>),
    /// A list that is written here, with expressions anywhere inside.
    Items(Located<Value>),
}

impl For {
    /// The name of the variable that holds the item, without its dollar sign.
    pub fn item_variable(&self) -> &str {
        self.each.as_ref().map_or("item", |name| name.as_str())
    }

    /// The name of the variable that holds the index, without its dollar sign.
    pub fn index_variable(&self) -> &str {
        self.at.as_ref().map_or("index", |name| name.as_str())
    }

    pub(super) fn read(object: &mut Object<'_, '_, '_>) -> Option<Self> {
        let header = object.required::<Header>("for");
        let r#while = object.optional("while");
        let tasks = object.required("do");
        let Header {
            each,
            r#in,
            at,
            concurrency,
        } = header?;
        Some(Self {
            each,
            r#in,
            at,
            concurrency,
            r#while: r#while?,
            tasks: tasks?,
        })
    }
}

/// What stands inside `for`.
struct Header {
    each: Option<Located<String>>,
    r#in: ForIn,
    at: Option<Located<String>>,
    concurrency: Option<Located<u64>>,
}

impl Read for Header {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`for`")?;
        let each = object.optional::<Variable>("each");
        let r#in = object.required("in");
        let at = object.optional::<Variable>("at");
        let concurrency = object.optional::<Located<u64>>("concurrency");
        let finished = object.finish_with(|key| {
            matches!(key, "while" | "do").then_some("it belongs beside `for`, not inside it")
        });
        let (each, at, concurrency) = (each?.map(|one| one.0), at?.map(|one| one.0), concurrency?);
        check_different(each.as_ref(), "item", at.as_ref(), reader)?;
        let allowed = 1..=CONCURRENCY_MAX;
        if let Some(wrong) = concurrency
            .as_ref()
            .filter(|it| !allowed.contains(&it.value))
        {
            let message = format!("`concurrency` must be a number from 1 to {CONCURRENCY_MAX}");
            reader.error(code::BAD_VALUE, &wrong.location, message, None);
            return None;
        }
        finished?;
        Some(Self {
            each,
            r#in: r#in?,
            at,
            concurrency,
        })
    }
}

impl Read for ForIn {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match &field.node.data {
            Data::String(text) => Some(Self::Expression(field.located(text.clone()))),
            Data::Sequence(_) => Some(Self::Items(field.located(field.node.to_value()))),
            _ => {
                reader.wrong_type(field, "an expression or a list", None);
                None
            }
        }
    }
}

/// Checks that the variables of an item and its index have different names.
pub(super) fn check_different(
    item: Option<&Located<String>>,
    item_default: &str,
    index: Option<&Located<String>>,
    reader: &mut Reader<'_>,
) -> Option<()> {
    let item_name = item.map_or(item_default, |name| name.as_str());
    let index_name = index.map_or("index", |name| name.as_str());
    if item_name != index_name {
        return Some(());
    }
    let location = &index.or(item)?.location;
    reader.error(
        code::BAD_NAME,
        location,
        format!("the item and its index are both called `{index_name}`"),
        "give one of them another name".to_owned(),
    );
    None
}

/// The name of a variable in expressions, without its dollar sign.
pub(super) struct Variable(pub(super) Located<String>);

/// The arguments that the language gives to expressions (dsl, "Runtime expression arguments"), with those
/// of this host and of jq.
const RESERVED: [&str; 11] = [
    "context",
    "input",
    "output",
    "secrets",
    "authorization",
    "task",
    "workflow",
    "runtime",
    "branches",
    "ENV",
    "__loc__",
];

impl Read for Variable {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let name = Located::<String>::read(field, reader)?;
        let (message, help) = if RESERVED.contains(&name.as_str()) {
            (
                format!(
                    "`${}` is given by the language and cannot be a variable here",
                    name.value
                ),
                "choose another name".to_owned(),
            )
        } else if let Some(bare) = name.strip_prefix('$').filter(|bare| is_identifier(bare)) {
            (
                "the name of a variable is written without its dollar sign here".to_owned(),
                format!("write `{bare}`"),
            )
        } else if !is_identifier(&name) {
            let help = "use letters, digits and underscores, with no digit at the start".to_owned();
            (
                format!("`{}` cannot be the name of a variable", name.value),
                help,
            )
        } else {
            return Some(Self(name));
        };
        reader.error(code::BAD_NAME, &name.location, message, help);
        None
    }
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
