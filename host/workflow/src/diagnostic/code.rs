//! The kinds of things that can be wrong, as programs see them. A code keeps its meaning for good.

/// The text is neither YAML 1.2 nor JSON.
pub const SYNTAX: &str = "syntax";
/// The text, or what its aliases make of it, is larger than the host takes.
pub const TOO_LARGE: &str = "too-large";
/// Nested deeper than the host takes.
pub const TOO_DEEP: &str = "too-deep";
/// More is wrong than is worth listing.
pub const TOO_MANY_ERRORS: &str = "too-many-errors";
/// A key stands twice in the same mapping.
pub const DUPLICATE_KEY: &str = "duplicate-key";
/// A feature of YAML that has no meaning in JSON: a tag, a merge key, a key that is no scalar, `.nan`.
pub const NOT_JSON: &str = "not-json";
/// A number that JSON implementations cannot hold exactly. A warning.
pub const INEXACT_NUMBER: &str = "inexact-number";

/// A key that the specification does not know in this place.
pub const UNKNOWN_KEY: &str = "unknown-key";
/// A key that must be there.
pub const MISSING_KEY: &str = "missing-key";
/// Keys that exclude one another, or that have no meaning without another.
pub const CONFLICTING_KEYS: &str = "conflicting-keys";
/// A value of another type than the specification asks for.
pub const WRONG_TYPE: &str = "wrong-type";
/// A value of the right type that is not among those allowed.
pub const BAD_VALUE: &str = "bad-value";
/// A version of the DSL that the host does not speak.
pub const UNSUPPORTED_DSL: &str = "unsupported-dsl";
/// Text that is no duration.
pub const BAD_DURATION: &str = "bad-duration";
/// Text that is no cron expression.
pub const BAD_CRON: &str = "bad-cron";
/// Text that is no URI, or no URI template.
pub const BAD_URI: &str = "bad-uri";
/// A name that cannot be used as a name, or that is taken by the language.
pub const BAD_NAME: &str = "bad-name";

/// An item of a list of tasks that is not one name with one task.
pub const BAD_TASK_ITEM: &str = "bad-task-item";
/// A task that does not say what it does.
pub const NO_TASK_KIND: &str = "no-task-kind";
/// A task that says more than one thing that it does.
pub const SEVERAL_TASK_KINDS: &str = "several-task-kinds";
/// Two tasks, or two cases, of one name in one list.
pub const DUPLICATE_NAME: &str = "duplicate-name";
/// A flow directive that leads to a task which is not in its scope.
pub const UNKNOWN_TASK: &str = "unknown-task";
/// A task that no flow leads to. A warning.
pub const UNREACHABLE_TASK: &str = "unreachable-task";
/// A name that `use` does not define.
pub const UNDEFINED_REFERENCE: &str = "undefined-reference";
/// More than one case without a condition.
pub const SEVERAL_DEFAULTS: &str = "several-defaults";
/// Branches that wait for one another.
pub const CYCLE: &str = "cycle";
/// Something that is allowed and has no effect. A warning.
pub const NO_EFFECT: &str = "no-effect";

/// Part of the language that this host does not run yet.
pub const UNSUPPORTED: &str = "unsupported";
/// An addition of this host, which other runtimes refuse.
pub const NOT_PORTABLE: &str = "not-portable";

/// Something that is kept elsewhere could not be fetched; as a warning, nobody has tried.
pub const UNFETCHED: &str = "unfetched";
/// What stands where a JSON Schema must is none.
pub const BAD_SCHEMA: &str = "bad-schema";
/// An expression does not parse, or uses a variable that does not exist where it stands.
pub const BAD_EXPRESSION: &str = "bad-expression";
/// There is no such function, or no such connector.
pub const UNKNOWN_FUNCTION: &str = "unknown-function";
/// A workflow that a task runs is not published. A warning: it may be before it is run.
pub const UNKNOWN_WORKFLOW: &str = "unknown-workflow";
/// A function has no such parameter.
pub const UNKNOWN_ARGUMENT: &str = "unknown-argument";
/// A function needs an argument that isn't there.
pub const MISSING_ARGUMENT: &str = "missing-argument";
/// An argument is not of the type that its parameter has.
pub const WRONG_ARGUMENT: &str = "wrong-argument";
